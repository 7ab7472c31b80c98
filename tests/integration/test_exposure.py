"""What is shown to whom: names of the server, figures, secrets in errors and files; guessed logins."""

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from hostloom.api import monitoring
from hostloom.compat.maas2 import logins
from hostloom.compat.maas2.server import Facade
from hostloom.model.errors.server import ConfigError
from hostloom.remote.directory import _clear
from hostloom.server.app import serve
from hostloom.server.sockets import listen_unix
from hostloom.server.wiring import close_to_others
from hostloom.services import racks
from hostloom.store.engine import masked, open_store
from support.maas import HTTP, Maas, make_key
from support.server import NOON, Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("exposure")) as found:
        yield found


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/api/v1/about", "/MAAS/api/2.0/describe/"])
@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("evil.example", False),
        ("evil.example:5240", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1", True),
        ("[::1]:5240", True),
        ("192.0.2.7:5240", True),
        ("LOCALHOST:5240", True),
        ("localhost.", True),
    ],
)
def test_a_name_that_is_not_ours_gets_nothing(server: Running, path: str, host: str, known: bool) -> None:
    found = httpx.get(f"{server.url}{path}", headers={"Host": host})
    assert (found.status_code == 421) is not known
    assert "evil" not in found.text


def test_a_proxys_headers_count_only_where_the_settings_say_so(server: Running) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    found = httpx.get(f"{server.url}/MAAS/api/2.0/describe/", headers=headers)
    assert found.json()["handlers"][0]["uri"].startswith(server.url)
    proxied = Starlette(routes=[Mount("/MAAS", Facade(server.ports, proxy_headers=True).app())])

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(proxied)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/MAAS/api/2.0/describe/", headers=headers)

    told = asyncio.run(ask())
    assert told.json()["handlers"][0]["uri"].startswith("https://evil.example/")


@pytest.mark.parametrize("header", [{}, {"X-Forwarded-For": "10.9.9.9"}, {"Via": "1.1 proxy"}])
def test_figures_are_for_this_machine_or_for_a_token(server: Running, header: dict[str, str]) -> None:
    found = httpx.get(f"{server.url}/metrics", headers=header)
    assert found.status_code == (401 if header else 200)
    with server.http() as http:
        if http.get("/users/mon").status_code == 404:
            http.post("/users", json={"name": "mon"})
        text = http.post("/tokens", json={"user": "mon"}).json()["text"]
    token = {"Authorization": f"Bearer {text}"}
    assert httpx.get(f"{server.url}/metrics", headers={**header, **token}).status_code == 200


def test_figures_are_not_read_for_each_who_asks(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    count = []
    monkeypatch.setattr(monitoring, "generate_latest", lambda _: count.append(1) or b"")
    figures = monitoring.Figures(server.ports)
    assert [figures.text() for _ in range(5)] == [b""] * 5
    assert len(count) == 1


def test_guessed_logins_are_slowed_down_with_an_event(server: Running) -> None:
    url = f"{server.url}/MAAS/accounts/authenticate/"
    found = [HTTP.post(url, data={"username": "ann", "password": "x.y"}).status_code for _ in range(20)]
    assert found[: logins.OF_USER] == [found[0]] * logins.OF_USER
    assert found[0] in (400, 401)
    assert set(found[logins.OF_USER + 1 :]) == {429}
    with server.ports.store.begin() as uow:
        events = [each for each in uow.events.list() if each.kind == "login-throttled"]
    assert events
    assert str(events[0].subject) == "user ann"
    many = [HTTP.post(url, data={"username": f"u{n}", "password": "x"}).status_code for n in range(40)]
    assert many[-1] == 429, "one address cannot try one password on everybody"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:S3CRETPW@h/db",
        "postgresql+psycopg://u:S3CRETPW@h:port/db",
        "postgresql://u:S3@CRETPW@h/",
        "postgresql+psycopg://u:S3@CRETPW@h/db",
        "oracle://u:S3CRETPW@h/db?x=1",
        "postgresql+psycopg://h/?password=S3CRETPW",
        "nonsense://u:S3/CRETPW@h",
        "mysql://h/db?sslpassword=S3CRETPW&x=1",
    ],
)
def test_a_password_of_the_database_is_never_shown(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        open_store(url)
    assert "CRETPW" not in str(refused.value)
    assert "CRETPW" not in masked(url)


def test_files_are_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    before = os.umask(0o022)
    try:
        open_store(f"sqlite:///{tmp_path}/hostloom.db").close()
        (tmp_path / "hostloom.db-wal").touch()
    finally:
        os.umask(before)
    close_to_others(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("hostloom.db*")}
    assert modes == {0o600}


def test_wrong_settings_leave_the_modes_of_new_files_alone() -> None:
    before = os.umask(0o022)
    try:
        with pytest.raises(ConfigError):
            serve({}, {"listen": "nowhere"}, None)
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_members_of_the_group_still_reach_the_socket(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        listen_unix(tmp_path / "run" / "api.sock", "no-such-group").close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "run" / "api.sock").stat().st_mode) == 0o660


