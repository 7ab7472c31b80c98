"""Network boot on this machine: scripts and boot files over HTTP, iPXE over TFTP, and overdue reports."""

import hashlib
import hmac
import logging
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import uvicorn

from hostloom.api.connections import Crowd, TimeoutProtocol, limited
from hostloom.boot.http import BootCalls, Report, create_boot_app
from hostloom.boot.images import BootImage, BootImages
from hostloom.boot.loaders import loaders
from hostloom.boot.scripts import MachineBoot
from hostloom.boot.tftp import TftpServer
from hostloom.decide.explain.boot import render_boot
from hostloom.model.commissioning import BootAction, FoundHardware, hash_secret
from hostloom.model.deployment import DeployReport, DiskProgress
from hostloom.model.errors.permissions import ReportRefused
from hostloom.model.errors.server import ConfigError
from hostloom.model.event import Event, EventSubject, EventSubjectKind, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Machine
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.quotas import Quota
from hostloom.reconcilers.served_networks import ServedNetworks
from hostloom.sagas.commission import give_up_overdue
from hostloom.server.config import Settings
from hostloom.server.periodic import PeriodicTask, Reports
from hostloom.services import deployments, disk_orders
from hostloom.services.machine_reports import take_report, temporary_name
from hostloom.services.network_boot import BootNow, boot_now

log = logging.getLogger(__name__)

#: Interval of the check for overdue reports.
LOOK_EVERY_S = 5.0
#: Limit of connections, somewhat more than the machines of a rack; further ones are asked to retry.
MAX_CONNECTIONS = 512
FEWEST_CONNECTIONS = 32
#: Limit per address: a machine opens one or two, and several machines may share the address of a router.
MAX_CONNECTIONS_OF_ONE = 64
BACKLOG = 256
#: What gives up on machines that do not report in time.
_TIMEOUTS = {
    "commissioning-timeouts": give_up_overdue,
    "deployment-timeouts": deployments.give_up_overdue,
}


@dataclass
class _Quotas:
    """Limits of requests per address and per machine; a real machine sends a few while it boots."""

    scripts: Quota = field(default_factory=lambda: Quota(32, 1.0))
    hardware: Quota = field(default_factory=lambda: Quota(16, 0.1))
    all_hardware: Quota = field(default_factory=lambda: Quota(400, 4.0))
    reports: Quota = field(default_factory=lambda: Quota(32, 1.0))
    #: A machine asks three times and reports every five seconds; many may share the address of a router.
    disks: Quota = field(default_factory=lambda: Quota(64, 4.0))
    reports_of_one: Quota = field(default_factory=lambda: Quota(8, 0.1))


@dataclass(frozen=True)
class _DiskCalls:
    """Machines that write their disks."""

    ports: Ports
    quotas: _Quotas

    def orders(self, secret: str, seen_from: str, base_url: str) -> str:
        self.quotas.disks.check(seen_from, "requests of this address")
        return disk_orders.orders(self.ports, secret, base_url)

    def seed(self, secret: str, seen_from: str, base_url: str) -> bytes:
        self.quotas.disks.check(seen_from, "requests of this address")
        return disk_orders.seed(self.ports, secret, base_url)

    def stream(self, secret: str, seen_from: str) -> Path:
        self.quotas.disks.check(seen_from, "requests of this address")
        return disk_orders.stream(self.ports, secret)

    def take_progress(self, secret: str, seen_from: str, progress: DiskProgress) -> None:
        self.quotas.disks.check(seen_from, "requests of this address")
        disk_orders.take_progress(self.ports, secret, progress)


