"""Bare machines that write their disks: their orders, the data that they fetch, and how far they are."""

import hashlib
from dataclasses import replace
from pathlib import Path

from hostloom.decide.deploy.disk_choice import choose_disk
from hostloom.decide.explain.reason_texts import refused
from hostloom.model.commissioning import BootAction, FoundDisk, hash_secret
from hostloom.model.deployment import Deployment, DeployStep, DiskProgress
from hostloom.model.disk_image import DiskImage
from hostloom.model.errors.permissions import ReportRefused
from hostloom.model.errors.resources import NotFound
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.machine import Machine, MachineState
from hostloom.ports.context import Ports
from hostloom.ports.repositories import find_by_key
from hostloom.ports.store import UnitOfWork
from hostloom.recording.deployments import settle
from hostloom.sagas.import_disk_image import files_of
from hostloom.sagas.seeds import build_seed

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
        image = find_by_key(uow.disk_images, "disk image", deployment.image)
        disk = _planned_disk(uow, machine, deployment, image)
    seed_content = build_seed(ports, machine, deployment, base_url)
    lines = {
        "order": "deploy",
        "disk_name": disk.name,
        "disk_serial": disk.serial,
        "disk_model": disk.model,
        "disk_size_bytes": disk.size_bytes,
        "stream": "/deployment/stream",
        "stream_size_bytes": image.stream_size_bytes,
        "stream_sha256": image.stream_sha256,
        "stream_checksum": files_of(ports).stream_checksum(deployment.image_sha256),
        "raw_size_bytes": image.virtual_size_bytes,
        "seed_sha256": hashlib.sha256(seed_content).hexdigest(),
        "end": "orders",
    }
    return "".join(f"{key}={value}\n" for key, value in lines.items())


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

    Every report gives the machine more time. The message that the disk is written may come twice.
    """
    with ports.store.begin() as uow:
        uow.lock_world()
        machine, deployment = _deploying(uow, ports, secret)
        if progress.is_done and deployment.is_started:
            return
        if machine.next_boot is not BootAction.DEPLOY:
            raise ReportRefused
        _record(uow, ports, machine, deployment, progress)
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


def _deploying(uow: UnitOfWork, ports: Ports, secret: str) -> tuple[Machine, Deployment]:
    """The machine that booted with this token, if it is being deployed; ReportRefused."""
    token = uow.commissionings.find(hash_secret(secret), ports.clock.now())
    if token is None or token.system_id is None:
        raise ReportRefused
    machine, deployment = uow.machines.get(token.system_id), uow.deployments.find(token.system_id)
    if deployment is None or machine.state is not MachineState.DEPLOYING:
        raise ReportRefused
    return machine, deployment


def _writing(uow: UnitOfWork, ports: Ports, secret: str) -> tuple[Machine, Deployment]:
    machine, deployment = _deploying(uow, ports, secret)
    if machine.next_boot is not BootAction.DEPLOY:
        raise ReportRefused
    return machine, deployment


def _planned_disk(uow: UnitOfWork, machine: Machine, deployment: Deployment, image: DiskImage) -> FoundDisk:
    """The disk of the plan, as the machine reported it."""
    commissioning = uow.commissionings.of([machine.system_id]).get(machine.system_id)
    if commissioning is None:
        raise NotFound("commissioning of machine", machine.hostname)
    choice = choose_disk(image, commissioning.hardware.disks, deployment.disk)
    if choice.refusal is not None:
        raise refused(choice.refusal)
    return choice.chosen
