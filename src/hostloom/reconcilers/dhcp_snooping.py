"""Records the DHCP messages on the wire, for the timelines of NICs."""

from dataclasses import replace

from hostloom.decide.dhcp.router_adverts import served_interfaces
from hostloom.ports.context import Ports
from hostloom.ports.dhcp import DhcpSnooper


def keep_watching(ports: Ports, snooper: DhcpSnooper) -> None:
    """Watch the interfaces of this machine's racks, and record the messages since the last call."""
    with ports.store.begin() as uow:
        racks = uow.racks.list()
        snapshot = uow.snapshot()
    local_racks = [rack for rack in racks if rack.system_id == ports.settings.local]
    served = {
        nic.name: vlan.id for rack in local_racks for nic, vlan in served_interfaces(snapshot, racks, rack)
    }
    snooper.watch(tuple(sorted(served)))
    dhcp_messages = [replace(message, vlan_id=served.get(message.interface)) for message in snooper.drain()]
    if dhcp_messages:
        with ports.store.begin() as uow:
            uow.dhcp_messages.add(dhcp_messages)
            uow.commit()
