"""The world as decisions see it: read once, then brought up to date by what changed since."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import Row, Table, select

from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.host import Host, PlacedInterface, PlacedMachine
from hostloom.model.ids import HostId, SubnetId, VlanId
from hostloom.model.machine import Disk, MachineOrigin
from hostloom.model.network import Address, AddressKind, Fabric, HeldAddress, IPRange, Space, Subnet, Vlan
from hostloom.model.node import Node, NodeInterface
from hostloom.store import tables
from hostloom.store.addresses import held_of
from hostloom.store.hosts import host_of
from hostloom.store.nodes import read_nodes
from hostloom.store.transaction import Transaction

Placed = dict[str, PlacedMachine]


@dataclass(frozen=True)
class Topology:
    """The physical network, and which subnet an address of an interface belongs to."""

    revision: int
    fabrics: tuple[Fabric, ...]
    vlans: tuple[Vlan, ...]
    spaces: tuple[Space, ...]
    subnets: tuple[Subnet, ...]
    ranges: tuple[IPRange, ...]
    #: Subnets by family and prefix length (longest first), then by network.
    by_prefix: Mapping[tuple[int, int], Mapping[int, list[Subnet]]] = field(default_factory=dict)
    fabric_of_vlan: Mapping[VlanId, int] = field(default_factory=dict)

    def subnet_of(self, ip: Address, vlan_id: VlanId | None) -> SubnetId | None:
        """The interface's VLAN counts first, then its fabric, then the longest prefix, then the id."""
        fabric_id = None if vlan_id is None else self.fabric_of_vlan[vlan_id]
        best: tuple[bool, bool, int, int] | None = None
        for (version, length), subnets in self.by_prefix.items():
            if version != ip.version:
                continue
            shift = ip.max_prefixlen - length
            for subnet in subnets.get(int(ip) >> shift, ()):
                same_fabric = self.fabric_of_vlan[subnet.vlan_id] == fabric_id
                rank = (subnet.vlan_id == vlan_id, same_fabric, length, -subnet.id)
                best = rank if best is None else max(best, rank)
        return None if best is None else SubnetId(-best[3])


@dataclass(frozen=True)
class World:
    """Everything a snapshot shows, by key, so that a change touches only what it changed."""

    revision: int
    topology: Topology
    nodes: dict[str, Node]
    observed: dict[str, tuple[HeldAddress, ...]]
    hosts: dict[int, Host]
    placed: dict[HostId, Placed]
    held: dict[int, HeldAddress]
    snapshot: Snapshot


