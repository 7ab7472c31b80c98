"""Records this machine as a controller, and watches racks."""

import contextlib
import logging
from dataclasses import replace

from hostloom.model.errors.base import DriverError
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import SystemId
from hostloom.model.rack import Rack
from hostloom.ports.context import Ports
from hostloom.ports.dhcp import DhcpServers
from hostloom.reconcilers.dhcp_watch import LOOK_EVERY_S, DhcpWatch
from hostloom.reconcilers.leases import LeaseIndex
from hostloom.reconcilers.publish_dhcp import publish_dhcp
from hostloom.reconcilers.rack_links import keep_advertising, keep_watching
from hostloom.recording.controllers import ensure_controller, ensure_local_rack
from hostloom.server.config import Settings
from hostloom.server.periodic import PeriodicTask, Reports
from hostloom.wire.dhcp_snooping import PacketSnooper
from hostloom.wire.router_advertiser import LinuxRouterAdvertiser

log = logging.getLogger(__name__)

#: Interval at which the router advertisements are compared with the store.
ADVERTISE_S = 2
#: Interval at which observed DHCP messages are recorded.
SNOOP_S = 1
#: The machine that hostloom runs on.
LOCAL_URI = "qemu:///system"


def settle(settings: Settings, ports: Ports) -> Ports:
    """Record this machine as a controller, and publish the stored DHCP configuration."""
    note = settings.state_dir / "controller"
    system_id = SystemId(note.read_text().strip()) if note.exists() else None
    local = ensure_controller(ports, system_id, ports.scanner.scan(LOCAL_URI))
    note.write_text(f"{local}\n")
    ports = replace(ports, settings=replace(ports.settings, local=local))
    if settings.serves_dhcp:
        ensure_local_rack(ports.store, local)
    try:
        publish_dhcp(ports)
    except DriverError as error:
        log.warning("DHCP is not published: %s", error)
    return ports


def keep_racks(ports: Ports, servers: DhcpServers, stack: contextlib.ExitStack, reports: Reports) -> None:
    """Watch every rack; on this machine's rack also advertise and snoop. The stack stops all of it."""
    advertiser, snooper = LinuxRouterAdvertiser(), PacketSnooper()
    for service in (
        RackKeeper(ports, servers, reports),
        advertiser,
        PeriodicTask("router-adverts", lambda: keep_advertising(ports, advertiser), ADVERTISE_S, reports),
        snooper,
        PeriodicTask("dhcp-snooping", lambda: keep_watching(ports, snooper), SNOOP_S, reports),
    ):
        service.start()
        stack.callback(service.stop)


class RackKeeper:
    """Watches the DHCP server of every rack, each in its own thread; racks may be added and removed."""

    def __init__(self, ports: Ports, servers: DhcpServers, reports: Reports) -> None:
        self._ports, self._servers, self._reports = ports, servers, reports
        self._lease_index = LeaseIndex(ports)
        self._watched: dict[Rack, PeriodicTask] = {}
        self._looking = PeriodicTask("racks", self._look, LOOK_EVERY_S, reports)

    def start(self) -> None:
        """Start watching."""
        self._looking.start()

    def stop(self) -> None:
        """Stop watching."""
        self._looking.stop()
        for task in self._watched.values():
            task.stop()

    def _look(self) -> None:
        with self._ports.store.begin() as uow:
            racks = {replace(rack, generation=0, description=""): rack for rack in uow.racks.list()}
        for removed in self._watched.keys() - racks.keys():
            self._watched.pop(removed).stop()
            if all(rack.id != removed.id for rack in racks):
                self._lease_index.forget(removed.id)
                self._servers.forget(removed)
        for key in racks.keys() - self._watched.keys():
            self._watch(key)

    def _watch(self, rack: Rack) -> None:
        try:
            watch = DhcpWatch(self._ports, self._servers, rack, self._lease_index)
        except InvalidValue as error:
            log.warning("rack %s is not watched: %s", rack.name, error)
            watch = None
        call = watch.look if watch is not None else _nothing
        self._watched[rack] = PeriodicTask(f"rack-{rack.name}", call, LOOK_EVERY_S, self._reports)
        self._watched[rack].start()


def _nothing() -> None:
    """Does nothing: replaces the watch of a rack with an invalid channel, which was logged once."""