def test_a_link_in_the_folder_for_all_is_not_followed(tmp_path: Path) -> None:
    """Whoever plants one must not have the server open, lock or remove another file."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "lock").write_text("mine")
    shared = tmp_path / "tmp"
    shared.mkdir()
    (shared / "hostloom-ssh-linked").symlink_to(precious)
    (shared / "hostloom-ssh-inside").mkdir()
    (shared / "hostloom-ssh-inside" / "lock").symlink_to(precious / "lock")
    _clear(shared)
    assert (precious / "lock").read_text() == "mine"
    assert (shared / "hostloom-ssh-inside").exists()


def test_keas_secrets_are_for_administrators() -> None:
    document = {
        "Dhcp4": {
            "lease-database": {"type": "mysql", "user": "kea", "password": "S3CRET"},
            "hooks-libraries": [{"parameters": {"high-availability": [{"basic-auth-password": "S3CRET"}]}}],
            "subnet4": [{"subnet": "10.0.0.0/24"}],
        }
    }
    shown = racks._without_secrets(document)
    assert "S3CRET" not in str(shown)
    assert shown["Dhcp4"]["subnet4"] == document["Dhcp4"]["subnet4"]


NUMBERS = ["9" * 5000, "9" * 20, "9223372036854775808", "2147483648", "-1", "0", "1e9", "٣", " 1", "+1"]
NOUNS = ["hosts", "fabrics", "vlans", "spaces", "subnets", "ranges", "nodes", "machines", "zones",
         "resource-pools", "domains", "tags", "users", "racks", "operations", "plans"]  # fmt: skip


@pytest.mark.parametrize("noun", NOUNS)
def test_numbers_in_paths_have_bounds(server: Running, noun: str) -> None:
    with server.http() as http:
        for number in NUMBERS:
            for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/refresh"), ("PATCH", "")):
                found = http.request(
                    method, f"/{noun}/{number}{path}", json={} if method == "PATCH" else None
                )
                assert found.status_code < 500, (method, noun, number[:20], found.text[:200])
        for number in NUMBERS:
            found = http.get(f"/{noun}", params={"after": number[:64], "limit": number[:64]})
            assert found.status_code < 500, (noun, number)


@pytest.mark.parametrize("path", ["fabrics/{}/", "vlans/{}/", "subnets/{}/", "vm-hosts/{}/", "ipranges/{}/"])
def test_numbers_of_maas_clients_have_bounds(server: Running, path: str) -> None:
    maas = Maas(server.url, make_key(server.ports, "ann"), NOON)
    for number in NUMBERS:
        for method in ("GET", "DELETE"):
            assert maas.send(method, path.format(number[:200])).status_code < 500
    fabric = maas.post("fabrics/")["id"]
    for number in NUMBERS:
        for field in ("vid", "mtu", "primary_rack", "relay_vlan"):
            found = maas.send("POST", f"fabrics/{fabric}/vlans/", {"vid": "5", field: number})
            assert found.status_code < 500, (field, number[:20], found.text)
