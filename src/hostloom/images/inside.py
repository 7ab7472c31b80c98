"""Reads the content of a raw disk without mounting it: partitions, boot loaders, and files of ext4."""

import re
import shlex
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from hostloom.images.limits import MIB, Confined, read_output
from hostloom.images.partitions import BIOS_BOOT, Partition, PartitionTable, read_partitions
from hostloom.model.disk_image import BootMode, DiskContent

#: File systems by a magic number at an offset in the partition.
_FILE_SYSTEMS = (
    (0x438, b"\x53\xef", "ext4"),
    (0, b"XFSB", "xfs"),
    (0x10040, b"_BHRfS_M", "btrfs"),
    (0x218, b"LVM2 001", "LVM"),
    (0x018, b"LVM2 001", "LVM"),
    (0, b"LUKS\xba\xbe", "LUKS"),
)
#: Loaders that UEFI starts from removable media, by architecture in Debian's words.
_LOADERS = {
    "BOOTX64.EFI": "amd64",
    "BOOTAA64.EFI": "arm64",
    "BOOTRISCV64.EFI": "riscv64",
    "BOOTIA32.EFI": "i386",
    "BOOTARM.EFI": "armhf",
}
#: Architectures by the machine of an ELF header: (number, 64-bit little-endian).
_MACHINES = {62: "amd64", 183: "arm64", 243: "riscv64", 21: "ppc64el", 22: "s390x", 3: "i386", 40: "armhf"}
_OS_RELEASE = ("/usr/lib/os-release", "/etc/os-release")
_PROGRAMS = ("/usr/bin/bash", "/bin/bash", "/usr/bin/dash", "/bin/busybox")
_CLOUD_INIT = ("/usr/bin/cloud-init", "/usr/local/bin/cloud-init")
_LIBVIRT = ("/usr/sbin/libvirtd", "/usr/sbin/virtqemud")
_CLOUD_CONFIGS = ("/etc/cloud/cloud.cfg",)
_SHORT = Confined(memory_bytes=512 * MIB, cpu_s=30, output_bytes=4 * MIB)
_MAX_WORD = 100
_MAX_CLOUD_CONFIG = 64 * 1024


def inspect_disk(raw: Path) -> DiskContent:
    """The content of a disk; `warnings` name what could not be read, and why."""
    with raw.open("rb") as opened:
        table = read_partitions(opened, raw.stat().st_size)
    if table is None:
        return DiskContent(warnings=("the disk has no partition table, so nothing inside was read",))
    loader = _efi_architecture(raw, table)
    content = DiskContent(boot_modes=_boot_modes(table, loader), architecture=loader or "")
    if not content.boot_modes:
        content = _warned(content, "no boot loader was recognised, neither for BIOS nor for UEFI")
    return _read_root(raw, table, content)


def _boot_modes(table: PartitionTable, loader: str | None) -> tuple[BootMode, ...]:
    has_place = not table.is_gpt or any(partition.kind == BIOS_BOOT for partition in table.partitions)
    modes = []
    if table.has_boot_code and has_place:
        modes.append(BootMode.BIOS)
    if loader is not None:
        modes.append(BootMode.UEFI)
    return tuple(modes)


def _efi_architecture(raw: Path, table: PartitionTable) -> str | None:
    """The architecture of the loader in the EFI system partition; None without one."""
    for partition in table.partitions:
        if not partition.is_efi_system:
            continue
        code, listing = read_output(
            ["mdir", "-b", "-i", f"{raw}@@{partition.start_bytes}", "::/EFI/BOOT"], _SHORT
        )
        names = {line.rpartition("/")[2].upper() for line in listing.decode(errors="replace").split()}
        for name, architecture in _LOADERS.items():
            if code == 0 and name in names:
                return architecture
    return None


def _read_root(raw: Path, table: PartitionTable, content: DiskContent) -> DiskContent:
    """Add the content of the root file system."""
    others = []
    for partition in table.partitions:
        kind = _file_system(raw, partition)
        if kind == "ext4" and (files := _Ext4(raw, partition)).os_release:
            return _read_files(files, content)
        if kind not in ("", "ext4"):
            others.append(kind)
    kinds = ", ".join(sorted(set(others)))
    reason = (
        f"a file system of the kind {kinds} cannot be read"
        if others
        else "no partition contains an os-release file"
    )
    return _warned(
        content,
        f"the operating system is not known, because {reason}: name it with --os, --release and --arch",
    )


