"""Probing a VLAN for DHCP servers: where to probe, which answers are ours, what is recorded; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from hostloom.decide.dhcp.range_utilization import range_utilizations
from hostloom.decide.hosts.stacked_tags import members
from hostloom.decide.placement.exclusions import machine_vid, vlan_exclusion
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.dhcp_exchange import DhcpOffer, ForeignDhcp, VlanProbe
from hostloom.model.host import Host, LibvirtNetwork
from hostloom.model.ids import MacAddress, SystemId, VlanId, natural_key
from hostloom.model.network import Address, AddressKind, IPRange, Subnet, Vlan
from hostloom.model.node import BridgeKind, InterfaceKind, InterfaceRole, Node, NodeInterface
from hostloom.model.rack import Rack

#: The machine that hostloom runs on.
LOCAL_URI = "qemu:///system"
#: Preference of interface kinds; loopbacks cannot be used.
_KINDS = (InterfaceKind.BRIDGE, InterfaceKind.BOND, InterfaceKind.PHYSICAL, InterfaceKind.VLAN)


@dataclass(frozen=True)
class Vantage:
    """An interface on a VLAN at which a probe can be placed."""

    uri: str
    attachment: Attachment
    #: `INTERFACE of NODE`.
    seen_from: str
    #: Whether IPv6 servers of the host are invisible: a macvlan does not reach the stack of its parent's
    #: host.
    is_own_parent: bool


@dataclass(frozen=True)
class ServingRacks:
    """The racks that serve a VLAN."""

    #: The node that hostloom runs on.
    local: SystemId | None
    racks: tuple[Rack, ...] = ()

    @property
    def system_ids(self) -> frozenset[SystemId]:
        """The nodes of the racks."""
        system_ids = {rack.system_id for rack in self.racks}
        return frozenset(system_ids if self.local is None else system_ids | {self.local})


def vantages(snapshot: Snapshot, vlan_id: VlanId, racks: ServingRacks) -> tuple[Vantage, ...]:
    """Interfaces for a probe of a VLAN, the best first: racks, then reachable hosts; bridges, then NICs.

    A bridge is better than a NIC, because a probe at a NIC does not reach the servers of the host itself.
    """
    vantage_points = [
        _vantage(uri, node, interface, node.system_id in racks.system_ids)
        for uri, node, state in _places(snapshot, racks)
        for interface in _able(node, vlan_id, state)
    ]
    return tuple(vantage_points)


def _places(snapshot: Snapshot, racks: ServingRacks) -> Iterator[tuple[str, Node, HostState | None]]:
    """Machines that can run a probe: URI, node and host."""
    states = sorted(
        (host for host in snapshot.hosts if host.host.reachable),
        key=lambda host_state: (
            host_state.host.correlation.system_id not in racks.system_ids,
            natural_key(host_state.host.name),
            host_state.host.id,
        ),
    )
    local = None if racks.local is None else snapshot.node_by_system_id.get(racks.local)
    if local is not None:
        local_state = next(
            (state for state in states if state.host.correlation.system_id == racks.local), None
        )
        yield LOCAL_URI, local, local_state
    for state in states:
        node = snapshot.node_of(state.host)
        if node is not None and node.system_id != racks.local:
            yield state.host.uri, node, state


def _able(node: Node, vlan_id: VlanId, state: HostState | None) -> list[NodeInterface]:
    busy = members(node.interfaces) | _passthru_sources(state)
    able = [
        interface
        for interface in node.interfaces
        if interface.vlan_id == vlan_id and interface.name not in busy and _can_probe(interface)
    ]
    return sorted(able, key=_preference)


def _passthru_sources(state: HostState | None) -> set[str]:
    """The interfaces that passthru machines own."""
    nics = [nic for machine in (state.machines if state else ()) for nic in machine.interfaces]
    return {nic.source for nic in nics if nic.mode is MacvlanMode.PASSTHRU}


def _can_probe(interface: NodeInterface) -> bool:
    if interface.kind not in _KINDS or interface.bridge_kind is BridgeKind.OVS:
        return False
    if not (interface.enabled and interface.link) or interface.role is not InterfaceRole.ORDINARY:
        return False
    return vlan_exclusion(interface, machine_vid(interface)) is None


def _preference(interface: NodeInterface) -> tuple[int, tuple[tuple[int, int, str], ...]]:
    return _KINDS.index(interface.kind), natural_key(interface.name)


def _vantage(uri: str, node: Node, interface: NodeInterface, is_rack: bool) -> Vantage:
    if interface.kind is InterfaceKind.BRIDGE:
        attachment = Attachment(AttachKind.BRIDGE, interface.name)
    else:
        attachment = Attachment(AttachKind.MACVLAN, interface.name, MacvlanMode.BRIDGE)
    is_own_parent = is_rack and attachment.kind is AttachKind.MACVLAN
    return Vantage(uri, attachment, f"{interface.name} of {node.hostname}", is_own_parent)


def versions(snapshot: Snapshot, vlan_id: VlanId) -> tuple[int, ...]:
    """The IP versions of a probe: always IPv4, and IPv6 if the VLAN has a subnet of it."""
    subnets = snapshot.subnets_by_vlan.get(vlan_id, ())
    return (4, 6) if any(subnet.cidr.version == 6 for subnet in subnets) else (4,)


def expected(snapshot: Snapshot, vlan_id: VlanId) -> frozenset[int]:
    """IP versions in which our DHCP answers an unknown client: those with a free dynamic address."""
    leased = [
        (address.subnet_id, address.ip)
        for address in snapshot.held
        if address.kind is AddressKind.LEASE and address.subnet_id is not None
    ]
    return frozenset(
        subnet.cidr.version
        for fill in range_utilizations(snapshot, leased).values()
        if (subnet := snapshot.subnet_by_id[fill.subnet_id]).vlan_id == vlan_id and not fill.is_exhausted
    )


@dataclass(frozen=True)
class ProbeAnswers:
    """The answers to one probe."""

    vantage: Vantage
    #: The IP versions of the probe.
    versions: tuple[int, ...]
    offers: tuple[DhcpOffer, ...]


def probed(
    snapshot: Snapshot,
    vlan: Vlan,
    racks: ServingRacks,
    before: Sequence[ForeignDhcp],
    probe_answers: ProbeAnswers,
    time: float,
) -> tuple[VlanProbe, tuple[ForeignDhcp, ...]]:
    """The record of a probe: whether our DHCP answered, and foreign servers, including libvirt networks.

    `before`: the foreign servers after the last probe, because a snapshot does not contain their offers.
    """
    libvirt = libvirt_servers(snapshot, vlan.id, time)
    is_ours = _Ours(snapshot, vlan, racks, {foreign_dhcp.server for foreign_dhcp in libvirt})
    own_versions = {offer.server.version for offer in probe_answers.offers if is_ours(offer)}
    foreign = [
        ForeignDhcp(
            vlan.id, offer.server, offer.mac, offer.ip, offer.ip, probe_answers.vantage.seen_from, time, time
        )
        for offer in probe_answers.offers
        if not is_ours(offer)
    ]
    versions = expected(snapshot, vlan.id) & set(probe_answers.versions)
    if probe_answers.vantage.is_own_parent:
        versions -= {6}
    answered = versions <= own_versions if versions else (True if own_versions else None)
    probe = VlanProbe(vlan.id, time, probe_answers.vantage.seen_from, answered)
    return probe, merged(before, [*libvirt, *foreign])


def unprobed(
    snapshot: Snapshot, vlan: Vlan, before: Sequence[ForeignDhcp], trouble: str, time: float
) -> tuple[VlanProbe, tuple[ForeignDhcp, ...]]:
    """The record if no probe could run: known answers stay, and libvirt's own DHCP is read."""
    stay = [foreign_dhcp for foreign_dhcp in before if not foreign_dhcp.seen_from.startswith(_LIBVIRT)]
    probe = VlanProbe(vlan.id, time, "", None, trouble)
    return probe, merged(before, [*libvirt_servers(snapshot, vlan.id, time), *stay])


