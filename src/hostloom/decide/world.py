"""World files: plain data to a snapshot and its cases (format: docs/reference/world-files.md)."""

from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network
from typing import Any, TypeVar

from hostloom.decide.correlate import correlate, uri_host
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.decide.world_read import Section, WorldError
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.errors import InvalidValue
from hostloom.model.host import (
    Correlation,
    CorrelationState,
    Emulation,
    Forward,
    Host,
    InstalledBy,
    LibvirtNetwork,
    PlacedInterface,
    PlacedMachine,
    StoragePool,
)
from hostloom.model.ids import (
    FabricId,
    HostId,
    InterfaceId,
    MacAddress,
    RangeId,
    SpaceId,
    SubnetId,
    SystemId,
    VlanId,
)
from hostloom.model.network import (
    Address,
    AddressKind,
    Fabric,
    HeldAddress,
    IPRange,
    RangeKind,
    Space,
    Subnet,
    Vlan,
)
from hostloom.model.node import BridgeKind, InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.model.request import GB, ComposeRequest

FORMAT = 1
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True)
class Case:
    """A request, and what must come of it as written in the file."""

    name: str
    request: ComposeRequest
    expect: dict[str, Any]


@dataclass(frozen=True)
class World:
    """What a world file says."""

    snapshot: Snapshot
    cases: tuple[Case, ...]


def read_world(data: object) -> World:
    """Read a parsed YAML document; WorldError with the path to the first mistake."""
    top = Section(data, ())
    if top.need("world", int) != FORMAT:
        raise top.error("world", f"world: expected {FORMAT}, the version of the format")
    reader = _Reader()
    reader.fabrics(top.items("fabrics"))
    reader.subnets(top.items("subnets"))
    reader.nodes(top.items("nodes"))
    reader.hosts(top.items("hosts"))
    cases = tuple(_case(each) for each in top.items("cases"))
    top.finish()
    return World(reader.snapshot(), cases)


def read_request(section: Section) -> ComposeRequest:
    """A request of a case."""
    request = ComposeRequest(
        host=section.find("host", str),
        interfaces=section.take("interfaces", str, ""),
        storage=section.take("storage", str, ""),
        cores=section.take("cores", int, 1),
        memory_mib=section.take("memory_mib", int, 2048),
        architecture=section.find("architecture", str),
        netboot=section.take("netboot", bool, True),
    )
    section.finish()
    return request


_EXPECT = ("host", "interfaces", "warnings", "rejected", "error")


def _case(section: Section) -> Case:
    name = section.need("name", str)
    request = read_request(Section(section.raw("request") or {}, (*section.path, "request")))
    expect = Section(section.raw("expect") or {}, (*section.path, "expect"))
    found = {key: expect.raw(key) for key in _EXPECT if expect.has(key)}
    expect.finish()
    section.finish()
    return Case(name, request, found)


