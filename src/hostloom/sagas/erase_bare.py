"""Erase a bare machine that is released: it boots from the network, overwrites its disk and is free.

The saga ends when the machine boots; services/disk_orders.py does the rest.
"""

from dataclasses import dataclass, replace

from hostloom.model.commissioning import BootAction
from hostloom.model.deployment import Deployment, DeployStep
from hostloom.model.errors.resources import WrongState
from hostloom.model.ids import SystemId
from hostloom.model.machine import MachineState, check_transition
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.network_restart import RESTART_STEPS
from hostloom.sagas.saga import Run, Saga, Step


@dataclass(frozen=True)
class EraseBareInput:
    """The machine, and whether its disk is only discarded and overwritten where data begins."""

    system_id: SystemId
    hostname: str
    quick: bool = False


@dataclass(frozen=True)
class StateBeforeErase:
    """The machine before, for the undo."""

    state: MachineState
    next_boot: BootAction | None
    deployment: Deployment


def _mark(run: Run[EraseBareInput], uow: UnitOfWork) -> StateBeforeErase:
    if run.has(MARK):
        return run.output(MARK)
    machine = uow.machines.get(run.input.system_id)
    deployment = uow.deployments.find(machine.system_id)
    if deployment is None:
        wanted = "hostloom erases only a disk that it has written"
        raise WrongState("machine", machine.hostname, machine.state, wanted)
    check_transition(machine.hostname, machine.state, MachineState.RELEASING)
    erasing = replace(
        deployment,
        step=DeployStep.ERASE,
        quick_erase=run.input.quick,
        done_bytes=0,
        total_bytes=0,
        # Its system must not report any more.
        token_sha256="",
        deadline=run.ports.clock.now() + run.ports.settings.deploy_timeout_s,
        finished_at=None,
    )
    uow.deployments.put(erasing)
    # Nor must an environment that still writes the disk.
    uow.commissionings.revoke(machine.system_id)
    uow.machines.update(replace(machine, state=MachineState.RELEASING, next_boot=BootAction.DEPLOY))
    return StateBeforeErase(machine.state, machine.next_boot, deployment)


def _unmark(run: Run[EraseBareInput], uow: UnitOfWork) -> None:
    """Restore the machine, unless it has reported meanwhile."""
    machine = uow.machines.get(run.input.system_id)
    if run.has(MARK) and machine.state is MachineState.RELEASING:
        before = run.output(MARK)
        uow.machines.update(replace(machine, state=before.state, next_boot=before.next_boot))
        uow.deployments.put(before.deployment)


MARK = Step[EraseBareInput, StateBeforeErase]("mark", StateBeforeErase, rows=_mark, undo_rows=_unmark)

ERASE_BARE = Saga("erase-bare", EraseBareInput, (MARK, *RESTART_STEPS))
