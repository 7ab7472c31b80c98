"""Recipes of the image flavours: kernel package, drivers, and programs beside busybox."""

from collections.abc import Mapping
from dataclasses import dataclass

from hostloom.model.image import Flavour


@dataclass(frozen=True)
class Recipe:
    """The recipe of one flavour."""

    #: Meta package of the current kernel, by the distribution's ID in os-release.
    packages: Mapping[str, str]
    #: Names of modules and of folders with modules; names that the kernel lacks are ignored.
    modules: tuple[str, ...]
    #: Programs that are copied together with their libraries.
    programs: tuple[str, ...] = ()


_VIRTUAL_MODULES = (
    "virtio_pci",
    "virtio_mmio",
    "virtio_net",
    "virtio_blk",
    "virtio_scsi",
    "sd_mod",
    "e1000",
    "e1000e",
    "8139cp",
    "button",
    "evdev",
    "gpio_keys",
)

#: For writing disk images (guest/deploy.sh); the dd of busybox has no sparse writing and reports no progress.
_DEPLOY_PROGRAMS = (
    "blkdiscard",
    "curl",
    "dd",
    "efibootmgr",
    "sfdisk",
    "sgdisk",
    "sha256sum",
    "xxhsum",
    "zstd",
)

#: Debian's packages of programs, if their names differ.
PROGRAM_PACKAGES: Mapping[str, str] = {
    "blkdiscard": "util-linux",
    "dd": "coreutils",
    "sfdisk": "fdisk",
    "sgdisk": "gdisk",
    "sha256sum": "coreutils",
    "xxhsum": "xxhash",
}

RECIPES: Mapping[Flavour, Recipe] = {
    Flavour.VIRTUAL: Recipe(
        {"debian": "linux-image-cloud-amd64", "ubuntu": "linux-image-virtual"}, _VIRTUAL_MODULES
    ),
    Flavour.GENERIC: Recipe(
        {"debian": "linux-image-amd64", "ubuntu": "linux-image-generic"},
        (
            *_VIRTUAL_MODULES,
            "drivers/ata/",
            "drivers/message/fusion/",
            "drivers/mmc/host/",
            "drivers/net/ethernet/",
            "drivers/net/hyperv/",
            "drivers/net/mdio/",
            "drivers/net/phy/",
            "drivers/net/vmxnet3/",
            "drivers/nvme/host/",
            "drivers/scsi/",
            "drivers/usb/host/",
            "efivarfs",
            "hv_vmbus",
            "mmc_block",
            "uas",
            "usb-storage",
            "vmd",
            "xen-blkfront",
            "xen-netfront",
        ),
        ("tcpdump", *_DEPLOY_PROGRAMS),
    ),
}
