"""Candidates on a host, regardless of the request: interfaces and libvirt networks."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from hostloom.decide.hosts.stacked_tags import JOINING
from hostloom.decide.placement.exclusions import (
    interface_exclusion,
    machine_vid,
    network_exclusion,
    vlan_exclusion,
    vlan_of_network,
)
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.host import Forward, InstalledBy, LibvirtNetwork
from hostloom.model.ids import VlanId, natural_key
from hostloom.model.node import BridgeKind, InterfaceKind, InterfaceRole, NodeInterface
from hostloom.model.reasons import Rejection, RejectionCode, SubjectKind

#: The libvirt networks that are used if no other is named, in this order.
NETWORK_ORDER = ("maas", "default")
_CLASS = {InterfaceKind.BRIDGE: 0, InterfaceKind.BOND: 1}


@dataclass(frozen=True)
class Candidate:
    """An interface or libvirt network that a NIC could be attached to."""

    #: Name of the host interface or libvirt network.
    source: str
    kind: AttachKind
    #: The interface itself, or the bridge of the network if it is a known interface.
    interface: NodeInterface | None
    vlan_id: VlanId | None
    bootable: bool
    #: Bridge, bond, the rest; for networks, connected before isolated.
    #: See docs/explanation/rules.md#choosing-interfaces.
    rank: int
    order: tuple[object, ...] = ()
    network: LibvirtNetwork | None = None
    isolated: bool = False

    @property
    def subject(self) -> SubjectKind:
        """Its kind in explanations."""
        return SubjectKind.HOST_INTERFACE if self.network is None else SubjectKind.LIBVIRT_NETWORK

    @property
    def is_for_containers(self) -> bool:
        """Whether a container engine created the bridge; a request must name it to use it."""
        interface = self.interface if self.network is None else None
        return interface is not None and interface.role is InterfaceRole.CONTAINER_BRIDGE

    @property
    def is_verified(self) -> bool:
        """Whether the VLANs of its bridge could be read."""
        vlans = None if self.interface is None else self.interface.bridge_vlans
        return vlans is None or vlans.is_read

    @property
    def is_ovs(self) -> bool:
        """Whether libvirt must create an Open vSwitch port."""
        bridge = self.interface if self.kind is AttachKind.BRIDGE else None
        return bridge is not None and bridge.bridge_kind is BridgeKind.OVS

    def preference(self, used: Container[str]) -> tuple[object, ...]:
        """Sort key, best first: networks in their order; then class, bootable, unused, natural name."""
        if self.network is not None:
            return (0, self.rank, False, False, self.order)
        return (1, self.rank, not self.bootable, self.source in used, self.order)

    def reject(self, rule: str, code: RejectionCode, wanted: str = "", found: str = "") -> Rejection:
        """A reason against it."""
        return Rejection(rule, code, self.subject, self.source, wanted, found)


@dataclass(frozen=True)
class HostView:
    """A host with its node's interfaces, as the rules need it."""

    snapshot: Snapshot
    state: HostState
    hostname: str = ""
    interfaces: tuple[NodeInterface, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, NodeInterface]:
        """Host interfaces by name."""
        return {interface.name: interface for interface in self.interfaces}

    @cached_property
    def masters(self) -> dict[str, str]:
        """The master of each member; the parent of a VLAN interface is not a member."""
        alone = {member.name: member.master for member in self.interfaces if member.master}
        return alone | {
            parent: master.name
            for master in sorted(self.interfaces, key=lambda i: natural_key(i.name))
            if master.kind in JOINING
            for parent in master.parents
        }

    @cached_property
    def macvtaps(self) -> Counter[str]:
        """How many macvtaps each interface carries."""
        return Counter(source for source, _ in macvtaps_of(self.state))

    @cached_property
    def held(self) -> dict[str, str]:
        """The owner of each owned interface: a passthru machine or a network in passthrough mode."""
        machines = {source: "a passthru machine" for source, owned in macvtaps_of(self.state) if owned}
        networks = {
            parent: f"libvirt network {network.name}, whose mode is passthrough"
            for network in self.state.host.libvirt_networks
            if network.active and network.passthrough
            for parent in network.parents
        }
        return networks | machines

    @cached_property
    def judged(self) -> tuple[tuple[Candidate, Rejection | None], ...]:
        """Every host interface in natural order, with the reason if it cannot carry a machine.

        See docs/explanation/rules.md#interfaces-that-can-carry-a-machine.
        """
        ordered = sorted(self.interfaces, key=lambda i: (natural_key(i.name), i.id))
        return tuple((candidate, self.barred(candidate)) for candidate in map(self._candidate, ordered))

    def _candidate(self, interface: NodeInterface) -> Candidate:
        is_bridge = interface.kind is InterfaceKind.BRIDGE
        return Candidate(
            interface.name,
            AttachKind.BRIDGE if is_bridge else AttachKind.MACVLAN,
            interface,
            interface.vlan_id,
            interface.vlan_id in self.snapshot.bootable_vlans,
            _CLASS.get(interface.kind, 2),
            (natural_key(interface.name), interface.id),
        )

    def barred(self, candidate: Candidate) -> Rejection | None:
        """Why the interface, or the known bridge of a libvirt network, cannot carry a machine."""
        interface, network, bar = candidate.interface, candidate.network, None
        if interface is not None:
            bar = interface_exclusion(interface, self.by_name, self.masters.get(interface.name, ""))
        if bar is None and network is not None:
            bar = network_exclusion(network, interface)
        elif bar is None and interface is not None and candidate.kind is AttachKind.BRIDGE:
            bar = vlan_exclusion(interface, machine_vid(interface))
        return None if bar is None else candidate.reject(*bar)

    def find_network(self, name: str) -> LibvirtNetwork | None:
        """A libvirt network by name."""
        return self.state.host.find_network(name)

    def network_candidate(self, name: str) -> tuple[Candidate, Rejection | None]:
        """A libvirt network, with a rejection if it is missing or inactive; `barred` checks its bridge."""
        network = self.find_network(name)
        bridge = self.by_name.get(network.bridge or "") if network else None
        vlan_id = vlan_of_network(self.snapshot, network, bridge, self.by_name) if network else None
        isolated = network is not None and self._is_isolated(network, bridge)
        position = NETWORK_ORDER.index(name) if name in NETWORK_ORDER else len(NETWORK_ORDER)
        candidate = Candidate(
            name,
            AttachKind.NETWORK,
            # If the network has a tag, its machines are on another VLAN than the bridge.
            replace(bridge, vlan_id=vlan_id) if bridge is not None and bridge.vlan_id != vlan_id else bridge,
            vlan_id,
            vlan_id in self.snapshot.bootable_vlans,
            int(isolated),
            (position, name),
            network or LibvirtNetwork(name, active=False, bridge=None, dhcp=False),
            isolated,
        )
        if network is None:
            code = RejectionCode.NETWORK_MISSING
            return candidate, candidate.reject("network_exists", code, f"a libvirt network {name}", "none")
        if not network.active:
            code = RejectionCode.NETWORK_INACTIVE
            return candidate, candidate.reject("network_is_active", code, "active", "inactive")
        return candidate, None

    def _is_isolated(self, network: LibvirtNetwork, bridge: NodeInterface | None) -> bool:
        """Whether it has no physical port, NAT or route; for an unknown bridge, `forward` alone decides."""
        if network.forward in (Forward.NAT, Forward.ROUTE, Forward.OTHER):
            return False
        if bridge is None:
            return network.forward is None
        return not self.has_uplink(bridge)

    def has_uplink(self, bridge: NodeInterface) -> bool:
        """Whether the bridge has a physical port, possibly below a bond or VLAN interface."""
        return self._reaches_physical(bridge.parents)

    def _reaches_physical(self, names: Iterable[str], visited: frozenset[str] = frozenset()) -> bool:
        for name in names:
            interface = self.by_name.get(name)
            if interface is None or name in visited:
                continue
            if interface.kind is InterfaceKind.PHYSICAL or self._reaches_physical(
                interface.parents, visited | {name}
            ):
                return True
        return False


def macvtaps_of(state: HostState) -> Iterator[tuple[str, bool]]:
    """The parent of every macvtap on the host, and whether its machine owns the parent.

    All parents of a network count, because libvirt chooses one of them.
    """
    networks = {network.name: network for network in state.host.libvirt_networks}
    for machine in state.machines:
        for nic in machine.interfaces:
            network = networks.get(nic.source) if nic.kind is AttachKind.NETWORK else None
            if nic.kind is AttachKind.MACVLAN:
                yield nic.source, nic.mode is MacvlanMode.PASSTHRU
            elif network is not None:
                yield from ((parent, network.passthrough) for parent in network.parents)


def is_managed_install(state: HostState) -> bool:
    """Whether hostloom deployed the host, so that only networks on its VLANs count.

    See docs/explanation/rules.md#without-interface-constraints.
    """
    return state.host.installed_by is InstalledBy.HOSTLOOM


def view_of(snapshot: Snapshot, state: HostState) -> HostView:
    """The host with its node's interfaces, if they are known."""
    node = snapshot.node_of(state.host)
    return HostView(snapshot, state, node.hostname if node else "", node.interfaces if node else ())
