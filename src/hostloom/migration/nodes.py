"""Imports nodes and machines. The system id, else a MAC, identifies them. New ones keep their system ids."""

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
from hostloom.model.source_inventory import SourceMachine

_MAX_HOSTNAME = 63


def plan_nodes(state: ImportState) -> None:
    """Plan the nodes, machines last, in the order of system ids, so that names are deterministic."""
    present = state.present.snapshot.node_by_system_id
    by_mac = _holders(state)
    new_nodes = _NewNodes(state)
    for theirs in sorted(state.source.nodes, key=_order):
        ours = present.get(theirs.system_id)
        system_id = next((by_mac[mac] for mac in _macs(theirs) if mac in by_mac), None)
        if ours is not None and (ours.system_id == system_id or _is_same(state, theirs, ours)):
            _settle(state, theirs, ours)
        elif system_id is not None:
            _point_out(state, theirs, present[system_id])
        elif ours is not None:
            remark = Remark(ImportCode.SYSTEM_ID_TAKEN, ours.hostname)
            state.refuse(_noun(theirs), theirs.hostname, theirs.system_id, remark)
        else:
            new_nodes.create(theirs)


class _NewNodes:
    """Creates nodes with free hostnames and interface ids."""

    def __init__(self, state: ImportState) -> None:
        present = state.present.snapshot.nodes
        self._state = state
        self._hostnames = {node.hostname for node in present}
        self._ids = Ids(
            (nic.id for node in present for nic in node.interfaces),
            (nic.id for node in state.source.nodes for nic in node.interfaces),
        )
        self._machines = {machine.system_id: machine for machine in state.source.machines}
        self._read_ids = _read_by_us(state)

    def create(self, theirs: Node) -> None:
        """Add the creation of a node."""
        hostname = free_name(usable_hostname(theirs.hostname), self._hostnames, _MAX_HOSTNAME)
        self._hostnames.add(hostname)
        keeps_addresses = theirs.system_id in self._read_ids
        node = _node(self._state, self._ids, theirs, hostname, keeps_addresses=keeps_addresses)
        _create(self._state, node, theirs, self._machines.get(theirs.system_id))


def _order(node: Node) -> tuple[bool, str]:
    return node.kind is NodeKind.MACHINE, node.system_id


def _holders(state: ImportState) -> dict[MacAddress, SystemId]:
    """Map our MACs to nodes. Of several nodes the first by system id counts."""
    system_ids: dict[MacAddress, SystemId] = {}
    nics: Iterable[tuple[MacAddress | None, SystemId]] = [
        *((mac, node.system_id) for node in state.present.snapshot.nodes for mac in _macs(node)),
        *((nic.mac, machine.system_id) for machine in state.present.machines for nic in machine.interfaces),
    ]
    for mac, system_id in sorted(
        ((mac, key) for mac, key in nics if mac is not None), key=lambda pair: pair[1]
    ):
        system_ids.setdefault(mac, system_id)
    return system_ids


def _macs(node: Node) -> list[MacAddress]:
    """List the MACs of physical NICs. Bridges of different machines may have equal MACs."""
    nics = (interface for interface in node.interfaces if interface.kind is InterfaceKind.PHYSICAL)
    return [nic.mac for nic in nics if nic.mac is not None]


def _is_same(state: ImportState, theirs: Node, ours: Node) -> bool:
    """Whether nodes with equal system ids are the same: no MACs to compare, or equal hostnames."""
    machine = next(
        (machine for machine in state.present.machines if machine.system_id == ours.system_id), None
    )
    our_macs = {*_macs(ours), *(nic.mac for nic in (machine.interfaces if machine else ()))}
    return not our_macs or not _macs(theirs) or usable_hostname(theirs.hostname) == ours.hostname


def _read_by_us(state: ImportState) -> frozenset[SystemId]:
    """List the nodes of hosts and racks, whose interfaces hostloom reads itself."""
    hosts = {host.system_id for host in state.source.hosts if host.system_id is not None}
    bare = (NodeKind.MACHINE, NodeKind.DEVICE)
    controllers = {node.system_id for node in state.source.nodes if node.kind not in bare}
    return frozenset(hosts | controllers)


def _noun(node: Node) -> ImportNoun:
    return ImportNoun.MACHINE if node.kind is NodeKind.MACHINE else ImportNoun.NODE


def _settle(state: ImportState, theirs: Node, ours: Node) -> None:
    """Merge the settings into a present node. Its name and NICs stay."""
    state.nodes[theirs.system_id] = ours.system_id
    defaults = state.present.defaults
    fallbacks = {
        "zone_id": defaults.zone,
        "resource_pool_id": defaults.resource_pool,
        "domain_id": defaults.domain,
        "tags": (),
        "description": "",
    }
    node = replace(ours, **_groups(state, theirs), description=theirs.description)
    names = _group_names(state)

    def words(field: str, value: object) -> str:
        if isinstance(value, tuple):
            return ", ".join(value)
        return names.get((field, value), str(value))

    state.settle(_noun(theirs), ours.hostname, theirs.system_id, ours, node, fallbacks, words=words)


