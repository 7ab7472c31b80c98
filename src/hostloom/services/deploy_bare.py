"""What a deployment of a bare machine needs: its disk, an image that suits it, and our environment."""

from hostloom.decide.deploy.check_deploy import DeployTarget, check_deploy, found_boot_modes
from hostloom.decide.deploy.disk_choice import choose_disk
from hostloom.decide.explain.reason_texts import refused
from hostloom.model.commissioning import FoundDisk
from hostloom.model.disk_image import DiskImage
from hostloom.model.errors.resources import WrongState
from hostloom.model.image import Flavour
from hostloom.model.machine import Machine
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork


def plan_bare(uow: UnitOfWork, ports: Ports, machine: Machine, image: DiskImage, named: str) -> FoundDisk:
    """Choose the disk, and check everything that the deployment needs; Refused, WrongState."""
    commissioning = uow.commissionings.of([machine.system_id]).get(machine.system_id)
    if commissioning is None:
        hint = f"`hostloom machine commission {machine.hostname}` reads its disks"
        raise WrongState("machine", machine.hostname, "not commissioned", "its disks must be known", hint)
    hardware = commissioning.hardware
    choice = choose_disk(image, hardware.disks, named)
    if choice.refusal is not None:
        raise refused(choice.refusal)
    disk = choice.chosen
    modes = found_boot_modes(hardware.firmware)
    target = DeployTarget(
        machine.hostname, machine.architecture, machine.memory_mib, disk.name, disk.size_bytes, modes
    )
    refusal = check_deploy(image, target)
    if refusal is not None:
        raise refused(refusal)
    require_environment(ports, machine)
    return disk


def require_environment(ports: Ports, machine: Machine) -> None:
    """WrongState without a boot image that writes and erases disks, or a boot port for reports."""
    has_image = ports.images is not None and any(
        boot_image.flavour is Flavour.GENERIC for boot_image in ports.images.list()
    )
    if not has_image:
        problem, hint = "without a boot image that writes disks", "run `hostloom image build generic` first"
        raise WrongState("machine", machine.hostname, problem, "a generic boot image must be built", hint)
    if not ports.settings.boot_port or ports.secrets is None:
        problem = "on a server that boots no machines"
        raise WrongState("machine", machine.hostname, problem, "set boot_port in the configuration")
