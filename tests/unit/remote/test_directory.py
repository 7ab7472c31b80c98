import os
import subprocess
import sys
from pathlib import Path

import pytest

from hostloom.remote.directory import MAX_BYTES, SocketDirectory


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    short = tmp_path / "t"
    short.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(short))
    monkeypatch.setattr("hostloom.remote.directory.MAX_BYTES", 1000)
    return short


def test_it_is_ours_alone_and_goes(parent: Path) -> None:
    directory = SocketDirectory()
    assert directory.path.parent == parent
    assert directory.path.stat().st_mode & 0o777 == 0o700
    directory.close()
    assert list(parent.iterdir()) == []


def test_what_a_killed_process_left_is_cleared_away_and_nothing_else(parent: Path) -> None:
    alive = SocketDirectory()
    (parent / "hostloom-ssh-new").mkdir()
    code = (
        "import os, tempfile; import hostloom.remote.directory as d\n"
        f"tempfile.tempdir = {str(parent)!r}; d.MAX_BYTES = 1000\n"
        "d.SocketDirectory(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    assert len(list(parent.iterdir())) == 3
    fresh = SocketDirectory()
    assert {each.name for each in parent.iterdir()} == {
        alive.path.name,
        fresh.path.name,
        "hostloom-ssh-new",
    }
    alive.close()
    fresh.close()


def test_what_was_killed_before_it_had_a_lock_is_cleared_away_later(parent: Path) -> None:
    left, new = parent / "hostloom-ssh-left", parent / "hostloom-ssh-new"
    for directory in (left, new):
        directory.mkdir()
        (directory / "new").touch()
    os.utime(left, (1000.0, 1000.0))
    (parent / "hostloom-ssh-link").symlink_to(left)
    fresh = SocketDirectory()
    assert {each.name for each in parent.iterdir()} == {fresh.path.name, new.name, "hostloom-ssh-link"}
    fresh.close()


def test_a_long_tmpdir_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * 80)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    directory = SocketDirectory()
    assert len(str(directory.path)) <= MAX_BYTES
    directory.close()
