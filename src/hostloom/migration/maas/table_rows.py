"""Conversion of MAAS's tables (2.5 to 3.7) into a source inventory."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

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
from hostloom.migration.maas.table_index import TableIndex
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
)
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.model.source_inventory import (
    SourceDevice,
    SourceHost,
    SourceInventory,
    SourceLink,
    SourceMachine,
    SourceParameter,
    SourceTtl,
)

#: The `bmc_type` of VM hosts.
POD = "1"
NO_VM_HOSTS = "no VM hosts in it: a dump made before MAAS's upgrade to 3.8 has them, if there were any"


def read_tables(tables: Mapping[str, Sequence[Row]], source: str) -> SourceInventory:
    """Read everything that an import can use."""
    try:
        return _source_inventory(TableIndex(tables), source)
    except KeyError as error:
        raise SourceError(f"{source}: a table has no column {error}", "is it a dump of a MAAS?") from error
    except (TypeError, ValueError, InvalidValue) as error:
        raise SourceError(f"{source} contains data that a MAAS does not have: {error}") from error


def _source_inventory(index: TableIndex, source: str) -> SourceInventory:
    hosts = tuple(_host(index, row) for row in index.rows("bmc") if row.get("bmc_type") == POD)
    machines, devices = _of_kind(index, NodeKind.MACHINE), _of_kind(index, NodeKind.DEVICE)
    return SourceInventory(
        f"MAAS, {source}",
        zones=index.all_of("zone", plain_rows.zone),
        resource_pools=index.all_of("resourcepool", plain_rows.resource_pool),
        domains=index.all_of("domain", plain_rows.domain),
        tags=index.all_of("tag", plain_rows.tag),
        spaces=index.all_of("space", plain_rows.space),
        fabrics=index.all_of("fabric", plain_rows.fabric),
        vlans=index.all_of("vlan", plain_rows.vlan),
        subnets=index.all_of("subnet", plain_rows.subnet),
        ranges=index.all_of("iprange", plain_rows.ip_range),
        nodes=tuple(_node(index, node) for node in index.nodes),
        machines=tuple(_machine(index, node) for node in machines),
        devices=tuple(_device(index, node) for node in devices),
        links=tuple(_links(index)),
        parameters=tuple(_parameters(index)),
        ttls=tuple(_ttls(index)),
        held=tuple(_held(index)),
        hosts=hosts,
        notes=tuple(_notes(index, has_hosts=bool(hosts))),
    )


def _of_kind(index: TableIndex, kind: NodeKind) -> list[Row]:
    return [node for node in index.nodes if plain_rows.node_kind(node) is kind]


def _ttls(index: TableIndex) -> Iterator[SourceTtl]:
    for row in sorted(index.rows("domain"), key=key_of):
        if number_of(row, "ttl"):
            yield SourceTtl(DomainId(key_of(row)), number_of(row, "ttl"))


def _notes(index: TableIndex, *, has_hosts: bool) -> Iterator[str]:
    if not has_hosts:
        yield NO_VM_HOSTS
    automatic = sorted(text_of(row, "name") for row in index.rows("tag") if row.get("definition"))
    if automatic:
        yield f"tags with a definition are tags like others here: {', '.join(automatic)}"


def _node(index: TableIndex, row: Row) -> Node:
    key = text_of(row, "id")
    return Node(
        SystemId(text_of(row, "system_id")),
        text_of(row, "hostname"),
        plain_rows.node_kind(row),
        tuple(_interface(index, interface) for interface in index.interfaces.get(key, ())),
        zone_id=ZoneId(number_of(row, "zone_id")),
        resource_pool_id=ResourcePoolId(number_of(row, "pool_id")),
        domain_id=DomainId(number_of(row, "domain_id")),
        tags=tuple(index.tags.get(key, ())),
        description=row.get("description") or "",
    )


def _machine(index: TableIndex, row: Row) -> SourceMachine:
    bmc = row.get("bmc_id")
    pod = index.bmcs.get(bmc or "", {})
    owner = row.get("owner_id")
    return SourceMachine(
        SystemId(text_of(row, "system_id")),
        uuid=row.get("hardware_uuid") or "",
        state=vocabulary.STATES[number_of(row, "status")],
        architecture=vocabulary.architecture(row.get("architecture")),
        cores=number_of(row, "cpu_count"),
        memory_mib=number_of(row, "memory"),
        owner="" if owner is None else index.users.get(owner, ""),
        locked=row.get("locked") == "t",
        host_id=HostId(key_of(pod)) if pod.get("bmc_type") == POD else None,
    )


def _device(index: TableIndex, row: Row) -> SourceDevice:
    owner, parent = row.get("owner_id"), index.node_by_key.get(row.get("parent_id") or "")
    return SourceDevice(
        SystemId(text_of(row, "system_id")),
        "" if owner is None else index.users.get(owner, ""),
        None if parent is None else SystemId(text_of(parent, "system_id")),
    )


def _nics(index: TableIndex) -> Iterator[tuple[str, Row]]:
    """List the interfaces with the system ids of their nodes."""
    for node in index.nodes:
        for row in index.interfaces.get(text_of(node, "id"), ()):
            yield text_of(node, "system_id"), row


def _links(index: TableIndex) -> Iterator[SourceLink]:
    rows = {text_of(row, "id"): row for row in index.rows("staticipaddress")}
    linked: dict[str, list[Row]] = {}
    for link in sorted(index.rows("interface_ip_addresses"), key=key_of):
        row = rows.get(text_of(link, "staticipaddress_id"))
        if row is not None:
            linked.setdefault(text_of(link, "interface_id"), []).append(row)
    for system_id, nic in _nics(index):
        for row in linked.get(text_of(nic, "id"), ()):
            ip, cidr = row.get("ip"), index.cidrs.get(row.get("subnet_id") or "")
            mode = vocabulary.link_mode(number_of(row, "alloc_type"), has_ip=bool(ip))
            if mode is not None:
                name = text_of(nic, "name")
                address = ip_of(ip) if ip else None
                yield SourceLink(SystemId(system_id), name, mode, address, cidr)


def _parameters(index: TableIndex) -> Iterator[SourceParameter]:
    for system_id, nic in _nics(index):
        yield from vocabulary.parameters(system_id, text_of(nic, "name"), document_of(nic, "params"))


def _interface(index: TableIndex, row: Row) -> NodeInterface:
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
        addresses=tuple(_addresses(index, key)),
        parents=tuple(index.parents.get(key, ())),
        bridge_kind=vocabulary.bridge_kind(kind, params),
        tag_vid=index.vids.get(vlan_id) if kind is InterfaceKind.VLAN else None,
        enabled=flag_of(row, "enabled"),
        link=flag_of(row, "link_connected"),
        mtu=int(mtu or (index.mtus.get(vlan_id) or DEFAULT_MTU)),
        link_speed=number_of(row, "link_speed"),
        tags=tuple(list_of(row, "tags")),
    )


def _addresses(index: TableIndex, interface: str) -> Iterator[IPv4Interface | IPv6Interface]:
    """List the assigned and the observed addresses of an interface."""
    addresses: dict[Address, IPv4Interface | IPv6Interface] = {}
    for address_row in index.addresses_of_interface.get(interface, ()):
        ip = ip_of(text_of(address_row, "ip"))
        subnet = index.cidrs.get(address_row.get("subnet_id") or "")
        length = ip.max_prefixlen if subnet is None else subnet.prefixlen
        addresses.setdefault(ip, ip_interface(f"{ip}/{length}"))
    yield from addresses.values()


def _held(index: TableIndex) -> Iterator[HeldAddress]:
    """List the addresses of NICs, BMCs and hosts and the reserved ones, each once."""
    bmcs = {row.get("ip_address_id") for row in index.rows("bmc")}
    addresses: set[Address] = set()
    for row in sorted(index.rows("staticipaddress"), key=key_of):
        if not row.get("ip") or number_of(row, "alloc_type") == vocabulary.DISCOVERED:
            continue
        address = _held_one(index, row, is_bmc=row.get("id") in bmcs)
        if address is not None and address.ip not in addresses:
            addresses.add(address.ip)
            yield address
    for row in sorted(index.rows("reservedip"), key=key_of):
        ip = ip_of(text_of(row, "ip"))
        if ip not in addresses:
            addresses.add(ip)
            text = row.get("comment") or "set aside in MAAS"
            yield plain_rows.set_aside(row, f"{text} (for {row.get('mac_address')})")


def _held_one(index: TableIndex, row: Row, *, is_bmc: bool) -> HeldAddress | None:
    """Convert an address; None if it is unused."""
    interface = index.interface_of_address.get(text_of(row, "id"))
    node = None if interface is None else index.node_of_interface.get(interface)
    if interface is not None and node is not None:
        address = plain_rows.set_aside(row, "")
        return HeldAddress(
            address.ip,
            AddressKind.AUTO if number_of(row, "alloc_type") == vocabulary.AUTO else AddressKind.STATIC,
            address.subnet_id,
            text_of(index.node_by_key[node], "system_id"),
            index.interface_names[interface],
        )
    if is_bmc:
        return plain_rows.set_aside(row, "a BMC or VM host in MAAS")
    if number_of(row, "alloc_type") not in (vocabulary.STICKY, vocabulary.USER_RESERVED):
        return None
    user = index.users.get(row.get("user_id") or "", "")
    return plain_rows.set_aside(row, f"set aside by {user} in MAAS" if user else "set aside in MAAS")


def _host(index: TableIndex, row: Row) -> SourceHost:
    parameters = document_of(row, "power_parameters")
    key = text_of(row, "id")
    node = index.node_of_host.get(key)
    if node is None:
        interface = index.interface_of_address.get(row.get("ip_address_id") or "")
        node = None if interface is None else index.node_of_interface.get(interface)
    return SourceHost(
        HostId(int(key)),
        row.get("name") or f"host-{key}",
        text_of(row, "power_type"),
        str(parameters.get("power_address") or ""),
        zone_id=ZoneId(number_of(row, "zone_id")),
        resource_pool_id=ResourcePoolId(number_of(row, "pool_id")),
        system_id=None if node is None else SystemId(text_of(index.node_by_key[node], "system_id")),
        default_macvlan_mode=vocabulary.macvlan_mode(row.get("default_macvlan_mode")),
        cpu_over_commit_ratio=float(row.get("cpu_over_commit_ratio") or 1.0),
        memory_over_commit_ratio=float(row.get("memory_over_commit_ratio") or 1.0),
        tags=tuple(list_of(row, "tags")),
        has_password=vocabulary.has_password(parameters),
    )
