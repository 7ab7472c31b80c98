"""The Tab key completes names that the server knows, and nothing when it does not answer."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostloom.cli import completion
from hostloom.cli.main import command_tree, main
from hostloom.client import Client, Target
from support.cli_reference import leaves
from support.server import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("server")) as server, Client(Target(socket=server.socket)) as client:
        client.fabrics.create({"name": "lan"})
        client.vlans.create({"fabric": "lan", "vid": 20, "name": "storage"})
        client.subnets.create({"cidr": "10.0.0.0/24", "vlan": "lan/20"})
        client.ranges.create(
            {"subnet": "10.0.0.0/24", "start": "10.0.0.9", "end": "10.0.0.10", "kind": "reserved"}
        )
        for name in ("east", "easter", "west"):
            client.zones.create({"name": name, "description": ""})
        client.tags.create({"name": "fast", "description": "", "kernel_options": ""})
        client.users.create({"name": "ann", "admin": True})
        client.nodes.create({"hostname": "node1", "macs": ["52:54:00:aa:00:01"]})
        yield server


def complete(line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What bash is offered for the last word of a line."""
    monkeypatch.setenv("_HOSTLOOM_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
    monkeypatch.setattr("sys.argv", ["hostloom"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out.split()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("fabric show l", ["lan"]),
        ("vlan update ", ["lan/0", "lan/20"]),
        ("subnet show 10", ["10.0.0.0/24"]),
        ("range delete ", ["10.0.0.9-10.0.0.10"]),
        ("zone show eas", ["east", "easter"]),
        ("zone update ", ["default", "east", "easter", "west"]),
        ("machine compose --zone w", ["west"]),
        ("machine compose --host-tag f", ["fast"]),
        ("subnet create 10.1.0.0/24 --vlan lan/2", ["lan/20"]),
        ("token create --user a", ["ann"]),
        ("node show node", ["node1"]),
        ("zone create e", []),
        ("machine show ", []),
    ],
)
@pytest.mark.parametrize("way", ["--socket", "--url"])
def test_names_are_completed(
    line: str,
    names: list[str],
    way: str,
    server: Running,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if way == "--url":
        with Client(Target(socket=server.socket)) as client:
            token = client.tokens.create({"user": "ann", "name": "tab"})["text"]
        chosen = f"--url {server.url} --token {token}"
    else:
        chosen = f"--socket {server.socket}"
    assert complete(f"hostloom {chosen} {line}", monkeypatch, capsys) == names


def test_a_list_of_several_pages_is_read_to_its_end(
    server: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hostloom.client.names.PAGE", 2)
    line = f"hostloom --socket {server.socket} zone show "
    assert complete(line, monkeypatch, capsys) == ["default", "east", "easter", "west"]


@pytest.mark.parametrize("case", ["absent", "silent", "refused"])
def test_a_server_that_does_not_answer_completes_nothing(
    case: str,
    tmp_path: Path,
    server: Running,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(completion, "PATIENCE_S", 0.05)
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        if case == "silent":
            listener.bind(str(path))
            listener.listen()
        chosen = f"--url {server.url} --token wrong" if case == "refused" else f"--socket {path}"
        assert complete(f"hostloom {chosen} zone show ", monkeypatch, capsys) == []


def test_most_parameters_that_take_a_name_complete_it() -> None:
    completed = set()
    for path, command in leaves(command_tree().load_all()):
        noun, *_, verb = path.split()[0], *path.split()
        completed |= {
            f"{path} {parameter.name}"
            for parameter in command.params
            if completion.names_of(noun, verb, parameter.name)
        }
    assert {"host show key", "machine stop keys", "machine compose host", "vlan dhcp on key"} <= completed
    assert not any(each.startswith(("vlan create key", "host add name")) for each in completed)


def test_a_command_after_completion_gets_its_values_converted(
    server: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    complete(f"hostloom --socket {server.socket} zone show e", monkeypatch, capsys)
    monkeypatch.delenv("_HOSTLOOM_COMPLETE")
    monkeypatch.setattr("sys.argv", ["hostloom", "--socket", str(server.socket), "zone", "show", "east"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert not caught.value.code
    assert "east" in capsys.readouterr().out
