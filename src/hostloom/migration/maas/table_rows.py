"""Rows of MAAS's tables (2.5 to 3.7), read into an estate; a column that a version has not is none."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from ipaddress import IPv4Interface, IPv6Interface, ip_interface, ip_network
from typing import TypeVar

from hostloom.migration.maas import plain_rows, vocabulary
from hostloom.migration.maas.columns import (
    Row,
    document_of,
    flag_of,
    ip_of,
    key_of,
    list_of,
    number_of,
    optional_of,
    text_of,
)
from hostloom.migration.maas.errors import SourceError
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import (
    DomainId,
    HostId,
    InterfaceId,
    MacAddress,
    ResourcePoolId,
    SystemId,
    VlanId,
    ZoneId,
)
from hostloom.model.network import (
    DEFAULT_MTU,
    Address,
    AddressKind,
    HeldAddress,
    Network,
)
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.model.source_inventory import (
    EstateDevice,
    EstateHost,
    EstateLink,
    EstateMachine,
    EstateParameter,
    EstateTtl,
    SourceInventory,
)

T = TypeVar("T")

#: `bmc_type` of a host of virtual machines.
POD = "1"
NO_VM_HOSTS = "no VM hosts in it: a dump made before MAAS's upgrade to 3.8 has them, if there were any"


def read_tables(tables: Mapping[str, Sequence[Row]], source: str) -> SourceInventory:
    """Everything that an import can use."""
    try:
        return _Tables(tables).estate(source)
    except KeyError as error:
        raise SourceError(f"{source}: a table has no column {error}", "is it a dump of a MAAS?") from error
    except (TypeError, ValueError, InvalidValue) as error:
        raise SourceError(f"{source} contains data that a MAAS does not have: {error}") from error


class _Tables:
    def __init__(self, tables: Mapping[str, Sequence[Row]]) -> None:
        self._tables = tables

    def estate(self, source: str) -> SourceInventory:
        hosts = tuple(self._host(row) for row in self._rows("bmc") if row.get("bmc_type") == POD)
        automatic = sorted(text_of(row, "name") for row in self._rows("tag") if row.get("definition"))
        notes = [] if hosts else [NO_VM_HOSTS]
        if automatic:
            notes.append(f"tags with a definition are tags like others here: {', '.join(automatic)}")
        return SourceInventory(
            f"MAAS, {source}",
            zones=self._each("zone", plain_rows.zone),
            resource_pools=self._each("resourcepool", plain_rows.resource_pool),
            domains=self._each("domain", plain_rows.domain),
            tags=self._each("tag", plain_rows.tag),
            spaces=self._each("space", plain_rows.space),
            fabrics=self._each("fabric", plain_rows.fabric),
            vlans=self._each("vlan", plain_rows.vlan),
            subnets=self._each("subnet", plain_rows.subnet),
            ranges=self._each("iprange", plain_rows.ip_range),
            nodes=tuple(self._node(node) for node in self._nodes),
            machines=tuple(
                self._machine(node) for node in self._nodes if plain_rows.node_kind(node) is NodeKind.MACHINE
            ),
            devices=tuple(
                self._device(node) for node in self._nodes if plain_rows.node_kind(node) is NodeKind.DEVICE
            ),
            links=tuple(self._links()),
            parameters=tuple(self._parameters()),
            ttls=tuple(
                EstateTtl(DomainId(key_of(row)), number_of(row, "ttl"))
                for row in sorted(self._rows("domain"), key=key_of)
                if number_of(row, "ttl")
            ),
            held=tuple(self._held()),
            hosts=hosts,
            notes=tuple(notes),
        )

    def _rows(self, table: str) -> Sequence[Row]:
        return self._tables.get(f"maasserver_{table}", ())

    def _each(self, table: str, make: Callable[[Row], T]) -> tuple[T, ...]:
        return tuple(make(row) for row in sorted(self._rows(table), key=key_of))

    # -- nodes -------------------------------------------------------------------------------------------

    @cached_property
    def _nodes(self) -> Sequence[Row]:
        return sorted(self._rows("node"), key=key_of)

    @cached_property
    def _node_by_key(self) -> Mapping[str, Row]:
        return {text_of(node, "id"): node for node in self._nodes}

    @cached_property
    def _node_of_interface(self) -> Mapping[str, str]:
        """From 3.2 on an interface belongs to a configuration of its node, of which one is current."""
        current = {
            config: key
            for key, each in self._node_by_key.items()
            if (config := each.get("current_config_id"))
        }
        found = {}
        for row in self._rows("interface"):
            config = row.get("node_config_id")
            node = row.get("node_id") if config is None else current.get(config)
            if node is not None:
                found[text_of(row, "id")] = node
        return found

    @cached_property
    def _interfaces(self) -> Mapping[str, Sequence[Row]]:
        """Of each node, oldest first."""
        found: dict[str, list[Row]] = {}
        for row in sorted(self._rows("interface"), key=key_of):
            node = self._node_of_interface.get(text_of(row, "id"))
            if node is not None and row.get("type") in vocabulary.INTERFACE_KINDS:
                found.setdefault(node, []).append(row)
        return found

    @cached_property
    def _interface_names(self) -> Mapping[str, str]:
        return {text_of(row, "id"): text_of(row, "name") for row in self._rows("interface")}

    @cached_property
    def _parents(self) -> Mapping[str, Sequence[str]]:
        """Names of what each interface is made of."""
        found: dict[str, list[str]] = {}
        for row in sorted(self._rows("interfacerelationship"), key=key_of):
            parent = self._interface_names.get(text_of(row, "parent_id"))
            if parent is not None:
                found.setdefault(text_of(row, "child_id"), []).append(parent)
        return found

    @cached_property
    def _tags(self) -> Mapping[str, Sequence[str]]:
        names = {text_of(row, "id"): text_of(row, "name") for row in self._rows("tag")}
        found: dict[str, list[str]] = {}
        for row in sorted(self._rows("node_tags"), key=key_of):
            found.setdefault(text_of(row, "node_id"), []).append(names[text_of(row, "tag_id")])
        return found

    def _node(self, row: Row) -> Node:
        key = text_of(row, "id")
        return Node(
            SystemId(text_of(row, "system_id")),
            text_of(row, "hostname"),
            plain_rows.node_kind(row),
            tuple(self._interface(each) for each in self._interfaces.get(key, ())),
            zone_id=ZoneId(number_of(row, "zone_id")),
            resource_pool_id=ResourcePoolId(number_of(row, "pool_id")),
            domain_id=DomainId(number_of(row, "domain_id")),
            tags=tuple(self._tags.get(key, ())),
            description=row.get("description") or "",
        )

    def _machine(self, row: Row) -> EstateMachine:
        bmc = row.get("bmc_id")
        pod = self._bmcs.get(bmc or "", {})
        owner = row.get("owner_id")
        return EstateMachine(
            SystemId(text_of(row, "system_id")),
            uuid=row.get("hardware_uuid") or "",
            state=vocabulary.STATES[number_of(row, "status")],
            architecture=vocabulary.architecture(row.get("architecture")),
            cores=number_of(row, "cpu_count"),
            memory_mib=number_of(row, "memory"),
            owner="" if owner is None else self._users.get(owner, ""),
            locked=row.get("locked") == "t",
            host_id=HostId(key_of(pod)) if pod.get("bmc_type") == POD else None,
        )

    def _device(self, row: Row) -> EstateDevice:
        owner, parent = row.get("owner_id"), self._node_by_key.get(row.get("parent_id") or "")
        return EstateDevice(
            SystemId(text_of(row, "system_id")),
            "" if owner is None else self._users.get(owner, ""),
            None if parent is None else SystemId(text_of(parent, "system_id")),
        )

    def _nics(self) -> Iterator[tuple[str, Row]]:
        """Each interface with the system id of its node."""
        for node in self._nodes:
            for row in self._interfaces.get(text_of(node, "id"), ()):
                yield text_of(node, "system_id"), row

    def _links(self) -> Iterator[EstateLink]:
        rows = {text_of(row, "id"): row for row in self._rows("staticipaddress")}
        linked: dict[str, list[Row]] = {}
        for link in sorted(self._rows("interface_ip_addresses"), key=key_of):
            row = rows.get(text_of(link, "staticipaddress_id"))
            if row is not None:
                linked.setdefault(text_of(link, "interface_id"), []).append(row)
        for system_id, nic in self._nics():
            for row in linked.get(text_of(nic, "id"), ()):
                ip, cidr = row.get("ip"), self._cidrs.get(row.get("subnet_id") or "")
                mode = vocabulary.link_mode(number_of(row, "alloc_type"), has_ip=bool(ip))
                if mode is not None:
                    name = text_of(nic, "name")
                    address = ip_of(ip) if ip else None
                    yield EstateLink(SystemId(system_id), name, mode, address, cidr)

    def _parameters(self) -> Iterator[EstateParameter]:
        for system_id, nic in self._nics():
            yield from vocabulary.parameters(system_id, text_of(nic, "name"), document_of(nic, "params"))

    @cached_property
    def _users(self) -> Mapping[str, str]:
        return {text_of(each, "id"): text_of(each, "username") for each in self._tables.get("auth_user", ())}

    def _interface(self, row: Row) -> NodeInterface:
        kind = vocabulary.INTERFACE_KINDS[text_of(row, "type")]
        key, params, mac = text_of(row, "id"), document_of(row, "params"), row.get("mac_address")
        vlan_id = optional_of(row, "vlan_id")
        mtu = params.get("mtu")
        return NodeInterface(
            InterfaceId(int(key)),
            text_of(row, "name"),
            kind,
            MacAddress.parse(mac) if mac else None,
            None if vlan_id is None else VlanId(vlan_id),
            addresses=tuple(self._addresses(key)),
            parents=tuple(self._parents.get(key, ())),
            bridge_kind=vocabulary.bridge_kind(kind, params),
            tag_vid=self._vids.get(vlan_id) if kind is InterfaceKind.VLAN else None,
            enabled=flag_of(row, "enabled"),
            link=flag_of(row, "link_connected"),
            mtu=int(mtu or (self._mtus.get(vlan_id) or DEFAULT_MTU)),
            link_speed=number_of(row, "link_speed"),
            tags=tuple(list_of(row, "tags")),
        )

    @cached_property
    def _vids(self) -> Mapping[int | None, int]:
        return {key_of(row): number_of(row, "vid") for row in self._rows("vlan")}

    @cached_property
    def _mtus(self) -> Mapping[int | None, int]:
        return {key_of(row): number_of(row, "mtu") for row in self._rows("vlan")}

    # -- addresses ---------------------------------------------------------------------------------------

    @cached_property
    def _interfaces_of_address(self) -> Mapping[str, str]:
        links = sorted(self._rows("interface_ip_addresses"), key=key_of)
        return {
            text_of(link, "staticipaddress_id"): text_of(link, "interface_id") for link in reversed(links)
        }

    @cached_property
    def _addresses_of_interface(self) -> Mapping[str, Sequence[Row]]:
        rows = {text_of(row, "id"): row for row in self._rows("staticipaddress") if row.get("ip")}
        found: dict[str, list[Row]] = {}
        for row in sorted(self._rows("interface_ip_addresses"), key=key_of):
            address = rows.get(text_of(row, "staticipaddress_id"))
            if address is not None:
                found.setdefault(text_of(row, "interface_id"), []).append(address)
        return found

    @cached_property
    def _cidrs(self) -> Mapping[str, Network]:
        return {text_of(row, "id"): ip_network(text_of(row, "cidr")) for row in self._rows("subnet")}

    def _addresses(self, interface: str) -> Iterator[IPv4Interface | IPv6Interface]:
        """Those that MAAS gave, and those that it saw."""
        addresses: dict[Address, IPv4Interface | IPv6Interface] = {}
        for each in self._addresses_of_interface.get(interface, ()):
            ip = ip_of(text_of(each, "ip"))
            subnet = self._cidrs.get(each.get("subnet_id") or "")
            length = ip.max_prefixlen if subnet is None else subnet.prefixlen
            addresses.setdefault(ip, ip_interface(f"{ip}/{length}"))
        yield from addresses.values()

    def _held(self) -> Iterator[HeldAddress]:
        """Each address once: what a NIC was given, what was set aside, and what a BMC or host has."""
        bmcs = {row.get("ip_address_id") for row in self._rows("bmc")}
        addresses: set[Address] = set()
        for row in sorted(self._rows("staticipaddress"), key=key_of):
            if not row.get("ip") or number_of(row, "alloc_type") == vocabulary.DISCOVERED:
                continue
            held = self._held_one(row, is_bmc=row.get("id") in bmcs)
            if held is not None and held.ip not in addresses:
                addresses.add(held.ip)
                yield held
        for row in sorted(self._rows("reservedip"), key=key_of):
            ip = ip_of(text_of(row, "ip"))
            if ip not in addresses:
                addresses.add(ip)
                text = row.get("comment") or "set aside in MAAS"
                yield plain_rows.set_aside(row, f"{text} (for {row.get('mac_address')})")

    def _held_one(self, row: Row, *, is_bmc: bool) -> HeldAddress | None:
        """None: an address of a VLAN or node that no one uses."""
        interface = self._interfaces_of_address.get(text_of(row, "id"))
        node = None if interface is None else self._node_of_interface.get(interface)
        if interface is not None and node is not None:
            held = plain_rows.set_aside(row, "")
            return HeldAddress(
                held.ip,
                AddressKind.AUTO if number_of(row, "alloc_type") == vocabulary.AUTO else AddressKind.STATIC,
                held.subnet_id,
                text_of(self._node_by_key[node], "system_id"),
                self._interface_names[interface],
            )
        if is_bmc:
            return plain_rows.set_aside(row, "a BMC or VM host in MAAS")
        if number_of(row, "alloc_type") not in (vocabulary.STICKY, vocabulary.USER_RESERVED):
            return None
        user = self._users.get(row.get("user_id") or "", "")
        return plain_rows.set_aside(row, f"set aside by {user} in MAAS" if user else "set aside in MAAS")

    # -- hosts -------------------------------------------------------------------------------------------

    @cached_property
    def _bmcs(self) -> Mapping[str, Row]:
        return {text_of(row, "id"): row for row in self._rows("bmc")}

    @cached_property
    def _hinted(self) -> Mapping[str, str]:
        """From 2.8 on a host may say itself which node it is: by id of the host."""
        pods = {text_of(row, "id"): text_of(row, "pod_id") for row in self._rows("podhints")}
        links = sorted(self._rows("podhints_nodes"), key=key_of)
        return {pods[text_of(link, "podhints_id")]: text_of(link, "node_id") for link in reversed(links)}

    def _host(self, row: Row) -> EstateHost:
        parameters = document_of(row, "power_parameters")
        key = text_of(row, "id")
        node = self._hinted.get(key)
        if node is None:
            interface = self._interfaces_of_address.get(row.get("ip_address_id") or "")
            node = None if interface is None else self._node_of_interface.get(interface)
        return EstateHost(
            HostId(int(key)),
            row.get("name") or f"host-{key}",
            text_of(row, "power_type"),
            str(parameters.get("power_address") or ""),
            zone_id=ZoneId(number_of(row, "zone_id")),
            resource_pool_id=ResourcePoolId(number_of(row, "pool_id")),
            system_id=None if node is None else SystemId(text_of(self._node_by_key[node], "system_id")),
            default_macvlan_mode=vocabulary.macvlan_mode(row.get("default_macvlan_mode")),
            cpu_over_commit_ratio=float(row.get("cpu_over_commit_ratio") or 1.0),
            memory_over_commit_ratio=float(row.get("memory_over_commit_ratio") or 1.0),
            tags=tuple(list_of(row, "tags")),
            has_password=vocabulary.has_password(parameters),
        )
