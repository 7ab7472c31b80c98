"""Records how deployments go: a machine was started with its new system, runs it, or has failed."""

from dataclasses import replace

from hostloom.model.commissioning import BootAction, hash_secret
from hostloom.model.deployment import Deployment, DeployReport, DeployRequest, DeployStep
from hostloom.model.disk_image import DiskImage
from hostloom.model.errors.resources import WrongState
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.machine import Machine, MachineState
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork

MAX_FAILURE_LENGTH = 4096
#: States from which a machine is deployed.
DEPLOYABLE = (MachineState.READY, MachineState.ALLOCATED, MachineState.FAILED_DEPLOYMENT)


def require_deployable(machine: Machine) -> None:
    """Raise WrongState for a machine in a state from which none is deployed."""
    if machine.state not in DEPLOYABLE:
        wanted = f"it must be {', '.join(DEPLOYABLE[:-1])} or {DEPLOYABLE[-1]}"
        hint = f"`hostloom machine release {machine.hostname}` takes it out of use first"
        is_deployed = machine.state is MachineState.DEPLOYED
        raise WrongState("machine", machine.hostname, machine.state, wanted, hint if is_deployed else "")


def new_deployment(
    machine: Machine, request: DeployRequest, image: DiskImage, instance_id: str, token: str, now: float
) -> Deployment:
    """The deployment of a machine at its beginning; without a token the machine does not report."""
    return Deployment(
        system_id=machine.system_id,
        image=image.name,
        image_sha256=image.sha256,
        started_at=now,
        instance_id=instance_id,
        user=request.user or image.default_user,
        ssh_keys=request.ssh_keys,
        user_data=request.user_data,
        kvm=request.kvm,
        token_sha256=hash_secret(token) if token else "",
    )


def record_start(uow: UnitOfWork, ports: Ports, machine: Machine, deployment: Deployment) -> None:
    """The machine was started with its new system: it is deploying until it reports.

    A machine that cannot report counts as deployed. One that is fast has reported already.
    """
    now = ports.clock.now()
    subject, image = machine_subject(machine), deployment.image
    if deployment.reported_at is not None:
        settle(uow, ports, machine, deployment)
    elif deployment.token_sha256:
        uow.machines.update(replace(machine, state=MachineState.DEPLOYING))
        deadline = now + ports.settings.deploy_timeout_s
        uow.deployments.put(replace(deployment, step=DeployStep.PHONE_HOME, deadline=deadline))
        text = f"starts image {image} and reports when it runs"
        uow.events.add(Event(EventKind.MACHINE_DEPLOYING, subject, text, now))
    else:
        uow.machines.update(replace(machine, state=MachineState.DEPLOYED))
        uow.deployments.put(replace(deployment, step=DeployStep.BOOT, finished_at=now))
        text = f"was started with image {image}; it cannot report, so it counts as deployed"
        uow.events.add(Event(EventKind.MACHINE_DEPLOYED, subject, text, now))


def give_up_erasing(uow: UnitOfWork, ports: Ports, machine: Machine, failure: str) -> None:
    """A disk was not erased: the machine is broken, so that no one else gets what is on it."""
    uow.machines.update(replace(machine, state=MachineState.BROKEN, next_boot=None))
    uow.deployments.delete(machine.system_id)
    text = f"its disk was not erased: {failure}; erase it by hand, and `hostloom machine mark-fixed` it"
    now = ports.clock.now()
    uow.events.add(Event(EventKind.MACHINE_BROKEN, machine_subject(machine), text, now))


def record_report(
    uow: UnitOfWork, ports: Ports, machine: Machine, deployment: Deployment, report: DeployReport
) -> None:
    """Record the report; while an operation still works on the machine, the operation settles its state."""
    failure = "; ".join(report.errors)[:MAX_FAILURE_LENGTH]
    reported = replace(
        deployment, host_keys=report.host_keys, failure=failure, reported_at=ports.clock.now(), deadline=None
    )
    # A machine that is slow, but comes up in the end, is deployed.
    if machine.state in (MachineState.DEPLOYING, MachineState.FAILED_DEPLOYMENT) and deployment.is_started:
        settle(uow, ports, machine, reported)
    else:
        uow.deployments.put(reported)


def settle(uow: UnitOfWork, ports: Ports, machine: Machine, deployment: Deployment) -> None:
    """The machine is deployed, or has failed if the deployment has a failure."""
    now = ports.clock.now()
    if deployment.failure:
        state, kind = MachineState.FAILED_DEPLOYMENT, EventKind.DEPLOYMENT_FAILED
        text = f"image {deployment.image}: {deployment.failure[:500]}"
    else:
        state, kind = MachineState.DEPLOYED, EventKind.MACHINE_DEPLOYED
        deployment = replace(deployment, boot_output="")
        duration_s = now - deployment.started_at
        text = f"runs image {deployment.image}, {duration_s:.0f} s after its deployment began"
    next_boot = None if machine.next_boot is BootAction.DEPLOY else machine.next_boot
    uow.machines.update(replace(machine, state=state, next_boot=next_boot))
    # A bare machine that failed while it wrote its disk keeps the step at which it did.
    has_run = deployment.reported_at is not None or not deployment.failure
    step = DeployStep.PHONE_HOME if has_run else deployment.step
    uow.deployments.put(replace(deployment, step=step, finished_at=now, deadline=None))
    uow.events.add(Event(kind, machine_subject(machine), text, now))
