"""Reserve what a plan names, give it back, and say what is on a host."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import String, and_, exists, insert, literal, or_, select, type_coerce, union_all
from sqlalchemy.exc import IntegrityError

from hostloom.decide.explain import as_data
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.errors import AlreadyExists, HostloomError, NotFound, Refused, StaleGeneration
from hostloom.model.host import Host, PlacedMachine, bytes_left, cores_left, memory_left_mib
from hostloom.model.ids import HostId, SystemId
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin, MachineState
from hostloom.model.network import Address, AddressKind, HeldAddress, RangeKind
from hostloom.model.plan import Explanation, Plan, RequestCode
from hostloom.store import tables
from hostloom.store.addresses import holder
from hostloom.store.hosts import host_of
from hostloom.store.machines import Machines, insert_machine, remove_machine
from hostloom.store.snapshot import bytes_by_pool, read_placed
from hostloom.store.transaction import Transaction


def reserve(tx: Transaction, plan: Plan, explanation: Explanation) -> Machine:
    """Reserve all of it under the world's lock, so that no parallel request can take it meanwhile.

    What the plan counted on but others took since its snapshot was read is StaleGeneration: decide again.
    The same found missing in an unchanged world is what it is: AlreadyExists or Refused.
    """
    revision = tx.change_world()
    there = exists().where(tables.machines.c.system_id == plan.spec.system_id)
    row = tx.read(select(tables.hosts, there.label("there")).where(tables.hosts.c.id == plan.host_id)).first()
    if row is None:
        raise NotFound("host", plan.host_name)
    if row.there:
        return Machines(tx).get(plan.spec.system_id)
    host = host_of(row)
    if host.generation != plan.host_generation:
        raise StaleGeneration("host", host.name, plan.host_generation, host.generation)
    held = _addresses_of(plan)
    _check_taken_names(tx, plan)
    problem = _find_problem(tx, host, plan, held)
    if problem is not None:
        if plan.revision not in (revision - 1, revision):
            raise StaleGeneration("world", "revision", plan.revision, revision - 1) from problem
        raise problem
    machine = machine_of(plan, host)
    try:
        insert_machine(tx, machine, as_data(explanation))
        if held:
            tx.write(insert(tables.addresses), [asdict(each) | {"revision": revision} for each in held])
    except IntegrityError as error:
        raise AssertionError("what was checked under the world's lock was taken all the same") from error
    return machine


def release(tx: Transaction, system_id: SystemId) -> None:
    """Remove the machine and everything reserved for it; nothing happens if it is gone."""
    tx.change_world()
    try:
        machine = Machines(tx).get(system_id)
    except NotFound:
        return
    remove_machine(tx, machine)


def placed(tx: Transaction, host_id: HostId) -> tuple[PlacedMachine, ...]:
    """What is on a host, reservations included."""
    return tuple(each for _, _, each in read_placed(tx, tables.machines.c.host_id == host_id))


def machine_of(plan: Plan, host: Host) -> Machine:
    """The machine that a plan makes, as it is while its saga runs."""
    spec = plan.spec
    return Machine(
        system_id=spec.system_id,
        hostname=spec.name,
        uuid=spec.uuid,
        origin=MachineOrigin.COMPOSED,
        state=MachineState.COMMISSIONING,
        host_id=plan.host_id,
        architecture=spec.emulation.architecture,
        cores=spec.cores,
        memory_mib=spec.memory_mib,
        interfaces=tuple(
            MachineInterface(
                each.name, each.mac, each.attachment, each.vlan_id, each.mode, each.ips, each.boot, each.model
            )
            for each in plan.interfaces
        ),
        disks=plan.disks,
        netboot=plan.netboot,
        zone_id=host.zone_id,
        resource_pool_id=host.resource_pool_id,
    )


def _addresses_of(plan: Plan) -> list[HeldAddress]:
    return [
        HeldAddress(ip, AddressKind.AUTO, subnet_id, plan.spec.system_id, each.name)
        for each in plan.interfaces
        for ip, subnet_id in zip(each.ips, each.subnet_ids, strict=True)
    ]


# -- what stands against it --------------------------------------------------------------------------------


def _check_taken_names(tx: Transaction, plan: Plan) -> None:
    """Raise AlreadyExists for the name, the UUID or a MAC: deciding again would not change them."""
    nodes, nics, machines = tables.nodes, tables.machine_interfaces, tables.machines
    macs = [each.mac for each in plan.interfaces]
    query = union_all(
        select(literal("node"), nodes.c.hostname, literal("")).where(
            or_(nodes.c.hostname == plan.spec.name, nodes.c.system_id == plan.spec.system_id)
        ),
        select(literal("machine UUID"), machines.c.uuid, nodes.c.hostname)
        .join(nodes)
        .where(machines.c.host_id == plan.host_id, machines.c.uuid == plan.spec.uuid),
        select(literal("MAC"), type_coerce(nics.c.mac, String), nodes.c.hostname)
        .join(nodes, nodes.c.system_id == nics.c.system_id)
        .where(nics.c.mac.in_(macs)),
    )
    for kind, key, name in tx.rows(query):
        raise AlreadyExists(kind, key, f"held by {name}" if name else "")


def _find_problem(tx: Transaction, host: Host, plan: Plan, held: list[HeldAddress]) -> HostloomError | None:
    """The first thing that the plan wants and cannot have."""
    machines = placed(tx, host.id)
    return (
        _lacking_capacity(host, plan, machines)
        or _held_parent(host, plan, machines)
        or (_taken_address(tx, held) if held else None)
        or (_address_in_range(tx, held) if held else None)
    )


def _lacking_capacity(host: Host, plan: Plan, machines: tuple[PlacedMachine, ...]) -> Refused | None:
    spec = plan.spec
    if (left := cores_left(host, machines)) < spec.cores:
        text = f"host {host.name!r} has {left:g} cores left, {spec.cores} are wanted"
        return Refused(RequestCode.NOT_ENOUGH_CORES, text)
    if (left := memory_left_mib(host, machines)) < spec.memory_mib:
        text = f"host {host.name!r} has {left:g} MiB of memory left, {spec.memory_mib} are wanted"
        return Refused(RequestCode.NOT_ENOUGH_MEMORY, text)
    pools = {each.name: each for each in host.storage_pools}
    for name, wanted in bytes_by_pool(plan.disks).items():
        if name not in pools:
            return Refused(RequestCode.UNKNOWN_POOL, f"host {host.name!r} has no storage pool {name!r}")
        if (free := bytes_left(pools[name], machines)) < wanted:
            text = f"storage pool {name!r} of host {host.name!r} has {free} bytes left, {wanted} are wanted"
            return Refused(RequestCode.POOL_FULL, text)
    return None


def _held_parent(host: Host, plan: Plan, machines: tuple[PlacedMachine, ...]) -> Refused | None:
    """A passthru NIC is alone on its parent: with others there, or itself there, there is no place."""
    taken = [nic for machine in machines for nic in machine.interfaces if nic.kind is AttachKind.MACVLAN]
    held = {nic.source for nic in taken if nic.mode is MacvlanMode.PASSTHRU}
    used = {nic.source for nic in taken}
    for each in plan.interfaces:
        alone = each.attachment.mode is MacvlanMode.PASSTHRU
        if each.attachment.kind is not AttachKind.NETWORK and each.attachment.source in (
            used if alone else held
        ):
            text = (
                f"interface {each.attachment.source!r} of host {host.name!r} is taken: passthru is exclusive"
            )
            return Refused(RequestCode.PASSTHRU_IN_USE, text)
    return None


def _taken_address(tx: Transaction, held: list[HeldAddress]) -> AlreadyExists | None:
    """An address that is reserved, leased, or seen on a node of the same fabric."""
    t = tables
    ips = [each.ip for each in held]
    seen, nic = t.node_interface_addresses, t.node_interfaces
    fabrics = select(t.subnets.c.fabric_id).where(t.subnets.c.id.in_({each.subnet_id for each in held}))
    query = union_all(
        select(t.addresses.c.ip, t.nodes.c.hostname, t.addresses.c.comment)
        .outerjoin(t.nodes, t.nodes.c.system_id == t.addresses.c.system_id)
        .where(or_(*(_is_held(each) for each in held))),
        select(seen.c.ip, t.nodes.c.hostname, literal(""))
        .join(nic, nic.c.id == seen.c.interface_id)
        .join(t.nodes, t.nodes.c.system_id == nic.c.system_id)
        .outerjoin(t.vlans, t.vlans.c.id == nic.c.vlan_id)
        .where(seen.c.ip.in_(ips), or_(nic.c.vlan_id.is_(None), t.vlans.c.fabric_id.in_(fabrics))),
    )
    for ip, name, comment in tx.rows(query):
        return AlreadyExists("address", ip, holder(name, comment))
    return None


def _is_held(wanted: HeldAddress) -> Any:
    return and_(tables.addresses.c.ip == wanted.ip, tables.addresses.c.subnet_id == wanted.subnet_id)


def _address_in_range(tx: Transaction, held: list[HeldAddress]) -> Refused | None:
    """An address that a range of its subnet keeps for something else."""
    ranges, subnets = tables.ip_ranges, tables.subnets
    query = (
        select(subnets.c.id, subnets.c.managed, ranges.c.kind, ranges.c.start, ranges.c.end)
        .outerjoin(ranges)
        .where(subnets.c.id.in_({each.subnet_id for each in held}))
    )
    rows = tx.rows(query)
    for each in held:
        mine = [row for row in rows if row.id == each.subnet_id]
        kinds = {row.kind for row in mine if row.kind is not None and _spans(row, each.ip)}
        ours = not mine or mine[0].managed or RangeKind.RESERVED in kinds
        barred = kinds if mine and mine[0].managed else kinds - {RangeKind.RESERVED}
        if barred or not ours:
            return Refused(
                RequestCode.ADDRESS_IN_RANGE, f"address {each.ip} is kept by a range of its subnet"
            )
    return None


def _spans(row: Any, ip: Address) -> bool:
    return int(row.start) <= int(ip) <= int(row.end)
