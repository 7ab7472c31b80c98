"""Requests are repeated only where that is safe, and always with the same key."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hostloom.client import Client, Problem, ServerUnreachable, Target, api, transport

Answer = Callable[[BaseHTTPRequestHandler, int], None]


@contextmanager
def answering(answer: Answer) -> Iterator[tuple[Client, list[str | None]]]:
    """A server whose nth answer is `answer`; the idempotency keys that it saw."""
    keys: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            self.rfile.read(length)
            keys.append(self.headers.get("Idempotency-Key"))
            answer(self, len(keys))

        do_GET = do_POST = handle_one  # noqa: N815  (the names that http.server calls)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with Client(Target(url=f"http://127.0.0.1:{server.server_port}")) as client:
            yield client, keys
        server.shutdown()
        thread.join()


def give(handler: BaseHTTPRequestHandler, status: int, body: str, kind: str = "application/json") -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body.encode())


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "RETRY_PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(transport, "PENDING_PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(api, "FOLLOW_PAUSES_S", (0.0, 0.0))


def test_a_broken_connection_is_tried_again_with_the_same_key() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number < 3:
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
        else:
            give(handler, 201, '{"id": 1}')

    with answering(answer) as (client, keys):
        assert client.fabrics.create({"name": "lan"}) == {"id": 1}
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert keys[0] is not None


def test_a_request_that_is_being_answered_is_waited_for() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number < 3:
            give(handler, 409, '{"code": "idempotency-pending"}')
        else:
            give(handler, 201, '{"id": 1}')

    with answering(answer) as (client, keys):
        assert client.fabrics.create({"name": "lan"}) == {"id": 1}
    assert len(set(keys)) == 1


def test_any_other_no_is_final() -> None:
    with (
        answering(lambda handler, _: give(handler, 503, '{"code": "dhcp-unreachable"}')) as (client, keys),
        pytest.raises(Problem) as no,
    ):
        client.fabrics.create({"name": "lan"})
    assert (no.value.status, no.value.code, len(keys)) == (503, "dhcp-unreachable", 1)


def test_an_answer_that_is_no_problem_document_is_told_by_its_status() -> None:
    with (
        answering(lambda handler, _: give(handler, 502, "<html>", "text/html")) as (client, _),
        pytest.raises(Problem, match="the server answered 502"),
    ):
        client.about()


def test_each_request_has_a_key_of_its_own() -> None:
    with answering(lambda handler, _: give(handler, 201, '{"id": 1}')) as (client, keys):
        client.fabrics.create({"name": "lan"})
        client.fabrics.create({"name": "lan"})
    assert len(set(keys)) == 2


def test_a_stream_that_breaks_is_taken_up_again_until_the_end() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        finished = "true" if number == 2 else "false"
        give(
            handler,
            200,
            f'event: operation\ndata: {{"n": {number}, "finished": {finished}}}\n\n',
            "text/event-stream",
        )

    with answering(answer) as (client, _):
        assert [each["n"] for each in client.follow("x")] == [1, 2]


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with Client(Target(url="http://127.0.0.1:1")) as client, pytest.raises(ServerUnreachable):
        client.about()
