"""This machine as a rack: a controller node, DHCP published and watched."""

import logging
import threading
from dataclasses import replace

from hostloom.config import Settings
from hostloom.model.errors import DriverError
from hostloom.model.ids import SystemId
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