class _Reader:
    """Builds the snapshot section by section; ids that the file does not give are counted up."""

    def __init__(self) -> None:
        self._fabrics: dict[str, Fabric] = {}
        self._spaces: dict[str, Space] = {}
        self._vlans: dict[str, Vlan] = {}
        self._subnets: list[Subnet] = []
        self._ranges: list[IPRange] = []
        self._held: list[HeldAddress] = []
        self._nodes: list[Node] = []
        self._hosts: list[HostState] = []
        self._ids: dict[str, set[int]] = {}

    def snapshot(self) -> Snapshot:
        """Correlate the hosts and freeze."""
        hosts = tuple(replace(each, host=self._correlated(each.host)) for each in self._hosts)
        return Snapshot(
            tuple(self._fabrics.values()),
            tuple(self._vlans.values()),
            tuple(self._spaces.values()),
            tuple(self._subnets),
            tuple(self._ranges),
            tuple(self._all_held()),
            tuple(self._nodes),
            hosts,
        )

    def _id(self, kind: str, section: Section) -> int:
        taken = self._ids.setdefault(kind, set())
        number = section.find("id", int)
        if number is None:
            number = next(n for n in range(1, len(taken) + 2) if n not in taken)
        elif number in taken:
            raise section.error("id", f"id: {number} is the id of another {kind}")
        taken.add(number)
        return number

    # -- network -------------------------------------------------------------------------------------

    def fabrics(self, sections: list[Section]) -> None:
        """Fabrics with their VLANs and spaces."""
        numbered = sorted(sections, key=lambda s: not s.has("id"))
        for section in numbered:
            name = section.need("name", str)
            if name in self._fabrics:
                raise section.error("name", f"name: there are two fabrics {name!r}")
            self._fabrics[name] = Fabric(
                FabricId(self._id("fabric", section)), name, section.find("class", str)
            )
        written = [(section, vlan) for section in sections for vlan in section.items("vlans")]
        for section, vlan in sorted(written, key=lambda pair: not pair[1].has("id")):
            self._vlan(self._fabrics[section.need("name", str)], vlan)
        for section, vlan in written:
            self._relay(self._fabrics[section.need("name", str)], vlan)
            vlan.finish()
        for section in sections:
            section.finish()

    def _vlan(self, fabric: Fabric, section: Section) -> None:
        vid = section.need("vid", int)
        key = f"{fabric.name}/{vid}"
        if key in self._vlans:
            raise section.error("vid", f"vid: there are two VLANs {key}")
        space = section.find("space", str)
        if space is not None and space not in self._spaces:
            self._spaces[space] = Space(SpaceId(len(self._spaces) + 1), space)
        self._vlans[key] = Vlan(
            VlanId(self._id("VLAN", section)),
            fabric.id,
            vid,
            section.take("name", str, "untagged" if vid == 0 else str(vid)),
            mtu=section.take("mtu", int, 1500),
            dhcp_on=section.take("dhcp", bool, False),
            space_id=self._spaces[space].id if space is not None else None,
        )

    def _relay(self, fabric: Fabric, section: Section) -> None:
        key = f"{fabric.name}/{section.need('vid', int)}"
        if (relay := section.find("relay", str)) is not None:
            self._vlans[key] = replace(
                self._vlans[key], relay_vlan_id=self._find_vlan(section, "relay", relay)
            )

    def _find_vlan(self, section: Section, key: str, name: str) -> VlanId:
        if name not in self._vlans:
            known = ", ".join(self._vlans) or "none"
            raise section.error(key, f"{key}: there is no VLAN {name!r} (FABRIC/VID; known: {known})")
        return self._vlans[name].id

    def subnets(self, sections: list[Section]) -> None:
        """Subnets with ranges and used addresses."""
        for section in sorted(sections, key=lambda s: not s.has("id")):
            cidr = _parse(section, "cidr", ip_network)
            gateway = section.find("gateway", str)
            subnet = Subnet(
                SubnetId(self._id("subnet", section)),
                cidr,
                self._find_vlan(section, "vlan", section.need("vlan", str)),
                section.take("name", str, str(cidr)),
                _parse(section, "gateway", ip_address) if gateway is not None else None,
                managed=section.take("managed", bool, True),
            )
            self._subnets.append(subnet)
            for each in section.items("ranges"):
                self._range(subnet, each)
            for text in section.strings("used"):
                self._held.append(
                    HeldAddress(_address(section, "used", text), AddressKind.RESERVED, subnet.id)
                )
            section.finish()

    def _range(self, subnet: Subnet, section: Section) -> None:
        kind = _word(section, "type", RangeKind)
        start, end = _parse(section, "start", ip_address), _parse(section, "end", ip_address)
        if start not in subnet.cidr or end not in subnet.cidr or start > end:
            raise section.error("start", f"{start}-{end} is not a range of {subnet.cidr}")
        number = RangeId(len(self._ranges) + 1)
        self._ranges.append(IPRange(number, subnet.id, kind or RangeKind.RESERVED, start, end))
        section.finish()

    # -- nodes and hosts -----------------------------------------------------------------------------

    def nodes(self, sections: list[Section]) -> None:
        """Known nodes that are not hosts."""
        for section in sections:
            name = section.need("name", str)
            kind = _word(section, "type", NodeKind) or NodeKind.MACHINE
            interfaces = self._interfaces(section)
            self._nodes.append(Node(SystemId(f"node-{name}"), name, kind, interfaces))
            section.finish()

    def _interfaces(self, section: Section) -> tuple[NodeInterface, ...]:
        found = tuple(self._interface(each) for each in section.items("interfaces"))
        names = [each.name for each in found]
        for each in found:
            for parent in each.parents:
                if parent not in names:
                    raise section.error("interfaces", f"{each.name}: there is no parent {parent!r}")
        return found

    def _interface(self, section: Section) -> NodeInterface:
        kind = _word(section, "type", InterfaceKind) or InterfaceKind.PHYSICAL
        vlan = section.find("vlan", str)
        mac = section.find("mac", str)
        bridge = _word(section, "bridge_type", BridgeKind)
        is_bridge = kind is InterfaceKind.BRIDGE
        interface = NodeInterface(
            InterfaceId(self._id("interface", section)),
            section.need("name", str),
            kind,
            _mac(section, mac) if mac is not None else None,
            self._find_vlan(section, "vlan", vlan) if vlan is not None else None,
            addresses=tuple(self._with_prefix(section, text) for text in section.strings("addresses")),
            parents=tuple(section.strings("parents")),
            bridge_kind=(bridge or BridgeKind.STANDARD) if is_bridge else None,
            enabled=section.take("enabled", bool, True),
            link=section.take("link", bool, True),
            mtu=section.take("mtu", int, 1500),
            link_speed=section.take("link_speed", int, 0),
            tags=tuple(section.strings("tags")),
        )
        section.finish()
        return interface

    def _with_prefix(self, section: Section, text: str) -> IPv4Interface | IPv6Interface:
        address = _address(section, "addresses", text)
        return ip_interface(f"{address}/{address.max_prefixlen}")

    def hosts(self, sections: list[Section]) -> None:
        """Hosts, each with the node that it is unless `known: false`."""
        for section in sorted(sections, key=lambda s: not s.has("id")):
            name = section.need("name", str)
            if any(each.host.name == name for each in self._hosts):
                raise section.error("name", f"name: there are two hosts {name!r}")
            interfaces = self._interfaces(section)
            is_known = section.take("known", bool, True)
            host = self._host(section, name, is_known=is_known)
            if is_known:
                self._nodes.append(Node(SystemId(f"host-{name}"), name, NodeKind.MACHINE, interfaces))
            machines = tuple(self._machine(each) for each in section.items("machines"))
            self._hosts.append(HostState(host, machines))
            section.finish()

    def _host(self, section: Section, name: str, *, is_known: bool) -> Host:
        state = CorrelationState.CORRELATED if is_known else CorrelationState.UNKNOWN
        architectures = section.strings("architectures") or ["amd64"]
        age_s = section.find("facts_age_s", int)
        return Host(
            HostId(self._id("host", section)),
            name,
            section.need("address", str),
            Correlation(state, SystemId(f"host-{name}") if is_known else None),
            _word(section, "installed_by", InstalledBy) or InstalledBy.UNKNOWN,
            _word(section, "default_macvlan_mode", MacvlanMode),
            section.take("cores", int, 8),
            section.take("memory_mib", int, 16384),
            section.take("cpu_over_commit_ratio", float, 1.0),
            section.take("memory_over_commit_ratio", float, 1.0),
            tuple(Emulation(each.removesuffix("/generic"), "kvm", "", "", "") for each in architectures),
            _pools(section),
            tuple(_network(each) for each in section.items("libvirt_networks")),
            reachable=section.take("reachable", bool, True),
            facts_at=None if age_s is None else -float(age_s),
        )

    @staticmethod
    def _machine(section: Section) -> PlacedMachine:
        nics = []
        for each in section.items("interfaces"):
            kind = _word(each, "attach", AttachKind) or AttachKind.BRIDGE
            nics.append(PlacedInterface(kind, each.need("source", str), _word(each, "mode", MacvlanMode)))
            each.finish()
        machine = PlacedMachine(
            section.need("name", str),
            section.take("cores", int, 1),
            section.take("memory_mib", int, 1024),
            tuple(nics),
        )
        section.finish()
        return machine

    # -- what follows from the rest ------------------------------------------------------------------

    def _all_held(self) -> list[HeldAddress]:
        """`used`, the addresses of every interface, and the address in every host's URI."""
        found = list(self._held)
        for node in self._nodes:
            for interface in node.interfaces:
                found += [
                    HeldAddress(ip, AddressKind.OBSERVED, None, node.system_id, interface.name)
                    for ip in interface.ips
                ]
        for state in self._hosts:
            found += [
                HeldAddress(ip, AddressKind.OBSERVED, None, None, None, f"host {state.host.name}")
                for ip in _uri_addresses(state.host.uri)
            ]
        return found

    def _correlated(self, host: Host) -> Host:
        """A known host is its own node, unless another node or host has the URI's address too."""
        own = host.correlation.system_id
        if own is None:
            return host
        found = correlate(_uri_addresses(host.uri), (), self._nodes, (), None, None)
        others = {*found.candidates, found.system_id} - {None, own}
        if others:
            return replace(
                host,
                correlation=Correlation(
                    CorrelationState.AMBIGUOUS,
                    None,
                    candidates=tuple(sorted(each for each in {own, *others} if each is not None)),
                ),
            )
        return host


