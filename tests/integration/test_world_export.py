"""The live state, exported by the command line, is a world that a what-if can be asked of."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hostloom.cli.main import app
from support.server import running


def run(*words: str, text: str | None = None) -> str:
    result = CliRunner().invoke(app, words, input=text, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(autouse=True)
def server_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOSTLOOM_SOCKET", str(tmp_path / "api.sock"))


def test_a_machine_on_a_live_host_is_hurt_when_its_host_is_lost(tmp_path: Path) -> None:
    with running(tmp_path, worker=True):
        run("host", "add", "kvm1", "test:///default", "--memory-over-commit", "10", "--cpu-over-commit", "2")
        file = tmp_path / "now.yaml"
        run("world", "export", str(file))
        piped = run("world", "export")
    lost = ("--what-if", "lose-host:kvm1", "--add", "1", "-o", "json")
    found = json.loads(run("simulate", str(file), *lost))
    assert found["machines"] >= 1
    assert [each["harms"][0]["code"] for each in found["hurt"]] == ["host-unreachable"] * found["machines"]
    assert found["room"]["fit"] == 0
    assert json.loads(run("simulate", "-", *lost, text=piped)) == {**found, "file": "-"}
