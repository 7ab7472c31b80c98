"""Commissioning: a machine's next boot, its reported hardware, and differences from its record."""

from dataclasses import dataclass, replace
from enum import StrEnum

from hostloom.decide.machines.commissioning import CommissioningDifference, differences_from_plan
from hostloom.model.access import Principal
from hostloom.model.commissioning import BootAction, Commissioning
from hostloom.model.errors.resources import WrongState
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.machine import Machine, MachineOrigin, MachineState, check_transition
from hostloom.model.operation import Operation
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.host_readings import require_nowhere_else
from hostloom.sagas.commission import COMMISSION, CommissionInput
from hostloom.sagas.saga import start_saga
from hostloom.services.access import require_admin
from hostloom.services.machine_operations import IN_OPERATION, require_no_operation, subject_of
from hostloom.services.machines import get, require_unlocked, way_out
from hostloom.services.naming import check_generation


class NextBoot(StrEnum):
    """The network boot that a user can set for a machine."""

    #: Determined by the machine's state.
    DEFAULT = "default"
    COMMISSION = "commission"
    LOCAL = "local"
    #: Once.
    RESCUE = "rescue"


@dataclass(frozen=True)
class Found:
    """The result of commissioning, and its differences from the plan."""

    commissioning: Commissioning
    differences: tuple[CommissioningDifference, ...]


def found_in(uow: UnitOfWork, machine: Machine) -> Found | None:
    """The result of commissioning. A bare machine's record follows the report, so it has no differences."""
    commissioning = uow.commissionings.of([machine.system_id]).get(machine.system_id)
    if commissioning is None:
        return None
    if machine.origin is not MachineOrigin.COMPOSED:
        return Found(commissioning, ())
    served = uow.snapshot().bootable_vlans
    return Found(commissioning, differences_from_plan(machine, commissioning.hardware, served))


def set_next_boot(
    uow: UnitOfWork, principal: Principal, key: str, next_boot: NextBoot, generation: int | None = None
) -> Machine:
    """Set what a machine boots from the network next."""
    require_admin(principal, "choose what machines boot")
    machine = get(uow, principal, key)
    check_generation("machine", machine.hostname, machine, generation)
    if next_boot is NextBoot.DEFAULT:
        return uow.machines.update(replace(machine, next_boot=None))
    _check_netboot(machine)
    return uow.machines.update(replace(machine, next_boot=BootAction(next_boot.value)))


def commission(ports: Ports, principal: Principal, key: str, generation: int | None = None) -> Operation:
    """Record an operation that commissions a machine; without power settings, a person switches it on."""
    require_admin(principal, "commission machines")
    with ports.store.begin() as uow:
        uow.lock_world()
        machine = get(uow, principal, key)
        check_generation("machine", machine.hostname, machine, generation)
        if machine.origin is MachineOrigin.ADOPTED:
            raise WrongState(
                "machine",
                machine.hostname,
                machine.origin,
                "only composed and enlisted machines are commissioned",
            )
        if machine.state is MachineState.COMMISSIONING:
            raise WrongState("machine", machine.hostname, machine.state, IN_OPERATION)
        require_unlocked(machine)
        require_no_operation(uow, machine)
        check_transition(machine.hostname, machine.state, MachineState.COMMISSIONING)
        _check_netboot(machine)
        commission_input = CommissionInput(machine.system_id, machine.hostname)
        operation = start_saga(uow, ports, principal, COMMISSION, commission_input, subject_of(machine))
        uow.commit()
    return operation


def abort(uow: UnitOfWork, principal: Principal, key: str, generation: int | None = None) -> Machine:
    """Stop waiting for a report: an enlisted machine becomes new again, a composed one ready."""
    require_admin(principal, "commission machines")
    machine = get(uow, principal, key)
    check_generation("machine", machine.hostname, machine, generation)
    if machine.commission_by is None or machine.state is not MachineState.COMMISSIONING:
        raise WrongState("machine", machine.hostname, machine.state, "there is no commissioning to abort")
    state = MachineState.NEW if machine.origin is MachineOrigin.ENLISTED else MachineState.READY
    return uow.machines.update(replace(machine, state=state, next_boot=None, commission_by=None))


def forget(ports: Ports, principal: Principal, key: str, generation: int | None = None) -> None:
    """Remove the record of an enlisted machine, or of an adopted one that is gone from its host.

    If the machine boots from the network again, or appears on a host, it is recorded as new.
    """
    require_admin(principal, "forget machines")
    with ports.store.begin() as uow:
        machine = get(uow, principal, key)
        check_generation("machine", machine.hostname, machine, generation)
        _check_forgettable(uow, machine)
        require_unlocked(machine)
    if machine.origin is MachineOrigin.ADOPTED:
        require_nowhere_else(ports, machine)
    with ports.store.begin() as uow:
        uow.lock_world()
        current = uow.machines.get(machine.system_id)
        _check_forgettable(uow, current)
        uow.machines.delete(current.system_id)
        text = f"its record was removed by {principal.name}"
        uow.events.add(Event(EventKind.MACHINE_FORGOTTEN, machine_subject(current), text, ports.clock.now()))
        uow.commit()


def _check_forgettable(uow: UnitOfWork, machine: Machine) -> None:
    """Raise WrongState, which names the right command, for a machine on a host or a composed machine."""
    if machine.origin is MachineOrigin.COMPOSED:
        hint = f"`hostloom machine decompose {machine.hostname}` takes it apart, also when it is gone"
        wanted = "only enlisted machines, and adopted ones that are missing, are forgotten"
        raise WrongState("machine", machine.hostname, machine.origin, wanted, hint)
    if machine.origin is MachineOrigin.ADOPTED and machine.state is not MachineState.MISSING:
        raise WrongState(
            "machine",
            machine.hostname,
            "adopted and still on its host",
            "it must be missing",
            way_out(uow, machine),
        )


def _check_netboot(machine: Machine) -> None:
    if not machine.netboot:
        raise WrongState(
            "machine",
            machine.hostname,
            "composed without network boot",
            "commissioning boots it from the network",
        )
