"""Seed disks are read back with other programs than those that made them."""

import os
import subprocess
from pathlib import Path

import pytest

from hostloom.decide.deploy.seed import render_seed
from hostloom.images.seed_disk import MtoolsSeedDisks
from hostloom.model.errors.outside import SeedDiskFailed
from support.seeds import a_seed_input


def read(disk: Path, name: str) -> str:
    argv = ["mtype", "-i", str(disk), f"::{name}"]
    return subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout.decode()


def test_the_disk_has_the_files_and_the_label_that_cloud_init_looks_for(tmp_path: Path) -> None:
    files = render_seed(a_seed_input(hostname="wéb1", user_data="#!/bin/sh\n" + "# x\n" * 16_000)).files
    disk = tmp_path / "seed.img"
    disk.write_bytes(MtoolsSeedDisks().build(files))
    assert {name: read(disk, name) for name in files} == files
    shown = subprocess.run(["blkid", "-p", disk], capture_output=True, text=True, timeout=60).stdout
    assert 'LABEL="CIDATA"' in shown and 'TYPE="vfat"' in shown


@pytest.mark.parametrize(("text_bytes", "size_mib"), [(0, 1), (900_000, 1), (1_000_000, 2), (5_000_000, 5)])
def test_the_disk_is_as_large_as_its_files_need(text_bytes: int, size_mib: int, tmp_path: Path) -> None:
    content = MtoolsSeedDisks().build({"user-data": "x" * text_bytes})
    assert len(content) == size_mib * 2**20
    (tmp_path / "seed.img").write_bytes(content)
    assert len(read(tmp_path / "seed.img", "user-data")) == text_bytes


def test_equal_files_give_equal_bytes() -> None:
    files = {"meta-data": "a", "user-data": "b"}
    assert MtoolsSeedDisks().build(files) == MtoolsSeedDisks().build(files)


def test_files_that_are_too_large_are_refused() -> None:
    with pytest.raises(SeedDiskFailed, match="more than 16777216"):
        MtoolsSeedDisks().build({"user-data": "x" * 2**24})


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    with pytest.raises(SeedDiskFailed, match="the seed disk cannot be made: mformat: it is not installed"):
        MtoolsSeedDisks().build({"user-data": "x"})


def test_what_a_program_says_is_told_but_no_content(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "mformat"
    broken.write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setitem(os.environ, "PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(SeedDiskFailed, match=r"mformat: no space left$"):
        MtoolsSeedDisks().build({"user-data": "s3cr3t"})
