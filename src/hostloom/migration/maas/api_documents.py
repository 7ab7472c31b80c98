"""A running MAAS: the bodies of its API, read into an estate."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network
from typing import Any, TypeVar

from hostloom.migration.maas import vocabulary
from hostloom.migration.maas.errors import SourceError
from hostloom.migration.maas.session import MaasSession
from hostloom.model.errors.values import InvalidValue
from hostloom.model.grouping import Domain, ResourcePool, Tag, Zone
from hostloom.model.ids import (
    DomainId,
    FabricId,
    HostId,
    InterfaceId,
    MacAddress,
    RangeId,
    ResourcePoolId,
    SpaceId,
    SubnetId,
    SystemId,
    TagId,
    VlanId,
    ZoneId,
)
from hostloom.model.network import (
    DEFAULT_MTU,
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
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.model.source_inventory import (
    EstateDevice,
    EstateHost,
    EstateLink,
    EstateLinkMode,
    EstateMachine,
    EstateTtl,
    SourceInventory,
)

Body = dict[str, Any]
T = TypeVar("T")

NO_VM_HOSTS = "this MAAS has no VM hosts any more: `--dump` reads them from a dump made before its upgrade"
#: Members of these are machines and controllers, whose node type says which.
_NODES = ("machines/", "devices/", "rackcontrollers/", "regioncontrollers/")


def read_server(session: MaasSession) -> SourceInventory:
    """Everything that an import can use; some twelve requests, and one more for each host."""
    version = session.version()
    session.check_key()
    fabrics = _all(session, "fabrics/")
    vlans = [vlan for fabric in fabrics for vlan in fabric.get("vlans", ())]
    nodes = list({each["system_id"]: each for path in _NODES for each in _all(session, path)}.values())
    hosts, notes = _hosts(session)
    tags = _all(session, "tags/")
    automatic = sorted(tag["name"] for tag in tags if tag.get("definition"))
    if automatic:
        notes.append(f"tags with a definition are tags like others here: {', '.join(automatic)}")
    # MAAS lists the VLANs without a space as those of one that has no id of its own
    spaces = {each["name"]: each for each in _all(session, "spaces/") if each.get("id", -1) >= 0}
    domains = _all(session, "domains/")
    try:
        return SourceInventory(
            f"MAAS {version} at {session.url}",
            zones=_each(_zone, _all(session, "zones/")),
            resource_pools=_each(_pool, _all(session, "resourcepools/")),
            domains=_each(_domain, domains),
            tags=tuple(
                Tag(TagId(n), tag["name"], tag.get("comment") or "", tag.get("kernel_opts") or "")
                for n, tag in enumerate(sorted(tags, key=lambda one: str(one["name"])), 1)
            ),
            spaces=_each(_space, spaces.values()),
            fabrics=_each(_fabric, fabrics),
            vlans=tuple(_vlan(vlan, spaces) for vlan in vlans),
            subnets=_each(_subnet, _all(session, "subnets/")),
            ranges=_each(_range, _all(session, "ipranges/")),
            nodes=_each(_node, nodes),
            machines=_each(_machine, (node for node in nodes if _kind(node) is NodeKind.MACHINE)),
            devices=_each(_device, (node for node in nodes if _kind(node) is NodeKind.DEVICE)),
            links=tuple(link for node in nodes for link in _links(node)),
            parameters=tuple(
                parameter
                for node in nodes
                for nic in _nics(node)
                for parameter in vocabulary.parameters(node["system_id"], nic["name"], nic.get("params"))
            ),
            ttls=tuple(
                EstateTtl(DomainId(domain["id"]), int(domain["ttl"]))
                for domain in domains
                if domain.get("ttl")
            ),
            held=(*_given(nodes), *_reserved(session)),
            hosts=tuple(hosts),
            notes=tuple(notes),
        )
    except (KeyError, TypeError, ValueError, InvalidValue) as error:
        text = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise SourceError(f"{session.url} does not answer as a MAAS does: {text}") from error


def _all(session: MaasSession, path: str) -> list[Body]:
    return session.list(path) or []


def _each(make: Callable[[Body], T], bodies: Iterable[Body]) -> tuple[T, ...]:
    return tuple(make(body) for body in bodies)


def _key(body: Body, name: str) -> int:
    """The id of what a field shows: MAAS shows whole things."""
    return int(body[name]["id"])


def _optional(body: Body, name: str) -> int | None:
    found = body.get(name)
    return int(found["id"]) if isinstance(found, dict) and "id" in found else None


# -- groups and network ----------------------------------------------------------------------------------


def _zone(body: Body) -> Zone:
    return Zone(ZoneId(body["id"]), body["name"], body.get("description") or "")


def _pool(body: Body) -> ResourcePool:
    return ResourcePool(ResourcePoolId(body["id"]), body["name"], body.get("description") or "")


def _domain(body: Body) -> Domain:
    return Domain(DomainId(body["id"]), body["name"], bool(body.get("authoritative", True)))


def _space(body: Body) -> Space:
    return Space(SpaceId(body["id"]), body["name"], body.get("description") or "")


def _fabric(body: Body) -> Fabric:
    return Fabric(
        FabricId(body["id"]), body["name"], body.get("class_type") or None, body.get("description") or ""
    )


def _vlan(body: Body, spaces: Mapping[str, Body]) -> Vlan:
    """Its space is shown by name."""
    relay = _optional(body, "relay_vlan")
    space = spaces.get(body.get("space") or "")
    return Vlan(
        VlanId(body["id"]),
        FabricId(body["fabric_id"]),
        int(body["vid"]),
        body.get("name") or "",
        mtu=int(body.get("mtu") or DEFAULT_MTU),
        dhcp_on=bool(body.get("dhcp_on")),
        relay_vlan_id=None if relay is None else VlanId(relay),
        space_id=None if space is None else SpaceId(space["id"]),
        description=body.get("description") or "",
    )


def _subnet(body: Body) -> Subnet:
    gateway = body.get("gateway_ip")
    servers = body.get("dns_servers") or []
    listed = servers.replace(",", " ").split() if isinstance(servers, str) else servers
    return Subnet(
        SubnetId(body["id"]),
        ip_network(body["cidr"]),
        VlanId(_key(body, "vlan")),
        body.get("name") or "",
        gateway=ip_address(gateway) if gateway else None,
        dns_servers=tuple(ip_address(each) for each in listed),
        managed=bool(body.get("managed", True)),
        description=body.get("description") or "",
    )


def _range(body: Body) -> IPRange:
    return IPRange(
        RangeId(body["id"]),
        SubnetId(_key(body, "subnet")),
        RangeKind(body["type"]),
        ip_address(body["start_ip"]),
        ip_address(body["end_ip"]),
        body.get("comment") or "",
    )


# -- nodes -----------------------------------------------------------------------------------------------


def _kind(body: Body) -> NodeKind:
    return vocabulary.NODE_KINDS[int(body["node_type"])]


def _node(body: Body) -> Node:
    return Node(
        SystemId(body["system_id"]),
        body["hostname"],
        _kind(body),
        tuple(_interfaces(body)),
        zone_id=ZoneId(_optional(body, "zone") or 0),
        resource_pool_id=ResourcePoolId(_optional(body, "pool") or 0),
        domain_id=DomainId(_optional(body, "domain") or 0),
        tags=tuple(body.get("tag_names") or ()),
        description=body.get("description") or "",
    )


def _machine(body: Body) -> EstateMachine:
    host = _optional(body, "pod")
    return EstateMachine(
        SystemId(body["system_id"]),
        uuid=body.get("hardware_uuid") or "",
        state=vocabulary.STATES[int(body["status"])],
        architecture=vocabulary.architecture(body.get("architecture")),
        cores=int(body.get("cpu_count") or 0),
        memory_mib=int(body.get("memory") or 0),
        owner=body.get("owner") or "",
        locked=bool(body.get("locked")),
        host_id=None if host is None else HostId(host),
    )


def _device(body: Body) -> EstateDevice:
    parent = body.get("parent")
    return EstateDevice(
        SystemId(body["system_id"]), body.get("owner") or "", SystemId(parent) if parent else None
    )


def _nics(body: Body) -> Iterator[Body]:
    """Those that are read."""
    yield from (
        each for each in body.get("interface_set") or () if each["type"] in vocabulary.INTERFACE_KINDS
    )


def _links(body: Body) -> Iterator[EstateLink]:
    for nic in _nics(body):
        for link in nic.get("links") or ():
            if link.get("mode") in list(EstateLinkMode):
                cidr, ip = (link.get("subnet") or {}).get("cidr"), link.get("ip_address")
                yield EstateLink(
                    SystemId(body["system_id"]),
                    nic["name"],
                    EstateLinkMode(link["mode"]),
                    ip_address(ip) if ip else None,
                    ip_network(cidr) if cidr else None,
                )


def _interfaces(body: Body) -> Iterator[NodeInterface]:
    for each in body.get("interface_set") or ():
        kind = vocabulary.INTERFACE_KINDS.get(each["type"])
        if kind is None:
            continue
        vlan = each.get("vlan") or None
        params = each.get("params") or {}
        mac = each.get("mac_address")
        yield NodeInterface(
            InterfaceId(int(each["id"])),
            each["name"],
            kind,
            MacAddress.parse(mac) if mac else None,
            None if vlan is None else VlanId(int(vlan["id"])),
            addresses=tuple(_addresses(each)),
            parents=tuple(each.get("parents") or ()),
            bridge_kind=vocabulary.bridge_kind(kind, params),
            tag_vid=int(vlan["vid"]) if vlan and kind is InterfaceKind.VLAN else None,
            enabled=bool(each.get("enabled", True)),
            link=bool(each.get("link_connected", True)),
            mtu=int(each.get("effective_mtu") or DEFAULT_MTU),
            link_speed=int(each.get("link_speed") or 0),
            tags=tuple(each.get("tags") or ()),
        )


def _addresses(interface: Body) -> Iterator[IPv4Interface | IPv6Interface]:
    """Those that MAAS gave, and those that it saw."""
    shown = [*(interface.get("links") or ()), *(interface.get("discovered") or ())]
    addresses: dict[Address, IPv4Interface | IPv6Interface] = {}
    for each in shown:
        if each.get("ip_address"):
            ip = ip_address(each["ip_address"])
            subnet = each.get("subnet") or {}
            length = ip_network(subnet["cidr"]).prefixlen if "cidr" in subnet else ip.max_prefixlen
            addresses.setdefault(ip, ip_interface(f"{ip}/{length}"))
    yield from addresses.values()


def _given(nodes: Iterable[Body]) -> Iterator[HeldAddress]:
    """Addresses that MAAS gave to NICs of nodes, each once."""
    seen = set()
    for node in nodes:
        for nic in node.get("interface_set") or ():
            for link in nic.get("links") or ():
                text = link.get("ip_address")
                if not text or link.get("mode") not in vocabulary.GIVEN_MODES or text in seen:
                    continue
                seen.add(text)
                subnet = _optional(link, "subnet")
                yield HeldAddress(
                    ip_address(text),
                    AddressKind(link["mode"]),
                    None if subnet is None else SubnetId(subnet),
                    node["system_id"],
                    nic["name"],
                )


def _reserved(session: MaasSession) -> Iterator[HeldAddress]:
    """Addresses that users and MAAS itself set aside, and (from 3.6 on) those that are bound to a MAC."""
    seen = set()
    for _all_address in _all_addresses(session):
        is_seen = _all_address.get("alloc_type") == vocabulary.DISCOVERED
        if (
            _all_address.get("ip")
            and not _all_address.get("interface_set")
            and not is_seen
            and _all_address["ip"] not in seen
        ):
            seen.add(_all_address["ip"])
            owner = _all_address.get("owner") or {}
            name = owner.get("username") if isinstance(owner, dict) else owner
            comment = f"set aside by {name} in MAAS" if name else "set aside in MAAS"
            yield _set_aside(_all_address, comment)
    for _all_address in _all(session, "reservedips/"):
        if _all_address["ip"] not in seen:
            seen.add(_all_address["ip"])
            words_of = _all_address.get("comment") or "set aside in MAAS"
            yield _set_aside(_all_address, f"{words_of} (for {_all_address.get('mac_address')})")


def _all_addresses(session: MaasSession) -> list[Body]:
    return session.list("ipaddresses/", all="true") or []


def _set_aside(body: Body, comment: str) -> HeldAddress:
    subnet = _optional(body, "subnet")
    key = None if subnet is None else SubnetId(subnet)
    return HeldAddress(ip_address(body["ip"]), AddressKind.RESERVED, key, comment=comment)


# -- hosts -----------------------------------------------------------------------------------------------


def _hosts(session: MaasSession) -> tuple[list[EstateHost], list[str]]:
    """Under either of their names; their passwords are looked for, and left."""
    for path in ("vm-hosts/", "pods/"):
        bodies = session.list(path)
        if bodies is not None:
            return [_host(session, path, body) for body in bodies], []
    return [], [NO_VM_HOSTS]


def _host(session: MaasSession, path: str, body: Body) -> EstateHost:
    parameters = session.one(f"{path}{body['id']}/", op="parameters") or {}
    node = (body.get("host") or {}).get("system_id")
    return EstateHost(
        HostId(int(body["id"])),
        body["name"],
        body["type"],
        str(parameters.get("power_address") or ""),
        zone_id=ZoneId(_optional(body, "zone") or 0),
        resource_pool_id=ResourcePoolId(_optional(body, "pool") or 0),
        system_id=SystemId(node) if node else None,
        default_macvlan_mode=vocabulary.macvlan_mode(body.get("default_macvlan_mode")),
        cpu_over_commit_ratio=float(body.get("cpu_over_commit_ratio", 1.0)),
        memory_over_commit_ratio=float(body.get("memory_over_commit_ratio", 1.0)),
        tags=tuple(body.get("tags") or ()),
        has_password=vocabulary.has_password(parameters),
    )
