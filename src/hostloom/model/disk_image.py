"""Disk images: whole disks with an installed operating system, from which machines are deployed."""

import re
from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import DiskImageId

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
#: Endings of file names that do not describe the system.
_ENDINGS = re.compile(r"\.(qcow2|img|raw|xz|gz|zst|bz2)$")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BootMode(StrEnum):
    """How a machine's firmware starts the disk."""

    BIOS = "bios"
    UEFI = "uefi"


@dataclass(frozen=True, slots=True)
class DiskContent:
    """The content of a disk; an empty text, an empty tuple or None means unknown."""

    #: `ID` of os-release(5), such as `debian`.
    os: str = ""
    #: `VERSION_ID` of os-release(5), such as `12`.
    release: str = ""
    codename: str = ""
    #: Debian's name of it, such as `amd64`.
    architecture: str = ""
    boot_modes: tuple[BootMode, ...] = ()
    has_cloud_init: bool | None = None
    #: Whether libvirt and QEMU are installed, so that a machine with this disk can be a KVM host.
    has_kvm: bool | None = None
    #: The user that cloud-init creates, with access by SSH key.
    default_user: str = ""
    #: Sentences about parts that could not be read.
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiskImage:
    """A disk image in the image folder; unknown parts are as in DiskContent."""

    id: DiskImageId
    name: str
    #: Hash of the raw disk, regardless of the imported format: equal disks are one image.
    sha256: str
    virtual_size_bytes: int
    #: Size of the stored qcow2 file.
    size_bytes: int
    #: Hash of the raw disk compressed by zstd, which is sent to bare machines.
    stream_sha256: str
    stream_size_bytes: int
    #: Seconds since the epoch.
    imported_at: float
    title: str = ""
    os: str = ""
    release: str = ""
    codename: str = ""
    architecture: str = ""
    boot_modes: tuple[BootMode, ...] = ()
    has_cloud_init: bool | None = None
    has_kvm: bool | None = None
    default_user: str = ""
    #: The URL, file name or recipe of its origin.
    source: str = ""
    #: Hash of the imported file; empty if there was none.
    source_sha256: str = ""
    warnings: tuple[str, ...] = ()
    generation: int = 1


def check_image_name(name: str, field: str = "name") -> str:
    """Return the name if an image may have it; InvalidValue."""
    if not _NAME.fullmatch(name) or name.isdigit():
        raise InvalidValue(
            field,
            name,
            "is not a name of an image",
            "use 1 to 64 lower-case letters, digits, dots, underscores and hyphens; "
            "the first is a letter or a digit, and not all are digits",
        )
    return name


def check_sha256(text: str, field: str = "sha256") -> str:
    """Return a SHA-256 in lower case; InvalidValue."""
    digest = text.strip().lower()
    if not _SHA256.fullmatch(digest):
        raise InvalidValue(field, text, "is not a SHA-256", "write its 64 hexadecimal digits")
    return digest


def name_of_file(file_name: str) -> str:
    """Derive the name of an image from that of a file: `Rocky-9.qcow2.xz` gives `rocky-9`."""
    name = file_name.lower()
    while _ENDINGS.search(name):
        name = _ENDINGS.sub("", name)
    return shaped_name(name)


def shaped_name(text: str) -> str:
    """The text in the form of an image's name: lower case, at most 64 characters, hyphens for all others."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:64]
