"""Keeps what runs on the links of the racks on this machine: router advertisements and DHCP snooping."""

from dataclasses import replace

from hostloom.decide.dhcp.router_adverts import router_adverts, served_interfaces
from hostloom.decide.snapshot import Snapshot
from hostloom.model.rack import Rack
from hostloom.ports.context import Ports
from hostloom.ports.dhcp import DhcpSnooper, RouterAdvertiser


def keep_advertising(ports: Ports, advertiser: RouterAdvertiser) -> None:
    """Advertise for the racks on the node that hostloom runs on; remote racks have their own routers."""
    snapshot, racks, local_racks = _read_racks(ports)
    advertiser.advertise([advert for rack in local_racks for advert in router_adverts(snapshot, racks, rack)])


def keep_watching(ports: Ports, snooper: DhcpSnooper) -> None:
    """Watch the interfaces of this machine's racks, and record the messages since the last call."""
    snapshot, racks, local_racks = _read_racks(ports)
    served = {
        nic.name: vlan.id for rack in local_racks for nic, vlan in served_interfaces(snapshot, racks, rack)
    }
    snooper.watch(tuple(sorted(served)))
    dhcp_messages = [replace(message, vlan_id=served.get(message.interface)) for message in snooper.drain()]
    if dhcp_messages:
        with ports.store.begin() as uow:
            uow.dhcp_messages.add(dhcp_messages)
            uow.commit()


def _read_racks(ports: Ports) -> tuple[Snapshot, list[Rack], list[Rack]]:
    """The snapshot, all racks, and the racks on the node that hostloom runs on."""
    with ports.store.begin() as uow:
        racks = uow.racks.list()
        snapshot = uow.snapshot()
    return snapshot, racks, [rack for rack in racks if rack.system_id == ports.settings.local]
