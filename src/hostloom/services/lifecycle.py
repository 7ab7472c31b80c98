"""Releases, locks and unlocks machines, and marks them as broken or fixed."""

from dataclasses import dataclass, replace

from hostloom.model.access import Principal
from hostloom.model.annotation import Annotated
from hostloom.model.errors.resources import WrongState
from hostloom.model.errors.values import InvalidValue
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.machine import Machine, MachineOrigin, MachineState, PowerState, check_transition
from hostloom.model.operation import Operation
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.decompose import DECOMPOSE, DecomposeInput
from hostloom.sagas.release import RELEASE, ReleaseInput
from hostloom.sagas.saga import start_saga
from hostloom.services import machines, power, release_bare
from hostloom.services.access import require_admin
from hostloom.services.machine_operations import IN_OPERATION, require_no_operation, subject_of

#: States from which `release` makes a machine available.
RELEASABLE = frozenset(
    {
        MachineState.ALLOCATED,
        MachineState.READY,
        MachineState.DEPLOYING,
        MachineState.DEPLOYED,
        MachineState.FAILED_DEPLOYMENT,
    }
)


@dataclass(frozen=True)
class Released:
    """A machine without an owner."""

    machine: Machine
    #: The operation that takes it out of use, or decomposes it because it was composed on demand.
    operation: Operation | None = None


def release(
    ports: Ports, principal: Principal, key: str, *, erase: bool = False, quick: bool = False
) -> Released:
    """Release a machine: switch it off and make it available; decompose it if it was composed on demand.

    A deployed machine loses its seed, and with `erase` the content of all its disks. A bare machine boots
    from the network, erases the disk that was written, and is free after that; `quick` overwrites only where
    data begins. Permitted to its owner and administrators; does nothing for a free machine. WrongState,
    NotPermitted; InvalidValue for `quick` without `erase`.
    """
    if quick and not erase:
        raise InvalidValue("quick", True, "needs `erase`", "set both, or neither")
    with ports.store.begin() as uow:
        machine = machines.get(uow, principal, key)
    machines.require_owner(principal, machine, "release")
    machines.require_unlocked(machine)
    if machine.state not in RELEASABLE:
        raise WrongState("machine", machine.hostname, machine.state, "it must be allocated or deployed")
    if machine.state is MachineState.READY:
        return Released(machine)
    if machine.on_demand:
        return _take_apart(ports, principal, machine)
    has_system = erase or machine.state is not MachineState.ALLOCATED
    if has_system and machine.origin is MachineOrigin.ENLISTED:
        return _release_bare(ports, principal, machine, erase=erase, quick=quick)
    if has_system and machine.host_id is not None:
        return _undeploy(ports, principal, machine, erase=erase)
    return _release_allocated(ports, principal, machine)


def _release_allocated(ports: Ports, principal: Principal, machine: Machine) -> Released:
    """Release a machine on which hostloom has installed nothing."""
    if machine.power is not PowerState.OFF and power.can_switch(ports, machine):
        machine = power.power_off(ports, machine, force=True)
    with ports.store.begin() as uow:
        current = uow.machines.get(machine.system_id)
        check_transition(current.hostname, current.state, MachineState.READY)
        freed = uow.machines.update(replace(current, state=MachineState.READY, owner=""))
        uow.annotations.put(Annotated.NODE, machine.system_id, {})
        _tell(uow, ports, freed, EventKind.MACHINE_RELEASED, f"released by {principal.name}")
        uow.commit()
    return Released(freed)


def _release_bare(
    ports: Ports, principal: Principal, machine: Machine, *, erase: bool, quick: bool
) -> Released:
    if erase:
        return Released(machine, release_bare.erase(ports, principal, machine, quick=quick))
    with ports.store.begin() as uow:
        require_no_operation(uow, machine)
    if machine.power is not PowerState.OFF and power.can_switch(ports, machine):
        machine = power.power_off(ports, machine, force=True)
    return Released(release_bare.release(ports, principal, machine))


def set_locked(ports: Ports, principal: Principal, key: str, *, locked: bool, comment: str = "") -> Machine:
    """Lock or unlock a machine; permitted to its owner and administrators."""
    action = "lock" if locked else "unlock"
    with ports.store.begin() as uow:
        machine = machines.get(uow, principal, key)
        machines.require_owner(principal, machine, action)
        if machine.locked is locked:
            return machine
        changed = uow.machines.update(replace(machine, locked=locked))
        kind = EventKind.MACHINE_LOCKED if locked else EventKind.MACHINE_UNLOCKED
        _tell(uow, ports, changed, kind, _said(f"{action}ed by {principal.name}", comment))
        uow.commit()
    return changed


def mark_broken(ports: Ports, principal: Principal, key: str, comment: str = "") -> Machine:
    """Mark a machine as broken, so that it is not used; nothing else changes."""
    require_admin(principal, "mark machines as broken")
    return _mark(ports, principal, key, MachineState.BROKEN, EventKind.MACHINE_BROKEN, comment)


def mark_fixed(ports: Ports, principal: Principal, key: str, comment: str = "") -> Machine:
    """Mark a broken machine as ready; WrongState if it is not broken."""
    require_admin(principal, "mark machines as fixed")
    with ports.store.begin() as uow:
        machine = machines.get(uow, principal, key)
    if machine.state is not MachineState.BROKEN:
        raise WrongState("machine", machine.hostname, machine.state, "it must be broken")
    return _mark(ports, principal, key, MachineState.READY, EventKind.MACHINE_FIXED, comment)


def _mark(
    ports: Ports, principal: Principal, key: str, state: MachineState, kind: EventKind, comment: str
) -> Machine:
    with ports.store.begin() as uow:
        machine = machines.get(uow, principal, key)
        machines.require_unlocked(machine)
        if machine.state in (MachineState.COMMISSIONING, MachineState.RELEASING):
            raise WrongState("machine", machine.hostname, machine.state, IN_OPERATION)
        check_transition(machine.hostname, machine.state, state)
        changed = uow.machines.update(replace(machine, state=state, owner=""))
        _tell(uow, ports, changed, kind, _said(f"marked {state.value} by {principal.name}", comment))
        uow.commit()
    return changed


def _take_apart(ports: Ports, principal: Principal, machine: Machine) -> Released:
    with ports.store.begin() as uow:
        uow.lock_world()
        require_no_operation(uow, machine)
        decompose_input = DecomposeInput(machine.system_id, machine.hostname)
        operation = start_saga(uow, ports, principal, DECOMPOSE, decompose_input, subject_of(machine))
        uow.commit()
    return Released(machine, operation)


def _undeploy(ports: Ports, principal: Principal, machine: Machine, *, erase: bool) -> Released:
    with ports.store.begin() as uow:
        uow.lock_world()
        machine = uow.machines.get(machine.system_id)
        check_transition(machine.hostname, machine.state, MachineState.RELEASING)
        require_no_operation(uow, machine)
        release_input = ReleaseInput(machine.system_id, machine.hostname, erase)
        operation = start_saga(uow, ports, principal, RELEASE, release_input, subject_of(machine))
        uow.commit()
    return Released(machine, operation)


def _said(text: str, comment: str) -> str:
    return f"{text}: {comment}" if comment else text


def _tell(uow: UnitOfWork, ports: Ports, machine: Machine, kind: EventKind, text: str) -> None:
    uow.events.add(Event(kind, machine_subject(machine), text, ports.clock.now()))
