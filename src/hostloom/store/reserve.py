"""Reserve what a plan names, give it back, and say what is on a host."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import exists, insert, select
from sqlalchemy.exc import IntegrityError

from hostloom.decide.explain_data import stored_data
from hostloom.model.errors import NotFound, StaleGeneration
from hostloom.model.host import Host, PlacedMachine
from hostloom.model.ids import HostId, SystemId
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin, MachineState
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.model.plan import Explanation, Plan
from hostloom.store import tables
from hostloom.store.against import find_against
from hostloom.store.hosts import host_of
from hostloom.store.machines import Machines, insert_machine, node_of, remove_machine
from hostloom.store.snapshot import placed_of, read_placed
from hostloom.store.transaction import Placement, Transaction


def reserve(tx: Transaction, plan: Plan, explanation: Explanation) -> Machine:
    """Reserve all of it under the world's lock, so that no parallel request can take it meanwhile.

    What the plan counted on but others took since its snapshot was read is StaleGeneration: decide again.
    The same found missing in an unchanged world is what it is: AlreadyExists or Refused.
    """
    revision = tx.change_world(noted=True)
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
    against = find_against(tx, plan, held)
    against.check_names()
    problem = against.problem(host, plan)
    if problem is not None:
        if plan.revision not in (revision - 1, revision):
            raise StaleGeneration("world", "revision", plan.revision, revision - 1) from problem
        raise problem
    machine = machine_of(plan, host)
    try:
        _insert(tx, machine, stored_data(explanation), held, revision)
    except IntegrityError as error:
        raise AssertionError("what was checked under the world's lock was taken all the same") from error
    return machine


def _insert(
    tx: Transaction, machine: Machine, explanation: dict[str, Any], held: list[HeldAddress], revision: int
) -> None:
    insert_machine(tx, machine, explanation, revision)
    stored: dict[int, HeldAddress] = {}
    if held:
        own = tables.addresses.c
        statement = insert(tables.addresses).returning(own.id, own.subnet_id, own.ip)
        rows = [asdict(each) | {"revision": revision} for each in held]
        by_place = {(each.subnet_id, each.ip): each for each in held}
        stored = {row.id: by_place[row.subnet_id, row.ip] for row in tx.write(statement, rows)}
    if machine.host_id is not None:
        tx.placements.append(Placement(node_of(machine), machine.host_id, placed_of(machine), stored))


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
