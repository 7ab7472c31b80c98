"""Where everything is on a disk that is built."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostloom.images.disk_assembly import used_inodes
from hostloom.images.disk_layout import BLOCK, MIB, SECTOR, DiskLayout, boot_sector, layout_for, second_stage

SIZES = st.lists(st.integers(0, 64 * MIB), max_size=30)


@given(SIZES)
def test_the_root_file_system_is_last_and_has_room_for_its_files(sizes: list[int]) -> None:
    layout = layout_for("debian-12", sizes)
    end = layout.root_offset + layout.root_blocks * BLOCK
    assert layout.size_bytes % MIB == 0
    assert layout.root_offset >= layout.efi_offset + layout.efi_sectors * SECTOR
    assert end % MIB == 0
    # The second partition table needs 33 sectors, and sfdisk aligns the end of the last partition.
    assert end <= layout.size_bytes - 33 * SECTOR
    assert layout.size_bytes - end < 2 * MIB
    assert layout.root_blocks * BLOCK > sum(-(-size // BLOCK) * BLOCK for size in sizes) * 1.2


@given(SIZES)
def test_partitions_follow_each_other(sizes: list[int]) -> None:
    lines = layout_for("x", sizes).sfdisk_script().splitlines()[2:]
    fields = [dict(part.strip().split("=") for part in line.split(":", 1)[1].split(",")) for line in lines]
    places = [(int(field["start"]), int(field["start"]) + int(field["size"])) for field in fields]
    assert all(end == start for (_, end), (start, _) in pairwise(places))
    assert all(start % (MIB // SECTOR) == 0 for start, _ in places)
    assert len({field["uuid"] for field in fields}) == 3


def test_equal_names_have_equal_uuids_and_others_do_not() -> None:
    first, again, other = DiskLayout("a", 0), DiskLayout("a", MIB), DiskLayout("b", 0)
    assert (first.root_uuid, first.hash_seed, first.efi_serial) == (
        *(again.root_uuid, again.hash_seed),
        again.efi_serial,
    )
    assert first.root_uuid != other.root_uuid
    assert first.root_uuid != first.hash_seed


def test_the_first_sector_loads_the_second_stage_and_keeps_the_partition_table() -> None:
    before = bytes(range(256)) * 2
    sector = boot_sector(before, b"\xeb" * 512)
    assert len(sector) == SECTOR
    assert sector[440:] == before[440:]
    assert struct.unpack_from("<Q", sector, 0x5C) == (DiskLayout("x", 0).bios_offset // SECTOR,)
    assert (sector[0x64], sector[0x66:0x68]) == (0xFF, b"\x90\x90")
    assert sector[:0x5C] == b"\xeb" * 0x5C


def test_the_second_stage_knows_where_its_rest_is() -> None:
    stage = second_stage(b"\xaa" * 2000)
    assert struct.unpack_from("<Q", stage, 0x1F4) == (DiskLayout("x", 0).bios_offset // SECTOR + 1,)
    assert stage[:0x1F4] + stage[0x1FC:] == b"\xaa" * 1992


@pytest.mark.parametrize("size", [0, SECTOR, MIB + 1])
def test_a_second_stage_that_does_not_fit_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"core.img has {size} bytes"):
        second_stage(bytes(size))


def test_inodes_in_use_are_those_that_are_not_free() -> None:
    listing = "Inodes per group:         8\nGroup 0:\n  Free inodes: 4, 6-8\nGroup 1:\n  Free inodes: \n"
    assert used_inodes(listing) == [1, 2, 3, 5, *range(9, 17)]
