"""What is read from disks of all kinds, and what is said about the rest."""

from pathlib import Path

import pytest

from hostloom.images.inside import inspect_disk
from hostloom.model.disk_image import BootMode, DiskContent
from support.disk_images import a_disk
from support.made_disks import DEBIAN_FILES, ELF_AMD64, make_disk, make_other_disk


def without(*names: str, **more: str | bytes) -> dict[str, str | bytes]:
    return {name: content for name, content in {**DEBIAN_FILES, **more}.items() if name not in names}


def test_a_disk_of_debian(tmp_path: Path) -> None:
    assert inspect_disk(make_disk(tmp_path / "disk")) == DiskContent(
        os="debian",
        release="12",
        codename="bookworm",
        architecture="amd64",
        boot_modes=(BootMode.BIOS, BootMode.UEFI),
        has_cloud_init=True,
        has_kvm=True,
        default_user="debian",
    )


def test_libvirt_without_qemu_is_no_kvm(tmp_path: Path) -> None:
    content = inspect_disk(make_disk(tmp_path / "disk", without("usr/bin/qemu-system-x86_64")))
    assert content.has_kvm is False


def test_a_disk_without_cloud_init_is_known_and_warned_of(tmp_path: Path) -> None:
    content = inspect_disk(make_disk(tmp_path / "disk", without("usr/bin/cloud-init")))
    assert (content.os, content.has_cloud_init, content.default_user) == ("debian", False, "")
    assert content.warnings == (
        "cloud-init is not installed, so a deployed machine gets no user and no network",
    )


def test_an_architecture_is_read_from_a_program(tmp_path: Path) -> None:
    arm = ELF_AMD64[:18] + b"\xb7\x00" + ELF_AMD64[20:]
    content = inspect_disk(make_disk(tmp_path / "disk", without(**{"usr/bin/bash": arm})))
    assert content.architecture == "arm64"


@pytest.mark.parametrize(
    ("magic", "offset", "kind"),
    [
        (b"XFSB", 0, "xfs"),
        (b"_BHRfS_M", 0x10040, "btrfs"),
        (b"LVM2 001", 0x218, "LVM"),
        (b"LUKS\xba\xbe", 0, "LUKS"),
    ],
)
def test_another_file_system_is_named(magic: bytes, offset: int, kind: str, tmp_path: Path) -> None:
    content = inspect_disk(make_other_disk(tmp_path / "disk", magic, offset))
    assert (content.os, content.has_cloud_init, content.has_kvm) == ("", None, None)
    assert content.architecture == "amd64"
    assert content.boot_modes == (BootMode.BIOS, BootMode.UEFI)
    assert f"a file system of the kind {kind} cannot be read" in content.warnings[0]


def test_a_disk_that_nothing_can_start_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(a_disk())
    no_loader, no_system = inspect_disk(path).warnings
    assert no_loader == "no boot loader was recognised, neither for BIOS nor for UEFI"
    assert "is not known, because no partition contains an os-release file: name it with --os" in no_system


def test_an_ext4_file_system_of_garbage_is_not_known(tmp_path: Path) -> None:
    path = make_disk(tmp_path / "disk")
    content = bytearray(path.read_bytes())
    start = 12288 * 512 + 0x440
    content[start : start + 200_000] = bytes(range(256)) * 782
    path.write_bytes(content)
    content = inspect_disk(path)
    assert (content.os, content.has_cloud_init, content.has_kvm) == ("", None, None)
    assert "the operating system is not known" in content.warnings[0]
