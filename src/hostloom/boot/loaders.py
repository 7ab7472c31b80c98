"""The iPXE binaries that firmware loads first, in a fixed table of names for all protocols."""

from collections.abc import Mapping
from pathlib import Path

#: Directory of the package `ipxe` in Debian and Ubuntu.
DIRECTORY = Path("/usr/lib/ipxe")
#: `undionly.kpxe` for a BIOS; for UEFI `snponly.efi`, which uses the firmware's driver of the NIC that loaded
#: it, and `ipxe.efi`, which has its own drivers.
NAMES = ("undionly.kpxe", "snponly.efi", "ipxe.efi")


def loaders(directory: Path = DIRECTORY) -> Mapping[str, Path]:
    """Path by name; the file may be missing."""
    return {name: directory / name for name in NAMES}
