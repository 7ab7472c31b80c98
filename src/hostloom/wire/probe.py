"""Runs the probe agent with a host's python3, and reads its result."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

from hostloom.model.attachment import AttachKind
from hostloom.model.dhcp_exchange import DhcpOffer
from hostloom.model.errors.outside import HostNotScannable, WireRefused
from hostloom.model.finding import PARSE_ERRORS, in_words, printable
from hostloom.model.ids import MacAddress
from hostloom.model.network import Address
from hostloom.ports.wire import NeighbourAnswer, ProbePoint
from hostloom.remote.address import is_this_machine, ssh_address
from hostloom.remote.command import NOT_FOUND, Local, Shell
from hostloom.remote.connection import Remotes
from hostloom.wire.agent.program import agent_program

#: `-I`: import nothing from the user's directories.
PYTHON = ("python3", "-I", "-")
#: Time for a bridge's forward delay and the search for the longest packet, beyond listening.
SETTLING_S = 50.0
#: Time of the host beyond the agent's deadline: login, starting Python.
STARTING_S = 10.0
#: An argument of a program has at most 128 KiB; this number of addresses always fits.
TARGETS_AT_ONCE = 1000


class AgentProbe:
    """Implements ports.WireProbe on this machine and over SSH."""

    def __init__(self, remotes: Remotes) -> None:
        self._remotes = remotes

    def dhcp_servers(
        self, point: ProbePoint, version: int = 4, timeout_s: float = 3.0
    ) -> Sequence[DhcpOffer]:
        """Every server that offers an address to an unknown client."""
        job = {"task": "dhcp", "version": version, "timeout_s": timeout_s}
        answer = self._ask(point, job)
        with _understood(point):
            return [_offer(row) for row in answer["offers"]]

    def reach(
        self, point: ProbePoint, targets: Sequence[Address], mtu: int | None = None, timeout_s: float = 1.0
    ) -> Sequence[NeighbourAnswer]:
        """The MACs that answer for each address, in the order of the targets."""
        rows = []
        for start in range(0, len(targets), TARGETS_AT_ONCE):
            chunk = [str(target) for target in targets[start : start + TARGETS_AT_ONCE]]
            job = {"task": "reach", "targets": chunk, "mtu": mtu, "timeout_s": timeout_s}
            answer = self._ask(point, job)
            with _understood(point):
                rows += answer["reach"]
        with _understood(point):
            return [
                NeighbourAnswer(target, tuple(map(MacAddress.parse, row["macs"])), row["mtu"])
                for target, row in zip(targets, rows, strict=True)
            ]

    def _ask(self, point: ProbePoint, job: Mapping[str, object]) -> dict[str, Any]:
        """The agent's answer; WireRefused or HostNotScannable if the agent reports it."""
        attachment, shell = point.attachment, self._shell(point.uri)
        where = f"{attachment.source} of {shell.name}"
        if attachment.kind is AttachKind.NETWORK:
            raise WireRefused(where, "it is a libvirt network: ask its bridge")
        if attachment.ovs:
            raise WireRefused(where, "Open vSwitch would remember the port of a probe that was killed")
        end_s = float(str(job["timeout_s"])) + SETTLING_S
        whole = {
            **job,
            "source": attachment.source,
            "kind": attachment.kind,
            "mode": attachment.mode,
            "end_s": end_s,
        }
        completed = shell.run([*PYTHON, json.dumps(whole)], end_s + STARTING_S, stdin=agent_program())
        if completed.exit_code == NOT_FOUND:
            raise HostNotScannable(point.uri, "there is no python3, which a probe needs")
        try:
            response: dict[str, Any] = json.loads(completed.stdout)
        except (ValueError, RecursionError):
            error_lines = completed.stderr.strip().splitlines() or ["it said nothing"]
            raise HostNotScannable(point.uri, f"the probe ended early: {error_lines[-1]}") from None
        if not isinstance(response, dict):
            raise HostNotScannable(point.uri, f"the probe answers with a {type(response).__name__}")
        if "refused" in response:
            raise WireRefused(where, printable(response["refused"]))
        if "unable" in response:
            raise HostNotScannable(point.uri, f"the probe could not be made: {printable(response['unable'])}")
        return response

    def _shell(self, uri: str) -> Shell:
        address = ssh_address(uri)
        if address is not None:
            return self._remotes.of(address)
        if is_this_machine(uri):
            return Local()
        raise HostNotScannable(uri)


@contextmanager
def _understood(point: ProbePoint) -> Iterator[None]:
    """Convert errors of parsing: an answer of another form does not come from the agent."""
    try:
        yield
    except PARSE_ERRORS as error:
        cause = f"the probe's answer cannot be understood: {printable(in_words(error))}"
        raise HostNotScannable(point.uri, cause) from error


def _offer(row: Mapping[str, Any]) -> DhcpOffer:
    def address(name: str) -> Address | None:
        return None if row[name] is None else ip_address(row[name])

    return DhcpOffer(
        server=ip_address(row["server"]),
        mac=MacAddress.parse(row["mac"]),
        ip=address("ip"),
        gateway=address("gateway"),
        lease_time_s=row["lease_time_s"],
    )
