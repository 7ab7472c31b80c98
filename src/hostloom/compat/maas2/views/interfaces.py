"""Interfaces and links as MAAS's clients read them."""

from collections.abc import Mapping
from typing import Any

from hostloom.compat.maas2.responses import uri
from hostloom.compat.maas2.views.network import View
from hostloom.model.annotation import LINKS, NICS, PARAMS, STATIC
from hostloom.model.ids import MacAddress, SystemId, VlanId
from hostloom.model.machine import Machine, MachineInterface
from hostloom.model.network import DEFAULT_MTU, Address
from hostloom.model.node import InterfaceKind, Node, NodeInterface
from hostloom.model.request import AddressMode

#: The annotation with the tags of NICs.
NIC_TAGS = "nic_tags"
#: The number of link ids per NIC. The ids of NICs have 48 bits, and clients that read numbers as doubles
#: (Go, jq) keep 53 bits.
LINK_IDS = 32
#: Clients know only these types.
_TYPES: Mapping[InterfaceKind, str] = {
    kind: kind.value for kind in InterfaceKind if kind is not InterfaceKind.LOOPBACK
}


def nic_id(mac: MacAddress) -> int:
    """Return a stable id: the MAC, which is unique. NICs of composed machines have no other number."""
    return mac.number


def _mode(annotation: Mapping[str, Any], ip: Address) -> str:
    """Return the link mode of an address: from the import if it recorded one, else `auto`."""
    if str(ip) in annotation.get(STATIC, ()):
        return "static"
    return "dhcp" if any(link["mode"] == "dhcp" for link in annotation.get(LINKS, ())) else "auto"


class InterfaceView:
    """Makes the documents of interfaces from one unit of work."""

    def __init__(self, view: View) -> None:
        self._view = view

    def of_machine(self, item: Machine, node: Node) -> list[dict[str, Any]]:
        """Make the documents of the NICs of a machine. A bare machine has those that it reported."""
        if item.interfaces:
            return [self._nic(item, interface) for interface in item.interfaces]
        return self.of_node(node)

    def of_node(self, node: Node) -> list[dict[str, Any]]:
        """Make the documents of the interfaces of a node."""
        return [self._found(node, interface) for interface in node.interfaces if interface.mac is not None]

    def _nic(self, item: Machine, nic: MachineInterface) -> dict[str, Any]:
        key = nic_id(nic.mac)
        return self._interface(item.system_id, key, nic.name, nic.mac, nic.vlan_id) | {
            "links": self._links(item, nic, key),
            "tags": self._view.notes_of(item.system_id).get(NIC_TAGS, {}).get(str(nic.mac), []),
            "enabled": True,
            "link_connected": True,
        }

    def _found(self, node: Node, nic: NodeInterface) -> dict[str, Any]:
        annotation = self._kept(node.system_id, nic.name)
        addresses = [
            (address.ip, address.kind.value) for address in self._view.held_by_nic(node.system_id, nic.name)
        ]
        addresses += [(ip, _mode(annotation, ip)) for ip in nic.ips if ip not in dict(addresses)]
        links = [self._link(nic.id * LINK_IDS + n, mode, ip) for n, (ip, mode) in enumerate(addresses)]
        links = links or self._kept_links(annotation, nic.id, nic.vlan_id)
        mac = nic.mac or MacAddress("00:00:00:00:00:00")
        return self._interface(node.system_id, nic.id, nic.name, mac, nic.vlan_id) | {
            "links": links,
            "enabled": nic.enabled,
            "link_connected": nic.link,
            "effective_mtu": nic.mtu,
            "link_speed": nic.link_speed,
            "interface_speed": nic.link_speed,
            "tags": list(nic.tags),
            "type": _TYPES.get(nic.kind, "unknown"),
            "parents": list(nic.parents),
            "children": [interface.name for interface in node.interfaces if nic.name in interface.parents],
            "params": annotation.get(PARAMS, {}),
        }

    def _interface(
        self, system_id: str, key: int, name: str, mac: MacAddress, vlan_id: VlanId | None
    ) -> dict[str, Any]:
        vlan = self._view.vlan_of(vlan_id)
        return {
            "id": key,
            "system_id": system_id,
            "name": name,
            "type": "physical",
            "mac_address": str(mac),
            "vlan": vlan,
            "effective_mtu": DEFAULT_MTU if vlan is None else vlan["mtu"],
            "link_speed": 0,
            "interface_speed": 0,
            "parents": [],
            "children": [],
            "tags": [],
            "params": {},
            "discovered": [],
            "vendor": None,
            "product": None,
            "firmware_version": None,
            "numa_node": 0,
            "sriov_max_vf": 0,
            "resource_uri": uri(f"nodes/{system_id}/interfaces/{key}/"),
        }

    def _kept(self, system_id: str, nic: str) -> Mapping[str, Any]:
        """Return the annotation that an import stored for a NIC."""
        annotation: Mapping[str, Any] = self._view.notes_of(SystemId(system_id)).get(NICS, {}).get(nic, {})
        return annotation

    def _kept_links(
        self, annotation: Mapping[str, Any], key: int, vlan_id: VlanId | None
    ) -> list[dict[str, Any]]:
        """Make imported links without an address. Links omit a deleted subnet."""
        links = []
        for number, link in enumerate(annotation.get(LINKS, ())):
            subnets = self._view.subnets_by_cidr.get(link.get("subnet"), ())
            subnet = next(
                (subnet for subnet in subnets if subnet.vlan_id == vlan_id), next(iter(subnets), None)
            )
            document = {"id": key * LINK_IDS + number, "mode": link["mode"]}
            links.append(document | ({} if subnet is None else {"subnet": self._view.subnet(subnet)}))
        return links

    def _links(self, item: Machine, nic: MachineInterface, key: int) -> list[dict[str, Any]]:
        """Make the links of a NIC. They omit an unknown address or subnet, because clients accept no null."""
        annotation = self._kept(item.system_id, nic.name)
        if nic.ips:
            return [
                self._link(key * LINK_IDS + n, _mode(annotation, ip), ip, nic.vlan_id)
                for n, ip in enumerate(nic.ips)
            ]
        if annotation.get(LINKS):
            return self._kept_links(annotation, key, nic.vlan_id)
        if nic.mode is AddressMode.UNCONFIGURED or nic.vlan_id is None:
            return [{"id": key * LINK_IDS, "mode": "link_up"}]
        link: dict[str, Any] = {"id": key * LINK_IDS, "mode": "dhcp"}
        subnets = self._view.world.subnets_by_vlan.get(nic.vlan_id, ())
        return [link | ({"subnet": self._view.subnet(subnets[0])} if subnets else {})]

    def _link(self, key: int, mode: str, ip: Address, vlan_id: VlanId | None = None) -> dict[str, Any]:
        around = self._view.world.subnets_around(ip)
        home = next((subnet for subnet in around if vlan_id in (None, subnet.vlan_id)), None)
        link = {"id": key, "mode": mode, "ip_address": str(ip)}
        return link | ({} if home is None else {"subnet": self._view.subnet(home)})
