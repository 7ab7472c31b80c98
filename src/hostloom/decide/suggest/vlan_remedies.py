"""Changes that bring DHCP to a VLAN, or a VLAN to a host."""

from collections.abc import Iterator
from itertools import islice

from hostloom.decide.changes.interface import fabric_of
from hostloom.decide.placement.candidates import HostView
from hostloom.decide.refuse import RefuseRequest
from hostloom.decide.request.resolve_constraints import ResolvedConstraint, resolve
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.hypothetical import ChangeKind, HypotheticalChange
from hostloom.model.ids import VlanId, natural_key
from hostloom.model.network import UNTAGGED, Vlan
from hostloom.model.node import InterfaceKind, InterfaceRole, Node, NodeInterface
from hostloom.model.request import LabelConstraints, ParsedRequest

#: Limits for one label on one host: VLANs, and interfaces per VLAN.
WAYS = 3


def serve_vlans(snapshot: Snapshot, state: HostState, names: list[str]) -> Iterator[HypotheticalChange]:
    """Serve the VLANs of these interfaces or of the bridges of these libvirt networks."""
    bridges = {network.name: network.bridge for network in state.host.libvirt_networks}
    node = snapshot.node_of(state.host)
    on = {interface.name: interface.vlan_id for interface in (node.interfaces if node is not None else ())}
    for name in names:
        vlan_id = on.get(name, on.get(bridges.get(name) or ""))
        if vlan_id is not None and vlan_id not in snapshot.bootable_vlans:
            yield HypotheticalChange(ChangeKind.SERVE_VLAN, snapshot.vlan_name(vlan_id))


def carry_vlans(
    snapshot: Snapshot, state: HostState, request: ParsedRequest, label: str
) -> Iterator[HypotheticalChange]:
    """Connect a VLAN for the label: tagged on a NIC or bond of its fabric, or by cable on a spare NIC."""
    node = snapshot.node_of(state.host)
    constraints = next((candidate for candidate in request.labels if candidate.label == label), None)
    if node is None or constraints is None:
        return
    view = HostView(snapshot, state, node.hostname, node.interfaces)
    vlans = _wanted_vlans(snapshot, constraints)
    for vlan in vlans[:WAYS]:
        yield from _stated(view, vlan)
    yield from islice((change for vlan in vlans for change in _tagged(view, node, vlan)), WAYS)
    for vlan in vlans[:WAYS]:
        yield from _cabled(
            view, [interface for interface in node.interfaces if interface.vlan_id != vlan.id], vlan
        )


def place_strays(snapshot: Snapshot, state: HostState, names: list[str]) -> Iterator[HypotheticalChange]:
    """Cable the interfaces without a VLAN to the first served VLAN."""
    node = snapshot.node_of(state.host)
    served = [vlan for vlan in snapshot.vlans if vlan.id in snapshot.bootable_vlans]
    if node is None or not served:
        return
    view = HostView(snapshot, state, node.hostname, node.interfaces)
    strays = [interface for interface in node.interfaces if interface.name in names]
    vlan = min(served, key=lambda vlan: _order(snapshot, vlan))
    yield from _stated(view, vlan)
    yield from _cabled(view, strays, vlan)


def _tagged(view: HostView, node: Node, vlan: Vlan) -> Iterator[HypotheticalChange]:
    """Add a VLAN interface: on a bond before a NIC; not on members of a bond or where it exists."""
    if vlan.vid == UNTAGGED:
        return
    barred = _not_for_tags(view, node, vlan)
    parents = [
        interface
        for interface in _by_rank(node.interfaces)
        if interface.name not in barred and fabric_of(view.snapshot, node, interface.name) == vlan.fabric_id
    ]
    for interface in parents[:WAYS]:
        text = view.snapshot.vlan_name(vlan.id)
        yield HypotheticalChange(ChangeKind.ADD_VLAN_INTERFACE, interface.name, view.state.host.name, text)


