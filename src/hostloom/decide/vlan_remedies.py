"""Changes that bring DHCP to a VLAN, or a VLAN to a host."""

from collections.abc import Iterator

from hostloom.decide import constraints
from hostloom.decide.refuse import RefuseRequest
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.decide.terms import Group, resolve
from hostloom.model.attachment import MacvlanMode
from hostloom.model.change import Change, ChangeKind
from hostloom.model.ids import VlanId, natural_key
from hostloom.model.network import UNTAGGED, Vlan
from hostloom.model.node import InterfaceKind, NodeInterface
from hostloom.model.request import ComposeRequest, LabelConstraints


def vlan_text(snapshot: Snapshot, vlan: Vlan) -> str:
    """FABRIC/VID."""
    return f"{snapshot.fabric_by_id[vlan.fabric_id].name}/{vlan.vid}"


def serve_vlans(snapshot: Snapshot, state: HostState, names: list[str]) -> Iterator[Change]:
    """Serve the VLANs that these interfaces, or the bridges of these libvirt networks, are on."""
    bridges = {each.name: each.bridge for each in state.host.libvirt_networks}
    node = snapshot.node_of(state.host)
    on = {each.name: each.vlan_id for each in (node.interfaces if node is not None else ())}
    for name in names:
        vlan_id = on.get(name, on.get(bridges.get(name) or ""))
        if vlan_id is not None and vlan_id not in snapshot.bootable_vlans:
            yield Change(ChangeKind.SERVE_VLAN, vlan_text(snapshot, snapshot.vlan_by_id[vlan_id]))


def carry_vlans(
    snapshot: Snapshot, state: HostState, request: ComposeRequest, label: str
) -> Iterator[Change]:
    """Give the host a VLAN interface for a VLAN that the label wants, on a NIC or bond of that fabric."""
    node = snapshot.node_of(state.host)
    wanted = next((each for each in constraints.parse(request.interfaces) if each.label == label), None)
    if node is None or wanted is None:
        return
    taken = {name for each in node.interfaces if each.kind is InterfaceKind.BOND for name in each.parents}
    taken |= {
        nic.source
        for machine in state.machines
        for nic in machine.interfaces
        if nic.mode is MacvlanMode.PASSTHRU
    }
    parents = [each for each in node.interfaces if _can_carry(each) and each.name not in taken]
    parents.sort(key=lambda each: (each.kind is not InterfaceKind.BOND, natural_key(each.name)))
    for vlan in _wanted_vlans(snapshot, wanted):
        for parent in parents:
            is_native = parent.vlan_id == vlan.id
            if not is_native and _fabric(snapshot, parent.vlan_id) in (None, vlan.fabric_id):
                text = vlan_text(snapshot, vlan)
                yield Change(ChangeKind.ADD_VLAN_INTERFACE, parent.name, state.host.name, text)


def _can_carry(interface: NodeInterface) -> bool:
    return interface.kind in (InterfaceKind.PHYSICAL, InterfaceKind.BOND) and interface.link


def _fabric(snapshot: Snapshot, vlan_id: VlanId | None) -> int | None:
    return None if vlan_id is None else snapshot.vlan_by_id[vlan_id].fabric_id


def _wanted_vlans(snapshot: Snapshot, label: LabelConstraints) -> list[Vlan]:
    """Tagged VLANs that every key about VLANs admits, those of an `ip=` too; none without such a key."""
    try:
        groups = [each for each in resolve(snapshot, label) if each.vlans is not None]
    except RefuseRequest:
        return []
    positive = [each for each in groups if not each.negated]
    homes = [{each.vlan_id for each in snapshot.subnets_around(ip)} for ip in label.ips]
    if not positive and not homes:
        return []
    found = [each for each in snapshot.vlans if _admits(groups, homes, each)]
    served = snapshot.bootable_vlans
    return sorted(found, key=lambda each: (each.id not in served, each.fabric_id, each.vid))


def _admits(groups: list[Group], homes: list[set[VlanId]], vlan: Vlan) -> bool:
    if vlan.vid == UNTAGGED or any(vlan.id not in home for home in homes):
        return False
    return all(group.admits_vlan(vlan.id) for group in groups)