def _uri_addresses(uri: str) -> tuple[Address, ...]:
    try:
        return (ip_address(uri_host(uri) or ""),)
    except ValueError:
        return ()


def _pools(section: Section) -> tuple[StoragePool, ...]:
    if not section.has("storage_pools"):
        return (StoragePool("default", "dir", 1000 * GB, 1000 * GB, is_default=True),)
    pools = []
    for each in section.items("storage_pools"):
        total = each.take("total_gb", float, 1000.0)
        pools.append(
            StoragePool(
                each.need("name", str),
                each.take("type", str, "dir"),
                round(total * GB),
                round(each.take("free_gb", float, total) * GB),
                each.take("default", bool, False),
                tuple(each.strings("tags")),
            )
        )
        each.finish()
    return tuple(pools)


def _network(section: Section) -> LibvirtNetwork:
    network = LibvirtNetwork(
        section.need("name", str),
        section.take("active", bool, True),
        section.find("bridge", str),
        section.take("dhcp", bool, False),
        _word(section, "forward", Forward),
    )
    section.finish()
    return network


def _word(section: Section, key: str, words: type[E]) -> E | None:
    """One of an enum's words; null or absent is None."""
    text = section.find(key, str)
    if text is None:
        return None
    try:
        return words(text)
    except ValueError:
        expected = ", ".join(words)
        raise section.error(key, f"{key}: {text!r} is not one of {expected}") from None


def _parse(section: Section, key: str, parse: Any) -> Any:
    text = section.need(key, str)
    try:
        return parse(text)
    except ValueError as error:
        raise section.error(key, f"{key}: {error}") from None


def _address(section: Section, key: str, text: str) -> Address:
    try:
        return ip_address(text.partition("/")[0])
    except ValueError as error:
        raise section.error(key, f"{key}: {error}") from None


def _mac(section: Section, text: str) -> MacAddress:
    try:
        return MacAddress.parse(text)
    except InvalidValue as error:
        raise section.error("mac", str(error)) from None


__all__ = ["Case", "World", "WorldError", "read_request", "read_world"]