def merged(before: Sequence[ForeignDhcp], now: Iterable[ForeignDhcp]) -> tuple[ForeignDhcp, ...]:
    """The current servers with all previous observations of them, by address, then by MAC."""
    foreign_dhcps = {(foreign_dhcp.server, foreign_dhcp.mac): foreign_dhcp for foreign_dhcp in before}
    servers: dict[tuple[Address, MacAddress], ForeignDhcp] = {}
    for foreign_dhcp in now:
        key = (foreign_dhcp.server, foreign_dhcp.mac)
        last = servers.get(key) or foreign_dhcps.get(key)
        servers[key] = foreign_dhcp if last is None else _with(last, foreign_dhcp)
    return tuple(sorted(servers.values(), key=lambda f: (f.server.version, int(f.server), f.mac)))


def _with(last: ForeignDhcp, now: ForeignDhcp) -> ForeignDhcp:
    offered = [
        ip for ip in (last.first_offered, last.last_offered, now.first_offered, now.last_offered) if ip
    ]
    return replace(
        now,
        first_offered=min(offered, key=int, default=None),
        last_offered=max(offered, key=int, default=None),
        first_seen_at=last.first_seen_at,
    )


def _ranges_v6(snapshot: Snapshot, subnets: Iterable[Subnet]) -> Iterator[IPRange]:
    for subnet in subnets:
        if subnet.cidr.version == 6:
            yield from snapshot.ranges_by_subnet.get(subnet.id, ())


