"""The networks that a machine is on, in every way in which a query of MAAS's clients can name them."""

from collections.abc import Iterator

from hostloom.compat.maas2.views.network import NO_SPACE, View
from hostloom.model.machine import Machine
from hostloom.model.network import UNTAGGED, Subnet, Vlan
from hostloom.model.node import Node


class Networks:
    """Names of the VLANs and subnets of machines, of one view."""

    def __init__(self, view: View) -> None:
        self._view = view

    def vlans(self, item: Machine, node: Node) -> set[str]:
        """Bare numbers are tags, as in constraints."""
        found: set[str] = set()
        for vlan in self._vlans(item, node):
            names = {vlan.name, *(("untagged",) if vlan.vid == UNTAGGED else ())}
            found |= {str(vlan.vid), f"vid:{vlan.vid}", f"id:{vlan.id}", f"vlan-{vlan.id}"}
            found |= names | {f"name:{name}" for name in names}
        return found

    def fabrics(self, item: Machine, node: Node) -> set[str]:
        """By name or id."""
        world = self._view.world
        fabrics = (world.fabric_by_id[vlan.fabric_id] for vlan in self._vlans(item, node))
        return {word for fabric in fabrics for word in _words(fabric.id, fabric.name, "fabric")}

    def classes(self, item: Machine, node: Node) -> set[str]:
        """The classes of its fabrics."""
        world = self._view.world
        found = (world.fabric_by_id[vlan.fabric_id].class_type for vlan in self._vlans(item, node))
        return {name for name in found if name}

    def spaces(self, item: Machine, node: Node) -> set[str]:
        """By name or id; VLANs without a space are in MAAS's `undefined`."""
        world, found = self._view.world, set[str]()
        for vlan in self._vlans(item, node):
            if vlan.space_id is None:
                found.add(NO_SPACE)
            else:
                space = world.space_by_id[vlan.space_id]
                found |= _words(space.id, space.name, "space")
        return found

    def subnets(self, item: Machine, node: Node) -> set[str]:
        """Those that its addresses are in: by id, name or CIDR."""
        found: set[str] = set()
        for subnet in self._subnets(item, node):
            found |= _words(subnet.id, subnet.name, "subnet") | {str(subnet.cidr), f"cidr:{subnet.cidr}"}
        return found

    def _vlans(self, item: Machine, node: Node) -> Iterator[Vlan]:
        for nic in item.interfaces or node.interfaces:
            if nic.vlan_id is not None:
                yield self._view.world.vlan_by_id[nic.vlan_id]

    def _subnets(self, item: Machine, node: Node) -> Iterator[Subnet]:
        for nic in item.interfaces or node.interfaces:
            held = [address.ip for address in self._view.held_by_nic(node.system_id, nic.name)]
            for ip in (*nic.ips, *held):
                for subnet in self._view.world.subnets_around(ip):
                    if nic.vlan_id in (None, subnet.vlan_id):
                        yield subnet


def _words(key: int, name: str, kind: str) -> set[str]:
    return {str(key), name, f"{kind}-{key}", f"id:{key}", f"name:{name}"}