def _point_out(state: ImportState, theirs: Node, ours: Node) -> None:
    state.nodes[theirs.system_id] = ours.system_id
    remark = Remark(ImportCode.KNOWN_AS, ours.hostname)
    state.changes.append(_same(theirs, ours, remark))


def _same(theirs: Node, ours: Node, remark: Remark) -> ImportChange:
    return ImportChange(
        ImportAction.SAME,
        _noun(theirs),
        theirs.hostname,
        theirs.system_id,
        ours.system_id,
        remarks=(remark,),
    )


def _groups(state: ImportState, theirs: Node) -> dict[str, Any]:
    defaults = state.present.defaults
    return {
        "zone_id": state.zones.get(theirs.zone_id, defaults.zone),
        "resource_pool_id": state.resource_pools.get(theirs.resource_pool_id, defaults.resource_pool),
        "domain_id": state.domains.get(theirs.domain_id, defaults.domain),
        "tags": tuple(dict.fromkeys(usable_tag(tag) for tag in theirs.tags)),
    }


def _group_names(state: ImportState) -> dict[tuple[str, object], str]:
    present, source = state.present, state.source
    names: dict[tuple[str, object], str] = {}
    for field, theirs, mapping, ours in (
        ("zone_id", source.zones, state.zones, present.zones),
        ("resource_pool_id", source.resource_pools, state.resource_pools, present.resource_pools),
        ("domain_id", source.domains, state.domains, present.domains),
    ):
        names |= {(field, mapping[their.id]): their.name for their in theirs if their.id in mapping}  # type: ignore[index]
        names |= {(field, our.id): our.name for our in ours}
    return names


# -- new ones --------------------------------------------------------------------------------------------


def _create(state: ImportState, node: Node, theirs: Node, machine: SourceMachine | None) -> None:
    state.nodes[theirs.system_id] = node.system_id
    remarks = () if node.hostname == theirs.hostname else (Remark(ImportCode.RENAMED, node.hostname),)
    is_machine = node.kind is NodeKind.MACHINE
    item = NewMachine(_machine(node, machine), node) if is_machine else node
    state.create(_noun(node), node.hostname, theirs.system_id, node.system_id, item, *remarks)


def _machine(node: Node, theirs: SourceMachine | None) -> Machine:
    """Make an enlisted machine. A reading of its host later adopts it under this name and id."""
    source_machine = theirs or SourceMachine(node.system_id)
    return Machine(
        system_id=node.system_id,
        hostname=node.hostname,
        uuid=source_machine.uuid.lower(),
        origin=MachineOrigin.ENLISTED,
        state=source_machine.state,
        host_id=None,
        architecture=source_machine.architecture,
        cores=source_machine.cores,
        memory_mib=source_machine.memory_mib,
        zone_id=node.zone_id,
        resource_pool_id=node.resource_pool_id,
        tags=node.tags,
        owner=source_machine.owner,
        locked=source_machine.locked,
    )


def _node(state: ImportState, ids: Ids, theirs: Node, hostname: str, *, keeps_addresses: bool) -> Node:
    unique = {nic.name: nic for nic in theirs.interfaces}
    members = {name for nic in unique.values() if nic.kind in _MASTERS for name in nic.parents}
    interfaces = tuple(
        _interface(state, ids, nic, is_member=nic.name in members, keeps_addresses=keeps_addresses)
        for nic in unique.values()
    )
    return replace(
        theirs,
        hostname=hostname,
        interfaces=interfaces,
        **_groups(state, theirs),
        scanned_at=None,
        generation=1,
    )


_MASTERS = (InterfaceKind.BRIDGE, InterfaceKind.BOND)


def _interface(
    state: ImportState, ids: Ids, theirs: NodeInterface, *, is_member: bool, keeps_addresses: bool
) -> NodeInterface:
    vlan_id = None if theirs.vlan_id is None else state.vlans.get(theirs.vlan_id)
    addresses = theirs.addresses if keeps_addresses else ()
    return replace(
        theirs,
        id=InterfaceId(ids.take(theirs.id)),
        vlan_id=vlan_id,
        vlan_source=_source(state, theirs, is_member=is_member, keeps_addresses=keeps_addresses)
        if vlan_id is not None
        else VlanSource.NONE,
        addresses=addresses,
        tags=tuple(dict.fromkeys(usable_tag(tag) for tag in theirs.tags)),
    )


def _source(
    state: ImportState, theirs: NodeInterface, *, is_member: bool, keeps_addresses: bool
) -> VlanSource:
    """Return the source of a VLAN. What hostloom cannot derive again counts as set by the operator."""
    if not keeps_addresses:
        return VlanSource.OPERATOR
    subnets = state.subnet_by_id.values()
    if any(ip in subnet.cidr for ip in theirs.ips for subnet in subnets if ip.version == subnet.cidr.version):
        return VlanSource.SUBNET
    if is_member:
        return VlanSource.MASTER
    return VlanSource.PARENT if theirs.kind is InterfaceKind.VLAN else VlanSource.OPERATOR
