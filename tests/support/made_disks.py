"""Small disks with a partition table, boot loaders and an ext4 file system, made without root."""

import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

SECTOR = 512
ESP_START, ESP_SECTORS = 4096, 8192
ROOT_START = 12288
SIZE_MIB = 24
DEBIAN = """PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION_CODENAME=bookworm
ID=debian
"""
CLOUD_CONFIG = "users:\n  - default\nsystem_info:\n  distro: debian\n  default_user:\n    name: debian\n"
#: An ELF header of an amd64 program.
ELF_AMD64 = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, 62) + bytes(44)
#: The files of a Debian with cloud-init and libvirt.
DEBIAN_FILES: Mapping[str, str | bytes] = {
    "usr/lib/os-release": DEBIAN,
    "usr/bin/bash": ELF_AMD64,
    "usr/bin/cloud-init": "#!/usr/bin/python3\n",
    "etc/cloud/cloud.cfg": CLOUD_CONFIG,
    "usr/bin/qemu-system-x86_64": ELF_AMD64,
    "usr/sbin/libvirtd": ELF_AMD64,
}


def make_disk(
    path: Path, files: Mapping[str, str | bytes] = DEBIAN_FILES, *, size_mib: int = SIZE_MIB
) -> Path:
    """A raw GPT disk that BIOS and UEFI start, with an ext4 root file system."""
    with path.open("wb") as disk:
        disk.truncate(size_mib * 2**20)
    _partition(path)
    root = path.with_suffix(".root")
    root.mkdir()
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    blocks = size_mib * 1024 // 4 - ROOT_START // 8 - 256
    offset = f"offset={ROOT_START * SECTOR}"
    run(
        "mke2fs",
        "-q",
        "-F",
        "-t",
        "ext4",
        "-b",
        "4096",
        "-E",
        offset,
        "-d",
        str(root),
        str(path),
        str(blocks),
    )
    shutil.rmtree(root)
    _add_loader(path)
    return path


def make_other_disk(path: Path, magic: bytes, magic_offset: int) -> Path:
    """A disk like Fedora's: UEFI can start it, and the root file system is of another kind."""
    make_disk(path, {})
    with path.open("r+b") as disk:
        disk.seek(ROOT_START * SECTOR)
        disk.write(bytes(128 * 1024))
        disk.seek(ROOT_START * SECTOR + magic_offset)
        disk.write(magic)
    return path


def as_qcow2(raw: Path, path: Path, *options: str) -> Path:
    """The disk as qcow2, compressed as distributions publish it."""
    run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", *options, str(raw), str(path))
    return path


def compressed(path: Path, *program: str) -> Path:
    """The output of a compressor that reads a file."""
    target = path.with_name(f"{path.name}.{program[0]}")
    with target.open("wb") as output:
        subprocess.run([*program, "-c", str(path)], stdout=output, check=True)
    return target


def run(*argv: str, text: str = "") -> None:
    """Run a program that must succeed."""
    result = subprocess.run(argv, input=text, text=True, capture_output=True, check=False)
    assert result.returncode == 0, (argv, result.stderr)


def _partition(path: Path) -> None:
    script = f"""label: gpt
14: start=2048,size=2048,type=21686148-6449-6E6F-744E-656564454649
15: start={ESP_START},size={ESP_SECTORS},type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
1: start={ROOT_START},type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
"""
    run("sfdisk", "-q", str(path), text=script)
    with path.open("r+b") as disk:
        disk.write(b"\xeb\x63\x90GRUB")


def _add_loader(path: Path) -> None:
    image = f"{path}@@{ESP_START * SECTOR}"
    run("mformat", "-i", image, "-T", str(ESP_SECTORS), "-h", "16", "-s", "32", "::")
    run("mmd", "-i", image, "::/EFI", "::/EFI/BOOT")
    loader = path.with_suffix(".efi")
    loader.write_bytes(b"MZ")
    run("mcopy", "-i", image, str(loader), "::/EFI/BOOT/BOOTX64.EFI")
    loader.unlink()
