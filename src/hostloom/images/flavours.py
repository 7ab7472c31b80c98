"""What makes a flavour: the distribution's kernel package, the drivers, and the programs beside busybox."""

from collections.abc import Mapping
from dataclasses import dataclass

from hostloom.model.image import Flavour


@dataclass(frozen=True)
class Recipe:
    """Of one flavour."""

    #: The distribution's meta package by its ID in os-release; it always names the current kernel.
    packages: Mapping[str, str]
    #: Modules by name, and folders of them; those that the kernel does not have are left out.
    modules: tuple[str, ...]
    #: Programs that are copied with their libraries.
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
            "hv_vmbus",
            "mmc_block",
            "uas",
            "usb-storage",
            "vmd",
            "xen-blkfront",
            "xen-netfront",
        ),
        ("tcpdump",),
    ),
}
