"""How a server process ends: never without a word."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostloom.cli.main import main
from hostloom.model.errors.server import DatabaseTrouble, DatabaseUnavailable
from support.sshd import free_port


@pytest.fixture
def server(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A server on a directory of its own, with its log in a file."""
    settings = {"STATE_DIR": tmp_path, "SOCKET": tmp_path / "s", "LISTEN": f"127.0.0.1:{free_port()}"}
    environment = os.environ | {f"HOSTLOOM_{name}": str(value) for name, value in settings.items()}
    with (tmp_path / "log").open("wb") as log:
        argv = [sys.executable, "-m", "hostloom.cli", "serve"]
        process = subprocess.Popen(argv, env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 30
        while "serving" not in (tmp_path / "log").read_text():
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_it_in_order(
    server: "subprocess.Popen[bytes]", tmp_path: Path, number: signal.Signals
) -> None:
    server.send_signal(number)
    assert server.wait(20) == 0
    assert "stopped" in (tmp_path / "log").read_text()
    assert not (tmp_path / "s").exists()


def test_a_crash_says_where_it_was(server: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    server.send_signal(signal.SIGSEGV)
    assert server.wait(20) == -signal.SIGSEGV
    words = (tmp_path / "log").read_text()
    assert "Segmentation fault" in words
    assert "worker.py" in words


@pytest.mark.parametrize("room_bytes", [0, 100_000])
def test_a_disk_without_room_ends_the_start_with_one_line(tmp_path: Path, room_bytes: int) -> None:
    """A limit on the size of files simulates a full disk."""
    settings = {"STATE_DIR": tmp_path, "SOCKET": tmp_path / "s", "LISTEN": f"127.0.0.1:{free_port()}"}
    environment = os.environ | {f"HOSTLOOM_{name}": str(value) for name, value in settings.items()}
    argv = ["prlimit", f"--fsize={room_bytes}", sys.executable, "-m", "hostloom.cli", "serve"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (75, 78), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "error",
    [DatabaseUnavailable(DatabaseTrouble.FULL), OSError(28, "No space left on device", "/state/controller")],
)
def test_what_may_pass_ends_the_start_with_75(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr("hostloom.server.app.serve", refuse)
    monkeypatch.setattr("sys.argv", ["hostloom", "serve"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 75
    said = capsys.readouterr().err
    assert said.startswith("error: hostloom does not start: ")
    assert "full" in said or "No space left on device: '/state/controller'" in said


def test_too_few_open_files_end_the_start_with_one_line(tmp_path: Path) -> None:
    settings = {"STATE_DIR": tmp_path, "SOCKET": tmp_path / "s", "LISTEN": f"127.0.0.1:{free_port()}"}
    environment = os.environ | {f"HOSTLOOM_{name}": str(value) for name, value in settings.items()}
    argv = ["prlimit", "--nofile=64:64", sys.executable, "-m", "hostloom.cli", "serve"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 78
    assert "needs 320 open files, and 64 are allowed; lower it or raise the hard limit" in done.stderr
    assert done.stderr.count("\n") == 1
