"""Changes of a host's interfaces, with their effects on the interfaces above.

A VLAN interface has the carrier of its parent, a bond or bridge that of any of its ports. A bridge without
remaining ports still carries traffic between its machines, but reaches nothing else, so it counts as
link-down and gets no planned machines. Addresses stay held. Whether hostloom can still reach the host is not
judged.
"""

from collections.abc import Iterable
from dataclasses import replace

from hostloom.decide.changes.target import find_interface, find_node, find_vlan, with_interfaces
from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors.values import Conflict, InvalidValue
from hostloom.model.hypothetical import HypotheticalChange
from hostloom.model.ids import FabricId, InterfaceId, VlanId
from hostloom.model.network import UNTAGGED, Vlan
from hostloom.model.node import InterfaceKind, Node, NodeInterface, VlanSource

#: IFNAMSIZ - 1: the longest name that Linux gives an interface.
_MAX_NAME_BYTES = 15
_MASTERS = (InterfaceKind.BRIDGE, InterfaceKind.BOND)
#: Kinds of parents of VLAN interfaces.
TRUNKS = (InterfaceKind.PHYSICAL, InterfaceKind.BOND, InterfaceKind.BRIDGE)


class _Stack:
    """The interfaces of one node by name, during a change."""

    def __init__(self, snapshot: Snapshot, interfaces: Iterable[NodeInterface]) -> None:
        self.snapshot = snapshot
        self.interfaces = {interface.name: interface for interface in interfaces}

    def above(self, name: str) -> list[str]:
        """The bridges, bonds and VLAN interfaces on an interface."""
        return [interface.name for interface in self.interfaces.values() if name in interface.parents]

    def master(self, name: str) -> NodeInterface | None:
        """The bridge or bond of a member."""
        return next((i for i in self.interfaces.values() if i.kind in _MASTERS and name in i.parents), None)

    def carries(self, name: str) -> bool:
        """Whether frames pass the interface."""
        interface = self.interfaces.get(name)
        return interface is not None and interface.enabled and interface.link

    def spread_link(self, names: Iterable[str], *, up: bool) -> None:
        """Update links that come up or go down together with the interfaces below them."""
        for name in names:
            interface = self.interfaces[name]
            below = [self.carries(parent) for parent in interface.parents]
            carrier = all(below) and bool(below) if interface.kind is InterfaceKind.VLAN else any(below)
            if carrier is up and interface.link is not up:
                self.interfaces[name] = replace(interface, link=up)
                self.spread_link(self.above(name), up=up)

    def spread_vlan(self, name: str, vlan_id: VlanId | None, source: VlanSource, visited: set[str]) -> None:
        """Put the interface, its members and the interfaces above on the VLAN."""
        if name in visited or name not in self.interfaces:
            return
        visited.add(name)
        interface = self.interfaces[name]
        self.interfaces[name] = replace(interface, vlan_id=vlan_id, vlan_source=source)
        if interface.kind in _MASTERS:
            for parent in interface.parents:
                self.spread_vlan(parent, vlan_id, VlanSource.MASTER, visited)
        for upper in self.above(name):
            if self.interfaces[upper].kind is InterfaceKind.VLAN:
                tagged = self._tagged(self.interfaces[upper], vlan_id)
                self.spread_vlan(upper, tagged, VlanSource.PARENT, visited)
            else:
                self.spread_vlan(upper, vlan_id, VlanSource.PORT, visited)

    def _tagged(self, interface: NodeInterface, below: VlanId | None) -> VlanId | None:
        """The VLAN of the interface's tag on the fabric of the interface below."""
        parent, vlan = self._vlan(below), self._vlan(interface.vlan_id)
        vid = interface.tag_vid if interface.tag_vid is not None else vlan.vid if vlan is not None else None
        if parent is None:
            return None
        same = (v.id for v in self.snapshot.vlans if v.fabric_id == parent.fabric_id and v.vid == vid)
        return next(same, None)

    def _vlan(self, vlan_id: VlanId | None) -> Vlan | None:
        return self.snapshot.vlan_by_id.get(vlan_id) if vlan_id is not None else None


