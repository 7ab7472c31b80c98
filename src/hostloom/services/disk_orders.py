"""Bare machines that write their disks: their orders, the data that they fetch, and how far they are."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hostloom.decide.deploy.disk_choice import named_disk
from hostloom.decide.explain.reason_texts import refused
from hostloom.decide.refuse import RefuseRequest
from hostloom.model.commissioning import BootAction, FoundDisk, hash_secret
from hostloom.model.deployment import Deployment, DeployStep, DiskProgress
from hostloom.model.errors.base import HostloomError
from hostloom.model.errors.permissions import ReportRefused
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.machine import Machine, MachineState, PowerState
from hostloom.ports.context import Ports
from hostloom.ports.repositories import find_by_key
from hostloom.ports.store import UnitOfWork
from hostloom.recording.deployments import give_up_erasing, settle
from hostloom.recording.machines import record_power_events
from hostloom.recording.power import ask_person, driver_of, is_switchable, settings_of
from hostloom.sagas.import_disk_image import files_of
from hostloom.sagas.seeds import build_seed
from hostloom.services.release_bare import free

#: What a user does about a failure in the step.
_REMEDIES = {
    DeployStep.SEED: "deploy it again",
    DeployStep.WRITE: "check its network and its disk, and deploy it again",
    DeployStep.VERIFY: "its disk or its controller is faulty: deploy it again with another --disk",
    DeployStep.IMAGE: "commission it again, so that its disks are known, and deploy it again",
    DeployStep.BOOT: "deploy it again",
}


def orders(ports: Ports, secret: str, base_url: str) -> str:
    """The orders of the machine with this token, as lines of `key=value`; ReportRefused."""
    with ports.store.begin() as uow:
        machine, deployment = _writing(uow, ports, secret)
        disk = _planned_disk(uow, machine, deployment)
    place: dict[str, object] = {
        "disk_name": disk.name,
        "disk_serial": disk.serial,
        "disk_model": disk.model,
        "disk_size_bytes": disk.size_bytes,
    }
    if machine.state is MachineState.RELEASING:
        return _lines({"order": "erase", **place, "mode": "quick" if deployment.quick_erase else "full"})
    with ports.store.begin() as uow:
        image = find_by_key(uow.disk_images, "disk image", deployment.image)
    seed_content = build_seed(ports, machine, deployment, base_url)
    lines = {
        "order": "deploy",
        **place,
        "stream": "/deployment/stream",
        "stream_size_bytes": image.stream_size_bytes,
        "stream_sha256": image.stream_sha256,
        "stream_checksum": files_of(ports).stream_checksum(deployment.image_sha256),
        "raw_size_bytes": image.virtual_size_bytes,
        "seed_sha256": hashlib.sha256(seed_content).hexdigest(),
    }
    return _lines(lines)


def _lines(orders: Mapping[str, object]) -> str:
    """The last line proves that all have arrived."""
    return "".join(f"{key}={value}\n" for key, value in orders.items()) + "end=orders\n"


def seed(ports: Ports, secret: str, base_url: str) -> bytes:
    """The content of the machine's configuration partition; ReportRefused."""
    with ports.store.begin() as uow:
        machine, deployment = _writing(uow, ports, secret)
    return build_seed(ports, machine, deployment, base_url)


def stream(ports: Ports, secret: str) -> Path:
    """The compressed image; ReportRefused."""
    with ports.store.begin() as uow:
        _, deployment = _writing(uow, ports, secret)
    return files_of(ports).stream(deployment.image_sha256)


def take_progress(ports: Ports, secret: str, progress: DiskProgress) -> None:
    """Record how far the machine is, or why it stopped; ReportRefused if the deployment has ended.

    Every report gives the machine more time. The message that the disk is written or erased may come twice,
    because its answer may have been lost.
    """
    machine = _take_progress(ports, secret, progress)
    if progress.is_done and machine.state is MachineState.DEPLOYING:
        _boot_from_disk(ports, machine)


def _take_progress(ports: Ports, secret: str, progress: DiskProgress) -> Machine:
    """Record the progress; returns the machine as it was before."""
    with ports.store.begin() as uow:
        uow.lock_world()
        machine = _reporting(uow, ports, secret)
        if _is_repeated_erase(uow, machine, progress):
            return machine
        machine, deployment = _deploying(uow, ports, secret)
        if progress.is_done and deployment.is_started:
            return machine
        if machine.next_boot is not BootAction.DEPLOY:
            raise ReportRefused
        if machine.state is MachineState.RELEASING:
            _record_erase(uow, ports, machine, deployment, progress)
        else:
            _record(uow, ports, machine, deployment, progress)
        uow.commit()
    return machine