class BootServer:
    """Serves machines without an installed system, on all addresses of this machine.

    ConfigError where a port is taken.
    """

    def __init__(self, settings: Settings, ports: Ports, reports: Reports) -> None:
        self._settings, self._ports = settings, ports
        self._images = BootImages(settings.images, settings.boot_kernel, settings.boot_initrd)
        self._served = ServedNetworks(ports, settings.boot_networks)
        self._quotas = _Quotas()
        # The tokens for reports that a machine is up are derived from it and not stored.
        self._key = ports.secrets.derive("machine-up") if ports.secrets else secrets.token_hex(16)
        with ExitStack() as undo:
            self._socket = undo.enter_context(_listen(settings.boot_port))
            self._tftp = _tftp(settings.tftp_port, self._served.__contains__)
            undo.pop_all()
        # Fewer if the process may open only few files (server/open_files.py).
        most = min(MAX_CONNECTIONS, max(settings.max_connections, FEWEST_CONNECTIONS))
        config = uvicorn.Config(
            create_boot_app(
                self._images,
                loaders(),
                self._calls(),
            ),
            http=limited(TimeoutProtocol, Crowd(most, min(most, MAX_CONNECTIONS_OF_ONE))),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        run = {"sockets": [self._socket]}
        self._thread = threading.Thread(target=self._server.run, kwargs=run, name="boot", daemon=True)
        self._overdue = [
            PeriodicTask(name, partial(give_up, ports), LOOK_EVERY_S, reports)
            for name, give_up in _TIMEOUTS.items()
        ]

    def start(self) -> None:
        """Start serving in separate threads."""
        self._thread.start()
        for task in self._overdue:
            task.start()
        if self._tftp is not None:
            self._tftp.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        for task in self._overdue:
            task.stop()
        if self._tftp is not None:
            self._tftp.stop()
        self._thread.join(5)
        self._socket.close()

    def _calls(self) -> BootCalls:
        return BootCalls(
            boot=self._boot,
            up=self._up,
            take_report=self._found,
            deployed=self._deployed,
            admit_deployed=self._admit_deployed,
            admit=self._admit,
            disk=_DiskCalls(self._ports, self._quotas),
            serves=self._served.__contains__,
        )

    # -- requests of machines ----------------------------------------------------------------------------

    def _boot(self, mac: MacAddress, seen_from: str) -> MachineBoot:
        self._quotas.scripts.check(seen_from, "boot scripts of this address")
        decision = boot_now(
            self._ports,
            mac,
            enlist=self._settings.enlist,
            has_image=lambda machine: self._choose_image(machine) is not None,
        )
        reason, image = render_boot(decision.decision), None
        if decision.decision.action is not BootAction.LOCAL:
            image = self._choose_image(decision.machine)
            if image is None:
                reason = self._without_image(decision, reason)
        log.info("%s boots %s", decision.machine.hostname if decision.machine else mac, reason)
        return MachineBoot(
            decision.machine.hostname if decision.machine else temporary_name([mac]),
            decision.decision.action,
            reason,
            image.name if image else "",
            decision.secret,
            self._settings.boot_cmdline,
            self._up_secret(mac) if image else "",
            disk_first=decision.decision.tries_disk_first,
        )

    def _choose_image(self, machine: Machine | None) -> BootImage | None:
        if machine is not None and machine.next_boot is BootAction.DEPLOY:
            return self._images.choose_for_disks()
        return self._images.choose(virtual=_is_virtual(machine))

    def _without_image(self, boot: BootNow, reason: str) -> str:
        """What the console says; a deployment fails, because nothing else could write the disk."""
        if boot.machine is not None and boot.decision.action is BootAction.DEPLOY:
            disk_orders.fail_without_environment(self._ports, boot.machine)
            return "its own disk: no boot image can write disks (hostloom image build generic makes one)"
        return f"its own disk: for {reason} there is no boot image yet (hostloom image build makes one)"

    def _admit(self, secret: str, seen_from: str) -> None:
        self._quotas.hardware.check(seen_from, "reports of this address")
        self._quotas.all_hardware.check("all", "reports")
        with self._ports.store.begin() as uow:
            if uow.commissionings.find(hash_secret(secret), self._ports.clock.now()) is None:
                raise ReportRefused

    def _admit_deployed(self, secret: str, seen_from: str) -> None:
        self._quotas.reports.check(seen_from, "reports of this address")
        if not deployments.knows_token(self._ports, secret):
            raise ReportRefused

    def _deployed(self, secret: str, report: DeployReport) -> None:
        deployments.take_report(self._ports, secret, report)

    def _found(self, secret: str, hardware: FoundHardware) -> str:
        return take_report(self._ports, secret, hardware).value

    def _up(self, report: Report) -> None:
        self._quotas.reports.check(report.seen_from, "reports of this address")
        self._quotas.reports_of_one.check(report.mac, "reports of this machine")
        details = {"mac": str(report.mac), "ip": str(report.ip), "seen_from": report.seen_from}
        with self._ports.store.begin() as uow:
            machine = uow.machines.find_by_mac(report.mac)
            if not self._may_report(uow, machine, report):
                raise ReportRefused
            text = _up_text(machine, report)
            name = report.hostname or str(report.mac)
            unknown = EventSubject(EventSubjectKind.MACHINE, name=name)
            subject = machine_subject(machine) if machine else unknown
            now = self._ports.clock.now()
            uow.events.add(Event(EventKind.MACHINE_UP, subject, text, now, details=details))
            uow.commit()

    def _up_secret(self, mac: MacAddress) -> str:
        """The token of the machine that booted through this NIC."""
        return hmac.new(self._key.encode(), mac.text.encode(), hashlib.sha256).hexdigest()[:32]

    def _may_report(self, uow: UnitOfWork, machine: Machine | None, report: Report) -> bool:
        """Whether the token belongs to the NIC, or to another NIC through which the same machine booted."""
        macs = {report.mac}
        if machine is not None:
            macs |= {nic.mac for nic in machine.interfaces}
            macs |= {nic.mac for nic in uow.nodes.get(machine.system_id).interfaces if nic.mac is not None}
        return any(hmac.compare_digest(self._up_secret(mac), report.secret) for mac in macs)


def _up_text(machine: Machine | None, report: Report) -> str:
    """The text of the event, with the report's source and the reserved address if they differ."""
    text = f"is up with {report.ip} on {report.mac}, {report.uptime_s:g} s after its kernel started"
    if str(report.ip) != report.seen_from:
        text += f"; the report came from {report.seen_from}"
    nics = machine.interfaces if machine is not None else ()
    reserved = [ip for nic in nics if nic.mac == report.mac for ip in nic.ips]
    if reserved and report.ip not in reserved:
        text += f"; reserved for it is {', '.join(map(str, reserved))}"
    return text


def _is_virtual(machine: Machine | None) -> bool:
    """Whether the machine is virtual, as composed and adopted machines are; False for an unknown one."""
    return machine is not None and machine.host_id is not None


def _listen(port: int) -> socket.socket:
    """Listen on all addresses, of both families if the machine has both; ConfigError."""
    try:
        if socket.has_dualstack_ipv6():
            return socket.create_server(
                ("::", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True
            )
        return socket.create_server(("", port), backlog=BACKLOG)
    except OSError as error:
        raise ConfigError("boot_port", port, f"cannot be opened: {error.strerror}") from error


def _tftp(port: int, serves: Callable[[str], bool]) -> TftpServer | None:
    """Start TFTP. Firmware uses only port 69, which needs privileges; without it machines need iPXE."""
    if not port:
        return None
    try:
        return TftpServer(loaders(), port, serves)
    except PermissionError:
        log.warning("no TFTP: port %d is for root; firmware without iPXE cannot boot from here", port)
        return None