class SnapshotCache:
    """The latest world that this process has read; for all its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._world: World | None = None

    def snapshot(self, tx: Transaction) -> Snapshot:
        """One statement when nothing changed; what a transaction changed itself is seen by it alone."""
        if tx.revision is not None:
            return read_world(tx, self._world).snapshot
        world = self._world
        if world is not None and world.revision == _current(tx).value:
            return world.snapshot
        with self._lock, tx.consistent():
            self._world = read_world(tx, self._world)
            return self._world.snapshot


def _current(tx: Transaction) -> Row[Any]:
    return tx.read(select(tables.world)).one()


def read_world(tx: Transaction, base: World | None) -> World:
    """The world now, reading only what changed since `base`."""
    current = _current(tx)
    if base is not None and base.revision == current.value:
        return base
    if base is None or base.revision < current.floor:
        since, base = -1, None
    else:
        since = base.revision
    is_same = base is not None and base.topology.revision == current.topology
    topology = base.topology if base is not None and is_same else read_topology(tx, current.topology)
    gone = _removed(tx, since) if base is not None else {}
    nodes = dict(base.nodes) if base else {}
    changed = {each.system_id: each for each in _changed_nodes(tx, since)}
    _merge(nodes, changed, gone.get("nodes", ()))
    observed = dict(base.observed) if base and is_same else {}
    for key in (*gone.get("nodes", ()), *changed):
        observed.pop(key, None)
    observed |= {
        key: _observed(nodes[key], topology) for key in (changed if is_same else nodes) if key in nodes
    }
    hosts = dict(base.hosts) if base else {}
    _merge(hosts, _changed_hosts(tx, since), map(int, gone.get("hosts", ())))
    held = dict(base.held) if base else {}
    _merge(held, _changed_addresses(tx, since), map(int, gone.get("addresses", ())))
    placed = _place(tx, base, since, set(gone.get("machines", ())))
    snapshot = _snapshot(current.value, topology, nodes, observed, hosts, placed, held)
    return World(current.value, topology, nodes, observed, hosts, placed, held, snapshot)


def read_topology(tx: Transaction, revision: int) -> Topology:
    """The physical network, whole."""
    vlans = _all(tx, tables.vlans, Vlan)
    subnets = _all(tx, tables.subnets, Subnet)
    by_prefix: dict[tuple[int, int], dict[int, list[Subnet]]] = {}
    for each in subnets:
        length = each.cidr.prefixlen
        network = int(each.cidr.network_address) >> (each.cidr.max_prefixlen - length)
        by_prefix.setdefault((each.cidr.version, length), {}).setdefault(network, []).append(each)
    return Topology(
        revision,
        _all(tx, tables.fabrics, Fabric),
        vlans,
        _all(tx, tables.spaces, Space),
        subnets,
        _all(tx, tables.ip_ranges, IPRange),
        by_prefix,
        {each.id: each.fabric_id for each in vlans},
    )


def read_placed(tx: Transaction, condition: Any) -> list[tuple[HostId, str, PlacedMachine]]:
    """Machines on hosts as (host, system id, what it takes): two statements.

    Their disks count in full towards `reserved_bytes`, but those of adopted machines: of these only
    libvirt's free figure tells (see model.host.bytes_left).
    """
    machines, nics = tables.machines, tables.machine_interfaces
    page = select(
        machines.c.system_id,
        machines.c.host_id,
        machines.c.cores,
        machines.c.memory_mib,
        machines.c.disks,
        machines.c.origin,
        tables.nodes.c.hostname,
    ).join(tables.nodes)
    rows = tx.rows(page.where(machines.c.host_id.is_not(None), condition))
    if not rows:
        return []
    interfaces: dict[str, list[PlacedInterface]] = {}
    query = (
        select(nics.c.system_id, nics.c.attachment_kind, nics.c.source, nics.c.macvlan_mode)
        .join(machines)
        .where(condition)
        .order_by(nics.c.system_id, nics.c.position)
    )
    for row in tx.rows(query):
        found = PlacedInterface(row.attachment_kind, row.source, row.macvlan_mode)
        interfaces.setdefault(row.system_id, []).append(found)
    return [
        (
            row.host_id,
            row.system_id,
            PlacedMachine(
                row.hostname,
                row.cores,
                row.memory_mib,
                tuple(interfaces.get(row.system_id, ())),
                {} if row.origin is MachineOrigin.ADOPTED else bytes_by_pool(row.disks),
            ),
        )
        for row in rows
    ]


def bytes_by_pool(disks: Iterable[Disk]) -> dict[str, int]:
    """Sizes of disks, summed up by storage pool."""
    found: dict[str, int] = {}
    for disk in disks:
        found[disk.pool] = found.get(disk.pool, 0) + disk.size_bytes
    return found


def _all(tx: Transaction, table: Table, entity: Any) -> tuple[Any, ...]:
    columns = [table.c[each.name] for each in fields(entity)]
    return tuple(entity(*row) for row in tx.rows(select(*columns).order_by(table.c.id)))


def _removed(tx: Transaction, since: int) -> dict[str, list[str]]:
    removals = tables.removals
    found: dict[str, list[str]] = {}
    for kind, key in tx.rows(select(removals.c.kind, removals.c.key).where(removals.c.revision > since)):
        found.setdefault(kind, []).append(key)
    return found


def _merge(into: dict[Any, Any], changed: Mapping[Any, Any], gone: Iterable[Any]) -> None:
    """Forget what is gone, then take what changed: a key that was removed and added again stays."""
    for key in gone:
        into.pop(key, None)
    into.update(changed)


def _changed_nodes(tx: Transaction, since: int) -> list[Node]:
    return read_nodes(tx, select(tables.nodes).where(tables.nodes.c.revision > since))


def _changed_hosts(tx: Transaction, since: int) -> dict[int, Host]:
    rows = tx.rows(select(tables.hosts).where(tables.hosts.c.revision > since))
    return {row.id: host_of(row) for row in rows}


def _changed_addresses(tx: Transaction, since: int) -> dict[int, HeldAddress]:
    rows = tx.rows(select(tables.addresses).where(tables.addresses.c.revision > since))
    return {row.id: held_of(row) for row in rows}


def _place(tx: Transaction, base: World | None, since: int, gone: set[str]) -> dict[HostId, Placed]:
    """Machines by host; only the hosts that a change touches get a new dictionary."""
    changed = read_placed(tx, tables.machines.c.revision > since)
    moved = gone | {system_id for _, system_id, _ in changed}
    placed = dict(base.placed) if base else {}
    if moved:
        for host_id, machines in placed.items():
            if not moved.isdisjoint(machines):
                placed[host_id] = {key: each for key, each in machines.items() if key not in moved}
    fresh: dict[HostId, Placed] = {}
    for host_id, system_id, machine in changed:
        fresh.setdefault(host_id, {})[system_id] = machine
    for host_id, machines in fresh.items():
        placed[host_id] = placed.get(host_id, {}) | machines
    return placed


def _observed(node: Node, topology: Topology) -> tuple[HeldAddress, ...]:
    """Addresses on the node's interfaces; loopback ones belong to nobody."""
    return tuple(
        HeldAddress(ip, AddressKind.OBSERVED, topology.subnet_of(ip, each.vlan_id), node.system_id, each.name)
        for each in node.interfaces
        for ip in _routable(each)
    )


def _routable(interface: NodeInterface) -> list[Address]:
    return [ip for ip in interface.ips if not ip.is_loopback]


def _snapshot(
    revision: int,
    topology: Topology,
    nodes: dict[str, Node],
    observed: dict[str, tuple[HeldAddress, ...]],
    hosts: dict[int, Host],
    placed: dict[HostId, Placed],
    held: dict[int, HeldAddress],
) -> Snapshot:
    none: Placed = {}
    return Snapshot(
        fabrics=topology.fabrics,
        vlans=topology.vlans,
        spaces=topology.spaces,
        subnets=topology.subnets,
        ranges=topology.ranges,
        held=(*held.values(), *(each for some in observed.values() for each in some)),
        nodes=tuple(nodes.values()),
        hosts=tuple(HostState(each, tuple(placed.get(each.id, none).values())) for each in hosts.values()),
        revision=revision,
    )
