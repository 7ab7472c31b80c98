"""The networks of a machine, in all the notations of MAAS's queries."""

from collections.abc import Iterator

from hostloom.compat.maas2.views.network import NO_SPACE, View
from hostloom.model.machine import Machine
from hostloom.model.network import UNTAGGED, Subnet, Vlan
from hostloom.model.node import Node


class Networks:
    """Looks up the names of the networks of machines."""

    def __init__(self, view: View) -> None:
        self._view = view

    def vlans(self, item: Machine, node: Node) -> set[str]:
        """Name the VLANs of a machine. A bare number is a VLAN tag, as in constraints."""
        notations: set[str] = set()
        for vlan in self._vlans(item, node):
            names = {vlan.name, *(("untagged",) if vlan.vid == UNTAGGED else ())}
            notations |= {str(vlan.vid), f"vid:{vlan.vid}", f"id:{vlan.id}", f"vlan-{vlan.id}"}
            notations |= names | {f"name:{name}" for name in names}
        return notations

    def fabrics(self, item: Machine, node: Node) -> set[str]:
        """Name the fabrics of a machine."""
        world = self._view.world
        fabrics = (world.fabric_by_id[vlan.fabric_id] for vlan in self._vlans(item, node))
        return {name for fabric in fabrics for name in _words(fabric.id, fabric.name, "fabric")}

    def classes(self, item: Machine, node: Node) -> set[str]:
        """List the classes of the fabrics of a machine."""
        world = self._view.world
        class_types = (world.fabric_by_id[vlan.fabric_id].class_type for vlan in self._vlans(item, node))
        return {name for name in class_types if name}

    def spaces(self, item: Machine, node: Node) -> set[str]:
        """Name the spaces of a machine. VLANs without a space are in MAAS's `undefined`."""
        world, names = self._view.world, set[str]()
        for vlan in self._vlans(item, node):
            if vlan.space_id is None:
                names.add(NO_SPACE)
            else:
                space = world.space_by_id[vlan.space_id]
                names |= _words(space.id, space.name, "space")
        return names

    def subnets(self, item: Machine, node: Node) -> set[str]:
        """Name the subnets that contain the addresses of a machine."""
        names: set[str] = set()
        for subnet in self._subnets(item, node):
            names |= _words(subnet.id, subnet.name, "subnet") | {str(subnet.cidr), f"cidr:{subnet.cidr}"}
        return names

    def _vlans(self, item: Machine, node: Node) -> Iterator[Vlan]:
        for nic in item.interfaces or node.interfaces:
            if nic.vlan_id is not None:
                yield self._view.world.vlan_by_id[nic.vlan_id]

    def _subnets(self, item: Machine, node: Node) -> Iterator[Subnet]:
        for nic in item.interfaces or node.interfaces:
            held_ips = [address.ip for address in self._view.held_by_nic(node.system_id, nic.name)]
            for ip in (*nic.ips, *held_ips):
                for subnet in self._view.world.subnets_around(ip):
                    if nic.vlan_id in (None, subnet.vlan_id):
                        yield subnet


def _words(key: int, name: str, kind: str) -> set[str]:
    return {str(key), name, f"{kind}-{key}", f"id:{key}", f"name:{name}"}
