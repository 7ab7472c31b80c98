"""Nodes and machines: matched by system id, else by a MAC; new ones keep their system ids."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hostloom.migration.import_state import Ids, ImportState
from hostloom.migration.names import free_name, usable_hostname, usable_tag
from hostloom.model.ids import (
    InterfaceId,
    MacAddress,
    SystemId,
)
from hostloom.model.import_plan import ImportAction, ImportChange, ImportCode, ImportNoun, NewMachine, Remark
from hostloom.model.machine import Machine, MachineOrigin
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind, VlanSource
from hostloom.model.source_inventory import EstateMachine

_MAX_HOSTNAME = 63


def plan_nodes(book: ImportState) -> None:
    """Machines last, each by system id, so that the same estate gives the same names."""
    here = book.present.snapshot.node_by_system_id
    by_mac = _holders(book)
    taken = {node.hostname for node in here.values()}
    ids = Ids(
        (nic.id for node in here.values() for nic in node.interfaces),
        (nic.id for node in book.estate.nodes for nic in node.interfaces),
    )
    machines = {machine.system_id: machine for machine in book.estate.machines}
    read = _read_by_us(book)
    for each in sorted(book.estate.nodes, key=_order):
        macs = _macs(each)
        ours = here.get(each.system_id)
        system_id = next((by_mac[mac] for mac in macs if mac in by_mac), None)
        if ours is not None and (ours.system_id == system_id or _is_one(book, each, ours)):
            _settle(book, each, ours)
        elif system_id is not None:
            _point_out(book, each, here[system_id])
        elif ours is not None:
            taken_by = Remark(ImportCode.SYSTEM_ID_TAKEN, ours.hostname)
            book.refuse(_noun(each), each.hostname, each.system_id, taken_by)
        else:
            keeps = each.system_id in read
            hostname = free_name(usable_hostname(each.hostname), taken, _MAX_HOSTNAME)
            taken.add(hostname)
            node = _node(book, ids, each, hostname, keeps_addresses=keeps)
            _create(book, node, each, machines.get(each.system_id))


def _order(node: Node) -> tuple[bool, str]:
    return node.kind is NodeKind.MACHINE, node.system_id


def _holders(book: ImportState) -> dict[MacAddress, SystemId]:
    """Whose NIC a MAC of ours is: of several nodes the first by system id."""
    system_ids: dict[MacAddress, SystemId] = {}
    nics: Iterable[tuple[MacAddress | None, SystemId]] = [
        *((mac, node.system_id) for node in book.present.snapshot.nodes for mac in _macs(node)),
        *((nic.mac, machine.system_id) for machine in book.present.machines for nic in machine.interfaces),
    ]
    for mac, system_id in sorted(
        ((mac, key) for mac, key in nics if mac is not None), key=lambda one: one[1]
    ):
        system_ids.setdefault(mac, system_id)
    return system_ids


def _macs(node: Node) -> list[MacAddress]:
    """Of its NICs: bridges of different machines may have the same."""
    nics = (interface for interface in node.interfaces if interface.kind is InterfaceKind.PHYSICAL)
    return [nic.mac for nic in nics if nic.mac is not None]


def _is_one(book: ImportState, theirs: Node, ours: Node) -> bool:
    """The same system id and no NIC that speaks against it: by chance that is not so."""
    machine = next(
        (machine for machine in book.present.machines if machine.system_id == ours.system_id), None
    )
    mine = {*_macs(ours), *(nic.mac for nic in (machine.interfaces if machine else ()))}
    return not mine or not _macs(theirs) or usable_hostname(theirs.hostname) == ours.hostname


def _read_by_us(book: ImportState) -> frozenset[SystemId]:
    """Nodes whose interfaces hostloom reads by itself once it knows their hosts or racks."""
    hosts = {host.system_id for host in book.estate.hosts if host.system_id is not None}
    bare = (NodeKind.MACHINE, NodeKind.DEVICE)
    controllers = {node.system_id for node in book.estate.nodes if node.kind not in bare}
    return frozenset(hosts | controllers)


def _noun(node: Node) -> ImportNoun:
    return ImportNoun.MACHINE if node.kind is NodeKind.MACHINE else ImportNoun.NODE


def _settle(book: ImportState, theirs: Node, ours: Node) -> None:
    """Its name and NICs stay: they are read or were given here."""
    book.nodes[theirs.system_id] = ours.system_id
    defaults = book.present.defaults
    unsaid = {
        "zone_id": defaults.zone,
        "resource_pool_id": defaults.resource_pool,
        "domain_id": defaults.domain,
        "tags": (),
        "description": "",
    }
    node = replace(ours, **_groups(book, theirs), description=theirs.description)
    names = _group_names(book)

    def words(field: str, value: object) -> str:
        if isinstance(value, tuple):
            return ", ".join(value)
        return names.get((field, value), str(value))

    book.settle(_noun(theirs), ours.hostname, theirs.system_id, ours, node, unsaid, words=words)


def _point_out(book: ImportState, theirs: Node, ours: Node) -> None:
    book.nodes[theirs.system_id] = ours.system_id
    remark = Remark(ImportCode.KNOWN_AS, ours.hostname)
    book.changes.append(_same(theirs, ours, remark))


def _same(theirs: Node, ours: Node, remark: Remark) -> ImportChange:
    return ImportChange(
        ImportAction.SAME,
        _noun(theirs),
        theirs.hostname,
        theirs.system_id,
        ours.system_id,
        remarks=(remark,),
    )


def _groups(book: ImportState, theirs: Node) -> dict[str, Any]:
    defaults = book.present.defaults
    return {
        "zone_id": book.zones.get(theirs.zone_id, defaults.zone),
        "resource_pool_id": book.resource_pools.get(theirs.resource_pool_id, defaults.resource_pool),
        "domain_id": book.domains.get(theirs.domain_id, defaults.domain),
        "tags": tuple(dict.fromkeys(usable_tag(tag) for tag in theirs.tags)),
    }


def _group_names(book: ImportState) -> dict[tuple[str, object], str]:
    here, estate = book.present, book.estate
    found: dict[tuple[str, object], str] = {}
    for field, theirs, known, ours in (
        ("zone_id", estate.zones, book.zones, here.zones),
        ("resource_pool_id", estate.resource_pools, book.resource_pools, here.resource_pools),
        ("domain_id", estate.domains, book.domains, here.domains),
    ):
        found |= {(field, known[their.id]): their.name for their in theirs if their.id in known}  # type: ignore[index]
        found |= {(field, our.id): our.name for our in ours}
    return found


# -- new ones --------------------------------------------------------------------------------------------


def _create(book: ImportState, node: Node, theirs: Node, machine: EstateMachine | None) -> None:
    book.nodes[theirs.system_id] = node.system_id
    remarks = () if node.hostname == theirs.hostname else (Remark(ImportCode.RENAMED, node.hostname),)
    is_machine = node.kind is NodeKind.MACHINE
    item = NewMachine(_machine(node, machine), node) if is_machine else node
    book.create(_noun(node), node.hostname, theirs.system_id, node.system_id, item, *remarks)


def _machine(node: Node, theirs: EstateMachine | None) -> Machine:
    """Enlisted: known, not touched; a refresh that finds it on a host adopts it under its name and ids."""
    estate_machine = theirs or EstateMachine(node.system_id)
    return Machine(
        system_id=node.system_id,
        hostname=node.hostname,
        uuid=estate_machine.uuid.lower(),
        origin=MachineOrigin.ENLISTED,
        state=estate_machine.state,
        host_id=None,
        architecture=estate_machine.architecture,
        cores=estate_machine.cores,
        memory_mib=estate_machine.memory_mib,
        zone_id=node.zone_id,
        resource_pool_id=node.resource_pool_id,
        tags=node.tags,
        owner=estate_machine.owner,
        locked=estate_machine.locked,
    )


def _node(book: ImportState, ids: Ids, theirs: Node, hostname: str, *, keeps_addresses: bool) -> Node:
    unique = {nic.name: nic for nic in theirs.interfaces}
    members = {name for nic in unique.values() if nic.kind in _MASTERS for name in nic.parents}
    interfaces = tuple(
        _interface(book, ids, nic, is_member=nic.name in members, keeps_addresses=keeps_addresses)
        for nic in unique.values()
    )
    return replace(
        theirs,
        hostname=hostname,
        interfaces=interfaces,
        **_groups(book, theirs),
        scanned_at=None,
        generation=1,
    )


_MASTERS = (InterfaceKind.BRIDGE, InterfaceKind.BOND)


def _interface(
    book: ImportState, ids: Ids, theirs: NodeInterface, *, is_member: bool, keeps_addresses: bool
) -> NodeInterface:
    vlan_id = None if theirs.vlan_id is None else book.vlans.get(theirs.vlan_id)
    addresses = theirs.addresses if keeps_addresses else ()
    return replace(
        theirs,
        id=InterfaceId(ids.take(theirs.id)),
        vlan_id=vlan_id,
        vlan_source=_source(book, theirs, is_member=is_member, keeps_addresses=keeps_addresses)
        if vlan_id is not None
        else VlanSource.NONE,
        addresses=addresses,
        tags=tuple(dict.fromkeys(usable_tag(tag) for tag in theirs.tags)),
    )


def _source(
    book: ImportState, theirs: NodeInterface, *, is_member: bool, keeps_addresses: bool
) -> VlanSource:
    """What can be read is derived again; the rest is the other system's word, kept as the operator's."""
    if not keeps_addresses:
        return VlanSource.OPERATOR
    subnets = book.subnet_by_id.values()
    if any(ip in subnet.cidr for ip in theirs.ips for subnet in subnets if ip.version == subnet.cidr.version):
        return VlanSource.SUBNET
    if is_member:
        return VlanSource.MASTER
    return VlanSource.PARENT if theirs.kind is InterfaceKind.VLAN else VlanSource.OPERATOR
