"""One Kea server of one family: configuration, leases and status."""

import hashlib
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from hostloom.dhcp.absent_interfaces import missing_interface, without
from hostloom.dhcp.config import KeaPaths
from hostloom.dhcp.config6 import duid
from hostloom.dhcp.config_delta import only_new_reservations
from hostloom.dhcp.control import Control
from hostloom.model.dhcp import DhcpReservation
from hostloom.model.errors.outside import DhcpRejected, DhcpUnreachable
from hostloom.model.errors.values import InvalidValue
from hostloom.model.finding import Findings
from hostloom.model.ids import MacAddress, SubnetId
from hostloom.model.network import Address

log = logging.getLogger(__name__)

#: `state` of a lease that is neither declined nor reclaimed.
ASSIGNED = 0
#: A healthy server answers at once.
ALIVE_TIMEOUT_S = 2.0
#: Kea's message about an interface that is down or without carrier (Kea 2.2: `openSockets4`).
_NO_CARRIER = re.compile(r"is not running|is down")
#: Names of Kea's statistics, by IP version.
_COUNTS = {
    version: (
        assigned,
        "reclaimed-leases",
        f"pkt{version}-release-received",
        f"pkt{version}-decline-received",
    )
    for version, assigned in ((4, "cumulative-assigned-addresses"), (6, "cumulative-assigned-nas"))
}


@dataclass(frozen=True)
class RecordedLease:
    """A lease that Kea has recorded; it may have expired."""

    ip: Address
    #: None if Kea does not know it.
    mac: MacAddress | None
    #: Client id of DHCPv6.
    duid: str
    hostname: str
    subnet_id: SubnetId
    #: Seconds since the epoch.
    expires_at: float

    def is_of(self, reservation: DhcpReservation) -> bool:
        """Whether the client is the owner of the reservation."""
        by_firmware = reservation.uuid != "" and self.duid == duid(reservation.uuid)
        return by_firmware or self.mac == reservation.mac


@dataclass(frozen=True)
class ServerStatus:
    """The status of a server."""

    uptime_s: float
    #: Kea's names for its state in a pair and its partner's state; empty: it serves alone.
    ha_state: str = ""
    ha_partner_state: str = ""
    #: Why it does not listen where it should; empty: no problem.
    deaf: str = ""


