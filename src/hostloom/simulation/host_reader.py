"""Reading of nodes and hosts with their machines, pools and networks from a world file."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address, ip_interface

from hostloom.decide.hosts.correlation import uri_host
from hostloom.decide.snapshot import HostState
from hostloom.model.attachment import MacvlanMode
from hostloom.model.errors.values import InvalidValue
from hostloom.model.host import (
    Correlation,
    CorrelationState,
    Emulation,
    Host,
    InstalledBy,
)
from hostloom.model.ids import HostId, InterfaceId, MacAddress, ResourcePoolId, SystemId, ZoneId
from hostloom.model.network import DEFAULT_MTU, MAX_VID, UNTAGGED, Address, AddressKind, HeldAddress
from hostloom.model.node import (
    BridgeKind,
    BridgeVlans,
    InterfaceKind,
    InterfaceRole,
    Node,
    NodeInterface,
    NodeKind,
)
from hostloom.simulation.host_parts import read_machine, read_networks, read_pools
from hostloom.simulation.network_reader import NetworkReader
from hostloom.simulation.sections import Numbers, Section, by_id_first, group_id


class HostReader:
    """Reads nodes and hosts."""

    def __init__(self, numbers: Numbers, network: NetworkReader) -> None:
        self._numbers, self._network = numbers, network
        self.nodes: list[Node] = []
        self._states: list[HostState] = []

    def read_nodes(self, sections: list[Section]) -> None:
        """Read nodes that are not hosts."""
        names: set[str] = set()
        for section in sections:
            name = section.name(names, "nodes")
            kind = section.word("type", NodeKind) or NodeKind.MACHINE
            interfaces = self._interfaces(section)
            self.nodes.append(Node(SystemId(f"node-{name}"), name, kind, interfaces))
            section.finish()

    def read_hosts(self, sections: list[Section]) -> None:
        """Read hosts, each with its node unless it has `known: false`."""
        names: set[str] = set()
        for section in by_id_first(sections):
            name = section.name(names, "hosts")
            interfaces = self._interfaces(section)
            is_known = section.take("known", bool, True)
            host = self._host(section, name, is_known=is_known)
            if is_known:
                self.nodes.append(Node(SystemId(f"host-{name}"), name, NodeKind.MACHINE, interfaces))
            on_host: set[str] = set()
            machines = tuple(read_machine(item, on_host) for item in section.items("machines"))
            self._states.append(HostState(host, machines))
            section.finish()

    def states(self) -> tuple[HostState, ...]:
        """Return the correlated hosts. Call this after reading all nodes."""
        nodes: dict[Address, set[SystemId]] = {}
        for node in self.nodes:
            for interface in node.interfaces:
                for ip in interface.ips:
                    nodes.setdefault(ip, set()).add(node.system_id)
        return tuple(replace(state, host=_correlated(state.host, nodes)) for state in self._states)

    def held(self) -> list[HeldAddress]:
        """Return the addresses of interfaces, of their routers and in the URIs of hosts."""
        return [*self._interface_addresses(), *self._router_addresses(), *self._host_addresses()]

    def _interface_addresses(self) -> Iterator[HeldAddress]:
        for node in self.nodes:
            for interface in node.interfaces:
                for ip in (*interface.ips, *(child.ip for child in interface.child_addresses)):
                    yield HeldAddress(ip, AddressKind.OBSERVED, None, node.system_id, interface.name)

    def _router_addresses(self) -> Iterator[HeldAddress]:
        gateways = {subnet.gateway for subnet in self._network.subnets}
        for node in self.nodes:
            for interface in node.interfaces:
                for ip in interface.routers:
                    if ip not in gateways:
                        comment = f"router of {node.hostname}"
                        yield HeldAddress(ip, AddressKind.OBSERVED, comment=comment)

    def _host_addresses(self) -> Iterator[HeldAddress]:
        for state in self._states:
            for ip in _uri_addresses(state.host.uri):
                yield HeldAddress(ip, AddressKind.OBSERVED, None, None, None, f"host {state.host.name}")

    def _interfaces(self, section: Section) -> tuple[NodeInterface, ...]:
        names: set[str] = set()
        sections = section.items("interfaces")
        interfaces = tuple(self._interface(section, names) for section in sections)
        for interface_section, interface in zip(sections, interfaces, strict=True):
            for parent in interface.parents:
                if parent not in names or parent == interface.name:
                    raise interface_section.error(
                        "parents", f"parents: {interface.name} has no parent {parent!r}"
                    )
        return interfaces

    def _interface(self, section: Section, names: set[str]) -> NodeInterface:
        kind = section.word("type", InterfaceKind) or InterfaceKind.PHYSICAL
        bridge = section.word("bridge_type", BridgeKind) or BridgeKind.STANDARD
        interface = NodeInterface(
            InterfaceId(self._numbers.of("interface", section)),
            section.name(names, "interfaces"),
            kind,
            _mac(section),
            self._network.find_vlan(section, "vlan"),
            addresses=tuple(
                ip_interface(f"{address}/{address.max_prefixlen}")
                for address in section.addresses("addresses")
            ),
            parents=tuple(section.strings("parents")),
            bridge_kind=bridge if kind is InterfaceKind.BRIDGE else None,
            enabled=section.take("enabled", bool, True),
            link=section.take("link", bool, True),
            mtu=section.number("mtu", DEFAULT_MTU),
            link_speed=section.number("link_speed", 0),
            tags=tuple(section.strings("tags")),
            role=section.word("role", InterfaceRole) or InterfaceRole.ORDINARY,
            master=section.take("master", str, ""),
            bridge_vlans=_bridge_vlans(section, kind),
            child_addresses=tuple(ip_interface(ip) for ip in section.addresses("child_addresses")),
            routers=tuple(section.addresses("routers")),
        )
        section.finish()
        return interface

    def _host(self, section: Section, name: str, *, is_known: bool) -> Host:
        state = CorrelationState.CORRELATED if is_known else CorrelationState.UNKNOWN
        architectures = section.strings("architectures")
        if section.raw("architectures") is None:
            architectures = ["amd64"]
        return Host(
            HostId(self._numbers.of("host", section)),
            name,
            section.need("address", str),
            Correlation(state, SystemId(f"host-{name}") if is_known else None),
            section.word("installed_by", InstalledBy) or InstalledBy.UNKNOWN,
            section.word("default_macvlan_mode", MacvlanMode),
            section.number("cores", 8),
            section.number("memory_mib", 16384),
            section.amount("cpu_over_commit_ratio", 1.0),
            section.amount("memory_over_commit_ratio", 1.0),
            tuple(
                Emulation(architecture.removesuffix("/generic"), "kvm", "", "", "")
                for architecture in architectures
            ),
            read_pools(section),
            read_networks(section),
            reachable=section.take("reachable", bool, True),
            facts_at=_facts_at(section),
            zone_id=ZoneId(group_id(section.take("zone", str, "default"))),
            resource_pool_id=ResourcePoolId(group_id(section.take("resource_pool", str, "default"))),
            tags=tuple(section.strings("tags")),
        )


def _bridge_vlans(section: Section, kind: InterfaceKind) -> BridgeVlans | None:
    """Read the VLANs of a VLAN-aware bridge. Null means no VLAN."""
    if not section.has("bridge_vlans"):
        return None
    if kind is not InterfaceKind.BRIDGE:
        raise section.error("bridge_vlans", f"bridge_vlans: goes with type: bridge, not with {kind}")
    inner = section.inner("bridge_vlans")
    plain = BridgeVlans()
    bridge_vlans = BridgeVlans(
        _vid(inner, "machines", plain.machine_vid),
        _vid(inner, "host", plain.host_vid),
        _vid(inner, "native", plain.native_vid),
        tuple(_span(inner, text) for text in inner.strings("carried"))
        if inner.has("carried")
        else plain.carried,
        inner.take("read", bool, True),
    )
    inner.finish()
    return bridge_vlans


def _vid(section: Section, key: str, default: int | None) -> int | None:
    if section.has(key) and section.raw(key) is None:
        return None
    return section.number(key, default or UNTAGGED, 0, MAX_VID)


def _span(section: Section, text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    if not (low.isdecimal() and (high or low).isdecimal() and 0 < int(low) <= int(high or low) <= MAX_VID):
        raise section.error("carried", f"carried: expected a VID or a span as 2-4094, found {text!r}")
    return int(low), int(high or low)


def _correlated(host: Host, nodes: Mapping[Address, set[SystemId]]) -> Host:
    """Mark a host as ambiguous if another node or host has the address in its URI."""
    system_id = host.correlation.system_id
    if system_id is None:
        return host
    system_ids = {system_id for ip in _uri_addresses(host.uri) for system_id in nodes.get(ip, ())} | {
        system_id
    }
    if len(system_ids) == 1:
        return host
    candidates = tuple(sorted(system_ids))
    return replace(host, correlation=Correlation(CorrelationState.AMBIGUOUS, None, candidates=candidates))


def _facts_at(section: Section) -> float | None:
    """Return the time of the last reading, relative to the simulation, which runs at time 0."""
    return -float(section.number("facts_age_s", 0)) if section.find("facts_age_s", int) is not None else None


def _uri_addresses(uri: str) -> tuple[Address, ...]:
    try:
        return (ip_address(uri_host(uri) or ""),)
    except ValueError:
        return ()


def _mac(section: Section) -> MacAddress | None:
    text = section.find("mac", str)
    if text is None:
        return None
    try:
        return MacAddress.parse(text)
    except InvalidValue as error:
        raise section.error("mac", f"mac: {text!r} {error.predicate}") from None
