"""How a server process ends: never without a word."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostloom.cli.main import main
from hostloom.model.errors.server import DatabaseTrouble, DatabaseUnavailable
from support.server_process import SERVE, server_environment, serving_process


@pytest.fixture
def server(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with serving_process(tmp_path) as process:
        yield process


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
    argv = ["prlimit", f"--fsize={room_bytes}", *SERVE]
    environment = server_environment(tmp_path)
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
    argv = ["prlimit", "--nofile=64:64", *SERVE]
    environment = server_environment(tmp_path)
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 78
    assert "needs 320 open files, and 64 are allowed; lower it or raise the hard limit" in done.stderr
    assert done.stderr.count("\n") == 1
