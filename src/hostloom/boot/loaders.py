"""iPXE's own files, which firmware loads first: a fixed table of names, whatever the protocol."""

from collections.abc import Mapping
from pathlib import Path

#: Where Debian's and Ubuntu's package `ipxe` has them.
DIRECTORY = Path("/usr/lib/ipxe")
#: `undionly.kpxe` for a BIOS; for UEFI `snponly.efi`, which uses the firmware's driver of the NIC that it
#: was loaded by, and `ipxe.efi` with drivers of its own.
NAMES = ("undionly.kpxe", "snponly.efi", "ipxe.efi")


def loaders(directory: Path = DIRECTORY) -> Mapping[str, Path]:
    """Path by name; a file need not be there."""
    return {name: directory / name for name in NAMES}