def _file_system(raw: Path, partition: Partition) -> str:
    with raw.open("rb") as opened:
        for offset, magic, kind in _FILE_SYSTEMS:
            opened.seek(partition.start_bytes + offset)
            if opened.read(len(magic)) == magic:
                return kind
    return ""


class _Ext4:
    """Files of an ext2, ext3 or ext4 file system, which debugfs reads."""

    def __init__(self, raw: Path, partition: Partition) -> None:
        self._device = f"{raw}?offset={partition.start_bytes}"
        #: Empty without an os-release file; debugfs prints some errors about the file system as content.
        self.os_release = next(filter(None, map(self._words, _OS_RELEASE)), {})

    def first(self, paths: tuple[str, ...]) -> bytes | None:
        """Content of the first file that is there, up to 4 MiB."""
        return next((content for path in paths if (content := self._read(path))), None)

    def has_any(self, paths: tuple[str, ...]) -> bool:
        """Whether one of the files is there."""
        return any(b"Inode:" in self._run(f"stat {path}") for path in paths)

    def names(self, folder: str) -> Iterator[str]:
        """Names in a folder."""
        for line in self._run(f"ls -p {folder}").decode(errors="replace").splitlines():
            fields = line.split("/")
            if len(fields) > 5:
                yield fields[5]

    def _words(self, path: str) -> dict[str, str]:
        return parse_os_release(self._read(path).decode(errors="replace"))

    def _read(self, path: str) -> bytes:
        return self._run(f"cat {path}")

    def _run(self, request: str) -> bytes:
        return read_output(["debugfs", "-R", request, self._device], _SHORT)[1]


def _read_files(files: _Ext4, content: DiskContent) -> DiskContent:
    words = files.os_release
    has_cloud_init = files.has_any(_CLOUD_INIT)
    has_qemu = any(name.startswith("qemu-system-") for name in files.names("/usr/bin"))
    machine = _architecture((files.first(_PROGRAMS) or b"")[:20])
    known = replace(
        content,
        os=words.get("ID", ""),
        release=words.get("VERSION_ID", ""),
        codename=words.get("VERSION_CODENAME", ""),
        architecture=machine or content.architecture,
        has_cloud_init=has_cloud_init,
        has_kvm=has_qemu and files.has_any(_LIBVIRT),
        default_user=default_user(files.first(_CLOUD_CONFIGS) or b"") if has_cloud_init else "",
    )
    if not has_cloud_init:
        known = _warned(
            known, "cloud-init is not installed, so a deployed machine gets no user and no network"
        )
    if not known.architecture:
        known = _warned(known, "the architecture is not known: name it with --arch")
    return known


def _architecture(head: bytes) -> str:
    """Debian's word for the machine of an ELF header."""
    if len(head) < 20 or head[:4] != b"\x7fELF":
        return ""
    return _MACHINES.get(struct.unpack_from("<H" if head[5] == 1 else ">H", head, 18)[0], "")


def parse_os_release(text: str) -> dict[str, str]:
    """The words of os-release(5); lines that do not parse are left out."""
    words = {}
    for line in text.splitlines()[:1000]:
        name, separator, value = line.strip().partition("=")
        if not separator or not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
            continue
        try:
            parts = shlex.split(value)
        except ValueError:
            continue
        words[name] = "".join(sign for sign in " ".join(parts) if sign.isprintable())[:_MAX_WORD]
    return words


def default_user(text: bytes) -> str:
    """The user that cloud-init's configuration names; empty if it names none."""
    try:
        document: Any = yaml.safe_load(text[:_MAX_CLOUD_CONFIG].decode(errors="replace"))
    except (yaml.YAMLError, RecursionError, ValueError):
        return ""
    for key in ("system_info", "default_user", "name"):
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, str) and re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", document) else ""


def _warned(content: DiskContent, warning: str) -> DiskContent:
    return replace(content, warnings=(*content.warnings, warning))
