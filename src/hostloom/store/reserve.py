"""Reserves and releases the resources of a plan, and reads the machines on a host."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from hostloom.decide.placement.make_plan import held_addresses
from hostloom.model.errors.resources import NotFound
from hostloom.model.errors.stale import StaleGeneration, WorldChanged
from hostloom.model.host import Host, PlacedMachine
from hostloom.model.ids import HostId, SystemId
from hostloom.model.machine import Machine, MachineOrigin, MachineState
from hostloom.model.network import HeldAddress
from hostloom.ports.store import Reservation
from hostloom.serialization import to_json
from hostloom.store import tables
from hostloom.store.conflicts import find_against
from hostloom.store.hosts import placed_of, read_placed
from hostloom.store.machines import Machines
from hostloom.store.node_rows import insert_machine, node_of, remove_machines
from hostloom.store.transaction import PlacementLock, Transaction


def reserve(tx: Transaction, reservations: Sequence[Reservation]) -> Sequence[Machine]:
    """Reserve all plans under the lock, so that no parallel request interferes.

    StaleGeneration if other requests have taken resources of a plan since its snapshot was read: decide
    again. If the state has not changed since, missing resources are AlreadyExists or Refused.
    """
    revision = tx.change_world(noted=True)
    reserved_by_host: dict[HostId, PlacedMachine] = {}
    return [_reserve_one(tx, reservation, revision, reserved_by_host) for reservation in reservations]


def _reserve_one(
    tx: Transaction, reservation: Reservation, revision: int, reserved_by_host: dict[HostId, PlacedMachine]
) -> Machine:
    """Check a reservation against the records, including earlier reservations, and insert it.

    `taken` contains the used resources by host, which are read once for all reservations.
    """
    plan = reservation.plan
    held = held_addresses(plan)
    known_machines = [reserved_by_host[plan.host_id]] if plan.host_id in reserved_by_host else None
    against = find_against(tx, plan, held, known_machines)
    host = against.host
    if host is None:
        raise NotFound("host", plan.host_name)
    if against.is_there:
        return Machines(tx).get(plan.spec.system_id)
    if host.generation != plan.host_generation:
        raise StaleGeneration("host", host.name, plan.host_generation, host.generation)
    against.check_names()
    problem = against.problem(host, plan)
    if problem is not None:
        if plan.revision not in (revision - 1, revision):
            raise WorldChanged(plan.revision, revision - 1) from problem
        raise problem
    machine = machine_of(reservation, host)
    try:
        _insert(tx, machine, reservation, held, revision)
    except IntegrityError as error:
        raise AssertionError("what was checked under the world's lock was taken all the same") from error
    reserved_by_host[plan.host_id] = _together([*against.machines, placed_of(machine)])
    return machine


def _together(machines: Sequence[PlacedMachine]) -> PlacedMachine:
    """The sum of the machines' resources, because capacity depends only on sums."""
    pools: Counter[str] = Counter()
    for machine in machines:
        pools.update(machine.reserved_bytes)
    cores, memory_mib = (
        sum(machine.cores for machine in machines),
        sum(machine.memory_mib for machine in machines),
    )
    return PlacedMachine("", cores, memory_mib, reserved_bytes=dict(pools))


def _insert(
    tx: Transaction,
    machine: Machine,
    reservation: Reservation,
    addresses: Sequence[HeldAddress],
    revision: int,
) -> None:
    explanation = to_json(reservation.explanation.shortened())
    insert_machine(tx, machine, explanation, revision, reservation.domain_id)
    stored: dict[int, HeldAddress] = {}
    if addresses:
        columns = tables.addresses.c
        statement = insert(tables.addresses).returning(
            columns.id,
            columns.subnet_id,
            columns.ip,
        )
        rows = [asdict(address) | {"revision": revision} for address in addresses]
        by_place = {(address.subnet_id, address.ip): address for address in addresses}
        stored = {row.id: by_place[row.subnet_id, row.ip] for row in tx.write(statement, rows)}
    if machine.host_id is not None:
        tx.placements.append(
            PlacementLock(
                node_of(tx, machine, reservation.domain_id), machine.host_id, placed_of(machine), stored
            )
        )


def release(tx: Transaction, system_ids: Sequence[SystemId]) -> None:
    """Delete the machines and all their reservations; unknown machines are ignored."""
    tx.change_world()
    machines = tables.machines
    existing = tx.rows(select(machines.c.system_id).where(machines.c.system_id.in_(system_ids)))
    if existing:
        remove_machines(tx, [key for (key,) in existing])


def placed(tx: Transaction, host_id: HostId) -> tuple[PlacedMachine, ...]:
    """The machines on a host, including reservations."""
    return tuple(machine for _, _, machine in read_placed(tx, tables.machines.c.host_id == host_id))


def machine_of(reservation: Reservation, host: Host) -> Machine:
    """The machine of a plan in the state that it has during the saga."""
    plan = reservation.plan
    spec = plan.spec
    zone, pool = reservation.zone_id, reservation.resource_pool_id
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
        interfaces=spec.interfaces,
        disks=spec.disks,
        netboot=spec.netboot,
        autostart=spec.autostart,
        zone_id=host.zone_id if zone is None else zone,
        resource_pool_id=host.resource_pool_id if pool is None else pool,
        tags=reservation.tags,
        domain_name=spec.name,
    )
