"""Release a bare machine that has a system: it is free at once, or erases its disk first."""

from dataclasses import replace

from hostloom.model.access import Principal
from hostloom.model.annotation import Annotated
from hostloom.model.commissioning import BootAction
from hostloom.model.deployment import Deployment, DeployStep
from hostloom.model.errors.resources import WrongState
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.machine import Machine, MachineState
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork


def release(ports: Ports, principal: Principal, machine: Machine, *, erase: bool) -> Machine:
    """Release the machine; with `erase` it is *releasing* until it reports that its disk is overwritten.

    WrongState for `erase` if hostloom has not written a disk of it.
    """
    with ports.store.begin() as uow:
        uow.lock_world()
        current = uow.machines.get(machine.system_id)
        deployment = uow.deployments.find(machine.system_id)
        if erase and (deployment is None or not deployment.disk):
            wanted = "hostloom erases only a disk that it has written"
            raise WrongState("machine", current.hostname, current.state, wanted)
        if erase and deployment is not None:
            released = _begin_erase(uow, ports, current, deployment)
        else:
            released = free(uow, ports, current, f"released by {principal.name}")
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


def _begin_erase(uow: UnitOfWork, ports: Ports, machine: Machine, deployment: Deployment) -> Machine:
    deadline = ports.clock.now() + ports.settings.deploy_timeout_s
    # Its system must not report any more.
    erasing = replace(
        deployment,
        step=DeployStep.ERASE,
        done_bytes=0,
        total_bytes=0,
        token_sha256="",
        deadline=deadline,
        finished_at=None,
    )
    uow.deployments.put(erasing)
    return uow.machines.update(replace(machine, state=MachineState.RELEASING, next_boot=BootAction.DEPLOY))
