"""Whether an image suits a machine, and which disk of a bare machine is written."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostloom.decide.deploy.check_deploy import (
    DeployTarget,
    check_deploy,
    composed_boot_modes,
    found_boot_modes,
)
from hostloom.decide.deploy.disk_choice import SEED_ROOM_BYTES, choose_disk
from hostloom.decide.explain.deploy import render_disk_choice
from hostloom.decide.explain.reason_texts import render_refusal
from hostloom.model.commissioning import FoundDisk
from hostloom.model.disk_image import BootMode, DiskImage
from hostloom.model.ids import natural_key
from hostloom.model.reasons import RequestCode
from support.depth import examples
from support.disk_images import a_disk_image

GB = 10**9
BIOS, UEFI = BootMode.BIOS, BootMode.UEFI
IMAGE = a_disk_image(virtual_size_bytes=3 * GB, has_kvm=True)
NOTHING_KNOWN = replace(IMAGE, architecture="", boot_modes=(), has_cloud_init=None, has_kvm=None)
TARGET = DeployTarget("web", "amd64", 2048, "root", 3 * GB, (BIOS,))


def told(image: DiskImage, target: DeployTarget, *, kvm: bool = False) -> tuple[RequestCode, str] | None:
    refusal = check_deploy(image, target, kvm=kvm)
    if refusal is None:
        return None
    assert refusal.subject and refusal.wanted and refusal.found and refusal.rule
    return refusal.code, render_refusal(refusal)


@pytest.mark.parametrize("kvm", [False, True])
def test_an_image_that_suits_is_not_refused(kvm: bool) -> None:
    assert told(IMAGE, TARGET, kvm=kvm) is None
    assert told(NOTHING_KNOWN, TARGET, kvm=kvm) is None
    assert told(IMAGE, replace(TARGET, architecture="", boot_modes=()), kvm=kvm) is None


@pytest.mark.parametrize(
    ("image", "target", "code", "text"),
    [
        (
            IMAGE,
            replace(TARGET, architecture="arm64"),
            RequestCode.IMAGE_ARCHITECTURE,
            "image debian-12 is built for amd64, wanted: arm64 for machine web",
        ),
        (
            replace(IMAGE, boot_modes=(UEFI,)),
            TARGET,
            RequestCode.IMAGE_BOOT_MODE,
            "image debian-12 boots by UEFI, wanted: BIOS for machine web",
        ),
        (
            IMAGE,
            replace(TARGET, disk_size_bytes=3 * GB - 1),
            RequestCode.IMAGE_TOO_LARGE,
            "image debian-12 needs 3 GB, there are 2.999999999 GB on disk root of machine web",
        ),
        (
            replace(IMAGE, has_cloud_init=False),
            TARGET,
            RequestCode.IMAGE_WITHOUT_CLOUD_INIT,
            "image debian-12 has no cloud-init, so no one could log in to a machine that is deployed with it",
        ),
        (
            IMAGE,
            replace(TARGET, memory_mib=511),
            RequestCode.IMAGE_MEMORY,
            "image debian-12 needs 512 MiB of memory, there are 511 MiB in machine web",
        ),
    ],
)
def test_an_image_that_does_not_suit_is_refused_with_the_reason(
    image: DiskImage, target: DeployTarget, code: RequestCode, text: str
) -> None:
    assert told(image, target) == (code, text)


def test_a_kvm_host_needs_more() -> None:
    without = replace(IMAGE, has_kvm=False)
    assert told(without, TARGET) is None
    hint = "`hostloom image build debian-12 --kvm` builds one that has them"
    assert told(without, TARGET, kvm=True) == (
        RequestCode.IMAGE_WITHOUT_KVM,
        f"image debian-12 lacks QEMU and libvirt: {hint}",
    )
    small = replace(TARGET, memory_mib=1023)
    assert told(IMAGE, small) is None
    assert told(IMAGE, small, kvm=True) == (
        RequestCode.IMAGE_MEMORY,
        "image debian-12 needs 1024 MiB of memory, there are 1023 MiB in machine web",
    )


@pytest.mark.parametrize(
    ("architecture", "modes"),
    [("amd64", (BIOS,)), ("i386", (BIOS,)), ("arm64", (UEFI,)), ("armhf", (UEFI,)), ("s390x", ())],
)
def test_composed_machines_start_by_their_architecture(
    architecture: str, modes: tuple[BootMode, ...]
) -> None:
    assert composed_boot_modes(architecture) == modes


@pytest.mark.parametrize(("firmware", "modes"), [("bios", (BIOS,)), ("uefi", (UEFI,)), ("", ()), ("x", ())])
def test_bare_machines_start_as_they_reported(firmware: str, modes: tuple[BootMode, ...]) -> None:
    assert found_boot_modes(firmware) == modes


SSD = FoundDisk("sda", 480 * GB, "SAMSUNG MZ7", "S3F5")
TWIN = FoundDisk("sdb", 480 * GB, "SAMSUNG MZ7", "S3F6")
STICK = FoundDisk("sdc", 2 * GB)
DISKS = (TWIN, STICK, FoundDisk("nvme0n1", 960 * GB, "KIOXIA", "", False), SSD)


def test_the_smallest_disk_that_fits_is_wiped_and_of_equal_ones_the_first_by_name() -> None:
    choice = choose_disk(IMAGE, DISKS)
    assert choice.disk == SSD
    assert render_disk_choice(choice) == (
        "disk sda (SAMSUNG MZ7, serial S3F5, 480 GB) will be wiped: the smallest disk that fits"
    )
    assert "the only disk that fits" in render_disk_choice(choose_disk(IMAGE, [SSD, STICK]))


@pytest.mark.parametrize("named", ["nvme0n1", "/dev/nvme0n1"])
def test_a_disk_can_be_named(named: str) -> None:
    assert render_disk_choice(choose_disk(IMAGE, DISKS, named)) == (
        "disk nvme0n1 (KIOXIA, no serial, 960 GB) will be wiped: named by the request"
    )
    assert choose_disk(IMAGE, DISKS, "S3F6").disk == TWIN


@pytest.mark.parametrize(
    ("disks", "named", "code", "text"),
    [
        (
            [SSD, STICK],
            "sdx",
            RequestCode.UNKNOWN_DISK,
            "'sdx' is not the name or serial of exactly one disk; the machine has sda (S3F5), sdc",
        ),
        (
            [SSD, replace(TWIN, serial="S3F5")],
            "S3F5",
            RequestCode.UNKNOWN_DISK,
            "'S3F5' is not the name or serial of exactly one disk; the machine has sda (S3F5), sdb (S3F5)",
        ),
        (
            [SSD, STICK],
            "sdc",
            RequestCode.IMAGE_TOO_LARGE,
            "image debian-12 needs 3 GB, there are 2 GB on disk sdc",
        ),
        (
            [STICK],
            "",
            RequestCode.NO_DISK_FITS,
            "image debian-12 needs 3 GB, which no disk of the machine has: sdc with 2 GB",
        ),
        (
            [],
            "",
            RequestCode.NO_DISK_FITS,
            "image debian-12 needs 3 GB, which no disk of the machine has: it has none",
        ),
    ],
)
def test_no_disk_is_wiped_if_the_choice_is_not_clear(
    disks: list[FoundDisk], named: str, code: RequestCode, text: str
) -> None:
    choice = choose_disk(IMAGE, disks, named)
    assert choice.disk is None and choice.refusal is not None
    assert (choice.refusal.code, render_disk_choice(choice)) == (code, text)


@settings(max_examples=examples(300))
@given(sizes=st.lists(st.integers(1, 9), max_size=6), data=st.data())
def test_the_choice_does_not_depend_on_the_order_and_nothing_smaller_fits(
    sizes: list[int], data: st.DataObject
) -> None:
    disks = [FoundDisk(f"sd{letter}", size * GB) for letter, size in zip("abcdef", sizes, strict=False)]
    disk = choose_disk(IMAGE, disks).disk
    assert choose_disk(IMAGE, data.draw(st.permutations(disks))).disk == disk
    needed = IMAGE.virtual_size_bytes + SEED_ROOM_BYTES
    fitting = [other for other in disks if other.size_bytes >= needed]
    assert (disk is None) is (not fitting)
    if disk is not None:
        assert all(
            (disk.size_bytes, natural_key(disk.name)) <= (other.size_bytes, natural_key(other.name))
            for other in fitting
        )
