"""A boot image: kernel and initramfs that machines boot from the network."""

from dataclasses import dataclass
from enum import StrEnum


class Flavour(StrEnum):
    """Which machines an image is for."""

    #: Virtual machines: few drivers, small and fast.
    VIRTUAL = "virtual"
    #: Real machines too: NICs and disks of all kinds, and LLDP.
    GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One file of an image."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Image:
    """A boot image with its files."""

    name: str
    flavour: Flavour
    kernel_version: str
    #: As Debian calls it.
    architecture: str
    #: Seconds since the epoch.
    built_at: float
    files: tuple[ImageFile, ...]