def _stated(view: HostView, vlan: Vlan) -> Iterator[HypotheticalChange]:
    """Interfaces that could carry a machine except for their unknown VLAN, bridges first."""
    unknown = [
        candidate
        for candidate, barred in view.judged
        if barred is None and candidate.vlan_id is None and candidate.source not in view.held
    ]
    text = view.snapshot.vlan_name(vlan.id)
    for candidate in sorted(unknown, key=lambda candidate: (candidate.rank, candidate.order))[:WAYS]:
        host = view.state.host.name
        yield HypotheticalChange(ChangeKind.SET_INTERFACE_VLAN, candidate.source, host, text, view.hostname)


def _not_for_tags(view: HostView, node: Node, vlan: Vlan) -> set[str]:
    """Interfaces that cannot get a VLAN interface: members of bonds, owned ones, and those with the VLAN."""
    bonds = [interface for interface in node.interfaces if interface.kind is InterfaceKind.BOND]
    on_vlan = [interface for interface in node.interfaces if interface.vlan_id == vlan.id]
    barred = {name for bond in bonds for name in bond.parents} | view.held.keys()
    return barred | {name for interface in on_vlan for name in (interface.name, *interface.parents)}


def _cabled(view: HostView, interfaces: list[NodeInterface], vlan: Vlan) -> Iterator[HypotheticalChange]:
    """Cable a spare NIC to the VLAN: a NIC without a VLAN before one with another VLAN."""
    spare = _spare(view, interfaces)
    strays = [interface for interface in spare if interface.vlan_id is None]
    for stray in (strays or spare)[:WAYS]:
        was = view.snapshot.vlan_name(stray.vlan_id) or ""
        text = view.snapshot.vlan_name(vlan.id)
        yield HypotheticalChange(ChangeKind.MOVE_INTERFACE, stray.name, view.state.host.name, text, was)


def _spare(view: HostView, interfaces: list[NodeInterface]) -> list[NodeInterface]:
    """Interfaces without addresses that neither machines nor other interfaces use."""
    used = {nic.source for machine in view.state.machines for nic in machine.interfaces}
    used |= {name for interface in view.interfaces for name in interface.parents}
    without_address = [interface for interface in _by_rank(interfaces) if not interface.addresses]
    return [interface for interface in without_address if interface.name not in used]


def _by_rank(interfaces: tuple[NodeInterface, ...] | list[NodeInterface]) -> list[NodeInterface]:
    """Usable bonds, then usable NICs."""
    kinds = (InterfaceKind.BOND, InterfaceKind.PHYSICAL)
    able = [
        interface
        for interface in interfaces
        if interface.kind in kinds
        and interface.enabled
        and interface.link
        and interface.role is InterfaceRole.ORDINARY
        and not interface.master
    ]
    return sorted(able, key=lambda interface: (kinds.index(interface.kind), natural_key(interface.name)))


def _wanted_vlans(snapshot: Snapshot, label: LabelConstraints) -> list[Vlan]:
    """VLANs that all keys about VLANs admit, including those of `ip=`; none without such a key."""
    try:
        groups = [
            resolved_constraint
            for resolved_constraint in resolve(snapshot, label)
            if resolved_constraint.vlans is not None
        ]
    except RefuseRequest:
        return []
    homes = [{subnet.vlan_id for subnet in snapshot.subnets_around(ip)} for ip in label.ips]
    if not homes and all(group.negated for group in groups):
        return []
    vlans = [vlan for vlan in snapshot.vlans if _admits(groups, homes, vlan)]
    return sorted(vlans, key=lambda vlan_id: _order(snapshot, vlan_id))


def _order(snapshot: Snapshot, vlan: Vlan) -> tuple[object, ...]:
    """Sort key: served VLANs first."""
    fabric = snapshot.fabric_by_id[vlan.fabric_id].name
    return (vlan.id not in snapshot.bootable_vlans, natural_key(fabric), vlan.vid, vlan.id)


def _admits(groups: list[ResolvedConstraint], homes: list[set[VlanId]], vlan: Vlan) -> bool:
    if any(vlan.id not in home for home in homes):
        return False
    return all(group.admits_vlan(vlan.id) for group in groups)