class _Ours:
    """Recognizes offers of our own servers."""

    def __init__(self, snapshot: Snapshot, vlan: Vlan, racks: ServingRacks, libvirt: set[Address]) -> None:
        nodes = [node for node in snapshot.nodes if node.system_id in racks.system_ids]
        interfaces = [interface for node in nodes for interface in node.interfaces]
        relayed = () if vlan.relay_vlan_id is None else snapshot.subnets_by_vlan.get(vlan.id, ())
        rack_addresses = {ip for interface in interfaces for ip in interface.ips}
        relays = {subnet.gateway for subnet in relayed if subnet.gateway is not None}
        # A libvirt server on a rack answers with an address of the rack.
        self._addresses = (rack_addresses | relays) - libvirt
        #: The inventory does not record the link-local addresses of DHCPv6 servers, but their MACs.
        self._macs = {interface.mac for interface in interfaces if interface.mac is not None}
        #: A relay answers DHCPv6 from its own address, so the offered address identifies the server.
        self._pools = [*_ranges_v6(snapshot, relayed)]

    def __call__(self, offer: DhcpOffer) -> bool:
        if offer.server in self._addresses:
            return True
        if offer.server.version == 4:
            return False
        return offer.mac in self._macs or any(offer.ip in pool for pool in self._pools)


_LIBVIRT = "libvirt network "


def libvirt_servers(snapshot: Snapshot, vlan_id: VlanId, time: float) -> list[ForeignDhcp]:
    """libvirt's own DHCP on networks with a bridge on the VLAN, which is read from the hosts."""
    foreign_dhcps = []
    for state in snapshot.hosts:
        node = snapshot.node_of(state.host)
        for network in state.host.libvirt_networks:
            bridge = _bridge(node, network, vlan_id)
            if bridge is not None:
                foreign_dhcps += _served(state.host, network, bridge, vlan_id, time)
    return foreign_dhcps


def _bridge(node: Node | None, network: LibvirtNetwork, vlan_id: VlanId) -> NodeInterface | None:
    if node is None or not (network.active and network.dhcp and network.bridge):
        return None
    able = (
        interface
        for interface in node.interfaces
        if interface.name == network.bridge and interface.vlan_id == vlan_id
    )
    return next(able, None)


def _served(
    host: Host, network: LibvirtNetwork, bridge: NodeInterface, vlan_id: VlanId, time: float
) -> list[ForeignDhcp]:
    """libvirt's server of a network, with the bridge's first address of every IP version."""
    if bridge.mac is None:
        return []
    first = {ip.version: ip for ip in reversed(bridge.ips)}
    name = f"{_LIBVIRT}{network.name} of {host.name}"
    return [ForeignDhcp(vlan_id, ip, bridge.mac, None, None, name, time, time) for ip in first.values()]


@dataclass(frozen=True)
class DhcpServerChange:
    """A change of a foreign server on a VLAN."""

    came: tuple[ForeignDhcp, ...]
    gone: tuple[ForeignDhcp, ...]


def turn(before: Sequence[ForeignDhcp], now: Sequence[ForeignDhcp]) -> DhcpServerChange:
    """The changes between two probes; servers are identified by address and MAC."""
    were, are = (
        {(foreign_dhcp.server, foreign_dhcp.mac) for foreign_dhcp in foreign_dhcps}
        for foreign_dhcps in (before, now)
    )
    return DhcpServerChange(
        tuple(foreign_dhcp for foreign_dhcp in now if (foreign_dhcp.server, foreign_dhcp.mac) not in were),
        tuple(foreign_dhcp for foreign_dhcp in before if (foreign_dhcp.server, foreign_dhcp.mac) not in are),
    )