class KeaServer:
    """The server of IP version `version` behind a control channel; not for several threads at once."""

    def __init__(self, version: int, control: Control) -> None:
        self.version = version
        self._control = control
        #: The last configuration, and how Kea returned it afterwards.
        self._set: tuple[str, str] | None = None
        #: The last configuration that was set, even if the server restarted since.
        self._taken: dict[str, Any] | None = None

    def runs(self, document: dict[str, Any]) -> bool:
        """Whether Kea still runs this configuration; it may have restarted since."""
        return self._set is not None and self._set[0] == _digest(document) and self._set[1] == self._running()

    def test(self, document: dict[str, Any]) -> None:
        """Test it; DhcpRejected with Kea's message. Nothing is changed."""
        reduced_document = only_new_reservations(document, self._taken)
        try:
            self._control.command("config-test", reduced_document)
        except DhcpRejected as error:
            if missing_interface(str(error)) is None:
                raise
            # Kea looks for interfaces only when it is configured, not in a test; it may exist by now.
            self._set_rest(self._control.command("config-get"))
            self._control.command("config-test", reduced_document)

    def set(self, document: dict[str, Any]) -> None:
        """Serve exactly this; if an interface is missing, continue with the previous configuration.

        Kea 2.2 keeps its configuration then, but closes its sockets on every interface.
        """
        self._set = None
        try:
            self._control.command("config-set", document)
        except DhcpRejected as error:
            if missing_interface(str(error)) is not None:
                self._set_rest(self._control.command("config-get"))
            raise
        self._taken = document
        # The configuration is already live, so reading it back delays nothing.
        self._set = (_digest(document), self._running())

    def _set_rest(self, document: dict[str, Any]) -> None:
        """Serve the previous configuration without missing interfaces; each refusal names one more."""
        document.pop("hash", None)
        self._set = None
        while True:
            try:
                self._control.command("config-set", document)
                return
            except DhcpRejected as error:
                name = missing_interface(str(error))
                configuration = document if name is None else without(document, name)
                if configuration == document:
                    raise
                document = configuration

    def leases(self) -> Iterator[RecordedLease]:
        """Assigned leases, including expired ones that Kea has not removed yet."""
        findings = Findings()
        leases = self._control.command(f"lease{self.version}-get-all").get("leases", [])
        recorded_leases: list[RecordedLease] = []
        for number, lease in enumerate(leases if isinstance(leases, list) else [], 1):
            with findings.reading(f"lease {number}", "a lease as Kea writes it"):
                if lease.get("state", ASSIGNED) == ASSIGNED and lease.get("type", "IA_NA") == "IA_NA":
                    recorded_leases.append(_recorded(lease))
        for finding in findings.all():
            log.warning("Kea at %s: %s", self._control, finding)
        yield from recorded_leases

    def forget(self, ip: Address) -> None:
        """Delete a lease."""
        self._control.command(f"lease{self.version}-del", {"ip-address": str(ip)})

    def is_alive(self) -> bool:
        """Whether Kea answers within two seconds."""
        try:
            self._control.command("status-get", timeout_s=ALIVE_TIMEOUT_S)
        except (DhcpUnreachable, DhcpRejected):
            return False
        return True

    def version_text(self) -> str:
        """The version of Kea, such as `2.2.0`."""
        arguments = self._control.command("version-get", timeout_s=ALIVE_TIMEOUT_S)
        return str(arguments.get("extended", "")).partition("\n")[0].partition(" ")[0]

    def status(self) -> ServerStatus:
        """The status of the server; DhcpUnreachable."""
        status = self._control.command("status-get", timeout_s=ALIVE_TIMEOUT_S)
        return ServerStatus(float(status.get("uptime", 0)), *_ha_states(status), _deaf(status))

    def running(self) -> dict[str, Any]:
        """The running configuration; DhcpUnreachable."""
        configuration = self._control.command("config-get")
        configuration.pop("hash", None)
        return configuration

    def paths(self, usual: KeaPaths) -> KeaPaths:
        """The paths that it uses now; hostloom must not change them, because it did not start the server."""
        (configuration,) = self.running().values()
        socket = configuration.get("control-socket", {}).get("socket-name")
        leases = configuration.get("lease-database", {}).get("name")
        outputs = [
            out["output"] for log in configuration.get("loggers", ()) for out in log.get("output_options", ())
        ]
        hooks = [Path(hook["library"]).parent for hook in configuration.get("hooks-libraries", ())]
        return KeaPaths(
            Path(socket or usual.control_socket),
            Path(leases or usual.leases),
            Path(next((output for output in outputs if output.startswith("/")), usual.log)),
            hooks[0] if hooks else usual.hooks,
        )

    def process(self) -> tuple[int, str]:
        """Its process id, and why it does not listen where it should; empty: no problem."""
        status = self._control.command("status-get", timeout_s=ALIVE_TIMEOUT_S)
        return int(status["pid"]), _deaf(status)

    def counts(self) -> tuple[int, ...]:
        """Counters that change with every lease given, released, declined or reclaimed, not by renewals."""
        return tuple(self._count(name) for name in _COUNTS[self.version])

    def _count(self, name: str) -> int:
        statistics = self._control.command("statistic-get", {"name": name}, timeout_s=ALIVE_TIMEOUT_S)
        return int(statistics[name][0][0]) if name in statistics else 0

    def _running(self) -> str:
        return _digest(self._control.command("config-get"))


def _deaf(status: dict[str, Any]) -> str:
    """Sockets that `status-get` says cannot be opened, such as where another server has the port.

    An interface without carrier is none of it: a bridge gets that with its first machine.
    """
    errors = status.get("sockets", {}).get("errors", ())
    return "; ".join(str(error).strip() for error in errors if not _NO_CARRIER.search(str(error)))


def _ha_states(status: dict[str, Any]) -> tuple[str, str]:
    """The pair's state in `status-get` with the HA hook (Kea 2.2, `high-availability`)."""
    for relationship in status.get("high-availability", ()):
        servers = relationship.get("ha-servers", {})
        return servers.get("local", {}).get("state", ""), servers.get("remote", {}).get("last-state", "")
    return "", ""


def _recorded(data: dict[str, Any]) -> RecordedLease:
    return RecordedLease(
        ip=ip_address(data["ip-address"]),
        mac=_mac(data.get("hw-address", "")),
        duid=data.get("duid", ""),
        hostname=data.get("hostname", ""),
        subnet_id=SubnetId(int(data["subnet-id"])),
        expires_at=float(data["cltt"] + data["valid-lft"]),
    )


def _mac(text: str) -> MacAddress | None:
    try:
        return MacAddress.parse(text)
    except InvalidValue:
        return None


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()