def _is_repeated_erase(uow: UnitOfWork, machine: Machine, progress: DiskProgress) -> bool:
    """Whether the machine has reported before that its disk is erased, and is free since."""
    is_erased = progress.is_done and progress.step is DeployStep.ERASE
    is_free = machine.state in (MachineState.READY, MachineState.ALLOCATED)
    return is_erased and is_free and uow.deployments.find(machine.system_id) is None


def _boot_from_disk(ports: Ports, machine: Machine) -> None:
    """Let the machine boot from its disk from now on, because some kinds of power keep the last boot device.

    The report of the machine counts even if this fails: hostloom's boot script starts the disk too.
    """
    settings = settings_of(ports, machine)
    if settings is None or not is_switchable(settings):
        return
    try:
        driver_of(ports, settings).boot_from_disk()
    except HostloomError as error:
        ask_person(ports, machine, f"let it boot from its disk if it does not do so: {error}")


def fail_without_environment(ports: Ports, machine: Machine) -> None:
    """A machine that is being deployed boots, and no boot image can write its disk: the deployment fails.

    One that erases its disk may try again.
    """
    with ports.store.begin() as uow:
        uow.lock_world()
        current, deployment = uow.machines.get(machine.system_id), uow.deployments.find(machine.system_id)
        is_writing = current.state is MachineState.DEPLOYING and current.next_boot is BootAction.DEPLOY
        if deployment is None or not is_writing:
            return
        failure = "no boot image can write its disk; run `hostloom image build generic`, and deploy it again"
        settle(uow, ports, current, replace(deployment, failure=f"step {deployment.step}: {failure}"))
        uow.commit()


def _record(
    uow: UnitOfWork, ports: Ports, machine: Machine, deployment: Deployment, progress: DiskProgress
) -> None:
    now = ports.clock.now()
    step = DeployStep.PHONE_HOME if progress.is_done else progress.step
    told = replace(
        deployment,
        step=step,
        done_bytes=progress.done_bytes,
        total_bytes=progress.total_bytes,
        deadline=now + ports.settings.deploy_timeout_s,
    )
    if progress.failure:
        failure = f"step {step}: {progress.failure}; {_REMEDIES[progress.step]}"
        output = "\n".join(progress.output)
        settle(uow, ports, machine, replace(told, failure=failure, boot_output=output))
        return
    uow.deployments.put(told)
    if progress.is_done:
        uow.machines.update(replace(machine, next_boot=None))
        text = f"image {deployment.image} is on its disk; it starts from the disk and reports when it runs"
        uow.events.add(Event(EventKind.MACHINE_DEPLOYING, machine_subject(machine), text, now))


def _record_erase(
    uow: UnitOfWork, ports: Ports, machine: Machine, deployment: Deployment, progress: DiskProgress
) -> None:
    """A machine with a disk that cannot be erased is broken, so that no one else gets the disk."""
    if progress.failure:
        give_up_erasing(uow, ports, machine, progress.failure)
    elif progress.is_done:
        if is_switchable(uow.power_settings.find(machine.system_id)):
            record_power_events(uow, ports, machine, PowerState.OFF)
            machine = replace(machine, power=PowerState.OFF)
        free(uow, ports, machine, "released; its disk is erased, and it is switched off")
    else:
        told = replace(deployment, done_bytes=progress.done_bytes, total_bytes=progress.total_bytes)
        uow.deployments.put(replace(told, deadline=ports.clock.now() + ports.settings.deploy_timeout_s))


def _reporting(uow: UnitOfWork, ports: Ports, secret: str) -> Machine:
    """The machine that booted with this token; ReportRefused."""
    token = uow.commissionings.find(hash_secret(secret), ports.clock.now())
    if token is None or token.system_id is None:
        raise ReportRefused
    return uow.machines.get(token.system_id)


def _deploying(uow: UnitOfWork, ports: Ports, secret: str) -> tuple[Machine, Deployment]:
    """The machine that booted with this token, if it is being deployed; ReportRefused."""
    machine = _reporting(uow, ports, secret)
    deployment = uow.deployments.find(machine.system_id)
    if deployment is None or machine.state not in (MachineState.DEPLOYING, MachineState.RELEASING):
        raise ReportRefused
    return machine, deployment


def _writing(uow: UnitOfWork, ports: Ports, secret: str) -> tuple[Machine, Deployment]:
    machine, deployment = _deploying(uow, ports, secret)
    if machine.next_boot is not BootAction.DEPLOY:
        raise ReportRefused
    return machine, deployment


def _planned_disk(uow: UnitOfWork, machine: Machine, deployment: Deployment) -> FoundDisk:
    """The disk of the plan, as the machine reported it."""
    commissioning = uow.commissionings.of([machine.system_id]).get(machine.system_id)
    disks = () if commissioning is None else commissioning.hardware.disks
    try:
        return named_disk(disks, deployment.disk)
    except RefuseRequest as error:
        raise refused(error.refusal) from error