# -- lost and restored interfaces ----------------------------------------------------------------------------


def lose_interface(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Remove the interface, also as a port, member or parent of others."""
    node = find_node(snapshot, change)
    name = find_interface(node, change.subject).name
    stack = _Stack(snapshot, node.interfaces)
    above = [master for master in stack.above(name) if master != name]
    del stack.interfaces[name]
    for upper in above:
        interface = stack.interfaces[upper]
        stack.interfaces[upper] = replace(interface, parents=tuple(p for p in interface.parents if p != name))
    stack.spread_link(above, up=False)
    return with_interfaces(snapshot, node, stack.interfaces.values())


def enable_interface(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Set the interface administratively up, without a change of its link."""
    return _revived(snapshot, change, enabled=True)


def link_up(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Restore the link of the interface and of the interfaces above."""
    return _revived(snapshot, change, link=True)


def _revived(snapshot: Snapshot, change: HypotheticalChange, **states: bool) -> Snapshot:
    node = find_node(snapshot, change)
    interface = find_interface(node, change.subject)
    stack = _Stack(snapshot, node.interfaces)
    stack.interfaces[interface.name] = replace(interface, **states)  # type: ignore[arg-type]  # enabled or link
    if stack.carries(interface.name):
        stack.spread_link(stack.above(interface.name), up=True)
    return with_interfaces(snapshot, node, stack.interfaces.values())


# -- connections ---------------------------------------------------------------------------------------------


def set_bridge_ports(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Set the ports of a bridge, which gets the VLAN of its first port with one, and the link of any port."""
    node = find_node(snapshot, change)
    bridge = find_interface(node, change.subject)
    if bridge.kind is not InterfaceKind.BRIDGE:
        raise InvalidValue("interface", change.subject, "is not a bridge")
    stack = _Stack(snapshot, node.interfaces)
    ports = _ports(stack, node, bridge, change.value)
    vlans = (stack.interfaces[port].vlan_id for port in ports)
    vlan_id = next((vlan for vlan in vlans if vlan is not None), bridge.vlan_id)
    stack.interfaces[bridge.name] = replace(bridge, parents=ports)
    if ports:
        source = VlanSource.PORT if vlan_id != bridge.vlan_id else bridge.vlan_source
        stack.spread_vlan(bridge.name, vlan_id, source, set())
    if ports or bridge.parents:
        stack.spread_link([bridge.name], up=any(stack.carries(port) for port in ports))
    return with_interfaces(snapshot, node, stack.interfaces.values())


def _ports(stack: _Stack, node: Node, bridge: NodeInterface, text: str) -> tuple[str, ...]:
    names = tuple(member.strip() for member in text.split(",") if member.strip())
    for name in names:
        port = find_interface(node, name, "value")
        master = stack.master(name)
        if port.kind in (InterfaceKind.LOOPBACK, InterfaceKind.BRIDGE):
            raise InvalidValue("value", name, f"is a {port.kind.value}, which cannot be a port of a bridge")
        if master is not None and master.name != bridge.name:
            raise Conflict("value", name, "is already a member of", master.name)
        if bridge.name in _below(stack, name, frozenset()):
            raise InvalidValue(
                "value", name, f"is stacked on {bridge.name} itself", "choose another interface"
            )
    if len(set(names)) < len(names):
        raise InvalidValue("value", text, "repeats a name", "name each port once")
    return names


def _below(stack: _Stack, name: str, visited: frozenset[str]) -> frozenset[str]:
    """All interfaces below the interface."""
    parents = stack.interfaces[name].parents if name in stack.interfaces and name not in visited else ()
    return frozenset(parents).union(*(_below(stack, parent, visited | {name}) for parent in parents))


def move_interface(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Move the interface, its members and the interfaces above to another VLAN."""
    node = find_node(snapshot, change)
    interface = find_interface(node, change.subject)
    vlan = find_vlan(snapshot, change.value, "value")
    if interface.kind is InterfaceKind.LOOPBACK:
        raise InvalidValue(
            "interface", interface.name, "is the loopback, which is on no VLAN", "choose a NIC"
        )
    stack = _Stack(snapshot, node.interfaces)
    if interface.kind is InterfaceKind.VLAN:
        _check_tag(change, vlan, {fabric_of(snapshot, node, parent) for parent in interface.parents})
        stack.interfaces[interface.name] = replace(interface, tag_vid=vlan.vid)
    stack.spread_vlan(interface.name, vlan.id, VlanSource.OPERATOR, set())
    return with_interfaces(snapshot, node, stack.interfaces.values())


def add_vlan_interface(snapshot: Snapshot, change: HypotheticalChange) -> Snapshot:
    """Add a VLAN interface `PARENT.VID`; the VLAN must be in the parent's fabric, if that is known."""
    node = find_node(snapshot, change)
    parent = find_interface(node, change.subject)
    vlan = find_vlan(snapshot, change.value, "value")
    master = _Stack(snapshot, node.interfaces).master(parent.name)
    if parent.kind not in TRUNKS or (master is not None and master.kind is InterfaceKind.BOND):
        raise InvalidValue(
            "interface",
            parent.name,
            "cannot carry VLAN interfaces",
            "choose a NIC, bond or bridge that is not a member of a bond",
        )
    _check_tag(change, vlan, {fabric_of(snapshot, node, parent.name)})
    if any(
        parent.name in interface.parents and interface.vlan_id == vlan.id for interface in _tagged_on(node)
    ):
        raise Conflict("interface", parent.name, "already has", f"a VLAN interface for {change.value}")
    added = NodeInterface(
        # New interfaces have negative ids, as in decide/hosts/inventory.py; they are unique on their node.
        InterfaceId(min(0, *(interface.id for interface in node.interfaces)) - 1),
        _new_name(node, parent.name, vlan.vid),
        InterfaceKind.VLAN,
        parent.mac,
        vlan.id,
        VlanSource.PARENT,
        parents=(parent.name,),
        tag_vid=vlan.vid,
        link=parent.enabled and parent.link,
        mtu=parent.mtu,
        link_speed=parent.link_speed,
    )
    return with_interfaces(snapshot, node, (*node.interfaces, added))


def fabric_of(snapshot: Snapshot, node: Node, name: str) -> FabricId | None:
    """The fabric of an interface, from its own VLAN or that of its master."""
    stack = _Stack(snapshot, node.interfaces)
    visited: set[str] = set()
    interface = stack.interfaces.get(name)
    while interface is not None and interface.name not in visited:
        vlan = snapshot.vlan_by_id.get(interface.vlan_id) if interface.vlan_id is not None else None
        if vlan is not None:
            return vlan.fabric_id
        visited.add(interface.name)
        interface = stack.master(interface.name)
    return None


def _tagged_on(node: Node) -> list[NodeInterface]:
    return [interface for interface in node.interfaces if interface.kind is InterfaceKind.VLAN]


def _check_tag(change: HypotheticalChange, vlan: Vlan, fabrics: set[FabricId | None]) -> None:
    if vlan.vid == UNTAGGED or fabrics - {None, vlan.fabric_id}:
        problem = f"is not a tagged VLAN of the fabric that {change.subject} is cabled to"
        raise InvalidValue("value", change.value, problem)


def _new_name(node: Node, parent: str, vid: int) -> str:
    """The usual name `PARENT.VID`, or `vlanVID` if that is too long or in use."""
    used_names = {interface.name for interface in node.interfaces}
    names = [f"{parent}.{vid}", f"vlan{vid}", *(f"vlan{vid}-{n}" for n in range(len(used_names) + 1))]
    return next(name for name in names if name not in used_names and len(name.encode()) <= _MAX_NAME_BYTES)
