"""Deploy a bare machine: from its next boot from the network on, it writes its disk and reports.

The saga ends when the machine boots from the network, or, without power settings that hostloom can use, when
a person may restart it. services/disk_orders.py does the rest.
"""

from dataclasses import dataclass, replace

from hostloom.model.commissioning import BootAction
from hostloom.model.deployment import Deployment, DeployRequest
from hostloom.model.disk_image import DiskImage
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import SystemId
from hostloom.model.machine import MachineState
from hostloom.ports.store import UnitOfWork
from hostloom.recording.deployments import require_deployable
from hostloom.sagas.network_restart import RESTART_STEPS
from hostloom.sagas.saga import Run, Saga, Step
from hostloom.sagas.seeds import begin_deployment


@dataclass(frozen=True)
class DeployBareInput:
    """The machine, what to install on which disk (by serial or name), and who gets the machine."""

    system_id: SystemId
    hostname: str
    request: DeployRequest
    image: DiskImage
    disk: str
    owner: str


@dataclass(frozen=True)
class StateBeforeDeploy:
    """The machine before, for the undo."""

    state: MachineState
    owner: str
    next_boot: BootAction | None
    deployment: Deployment | None


def _mark(run: Run[DeployBareInput], uow: UnitOfWork) -> StateBeforeDeploy:
    if run.has(MARK):
        return run.output(MARK)
    machine, work = uow.machines.get(run.input.system_id), run.input
    require_deployable(machine)
    previous = uow.deployments.find(machine.system_id)
    now = run.ports.clock.now()
    marked = replace(machine, state=MachineState.DEPLOYING, owner=work.owner, next_boot=BootAction.DEPLOY)
    uow.machines.update(marked)
    # What the machine runs now, such as an older deployment, must not report for this one.
    uow.commissionings.revoke(machine.system_id)
    deployment = begin_deployment(run, machine, work.request, work.image, reports=True)
    deadline = now + run.ports.settings.deploy_timeout_s
    uow.deployments.put(replace(deployment, disk=work.disk, deadline=deadline))
    text = f"writes image {work.image.name} to disk {work.disk} when it boots from the network"
    uow.events.add(Event(EventKind.MACHINE_DEPLOYING, machine_subject(machine), text, now))
    return StateBeforeDeploy(machine.state, machine.owner, machine.next_boot, previous)


def _unmark(run: Run[DeployBareInput], uow: UnitOfWork) -> None:
    """Restore the machine, unless it has reported meanwhile."""
    machine = uow.machines.get(run.input.system_id)
    if not run.has(MARK) or machine.state is not MachineState.DEPLOYING:
        return
    before = run.output(MARK)
    uow.machines.update(replace(machine, state=before.state, owner=before.owner, next_boot=before.next_boot))
    if before.deployment is None:
        uow.deployments.delete(machine.system_id)
    else:
        uow.deployments.put(before.deployment)


MARK = Step[DeployBareInput, StateBeforeDeploy]("mark", StateBeforeDeploy, rows=_mark, undo_rows=_unmark)

DEPLOY_BARE = Saga("deploy-bare", DeployBareInput, (MARK, *RESTART_STEPS))
