"""Whether a disk image suits a machine.

Unknown properties of the image or the machine are no reason against it.
"""

from dataclasses import dataclass

from hostloom.decide.refuse import RefuseRequest, refuse
from hostloom.decide.request.storage import gigabytes
from hostloom.model.disk_image import BootMode, DiskImage
from hostloom.model.reasons import Refusal, RequestCode, SubjectKind

#: Below this, the kernel, initramfs and cloud-init of today's images do not start.
MIN_MEMORY_MIB = 512
#: Enough for libvirt, QEMU and a small machine.
MIN_KVM_MEMORY_MIB = 1024
_UEFI_ONLY = frozenset({"arm64", "armhf"})


@dataclass(frozen=True, slots=True)
class DeployTarget:
    """The parts of a machine that an image depends on."""

    machine: str
    #: hostloom's word: amd64, arm64, …; empty: not known.
    architecture: str
    memory_mib: int
    #: The disk that is written.
    disk: str
    disk_size_bytes: int
    #: The boot modes of its firmware; empty: unknown.
    boot_modes: tuple[BootMode, ...] = ()


def composed_boot_modes(architecture: str) -> tuple[BootMode, ...]:
    """The boot modes of composed machines: UEFI for `virt` machines, BIOS for PCs."""
    if architecture in _UEFI_ONLY:
        return (BootMode.UEFI,)
    return (BootMode.BIOS,) if architecture in ("amd64", "i386") else ()


def found_boot_modes(firmware: str) -> tuple[BootMode, ...]:
    """The boot modes of a machine that reported its firmware."""
    return (BootMode(firmware),) if firmware in tuple(BootMode) else ()


def check_deploy(image: DiskImage, target: DeployTarget, *, kvm: bool = False) -> Refusal | None:
    """Why the machine cannot be deployed with the image, or None. `kvm`: it should become a KVM host."""
    try:
        _has_architecture(image, target)
        _has_boot_mode(image, target)
        _fits_on_disk(image, target)
        _has_cloud_init(image)
        if kvm:
            _has_kvm(image)
        _has_memory(image, target, MIN_KVM_MEMORY_MIB if kvm else MIN_MEMORY_MIB)
    except RefuseRequest as error:
        return error.refusal
    return None


def _no(image: DiskImage, rule: str, code: RequestCode, wanted: str, found: str) -> RefuseRequest:
    return refuse(rule, code, SubjectKind.IMAGE, image.name, wanted=wanted, found=found)


def _has_architecture(image: DiskImage, target: DeployTarget) -> None:
    if image.architecture and target.architecture and image.architecture != target.architecture:
        raise _no(
            image,
            "image_has_architecture",
            RequestCode.IMAGE_ARCHITECTURE,
            f"{target.architecture} for machine {target.machine}",
            image.architecture,
        )


def _has_boot_mode(image: DiskImage, target: DeployTarget) -> None:
    if image.boot_modes and target.boot_modes and not set(image.boot_modes) & set(target.boot_modes):
        raise _no(
            image,
            "image_has_boot_mode",
            RequestCode.IMAGE_BOOT_MODE,
            f"{_words(target.boot_modes)} for machine {target.machine}",
            _words(image.boot_modes),
        )


def _words(boot_modes: tuple[BootMode, ...]) -> str:
    return " or ".join("BIOS" if mode is BootMode.BIOS else "UEFI" for mode in boot_modes)


def _fits_on_disk(image: DiskImage, target: DeployTarget) -> None:
    if image.virtual_size_bytes > target.disk_size_bytes:
        raise _no(
            image,
            "image_fits_on_disk",
            RequestCode.IMAGE_TOO_LARGE,
            f"{gigabytes(image.virtual_size_bytes)} GB",
            f"{gigabytes(target.disk_size_bytes)} GB on disk {target.disk} of machine {target.machine}",
        )


def _has_cloud_init(image: DiskImage) -> None:
    """Without cloud-init, the machine stays unconfigured and users cannot log in."""
    if image.has_cloud_init is False:
        raise _no(image, "image_has_cloud_init", RequestCode.IMAGE_WITHOUT_CLOUD_INIT, "cloud-init", "none")


def _has_kvm(image: DiskImage) -> None:
    if image.has_kvm is False:
        raise _no(image, "image_has_kvm", RequestCode.IMAGE_WITHOUT_KVM, "QEMU and libvirt", "none")


def _has_memory(image: DiskImage, target: DeployTarget, least_mib: int) -> None:
    if target.memory_mib < least_mib:
        raise _no(
            image,
            "image_has_memory",
            RequestCode.IMAGE_MEMORY,
            f"{least_mib} MiB",
            f"{target.memory_mib} MiB in machine {target.machine}",
        )
