"""Where a deployed machine reports that its system runs."""

from collections.abc import Iterable, Sequence

from hostloom.decide.dhcp.intent import server_address
from hostloom.decide.dhcp.serving_racks import racks_of
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import SystemId
from hostloom.model.machine import MachineInterface
from hostloom.model.network import Address
from hostloom.model.rack import Rack
from hostloom.model.request import AddressMode


def report_address(
    snapshot: Snapshot, racks: Sequence[Rack], local: SystemId | None, nics: Iterable[MachineInterface]
) -> Address | None:
    """An address of hostloom's server that one of the NICs can reach; the boot NIC comes first.

    `local` is the node that hostloom runs on; None: the rack that serves the NIC's VLAN. None is returned if
    no NIC has an address on a VLAN that hostloom serves.
    """
    for nic in sorted(nics, key=lambda candidate: not candidate.boot):
        vlan_id = nic.vlan_id
        if vlan_id is None or vlan_id not in snapshot.bootable_vlans:
            continue
        if nic.mode is AddressMode.UNCONFIGURED:
            continue
        serving = racks_of(snapshot, racks, snapshot.vlan_by_id[vlan_id])
        servers = [local] if local is not None else [rack.system_id for rack in serving]
        for subnet in snapshot.subnets_on(vlan_id, nic.ips):
            for node in (snapshot.node_by_system_id.get(server) for server in servers):
                address = None if node is None else server_address(node, vlan_id, subnet)
                if address is not None:
                    return address
    return None
