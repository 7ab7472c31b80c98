"""Network boot on this machine: scripts and boot files over HTTP, iPXE over TFTP, reports that stay out."""

import logging
import socket
import threading
from contextlib import ExitStack

import uvicorn

from hostloom.boot.http import BootCalls, Report, create_boot_app
from hostloom.boot.images import BootImages
from hostloom.boot.loaders import loaders
from hostloom.boot.scripts import MachineBoot
from hostloom.boot.tftp import TftpServer
from hostloom.config import Settings
from hostloom.decide.explain.boot import render_boot
from hostloom.model.commissioning import BootAction, FoundHardware
from hostloom.model.errors import ConfigError
from hostloom.model.event import Event
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Machine
from hostloom.patience import Crowd, PatientProtocol, limited
from hostloom.ports import Ports
from hostloom.repeating import Repeating
from hostloom.workflows.commission import give_up_overdue
from hostloom.workflows.netboot import boot_now
from hostloom.workflows.report import take_report, temporary_name

log = logging.getLogger(__name__)

#: Machines whose report stays out are looked for this often.
LOOK_EVERY_S = 5.0
#: Connections beyond these are told to come again: as many machines as a rack has, and then some.
MAX_CONNECTIONS = 512
#: A machine opens one or two; several may share an address behind a router.
MAX_CONNECTIONS_OF_ONE = 64
BACKLOG = 256


class BootServer:
    """Everything that machines reach this machine for before they have a system; on all its addresses.

    ConfigError where a port is taken.
    """

    def __init__(self, settings: Settings, ports: Ports) -> None:
        self._settings, self._ports = settings, ports
        self._images = BootImages(settings.images, settings.boot_kernel, settings.boot_initrd)
        with ExitStack() as undo:
            self._socket = undo.enter_context(_listen(settings.boot_port))
            self._tftp = _tftp(settings.tftp_port)
            undo.pop_all()
        config = uvicorn.Config(
            create_boot_app(
                self._images, loaders(), BootCalls(boot=self._boot, up=self._up, found=self._found)
            ),
            http=limited(PatientProtocol, Crowd(MAX_CONNECTIONS, MAX_CONNECTIONS_OF_ONE)),
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
        self._overdue = Repeating("commissioning", lambda: give_up_overdue(ports), LOOK_EVERY_S)

    def start(self) -> None:
        """Serve in threads of their own."""
        self._thread.start()
        self._overdue.start()
        if self._tftp is not None:
            self._tftp.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._overdue.stop()
        if self._tftp is not None:
            self._tftp.stop()
        self._thread.join(5)
        self._socket.close()

    # -- what machines ask -------------------------------------------------------------------------------

    def _boot(self, mac: MacAddress) -> MachineBoot:
        found = boot_now(
            self._ports,
            mac,
            enlist=self._settings.enlist,
            has_image=lambda machine: self._images.choose(virtual=_is_virtual(machine)) is not None,
        )
        why, image = render_boot(found.decision), None
        if found.decision.action is not BootAction.LOCAL:
            image = self._images.choose(virtual=_is_virtual(found.machine))
            if image is None:
                why = f"its own disk: for {why} there is no boot image yet (hostloom image build makes one)"
        log.info("%s boots %s", found.machine.hostname if found.machine else mac, why)
        return MachineBoot(
            found.machine.hostname if found.machine else temporary_name([mac]),
            found.decision.action,
            why,
            image.name if image else "",
            found.secret,
            self._settings.boot_cmdline,
        )

    def _found(self, secret: str, found: FoundHardware) -> str:
        return take_report(self._ports, secret, found).value

    def _up(self, report: Report) -> None:
        text = f"is up with {report.ip} on {report.mac}, {report.uptime_s:g} s after its kernel started"
        details = {"mac": str(report.mac), "ip": str(report.ip), "seen_from": report.seen_from}
        with self._ports.store.begin() as uow:
            machine = uow.machines.find_by_mac(report.mac)
            name = machine.hostname if machine else report.hostname or str(report.mac)
            uow.events.add(
                Event("machine-up", f"machine {name}", text, self._ports.clock.now(), details=details)
            )
            uow.commit()


def _is_virtual(machine: Machine | None) -> bool:
    """Composed and adopted ones are on a host; of one that nobody knows we cannot tell."""
    return machine is not None and machine.host_id is not None


def _listen(port: int) -> socket.socket:
    """On every address, of both families where the machine has both; ConfigError."""
    try:
        if socket.has_dualstack_ipv6():
            return socket.create_server(
                ("::", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True
            )
        return socket.create_server(("", port), backlog=BACKLOG)
    except OSError as error:
        raise ConfigError("boot_port", str(port), f"a port that is free here ({error.strerror})") from error


def _tftp(port: int) -> TftpServer | None:
    """Firmware asks on port 69 only, which an ordinary user may not have: then machines need iPXE."""
    if not port:
        return None
    try:
        return TftpServer(loaders(), port)
    except PermissionError:
        log.warning("no TFTP: port %d is for root; firmware without iPXE cannot boot from here", port)
        return None
