"""What a client can make the server hold: no body before it is known, no connection for ever."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from hostloom.api import middleware
from hostloom.api.connections import Crowd, TimeoutProtocol, owner_of
from hostloom.api.middleware import Budget, Limits
from hostloom.server.config import Settings
from support.maas import Maas, make_key
from support.server import NOON, Running, running
from support.waiting import wait_until

BODY = 60 * 1024 * 1024
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("limits")) as found:
        yield found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients have half a second."""
    monkeypatch.setattr(TimeoutProtocol, "request_timeout_s", 0.5)


def connect(server: Running, source: str = "127.0.0.1") -> socket.socket:
    parts = urlsplit(server.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), 20, (source, 0))


def answer_to(server: Running, said: bytes) -> bytes:
    """All that is answered to the beginning of a request, until the server ends the connection."""
    with connect(server) as connection:
        connection.sendall(said)
        found = b""
        while part := connection.recv(65536):
            found += part
        return found


def head(path: str, *lines: str, length: int | None = BODY) -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", framing, *lines, "", ""]).encode()


@pytest.mark.parametrize("path", ["/api/v1/imports", "/api/v1/fabrics", "/MAAS/api/2.0/fabrics/", "/MAAS/x"])
@pytest.mark.parametrize(
    ("lines", "length", "begun"),
    [
        ((), BODY, b""),
        ((), BODY, b"{" * 100_000),
        ((), None, b"10000\r\n" + b"x" * 65536),
        (("Expect: 100-continue",), BODY, b""),
        (("Authorization: Bearer x.y",), BODY, b""),
        (("Authorization: OAuth oauth_token=x",), BODY, b""),
        (("Authorization: Basic eDp5",), None, b""),
    ],
)
def test_a_stranger_is_refused_before_the_body(
    server: Running, path: str, lines: tuple[str, ...], length: int | None, begun: bytes
) -> None:
    found = answer_to(server, head(path, *lines, length=length) + begun)
    assert found.startswith(b"HTTP/1.1 401 "), found[:200]
    assert b"connection: close" in found.lower()


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/nothing", "/MAAS/accounts/authenticate/"])
def test_what_needs_no_key_takes_no_large_body(server: Running, path: str) -> None:
    assert answer_to(server, head(path)).startswith(b"HTTP/1.1 413 ")


def test_a_small_request_of_a_stranger_sees_its_answer(server: Running) -> None:
    refused = httpx.post(f"{server.url}/api/v1/fabrics", content=b"{}" + b" " * 60_000)
    assert (refused.status_code, refused.json()["code"]) == (401, "not-authenticated")


def test_only_administrators_may_send_much(server: Running) -> None:
    with server.http() as http:
        http.post("/users", json={"name": "bob"})
        token = http.post("/tokens", json={"user": "bob"}).json()["text"]
    said = head("/api/v1/imports", f"Authorization: Bearer {token}")
    assert answer_to(server, said).startswith(b"HTTP/1.1 413 ")


def test_an_unsigned_form_is_held_to_a_known_key(server: Running) -> None:
    maas = Maas(server.url, make_key(server.ports, "carl"), NOON)
    header = maas.header().replace("PLAINTEXT", "HMAC-SHA1")
    form = "Content-Type: application/x-www-form-urlencoded"
    known = answer_to(server, head("/MAAS/api/2.0/fabrics/", f"Authorization: {header}", form))
    assert known.startswith(b"HTTP/1.1 413 ")
    stranger = header.replace(maas.key.split(":")[1], "0" * 18)
    found = answer_to(server, head("/MAAS/api/2.0/fabrics/", f"Authorization: {stranger}", form))
    assert found.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /healthz HTT",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ",
        head("/MAAS/accounts/authenticate/", length=9) + b"a",
    ],
    ids=["nothing", "half a line", "half a head", "half a body"],
)
def test_a_slow_client_of_the_api_is_let_go(quick: None, server: Running, said: bytes) -> None:
    assert answer_to(server, said) == b""


def test_a_slow_client_of_the_socket_is_let_go(quick: None, server: Running) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(server.socket))
        connection.sendall(b"GET /healthz HTT")
        assert connection.recv(1) == b""


def test_one_address_cannot_take_every_connection(server: Running) -> None:
    most = Settings().max_connections_per_address
    held = [connect(server) for _ in range(most)]
    try:

        def is_refused() -> bool:
            with connect(server) as one_more:
                one_more.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return one_more.recv(65536).startswith(b"HTTP/1.1 503 ")

        wait_until(is_refused, "the limit", 20)
        with connect(server, "127.0.0.9") as other:
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert other.recv(65536).startswith(b"HTTP/1.1 200 ")
        with server.http() as http:
            assert http.get("/about").status_code == 200
    finally:
        for connection in held:
            connection.close()


class Held:
    """A connection, as far as the limits know one."""

    def __init__(self, *, is_waiting: bool = True) -> None:
        self.is_waiting, self.is_ended, self.transport = is_waiting, False, self

    def abort(self) -> None:
        self.is_ended = True


