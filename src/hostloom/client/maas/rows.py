"""Rows of MAAS's tables (2.5 to 3.7), read into an estate; a column that a version has not is none."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network
from typing import Any, TypeVar

from hostloom.client.maas import words
from hostloom.client.maas.errors import SourceError
from hostloom.model.errors import InvalidValue
from hostloom.model.estate import Estate, EstateHost, EstateMachine
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
    UNTAGGED,
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

#: Text of each column, by its name; null is None.
Row = Mapping[str, str | None]
T = TypeVar("T")

#: `bmc_type` of a host of virtual machines.
POD = "1"
NO_VM_HOSTS = "no VM hosts in it: a dump made before MAAS's upgrade to 3.8 has them, if there were any"


def read_tables(tables: Mapping[str, Sequence[Row]], source: str) -> Estate:
    """Everything that an import can use."""
    try:
        return _Tables(tables).estate(source)
    except KeyError as error:
        raise SourceError(f"{source}: a table has no column {error}", "is it a dump of a MAAS?") from error
    except (TypeError, ValueError, InvalidValue) as error:
        raise SourceError(f"{source} holds what no MAAS would: {error}") from error


class _Tables:
    def __init__(self, tables: Mapping[str, Sequence[Row]]) -> None:
        self._tables = tables

    def estate(self, source: str) -> Estate:
        hosts = tuple(self._host(each) for each in self._rows("bmc") if each.get("bmc_type") == POD)
        automatic = sorted(_text(each, "name") for each in self._rows("tag") if each.get("definition"))
        notes = [] if hosts else [NO_VM_HOSTS]
        if automatic:
            notes.append(f"tags with a definition are tags like others here: {', '.join(automatic)}")
        return Estate(
            f"MAAS, {source}",
            zones=self._each("zone", lambda row: Zone(ZoneId(_key(row)), *_named(row))),
            resource_pools=self._each(
                "resourcepool", lambda row: ResourcePool(ResourcePoolId(_key(row)), *_named(row))
            ),
            domains=self._each(
                "domain",
                lambda row: Domain(DomainId(_key(row)), _text(row, "name"), _flag(row, "authoritative")),
            ),
            tags=self._each("tag", _tag),
            spaces=self._each("space", _space),
            fabrics=self._each("fabric", _fabric),
            vlans=self._each("vlan", _vlan),
            subnets=self._each("subnet", _subnet),
            ranges=self._each("iprange", _range),
            nodes=tuple(self._node(each) for each in self._nodes),
            machines=tuple(
                self._machine(each) for each in self._nodes if _node_kind(each) is NodeKind.MACHINE
            ),
            held=tuple(self._held()),
            hosts=hosts,
            notes=tuple(notes),
        )

    def _rows(self, table: str) -> Sequence[Row]:
        return self._tables.get(f"maasserver_{table}", ())

    def _each(self, table: str, make: Callable[[Row], T]) -> tuple[T, ...]:
        return tuple(make(each) for each in sorted(self._rows(table), key=_key))

    # -- nodes -------------------------------------------------------------------------------------------

    @cached_property
    def _nodes(self) -> Sequence[Row]:
        return sorted(self._rows("node"), key=_key)

    @cached_property
    def _node_by_key(self) -> Mapping[str, Row]:
        return {_text(each, "id"): each for each in self._nodes}

    @cached_property
    def _node_of_interface(self) -> Mapping[str, str]:
        """From 3.2 on an interface belongs to a configuration of its node, of which one is current."""
        current = {
            config: key
            for key, each in self._node_by_key.items()
            if (config := each.get("current_config_id"))
        }
        found = {}
        for each in self._rows("interface"):
            config = each.get("node_config_id")
            node = each.get("node_id") if config is None else current.get(config)
            if node is not None:
                found[_text(each, "id")] = node
        return found

    @cached_property
    def _interfaces(self) -> Mapping[str, Sequence[Row]]:
        """Of each node, oldest first."""
        found: dict[str, list[Row]] = {}
        for each in sorted(self._rows("interface"), key=_key):
            node = self._node_of_interface.get(_text(each, "id"))
            if node is not None and each.get("type") in words.INTERFACE_KINDS:
                found.setdefault(node, []).append(each)
        return found

    @cached_property
    def _interface_names(self) -> Mapping[str, str]:
        return {_text(each, "id"): _text(each, "name") for each in self._rows("interface")}

    @cached_property
    def _parents(self) -> Mapping[str, Sequence[str]]:
        """Names of what each interface is made of."""
        found: dict[str, list[str]] = {}
        for each in sorted(self._rows("interfacerelationship"), key=_key):
            parent = self._interface_names.get(_text(each, "parent_id"))
            if parent is not None:
                found.setdefault(_text(each, "child_id"), []).append(parent)
        return found

    @cached_property
    def _tags(self) -> Mapping[str, Sequence[str]]:
        names = {_text(each, "id"): _text(each, "name") for each in self._rows("tag")}
        found: dict[str, list[str]] = {}
        for each in sorted(self._rows("node_tags"), key=_key):
            found.setdefault(_text(each, "node_id"), []).append(names[_text(each, "tag_id")])
        return found

    def _node(self, row: Row) -> Node:
        key = _text(row, "id")
        return Node(
            SystemId(_text(row, "system_id")),
            _text(row, "hostname"),
            _node_kind(row),
            tuple(self._interface(each) for each in self._interfaces.get(key, ())),
            zone_id=ZoneId(_number(row, "zone_id")),
            resource_pool_id=ResourcePoolId(_number(row, "pool_id")),
            domain_id=DomainId(_number(row, "domain_id")),
            tags=tuple(self._tags.get(key, ())),
            description=row.get("description") or "",
        )

    def _machine(self, row: Row) -> EstateMachine:
        bmc = row.get("bmc_id")
        pod = self._bmcs.get(bmc or "", {})
        owner = row.get("owner_id")
        return EstateMachine(
            SystemId(_text(row, "system_id")),
            uuid=row.get("hardware_uuid") or "",
            state=words.STATES[_number(row, "status")],
            architecture=words.architecture(row.get("architecture")),
            cores=_number(row, "cpu_count"),
            memory_mib=_number(row, "memory"),
            owner="" if owner is None else self._users.get(owner, ""),
            host_id=HostId(_key(pod)) if pod.get("bmc_type") == POD else None,
        )

    @cached_property
    def _users(self) -> Mapping[str, str]:
        return {_text(each, "id"): _text(each, "username") for each in self._tables.get("auth_user", ())}

    def _interface(self, row: Row) -> NodeInterface:
        kind = words.INTERFACE_KINDS[_text(row, "type")]
        key, params, mac = _text(row, "id"), _document(row, "params"), row.get("mac_address")
        vlan_id = _optional(row, "vlan_id")
        mtu = params.get("mtu")
        return NodeInterface(
            InterfaceId(int(key)),
            _text(row, "name"),
            kind,
            MacAddress.parse(mac) if mac else None,
            None if vlan_id is None else VlanId(vlan_id),
            addresses=tuple(self._addresses(key)),
            parents=tuple(self._parents.get(key, ())),
            bridge_kind=words.bridge_kind(kind, params),
            tag_vid=self._vids.get(vlan_id) if kind is InterfaceKind.VLAN else None,
            enabled=_flag(row, "enabled"),
            link=_flag(row, "link_connected"),
            mtu=int(mtu or (self._mtus.get(vlan_id) or DEFAULT_MTU)),
            link_speed=_number(row, "link_speed"),
            tags=tuple(_list(row, "tags")),
        )

    @cached_property
    def _vids(self) -> Mapping[int | None, int]:
        return {_key(each): _number(each, "vid") for each in self._rows("vlan")}

    @cached_property
    def _mtus(self) -> Mapping[int | None, int]:
        return {_key(each): _number(each, "mtu") for each in self._rows("vlan")}

    # -- addresses ---------------------------------------------------------------------------------------

    @cached_property
    def _interfaces_of_address(self) -> Mapping[str, str]:
        links = sorted(self._rows("interface_ip_addresses"), key=_key)
        return {_text(each, "staticipaddress_id"): _text(each, "interface_id") for each in reversed(links)}

    @cached_property
    def _addresses_of_interface(self) -> Mapping[str, Sequence[Row]]:
        rows = {_text(each, "id"): each for each in self._rows("staticipaddress") if each.get("ip")}
        found: dict[str, list[Row]] = {}
        for each in sorted(self._rows("interface_ip_addresses"), key=_key):
            address = rows.get(_text(each, "staticipaddress_id"))
            if address is not None:
                found.setdefault(_text(each, "interface_id"), []).append(address)
        return found

    @cached_property
    def _prefix_lengths(self) -> Mapping[str, int]:
        return {_text(each, "id"): ip_network(_text(each, "cidr")).prefixlen for each in self._rows("subnet")}

    def _addresses(self, interface: str) -> Iterator[IPv4Interface | IPv6Interface]:
        """Those that MAAS gave, and those that it saw."""
        found: dict[Address, IPv4Interface | IPv6Interface] = {}
        for each in self._addresses_of_interface.get(interface, ()):
            ip = _ip(_text(each, "ip"))
            length = self._prefix_lengths.get(each.get("subnet_id") or "", ip.max_prefixlen)
            found.setdefault(ip, ip_interface(f"{ip}/{length}"))
        yield from found.values()

    def _held(self) -> Iterator[HeldAddress]:
        """Each address once: what a NIC was given, what was set aside, and what a BMC or host has."""
        bmcs = {each.get("ip_address_id") for each in self._rows("bmc")}
        seen: set[Address] = set()
        for row in sorted(self._rows("staticipaddress"), key=_key):
            if not row.get("ip") or _number(row, "alloc_type") == words.DISCOVERED:
                continue
            held = self._held_one(row, is_bmc=row.get("id") in bmcs)
            if held is not None and held.ip not in seen:
                seen.add(held.ip)
                yield held
        for row in sorted(self._rows("reservedip"), key=_key):
            ip = _ip(_text(row, "ip"))
            if ip not in seen:
                seen.add(ip)
                text = row.get("comment") or "set aside in MAAS"
                yield _set_aside(row, f"{text} (for {row.get('mac_address')})")

    def _held_one(self, row: Row, *, is_bmc: bool) -> HeldAddress | None:
        """None: an address of a VLAN's or a node's that nobody has."""
        interface = self._interfaces_of_address.get(_text(row, "id"))
        node = None if interface is None else self._node_of_interface.get(interface)
        if interface is not None and node is not None:
            held = _set_aside(row, "")
            return HeldAddress(
                held.ip,
                AddressKind.STATIC,
                held.subnet_id,
                _text(self._node_by_key[node], "system_id"),
                self._interface_names[interface],
            )
        if is_bmc:
            return _set_aside(row, "a BMC or VM host in MAAS")
        if _number(row, "alloc_type") not in (words.STICKY, words.USER_RESERVED):
            return None
        user = self._users.get(row.get("user_id") or "", "")
        return _set_aside(row, f"set aside by {user} in MAAS" if user else "set aside in MAAS")

    # -- hosts -------------------------------------------------------------------------------------------

    @cached_property
    def _bmcs(self) -> Mapping[str, Row]:
        return {_text(each, "id"): each for each in self._rows("bmc")}

    @cached_property
    def _hinted(self) -> Mapping[str, str]:
        """From 2.8 on a host may say itself which node it is: by id of the host."""
        pods = {_text(each, "id"): _text(each, "pod_id") for each in self._rows("podhints")}
        links = sorted(self._rows("podhints_nodes"), key=_key)
        return {pods[_text(each, "podhints_id")]: _text(each, "node_id") for each in reversed(links)}

    def _host(self, row: Row) -> EstateHost:
        parameters = _document(row, "power_parameters")
        key = _text(row, "id")
        node = self._hinted.get(key)
        if node is None:
            interface = self._interfaces_of_address.get(row.get("ip_address_id") or "")
            node = None if interface is None else self._node_of_interface.get(interface)
        return EstateHost(
            HostId(int(key)),
            row.get("name") or f"host-{key}",
            _text(row, "power_type"),
            str(parameters.get("power_address") or ""),
            zone_id=ZoneId(_number(row, "zone_id")),
            resource_pool_id=ResourcePoolId(_number(row, "pool_id")),
            system_id=None if node is None else SystemId(_text(self._node_by_key[node], "system_id")),
            default_macvlan_mode=words.macvlan_mode(row.get("default_macvlan_mode")),
            cpu_over_commit_ratio=float(row.get("cpu_over_commit_ratio") or 1.0),
            memory_over_commit_ratio=float(row.get("memory_over_commit_ratio") or 1.0),
            tags=tuple(_list(row, "tags")),
            has_password=words.has_password(parameters),
        )


# -- rows that need no other -----------------------------------------------------------------------------


def _tag(row: Row) -> Tag:
    return Tag(TagId(_key(row)), _text(row, "name"), row.get("comment") or "", row.get("kernel_opts") or "")


def _space(row: Row) -> Space:
    key = _key(row)
    return Space(SpaceId(key), row.get("name") or f"space-{key}", row.get("description") or "")


def _fabric(row: Row) -> Fabric:
    key = _key(row)
    name, kind = row.get("name") or f"fabric-{key}", row.get("class_type") or None
    return Fabric(FabricId(key), name, kind, row.get("description") or "")


def _vlan(row: Row) -> Vlan:
    relay, space, vid = _optional(row, "relay_vlan_id"), _optional(row, "space_id"), _number(row, "vid")
    unnamed = "untagged" if vid == UNTAGGED else ""
    return Vlan(
        VlanId(_key(row)),
        FabricId(_number(row, "fabric_id")),
        vid,
        # MAAS shows the first VLAN of a fabric so, whatever it was called
        unnamed or row.get("name") or "",
        mtu=_number(row, "mtu") or DEFAULT_MTU,
        dhcp_on=row.get("dhcp_on") == "t",
        relay_vlan_id=None if relay is None else VlanId(relay),
        space_id=None if space is None else SpaceId(space),
        description=row.get("description") or "",
    )


def _subnet(row: Row) -> Subnet:
    gateway = row.get("gateway_ip")
    return Subnet(
        SubnetId(_key(row)),
        ip_network(_text(row, "cidr")),
        VlanId(_number(row, "vlan_id")),
        row.get("name") or "",
        gateway=_ip(gateway) if gateway else None,
        dns_servers=tuple(ip_address(each) for each in _list(row, "dns_servers")),
        managed=_flag(row, "managed"),
        description=row.get("description") or "",
    )


def _range(row: Row) -> IPRange:
    return IPRange(
        RangeId(_key(row)),
        SubnetId(_number(row, "subnet_id")),
        RangeKind(_text(row, "type")),
        _ip(_text(row, "start_ip")),
        _ip(_text(row, "end_ip")),
        row.get("comment") or "",
    )


def _set_aside(row: Row, comment: str) -> HeldAddress:
    subnet = _optional(row, "subnet_id")
    key = None if subnet is None else SubnetId(subnet)
    return HeldAddress(_ip(_text(row, "ip")), AddressKind.RESERVED, key, comment=comment)


def _node_kind(row: Row) -> NodeKind:
    return words.NODE_KINDS[_number(row, "node_type")]


# -- columns ---------------------------------------------------------------------------------------------


def _key(row: Row) -> int:
    return int(_text(row, "id"))


def _named(row: Row) -> tuple[str, str]:
    return _text(row, "name"), row.get("description") or ""


def _text(row: Row, name: str) -> str:
    found = row[name]
    if found is None:
        raise KeyError(name)
    return found


def _number(row: Row, name: str) -> int:
    """0 where there is none."""
    return int(row.get(name) or 0)


def _optional(row: Row, name: str) -> int | None:
    found = row.get(name)
    return None if found is None else int(found)


def _flag(row: Row, name: str) -> bool:
    """True where a version has no such column: it was always so then."""
    return row.get(name, "t") == "t"


def _ip(text: str) -> Address:
    """PostgreSQL's inet, which may have a prefix length."""
    return ip_interface(text).ip


def _document(row: Row, name: str) -> dict[str, Any]:
    """JSON, as a column of that type or as text; older versions left an empty text."""
    found = json.loads(row.get(name) or "{}")
    return found if isinstance(found, dict) else {}


def _list(row: Row, name: str) -> Iterable[str]:
    """PostgreSQL's array of texts, as in `{a,"b c"}`."""
    text = row.get(name) or "{}"
    found, word, quoted, was_quoted = [], "", False, False
    signs = iter(text[1:-1])
    for sign in signs:
        if sign == "\\":
            word += next(signs, "")
        elif sign == '"':
            quoted, was_quoted = not quoted, True
        elif sign == "," and not quoted:
            found.append(word)
            word, was_quoted = "", False
        else:
            word += sign
    return [*found, word] if word or was_quoted else found
