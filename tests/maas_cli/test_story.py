"""The `maas` command against a server with libvirt's test driver, word by word."""

import io
import json
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

import pytest

from maas_cli.main import main
from support.maas import make_key
from support.server import Running, running


class SystemClock:
    """The command signs with the machine's time."""

    def now(self) -> float:
        return time.time()


class Out(io.TextIOWrapper):
    """Standard output that is a terminal, or not."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def text(self) -> str:
        return self.buffer.getvalue().decode()  # type: ignore[attr-defined]  # a BytesIO


@dataclass
class Told:
    """What a command printed, and its status."""

    status: int
    out: str
    err: str


@dataclass
class Shell:
    """Runs commands as a user would."""

    server: Running
    key: str
    monkeypatch: pytest.MonkeyPatch

    def run(self, command: str, *, typed: str = "", terminal: bool = False) -> Told:
        out = Out(terminal=terminal)
        with self.monkeypatch.context() as patch, redirect_stderr(io.StringIO()) as err:
            patch.setattr(sys, "argv", ["maas", *shlex.split(command)])
            patch.setattr(sys, "stdin", io.StringIO(typed))
            patch.setattr(sys, "stdout", out)
            with pytest.raises(SystemExit) as ended:
                main()
        return Told(int(ended.value.code or 0), out.text(), err.getvalue())

    def good(self, command: str) -> object:
        told = self.run(command)
        assert (told.status, told.err) == (0, ""), told
        return json.loads(told.out) if told.out.strip() else None


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with running(tmp_path, worker=True, clock=SystemClock()) as server:
        found = Shell(server, make_key(server.ports), monkeypatch)
        yield found


@pytest.fixture
def admin(shell: Shell) -> Shell:
    told = shell.run(f"login admin {shell.server.url}/MAAS {shell.key}")
    assert told.status == 0, told
    return shell


def test_the_fields_command(admin: Shell) -> None:
    made = admin.good("admin vm-hosts create type=virsh power_address=test:///default name=kvm1")
    assert isinstance(made, dict)
    pod = made["id"]
    admin.good(f"admin pod update {pod} power_address=qemu+tls://kvm1.example/system")
    changed = admin.good(f"admin pod update {pod} host=10.0.0.5 default_macvlan_mode=vepa")
    assert isinstance(changed, dict)
    assert changed["default_macvlan_mode"] == "vepa"
    found = admin.good(f"admin pod parameters {pod}")
    assert isinstance(found, dict)
    assert found["power_address"] == "qemu+tls://10.0.0.5/system"
    wrong = admin.run(f"admin pod update {pod} default_macvlan_mode=funny")
    assert wrong.status == 2
    assert all(mode in wrong.out for mode in ("private", "vepa", "bridge", "passthru"))


def test_from_host_to_machine_and_back(admin: Shell) -> None:
    made = admin.good("admin vm-hosts create type=virsh power_address=test:///default name=kvm1")
    assert isinstance(made, dict)
    host = made["id"]
    admin.good(f"admin vm-host update {host} memory_over_commit_ratio=10")
    machine = admin.good(f"admin vm-host compose {host} hostname=vm1 memory=1024 storage=root:1")
    assert isinstance(machine, dict)
    key, until = machine["system_id"], time.monotonic() + 20
    while True:
        (shown,) = admin.good("admin machines read hostname=vm1")  # type: ignore[misc]  # a list
        if shown["status_name"] == "Ready":
            break
        assert time.monotonic() < until
        time.sleep(0.05)
    assert admin.good(f"admin machine query-power-state {key}") == {"state": "on"}
    kept = admin.good(f"admin machine set-owner-data {key} whatever=1")
    assert isinstance(kept, dict)
    assert kept["owner_data"] == {"whatever": "1"}
    admin.good("admin tags create name=fast")
    tagged = admin.good(f"admin tag update-nodes fast add={key}")
    assert tagged == {"added": 1, "removed": 0}
    gone = admin.run(f"admin machine delete {key}")
    assert (gone.status, gone.out, gone.err) == (0, "", "")
    admin.good(f"admin vm-host delete {host} decompose=true")
    assert admin.good("admin vm-hosts read") == []


def test_a_terminal_is_told_more(admin: Shell) -> None:
    plain = admin.run("admin version read")
    assert plain.out.startswith('{"version": "3.7.0"')
    laid_out = admin.run("admin version read", terminal=True)
    assert laid_out.out.startswith('Success.\nMachine-readable output follows:\n{\n    "version": "3.7.0",')


def test_profiles_are_the_owners_alone(admin: Shell, tmp_path: Path) -> None:
    file = tmp_path / "config/hostloom-maas/profiles.json"
    assert file.stat().st_mode & 0o777 == 0o600
    listed = admin.run("list").out
    assert listed.startswith(f"admin {admin.server.url}/MAAS/api/2.0/ ")
    assert admin.key not in listed
    debug = admin.run("-d admin users whoami")
    assert "> GET" in debug.err
    assert all(part not in debug.err for part in admin.key.split(":"))
    assert admin.run("refresh").status == 0
    assert admin.run("logout admin").status == 0
    assert "There are no profiles yet" in admin.run("list").err
    assert admin.run("admin users whoami").status == 2


def test_a_url_as_people_write_it(shell: Shell) -> None:
    for tail in ("", "/", "/MAAS", "/MAAS/", "/MAAS/api/2.0", "/MAAS/api/2.0/"):
        told = shell.run(f"login p {shell.server.url}{tail} -", typed=f"{shell.key}\n")
        assert told.status == 0, told
        assert shell.run("p users whoami").status == 0


def test_a_description_that_has_changed_is_told(admin: Shell, tmp_path: Path) -> None:
    (file,) = (tmp_path / "config/hostloom-maas/described").iterdir()
    described = json.loads(file.read_text())
    file.write_text(json.dumps(described | {"hash": "old"}))
    told = admin.run("admin users whoami")
    assert (told.status, "`maas refresh`" in told.err) == (0, True)


def test_a_file_is_a_value(admin: Shell, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    made = admin.good(f"admin spaces create name=s description@={tmp_path}/text")
    assert isinstance(made, dict)
    assert made["description"] == "hello"
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name, words in (("missing", "No such file"), ("bytes", "it is not text")):
        told = admin.run(f"admin spaces create name=t description@={tmp_path}/{name}")
        assert (told.status, words in told.err) == (2, True), told


MISTAKES = (
    ("", "usage: maas login"),
    ("--loud", "there is no option '--loud'"),
    ("login", "login takes PROFILE URL [KEY]"),
    ("login list http://x a:b:c", "cannot be called 'list'"),
    ("login p ftp://x a:b:c", "not the URL of a server"),
    ("login p http://x:port a:b:c", "not the URL of a server"),
    ("login p http://x a:b", "not of the form CONSUMER:TOKEN:SECRET"),
    ("login p http://127.0.0.1:1/MAAS a:b:c", "cannot be reached"),
    ("login p URL/elsewhere a:b:c", "does not answer as hostloom or MAAS would"),
    ("login p URL/MAAS a:b:c", "does not accept this key"),
    ("logout nobody", "there is no profile 'nobody'"),
    ("list more", "takes no further arguments, such as 'more'"),
    ("admni machines read", "Did you mean 'admin'?"),
    ("admin machin", "there is no command 'machin'. Did you mean 'machine'?"),
    ("admin machines raed", "Did you mean 'read'?"),
    ("admin machine read", "requires SYSTEM_ID"),
    ("admin pod update default_macvlan_mode=vepa", "requires ID"),
    ("admin pod read ''", "ID is empty"),
    ("admin machines read x", "not of the form KEY=VALUE"),
    ("--completion fish", "expected bash"),
)


def test_every_mistake_is_told_in_one_line(admin: Shell) -> None:
    for command, words in MISTAKES:
        told = admin.run(command.replace("URL/", f"{admin.server.url}/"))
        assert (told.status, words in told.err) == (2, True), (command, told)
        assert "Traceback" not in told.err
        assert not command or told.err.count("\n") == 1, told


def test_a_parameter_that_is_not_described_is_sent_with_a_warning(admin: Shell) -> None:
    told = admin.run("admin machines read hostnam=x")
    assert (told.status, told.out) == (0, "[]\n")
    assert "`machines read` has no parameter 'hostnam'; did you mean hostname?\n" in told.err
    told = admin.run("admin zones create name=east colour=red")
    assert (told.status, json.loads(told.out)["name"]) == (0, "east")
    assert told.err == "maas: the description of `zones create` has no parameter 'colour'.\n"
    refused = admin.run("admin machines allocate colour=red")
    assert (refused.status, "colour" in refused.out) == (2, True)


def test_what_is_json_ends_in_a_newline(admin: Shell) -> None:
    for command in ("version read", "machines read", "maas get-config name=maas_name"):
        assert admin.run(f"admin {command}").out.endswith(("}\n", "]\n", '"\n')), command


def test_what_the_server_refuses_is_printed(admin: Shell) -> None:
    told = admin.run("admin pod read 99")
    assert (told.status, told.out) == (2, "No Pod matches the given query.")


def test_help_and_completion(admin: Shell) -> None:
    assert "default_macvlan_mode" in admin.run("admin pod update --help").out
    assert "update ID" in admin.run("admin pod").out
    nouns = admin.run("admin").out
    assert all(f"  {noun} " in nouns for noun in ("pod", "vm-hosts", "machines", "ipranges", "dnsresources"))
    assert admin.run("--help").out.startswith("usage: maas login")
    for words, found in (
        ("adm", "admin"),
        ("admin ipra", "iprange\nipranges"),
        ("admin pod upd", "update"),
        ("admin pod update 1 default_m", "default_macvlan_mode="),
        ("admin pod update 1 host", "host="),
        ("nobody x", ""),
    ):
        assert admin.run(f"--complete {words}").out.strip() == found, words
    assert "complete -F _maas maas" in admin.run("--completion bash").out
