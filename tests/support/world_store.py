"""A world file's world in a real store, so that its cases can be asked over API and command line."""

from dataclasses import dataclass, replace
from itertools import count

from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import Attachment
from hostloom.model.dhcp_exchange import VlanProbe
from hostloom.model.grouping import ResourcePool, Zone
from hostloom.model.host import PlacedMachine
from hostloom.model.ids import (
    FabricId,
    HostId,
    InterfaceId,
    MacAddress,
    RangeId,
    ResourcePoolId,
    SpaceId,
    SubnetId,
    SystemId,
    VlanId,
    ZoneId,
)
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin, MachineState
from hostloom.ports.store import Store, UnitOfWork
from hostloom.simulation.sections import group_id
from hostloom.simulation.world_file import WorldDocument


@dataclass(frozen=True)
class Groups:
    """The stored zones and resource pools, by the ids that they have in the world."""

    zones: dict[ZoneId, ZoneId]
    resource_pools: dict[ResourcePoolId, ResourcePoolId]


def fill_store(store: Store, written: WorldDocument) -> None:
    """Store all of it; ids are given anew. HostloomError for what a store does not take."""
    world = written.snapshot
    with store.begin() as uow:
        groups = _groups(uow, written)
        vlans = _network(uow, world)
        subnets = {}
        for subnet in world.subnets:
            stored = uow.subnets.add(replace(subnet, id=SubnetId(0), vlan_id=vlans[subnet.vlan_id]))
            subnets[subnet.id] = stored.id
        for each in world.ranges:
            uow.ranges.add(replace(each, id=RangeId(0), subnet_id=subnets[each.subnet_id]))
        for held in world.held:
            if held.subnet_id is not None:
                uow.addresses.hold(replace(held, subnet_id=subnets[held.subnet_id]))
        _nodes(uow, world, vlans, groups)
        _probes(uow, world, vlans)
        uow.commit()


def _groups(uow: UnitOfWork, written: WorldDocument) -> Groups:
    """Store those of hosts, nodes and cases; what no case names is called by its id."""
    hosts = [state.host for state in written.snapshot.hosts]
    requests = [case.request for case in written.cases]
    zone_names = {group_id(each.zone): each.zone for each in requests if each.zone is not None}
    pool_names = {
        group_id(each.resource_pool): each.resource_pool
        for each in requests
        if each.resource_pool is not None
    }
    zones = {ZoneId(1): ZoneId(1)}
    pools = {ResourcePoolId(1): ResourcePoolId(1)}
    members = [*hosts, *written.snapshot.nodes]
    for number in sorted({*zone_names, *(each.zone_id for each in members)} - {1}):
        zone = Zone(ZoneId(0), zone_names.get(number, f"zone-{number}"))
        zones[ZoneId(number)] = uow.zones.add(zone).id
    for number in sorted({*pool_names, *(each.resource_pool_id for each in members)} - {1}):
        pool = ResourcePool(ResourcePoolId(0), pool_names.get(number, f"pool-{number}"))
        pools[ResourcePoolId(number)] = uow.resource_pools.add(pool).id
    return Groups(zones, pools)


def _network(uow: UnitOfWork, world: Snapshot) -> dict[VlanId, VlanId]:
    spaces = {each.id: uow.spaces.add(replace(each, id=SpaceId(0))).id for each in world.spaces}
    fabrics = {}
    for fabric in world.fabrics:
        there = uow.fabrics.find(fabric.name)
        fabrics[fabric.id] = (there or uow.fabrics.add(replace(fabric, id=FabricId(0)))).id
    vlans = {}
    for vlan in world.vlans:
        space = None if vlan.space_id is None else spaces[vlan.space_id]
        wanted = replace(vlan, fabric_id=fabrics[vlan.fabric_id], space_id=space, relay_vlan_id=None)
        found = uow.vlans.find_by_vid(wanted.fabric_id, vlan.vid)
        if found is None:
            stored = uow.vlans.add(replace(wanted, id=VlanId(0)))
        else:
            stored = uow.vlans.update(replace(wanted, id=found.id, generation=found.generation))
        vlans[vlan.id] = stored.id
    for vlan in world.vlans:
        if vlan.relay_vlan_id is not None:
            stored = uow.vlans.get(vlans[vlan.id])
            uow.vlans.update(replace(stored, relay_vlan_id=vlans[vlan.relay_vlan_id]))
    return vlans


def _nodes(uow: UnitOfWork, world: Snapshot, vlans: dict[VlanId, VlanId], groups: Groups) -> None:
    names, numbers = {}, count(1)
    for node in world.nodes:
        names[node.system_id] = SystemId(f"w{next(numbers):05d}")
        interfaces = [
            replace(each, id=InterfaceId(0), vlan_id=None if each.vlan_id is None else vlans[each.vlan_id])
            for each in node.interfaces
        ]
        hostname = node.hostname.replace(".", "-").lower()
        stored = replace(
            node,
            system_id=names[node.system_id],
            hostname=hostname,
            interfaces=(),
            zone_id=groups.zones[node.zone_id],
            resource_pool_id=groups.resource_pools[node.resource_pool_id],
        )
        uow.nodes.add(stored)
        uow.nodes.replace_interfaces(names[node.system_id], interfaces)
    for state in world.hosts:
        known = state.host.correlation
        correlation = replace(
            known,
            system_id=None if known.system_id is None else names[known.system_id],
            candidates=tuple(names[each] for each in known.candidates),
        )
        # nothing listens there, which is found out at once; decisions do not look at it
        uri = f"test+unix:///default?socket=/nonexistent/{next(numbers)}"
        host = uow.hosts.add(
            replace(
                state.host,
                id=HostId(0),
                correlation=correlation,
                uri=uri,
                zone_id=groups.zones[state.host.zone_id],
                resource_pool_id=groups.resource_pools[state.host.resource_pool_id],
            )
        )
        for placed in state.machines:
            uow.machines.add(_machine(placed, host.id, next(numbers)))


def _probes(uow: UnitOfWork, world: Snapshot, vlans: dict[VlanId, VlanId]) -> None:
    for vlan_id in {*world.silent_vlans, *world.foreign_by_vlan}:
        found = [replace(each, vlan_id=vlans[vlan_id]) for each in world.foreign_by_vlan.get(vlan_id, ())]
        answered = vlan_id not in world.silent_vlans
        uow.vlan_probes.record(VlanProbe(vlans[vlan_id], 0, "world file", answered), found)


def _machine(placed: PlacedMachine, host_id: HostId, number: int) -> Machine:
    nics = tuple(
        MachineInterface(
            f"eth{at}",
            MacAddress(f"52:54:01:{at:02x}:{number >> 8:02x}:{number & 255:02x}"),
            Attachment(each.kind, each.source, each.mode),
            None,
        )
        for at, each in enumerate(placed.interfaces)
    )
    return Machine(
        SystemId(f"w{number:05d}"),
        f"{placed.name.lower()}-{number}",
        f"{number:08x}-1111-4000-8000-000000000000",
        MachineOrigin.ADOPTED,
        MachineState.DEPLOYED,
        host_id,
        "amd64",
        placed.cores,
        placed.memory_mib,
        interfaces=nics,
    )
