"""Derives a node's interfaces with their VLANs from a scan.

See docs/explanation/rules.md#the-vlan-of-a-host-interface.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv6Interface

from hostloom.decide.hosts.new_network import NewNetwork
from hostloom.decide.hosts.stacked_tags import JOINING, is_tagged
from hostloom.decide.snapshot import Snapshot
from hostloom.model.host import Forward, Host
from hostloom.model.ids import InterfaceId, VlanId, natural_key
from hostloom.model.network import UNTAGGED, Fabric, Subnet, Vlan
from hostloom.model.node import (
    BridgeVlans,
    InterfaceKind,
    InterfaceRole,
    Node,
    NodeInterface,
    VlanSource,
)
from hostloom.model.observed import ObservedLink, ObservedNetwork

#: libvirt's names of bridges for networks without a bridge name.
_LIBVIRT_BRIDGE = re.compile(r"virbr\d+")
_PLAIN = BridgeVlans()


@dataclass(frozen=True)
class Inventory:
    """A node's interfaces, and the networks that must be created for them.

    New records have negative ids, by which interfaces refer to new VLANs. The store creates fabrics with
    their untagged VLANs, then other VLANs, then subnets, and replaces the negative ids.
    """

    interfaces: tuple[NodeInterface, ...]
    new_fabrics: tuple[Fabric, ...]
    new_vlans: tuple[Vlan, ...]
    new_subnets: tuple[Subnet, ...]


def take_inventory(
    observed: ObservedNetwork,
    recorded: Node | None,
    snapshot: Snapshot,
    own_bridges: frozenset[str] = frozenset(),
    network_vids: Mapping[str, Iterable[int]] | None = None,
) -> Inventory:
    """Find every interface's VLAN: operator, subnet, parent, port, master; else none.

    `own_bridges`: see `private_bridges`; their addresses are not evidence. `network_vids`: see
    `tags_by_bridge`; their VLANs are created.
    """
    return _Inventory(observed, recorded, snapshot, own_bridges, network_vids or {}).take()


class _Inventory:
    def __init__(
        self,
        observed: ObservedNetwork,
        recorded: Node | None,
        snapshot: Snapshot,
        own_bridges: frozenset[str],
        network_vids: Mapping[str, Iterable[int]],
    ) -> None:
        self._own_bridges, self._network_vids = own_bridges, network_vids
        links = [link for link in observed.links if link.kind is not None]
        self._links = {link.name: link for link in sorted(links, key=lambda link: natural_key(link.name))}
        self._recorded = {
            interface.name: interface for interface in (recorded.interfaces if recorded else ())
        }
        self._found: dict[str, tuple[VlanId | None, VlanSource]] = {}
        self._network = NewNetwork(snapshot, observed.routes, frozenset(self._links))

    def take(self) -> Inventory:
        for name in self._links:
            self._find_own(name)
        for name in self._links:
            self._find_derived(name, frozenset())
        self._show_masters()
        self._make_network_vlans()
        members = {name for link in self._links.values() if link.kind in JOINING for name in link.parents}
        interfaces = tuple(self._interface(link, members) for link in self._links.values())
        new = self._network
        return Inventory(interfaces, tuple(new.fabrics), tuple(new.vlans), tuple(new.subnets))

    # -- VLANs from the interface itself -----------------------------------------------------------------

    def _find_own(self, name: str) -> None:
        """The VLAN from the operator, else from the subnet of an address, which is created if necessary."""
        link = self._links[name]
        before = self._recorded.get(name)
        if before is not None and before.vlan_source is VlanSource.OPERATOR:
            self._found[name] = before.vlan_id, VlanSource.OPERATOR
        elif not self._says_nothing(link):
            vlan_id = self._by_addresses(link)
            if vlan_id is not None:
                self._found[name] = vlan_id, VlanSource.SUBNET

    def _says_nothing(self, link: ObservedLink) -> bool:
        """Whether addresses are no evidence: loopbacks and private bridges have the same ones everywhere."""
        if link.kind is InterfaceKind.LOOPBACK or link.name in self._own_bridges:
            return True
        is_libvirts = _LIBVIRT_BRIDGE.fullmatch(link.name) is not None and not link.parents
        return link.role is InterfaceRole.CONTAINER_BRIDGE or is_libvirts

    def _by_addresses(self, link: ObservedLink) -> VlanId | None:
        """On a VLAN-aware bridge, the VLAN of machines may differ from that of the addresses."""
        vlans = link.bridge_vlans or _PLAIN
        own_tag, machine_tag = vlans.tag_of(vlans.host_vid), vlans.tag_of(vlans.machine_vid)
        if own_tag is None:
            return None
        vlan_id = self._vlan_of_first((*link.addresses, *link.child_addresses), link, own_tag)
        if vlan_id is None or machine_tag is None or machine_tag == own_tag:
            return vlan_id
        vlan = self._network.vlan(vlan_id)
        return self._network.tagged(vlan, machine_tag) if vlan is not None and vlan.vid == own_tag else None

    def _vlan_of_first(
        self, addresses: Iterable[IPv4Interface | IPv6Interface], link: ObservedLink, tag: int
    ) -> VlanId | None:
        """The VLAN of the first conclusive address; addresses without a network (/32, /128) come last."""
        global_addresses = [address for address in addresses if not address.ip.is_link_local]
        single = [
            address
            for address in global_addresses
            if address.network.prefixlen == address.network.max_prefixlen
        ]
        for address in (address for address in global_addresses if address not in single):
            subnet = self._network.subnet_around(address.ip)
            return subnet.vlan_id if subnet else self._network.add_subnet(address.network, link, tag)
        around = (self._network.subnet_around(address.ip) for address in single)
        return next((subnet.vlan_id for subnet in around if subnet is not None), None)

    # -- VLANs from other interfaces ---------------------------------------------------------------------

    def _find_derived(self, name: str, below: frozenset[str]) -> VlanId | None:
        """For a VLAN interface: its tag in its parent's fabric. For a bridge: the VLAN of its port."""
        if name in self._found:
            return self._found[name][0]
        link = self._links.get(name)
        if link is None or name in below:
            return None
        if link.kind is InterfaceKind.VLAN:
            derived = self._by_tag(link, below | {name}), VlanSource.PARENT
        elif link.kind in JOINING:
            derived = self._by_ports(link, below | {name}), VlanSource.PORT
        else:
            return None
        if derived[0] is not None:
            self._found[name] = derived
        return derived[0]

    def _by_tag(self, link: ObservedLink, below: frozenset[str]) -> VlanId | None:
        for parent in link.parents:
            parent_vlan = self._find_derived(parent, below) or self._find_master(parent, below)
            if parent_vlan is not None and link.tag_vid is not None:
                return self._on_wire(self._links[parent], parent_vlan, link.tag_vid, link.mtu)
        return None

    def _on_wire(
        self, parent: ObservedLink, parent_vlan: VlanId, vid: int, mtu: int | None = None
    ) -> VlanId | None:
        """The VLAN of frames that have this tag above the parent."""
        vlans = parent.bridge_vlans or _PLAIN
        tag, vlan = vlans.tag_of(vid), self._network.vlan(parent_vlan)
        if tag is None or vlan is None:
            return None
        if tag == UNTAGGED and vlans.tag_of(vlans.machine_vid) in (UNTAGGED, None):
            return parent_vlan
        # A tag inside a tag is not a VLAN of the fabric.
        if tag != UNTAGGED and is_tagged(parent.name, self._links):
            return None
        return self._network.tagged(vlan, tag, mtu)

    def _by_ports(self, link: ObservedLink, below: frozenset[str]) -> VlanId | None:
        ports = ((port, self._find_derived(port, below)) for port in link.parents)
        port, vlan_id = next((port for port in ports if port[1] is not None), ("", None))
        vlans = link.bridge_vlans or _PLAIN
        tag = vlans.tag_of(vlans.machine_vid)
        if vlan_id is None or tag is None or tag == UNTAGGED:
            return vlan_id if tag is not None else None
        vlan = self._network.vlan(vlan_id)
        if vlan is None or is_tagged(port, self._links):
            return None
        return self._network.tagged(vlan, tag)

    def _find_master(self, name: str, below: frozenset[str]) -> VlanId | None:
        """The VLAN of a member's master."""
        for link in self._links.values():
            if link.kind in JOINING and name in link.parents:
                return self._find_derived(link.name, below)
        return None

    def _show_masters(self) -> None:
        """Give members the VLANs of their masters, from the top down."""
        masters = [link for link in self._links.values() if self._members(link)]
        for _ in range(2):  # bridge over bond over NIC
            for master in masters:
                vlan_id = self._found.get(master.name, (None, VlanSource.NONE))[0]
                for member in self._members(master):
                    interface = self._found.get(member)
                    if vlan_id is not None and (interface is None or interface[1] is not VlanSource.OPERATOR):
                        self._found[member] = vlan_id, VlanSource.MASTER

    def _members(self, master: ObservedLink) -> tuple[str, ...]:
        if master.kind in JOINING:
            return master.parents
        return tuple(link.name for link in self._links.values() if link.master == master.name)

    def _make_network_vlans(self) -> None:
        """The VLANs of machines on libvirt networks with a tag."""
        for name, vids in self._network_vids.items():
            link = self._links.get(name)
            vlan_id = self._found.get(name, (None, VlanSource.NONE))[0]
            if link is None or vlan_id is None:
                continue
            for vid in vids:
                self._on_wire(link, vlan_id, vid)

    def _interface(self, link: ObservedLink, members: set[str]) -> NodeInterface:
        vlan_id, source = self._found.get(link.name, (None, VlanSource.NONE))
        before = self._recorded.get(link.name)
        interface = NodeInterface(
            before.id if before else InterfaceId(0),
            link.name,
            link.kind or InterfaceKind.PHYSICAL,
            link.mac,
            vlan_id,
            source,
            link.addresses,
            link.parents,
            link.bridge_kind,
            link.tag_vid,
            link.enabled,
            link.link,
            link.mtu,
            link.link_speed,
            role=link.role,
            # A tagged port that Open vSwitch made for the host is a VLAN interface on its bridge.
            master="" if link.name in members or link.master in link.parents else link.master,
            bridge_vlans=link.bridge_vlans,
            child_addresses=link.child_addresses,
            routers=link.routers,
        )
        return replace(interface, tags=before.tags) if before else interface


def private_bridges(host: Host) -> frozenset[str]:
    """Bridges of libvirt's private networks, which have the same addresses on every host."""
    return frozenset(
        network.bridge
        for network in host.libvirt_networks
        if network.bridge is not None and network.forward is not Forward.BRIDGE
    )


def tags_by_bridge(host: Host) -> dict[str, frozenset[int]]:
    """The tags that libvirt networks give to their machines, by bridge."""
    vids: dict[str, frozenset[int]] = {}
    for network in host.libvirt_networks:
        if network.bridge is not None and network.vid:
            vids[network.bridge] = vids.get(network.bridge, frozenset()) | {network.vid}
    return vids
