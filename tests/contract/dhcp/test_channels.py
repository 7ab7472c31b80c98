"""Control channels: what may be one, and commands through each kind that there is."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from hostloom.dhcp.channel import open_channel
from hostloom.dhcp.control import ControlSocket
from hostloom.dhcp.servers import KeaServers
from hostloom.model.errors.outside import DhcpRejected, DhcpUnreachable
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import RackId, SystemId
from hostloom.model.rack import Rack
from hostloom.remote.connection import Remotes
from hostloom.remote.keys import PinnedKeys
from hostloom.store.engine import open_store
from support.dhcp_intents import WEB, a_reservation, a_subnet, an_intent
from support.fake_dhcp import FakeDhcp
from support.kea import Kea
from support.template_database import copy_template


class Agent(BaseHTTPRequestHandler):
    """Kea's control agent as its documents describe it: a list of answers, one a service."""

    target = Path()
    seen: ClassVar[list[tuple[str | None, dict[str, object]]]] = []

    def do_POST(self) -> None:
        command = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.headers.get("Authorization"), command))
        if self.headers.get("Authorization") not in (None, "Basic cmFjazpzM2NyZXQ="):
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        bare = {key: value for key, value in command.items() if key != "service"}
        answer = ControlSocket(self.target).exchange(json.dumps(bare).encode(), 10)
        body = b"[" + answer + b"]"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def remotes(tmp_path: Path) -> Iterator[Remotes]:
    remotes = Remotes(PinnedKeys(open_store(copy_template(tmp_path / "hostloom.db"))))
    yield remotes
    remotes.close()


@pytest.mark.parametrize(
    "text",
    ["", "tcp:1", "unix:relative", "unix://host/path", "ssh://host", "ssh:///path", "http://", "ftp://h/",
     "http://h:99999/", "http://h/deeper", "ssh://u:secret@h/run/kea", "http://u:secret@h:8000/"],
)  # fmt: skip
def test_an_invalid_channel_is_refused_without_showing_a_password(text: str, remotes: Remotes) -> None:
    with pytest.raises(InvalidValue, match="control6") as refused:
        open_channel("control6", text, 6, remotes, Path("/nowhere"))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "path", ["/run/hostloom/api.sock", "/run/kea/../docker.sock", "/run/kea/deep/er", "/x"]
)
def test_a_socket_of_another_program_is_refused(path: str, remotes: Remotes, tmp_path: Path) -> None:
    servers = KeaServers(remotes, None, tmp_path, [Path("/run/kea")])
    assert servers.of(Rack(RackId(1), "one", SystemId("abc"), "unix:/run/kea/kea4-ctrl-socket"))
    with pytest.raises(InvalidValue, match="kea_socket_dirs"):
        servers.of(Rack(RackId(1), "one", SystemId("abc"), f"unix:{path}"))


def test_local_is_what_hostloom_was_configured_with(remotes: Remotes, tmp_path: Path) -> None:
    local, rack = FakeDhcp(), Rack(RackId(1), "one", SystemId("abc"))
    assert KeaServers(remotes, local, tmp_path).of(rack) is local
    with pytest.raises(InvalidValue, match="no Kea of its own"):
        KeaServers(remotes, None, tmp_path).of(rack)


@pytest.mark.lab
def test_a_kea_that_hostloom_did_not_start_keeps_its_paths(
    kea: Kea, remotes: Remotes, tmp_path: Path
) -> None:
    servers = KeaServers(remotes, None, tmp_path)
    rack = Rack(RackId(1), "one", SystemId("abc"), f"unix:{kea.socket}", f"unix:{kea.socket6}")
    before = servers.of(rack).running()
    servers.of(rack).apply(an_intent(a_subnet(a_reservation(WEB, "10.77.10.50"))))
    after = servers.of(rack).running()
    for name in ("Dhcp4", "Dhcp6"):
        for key in ("control-socket", "lease-database"):
            assert after[name][key].get("socket-name") == before[name][key].get("socket-name")
            assert after[name][key].get("name") == before[name][key].get("name")
    assert "10.77.10.50" in str(after["Dhcp4"])
    assert servers.of(rack).status().trouble == ""


@pytest.mark.lab
def test_commands_go_through_an_agent_with_its_password(kea: Kea, remotes: Remotes, tmp_path: Path) -> None:
    Agent.target, Agent.seen = kea.socket, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Agent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://rack@127.0.0.1:{server.server_port}/"
    dhcp = KeaServers(remotes, None, tmp_path).of(Rack(RackId(1), "one", SystemId("abc"), url))
    try:
        assert "cannot be read" in dhcp.status().trouble
        password = tmp_path / "one"
        password.write_text("s3cret\n")
        password.chmod(0o644)
        assert "others may read" in dhcp.status().trouble
        password.chmod(0o600)
        dhcp.apply(an_intent(a_subnet(a_reservation(WEB, "10.77.10.50"))))
        assert kea.ask(WEB)["ip"] == "10.77.10.50"
        assert {str(command["service"]) for _, command in Agent.seen} == {"['dhcp4']"}
        password.write_text("wrong")
        with pytest.raises(DhcpRejected, match="access denied"):
            dhcp.leases()
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(DhcpUnreachable, match=r"127\.0\.0\.1"):
        dhcp.leases()
