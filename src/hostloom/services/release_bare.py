"""Release a bare machine that has a system, or gets one: it is free at once, or erases its disk first."""

from dataclasses import replace

from hostloom.model.access import Principal
from hostloom.model.annotation import Annotated
from hostloom.model.commissioning import BootAction
from hostloom.model.errors.resources import WrongState
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.machine import Machine, MachineState, check_transition
from hostloom.model.operation import Operation
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.erase_bare import ERASE_BARE, EraseBareInput
from hostloom.sagas.saga import start_saga
from hostloom.services.deploy_bare import require_environment
from hostloom.services.machine_operations import require_no_operation, subject_of


def erase(ports: Ports, principal: Principal, machine: Machine, *, quick: bool) -> Operation:
    """Record an operation that erases the disk; the machine is free when it reports that this is done.

    WrongState if hostloom has not written a disk of it, or cannot erase disks.
    """
    require_environment(ports, machine)
    with ports.store.begin() as uow:
        uow.lock_world()
        current = uow.machines.get(machine.system_id)
        check_transition(current.hostname, current.state, MachineState.RELEASING)
        require_no_operation(uow, current)
        deployment = uow.deployments.find(machine.system_id)
        if deployment is None or not deployment.disk:
            wanted = "hostloom erases only a disk that it has written"
            raise WrongState("machine", current.hostname, current.state, wanted)
        erase_input = EraseBareInput(current.system_id, current.hostname, quick)
        operation = start_saga(uow, ports, principal, ERASE_BARE, erase_input, subject_of(current))
        uow.commit()
    return operation


def release(ports: Ports, principal: Principal, machine: Machine) -> Machine:
    """Release the machine; one that is still writing its disk stops at its next report.

    WrongState while an operation works on it.
    """
    with ports.store.begin() as uow:
        uow.lock_world()
        current = uow.machines.get(machine.system_id)
        require_no_operation(uow, current)
        text = f"released by {principal.name}"
        if current.state is MachineState.DEPLOYING:
            uow.commissionings.revoke(current.system_id)
            text += " while it was being deployed; its disk may be incomplete"
        released = free(uow, ports, current, text)
        uow.commit()
    return released


def free(uow: UnitOfWork, ports: Ports, machine: Machine, text: str) -> Machine:
    """The machine has no owner and no deployment any more."""
    next_boot = None if machine.next_boot is BootAction.DEPLOY else machine.next_boot
    freed = uow.machines.update(replace(machine, state=MachineState.READY, owner="", next_boot=next_boot))
    uow.deployments.delete(machine.system_id)
    uow.annotations.put(Annotated.NODE, machine.system_id, {})
    now = ports.clock.now()
    uow.events.add(Event(EventKind.MACHINE_RELEASED, machine_subject(machine), text, now))
    return freed
