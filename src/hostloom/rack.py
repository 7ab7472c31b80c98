"""This machine as a rack: a controller node, DHCP published and watched, boot files on their own port."""

import logging
import threading
from dataclasses import replace

import uvicorn

from hostloom.boot.http import Report, create_boot_app
from hostloom.boot.scripts import MachineBoot
from hostloom.config import Settings
from hostloom.model.errors import DriverError
from hostloom.model.event import Event
from hostloom.model.ids import MacAddress, SystemId
from hostloom.ports import DhcpServer, Ports
from hostloom.workflows.controller import ensure_controller
from hostloom.workflows.dhcp_watch import LOOK_EVERY_S, DhcpWatch
from hostloom.workflows.publish import publish_dhcp

log = logging.getLogger(__name__)

#: The machine that hostloom runs on.
LOCAL_URI = "qemu:///system"


def settle(settings: Settings, ports: Ports) -> Ports:
    """Record this machine as a controller, and make DHCP serve what the store says."""
    note = settings.state_dir / "controller"
    known = SystemId(note.read_text().strip()) if note.exists() else None
    local = ensure_controller(ports, known, ports.scanner.scan(LOCAL_URI))
    note.write_text(f"{local}\n")
    ports = replace(ports, local=local, boot_port=settings.boot_port)
    try:
        publish_dhcp(ports)
    except DriverError as error:
        log.warning("DHCP is not published: %s", error)
    return ports


class DhcpKeeper:
    """Watches our DHCP server in a thread of its own."""

    def __init__(self, ports: Ports, dhcp: DhcpServer) -> None:
        self._watch = DhcpWatch(ports, dhcp)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dhcp", daemon=True)

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopping.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._watch.look()
            except Exception:  # a thread that dies would leave leases unseen
                log.exception("dhcp")
            self._stopping.wait(LOOK_EVERY_S)


class BootServer:
    """Boot files and scripts on a port of their own, on every address of this machine."""

    def __init__(self, settings: Settings, ports: Ports) -> None:
        self._ports, self._options = ports, settings.boot_cmdline
        files = {"kernel": settings.boot_kernel, "initrd": settings.boot_initrd}
        app = create_boot_app(
            {name: path for name, path in files.items() if path is not None}, self._machine, self._report
        )
        config = uvicorn.Config(
            app,
            host="0.0.0.0",  # noqa: S104  (machines reach it on the rack's addresses)
            port=settings.boot_port,
            log_config=None,
            access_log=False,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="boot", daemon=True)

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(5)

    def _machine(self, mac: MacAddress) -> MachineBoot | None:
        with self._ports.store.begin() as uow:
            for machine in uow.machines.list():
                if any(nic.mac == mac for nic in machine.interfaces):
                    return MachineBoot(machine.hostname, self._options)
        return None

    def _report(self, report: Report) -> None:
        boot = self._machine(report.mac)
        name = boot.hostname if boot else report.hostname or str(report.mac)
        text = f"is up with {report.ip} on {report.mac}, {report.uptime_s:g} s after its kernel started"
        details = {"mac": str(report.mac), "ip": str(report.ip), "seen_from": report.seen_from}
        with self._ports.store.begin() as uow:
            uow.events.add(
                Event("machine-up", f"machine {name}", text, self._ports.clock.now(), details=details)
            )
            uow.commit()