def test_the_address_with_most_connections_gives_one_up() -> None:
    crowd = Crowd(10, 8)
    slow: list[Any] = [Held(is_waiting=n > 0) for n in range(10)]
    assert [crowd.admit(each, "slow") for each in slow] == [True] * 8 + [False] * 2
    machines: list[Any] = [Held() for _ in range(8)]
    assert all(crowd.admit(each, f"m{n}") for n, each in enumerate(machines))
    assert crowd.count == 10
    assert [each.is_ended for each in slow[:8]] == [False] + [True] * 6 + [False]
    late: list[Any] = [Held(), Held()]
    assert [crowd.admit(each, f"late{n}") for n, each in enumerate(late)] == [True, False]
    assert slow[7].is_ended
    for n, each in enumerate(machines):
        crowd.leave(each, f"m{n}")
    for each in slow:
        crowd.leave(each, "slow")
    crowd.leave(late[0], "late0")
    assert crowd.count == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("fd00::1", "fd00::ffff:2", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("fd00:0:0:1::1", "fd00::1", False),
        ("10.0.0.1", "10.0.0.2", False),
    ],
)
def test_what_one_machine_can_choose_counts_together(one: str, other: str, same: bool) -> None:
    assert (owner_of(one) == owner_of(other)) is same


def test_a_body_in_time_may_take_longer_than_a_head(quick: None, monkeypatch: pytest.MonkeyPatch,
                                                    server: Running) -> None:  # fmt: skip
    monkeypatch.setattr(TimeoutProtocol, "least_bytes_per_s", 100)
    with server.http() as http:
        http.post("/users", json={"name": "dora", "admin": True})
        token = http.post("/tokens", json={"user": "dora"}).json()["text"]
    said = head("/api/v1/fabrics", f"Authorization: Bearer {token}", length=1000)
    with connect(server) as connection:
        connection.sendall(said + b" " * 900)
        ended = asyncio.run(_ends_within(connection, 1.5))
        assert not ended
        connection.sendall(b" " * 100)
        assert connection.recv(65536).startswith(b"HTTP/1.1 422 ")


async def _ends_within(connection: socket.socket, seconds: float) -> bool:
    connection.setblocking(False)
    try:
        await asyncio.wait_for(asyncio.get_running_loop().sock_recv(connection, 1), seconds)
    except TimeoutError:
        return False
    finally:
        connection.settimeout(20)
    return True


def scope_of(path: str = "/x", method: str = "POST") -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}


class Line:
    """One request through the limits: what arrives, what the application got, what was answered."""

    def __init__(self, *parts: dict[str, Any], budget: Budget, limit: int = 1000) -> None:
        self.parts, self.bodies, self.sent = list(parts), [], []  # type: ignore[var-annotated]
        self.budget = budget

        async def door(_: dict[str, Any]) -> int:
            return limit

        self.limits = Limits(self._app, {"/": door}, budget)

    async def _app(self, _scope: Any, receive: Any, send: Any) -> None:
        self.bodies.append((await receive())["body"])
        self.held = self.budget.held
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def run(self) -> list[int]:
        async def receive() -> dict[str, Any]:
            return self.parts.pop(0) if self.parts else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)

        asyncio.run(self.limits(scope_of(), receive, send))
        return [each["status"] for each in self.sent if "status" in each]


def part(count: int, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": b"x" * count, "more_body": more}


def test_all_bodies_together_have_a_budget() -> None:
    budget = Budget(500)
    line = Line(part(300), part(100, more=False), budget=budget)
    assert line.run() == [200]
    assert (line.held, budget.held) == (400, 0)
    assert Line(part(300), part(300, more=False), budget=budget).run() == [503]
    assert Line(part(600), part(600), budget=Budget(5000)).run() == [413]
    assert budget.held == 0


def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    budget = Budget(500)
    line = Line(part(10), budget=budget)
    assert line.run() == []
    assert (line.bodies, budget.held) == ([], 0)


def test_many_headers_are_refused(server: Running) -> None:
    lines = [f"X-{n}: {'y' * 100}" for n in range(1000)]
    found = answer_to(server, head("/api/v1/fabrics", *lines, length=0))
    assert found.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 401 "))


@pytest.mark.parametrize("path", ["/aaa", "/healthz", "/%00", "*"])
@pytest.mark.parametrize("body", [b"ffffffffffffffffffffffff\r\n", b"-1\r\n", b"x", b"5\r\nhelloxx"])
def test_a_request_that_goes_wrong_in_its_body_is_no_incident(
    quick: None, server: Running, path: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has refused it already when the application wants to answer."""
    incidents: list[Any] = []
    monkeypatch.setattr(middleware.log, "error", lambda *words, **how: incidents.append((words, how)))
    for method in ("GET", "POST", "BREW"):
        said = head(path, "Expect: 100-continue", length=None).replace(b"POST", method.encode(), 1)
        answer_to(server, said + body)
    assert incidents == []


@pytest.mark.parametrize("depth", [1_000, 100_000, 500_000])
def test_deep_json_is_the_clients_fault(server: Running, depth: int) -> None:
    with server.http() as http:
        for body in ("[" * depth, '{"a":' * (depth // 5), "[" * depth + "]" * depth):
            found = http.post("/fabrics", content=body[:1_000_000], headers=JSON)
            assert found.status_code in (400, 422), found.text[:200]


def test_a_path_that_no_door_is_for_takes_hardly_anything() -> None:
    limits = Limits(None, {})
    scope = scope_of("/elsewhere") | {"headers": [(b"content-length", b"9" * 30)]}
    refused = asyncio.run(limits._admit(scope))
    assert not isinstance(refused, int)
    assert refused.status_code == 413
