"""Requests to the server, over TCP or its Unix socket, repeated where that is safe."""

import math
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from urllib.parse import quote

from hostloom.client.errors import InvalidTarget, Problem, ServerUnreachable, Unsendable

if TYPE_CHECKING:  # imported in the functions, because it takes too long for the command line's help
    import httpx

Document = dict[str, Any]

PREFIX = "/api/v1"
#: Time limit of an answer; adding a host waits for its SSH key, and scans wait for the host.
TIMEOUT_S, CONNECT_TIMEOUT_S = 120.0, 5.0
#: Items in each page when a list is read as a whole.
PAGE = 500
#: Pauses before an unanswered request is repeated with the same idempotency key.
RETRY_PAUSES_S = (0.2, 1.0)
#: Time limit for repeating a request while the server still works on the first one.
PENDING_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0)

#: The type of a list's items, and that of the answers to get, create and update.
ItemT = TypeVar("ItemT")
DetailT = TypeVar("DetailT")
CreatedT = TypeVar("CreatedT")
ChangedT = TypeVar("ChangedT")


@dataclass(frozen=True)
class Target:
    """The address of a server: a Unix socket, or a URL with a token."""

    socket: Path | None = None
    url: str = "http://127.0.0.1:5240"
    token: str = field(default="", repr=False)

    @property
    def text(self) -> str:
        """The address for messages."""
        return self.url if self.socket is None else str(self.socket)


class Transport:
    """Sends requests and reads answers; not thread-safe."""

    def __init__(self, target: Target) -> None:
        import httpx

        self._target = target
        check_target(target)
        timeout = httpx.Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        headers = {"Authorization": f"Bearer {target.token}"} if target.token else {}
        if target.socket is None:
            self._http = httpx.Client(base_url=target.url, headers=headers, timeout=timeout)
        else:
            # A Unix socket needs no TLS, and reading the system's certificates takes 50 ms of CPU.
            unix = httpx.HTTPTransport(uds=str(target.socket), verify=False)
            self._http = httpx.Client(
                base_url="http://hostloom", headers=headers, timeout=timeout, transport=unix
            )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        generation: int | None = None,
    ) -> Document:
        """Send one request; Problem or ServerUnreachable. An empty answer becomes an empty document."""
        headers: dict[str, str] = {}
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        if generation is not None:
            headers["If-Match"] = f'"{generation}"'
        self._refuse_absent()
        parameters = {key: value for key, value in (query or {}).items() if value is not None}
        check_sendable(parameters)
        check_sendable(body)
        pending = iter(PENDING_PAUSES_S)
        while True:
            answer = self._answer(method, path, headers, body, parameters)
            if answer.is_success:
                document = answer.json() if answer.content else {}
                return document if isinstance(document, dict) else {"items": document}
            problem = _problem(answer)
            pause = next(pending, None) if problem.code == "idempotency-pending" else None
            if pause is None:
                raise problem
            time.sleep(pause)

    def upload(self, path: str, content: Iterator[bytes], size_bytes: int) -> Document:
        """Send a file as it is read; it is not sent again by itself. Problem or ServerUnreachable."""
        import httpx

        headers = {"Content-Length": str(size_bytes), "Content-Type": "application/octet-stream"}
        try:
            answer = self._http.put(PREFIX + path, content=content, headers=headers)
        except httpx.TransportError as error:
            raise ServerUnreachable(self._target.text, _cause(error)) from error
        if not answer.is_success:
            raise _problem(answer)
        document: Document = answer.json()
        return document

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[str]]:
        """The lines of a stream of events, without a time limit between lines."""
        import httpx

        timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT_S)
        try:
            with self._http.stream("GET", PREFIX + path, timeout=timeout) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _problem(answer)
                yield answer.iter_lines()
        except httpx.TransportError as error:
            raise ServerUnreachable(self._target.text, _cause(error)) from error

    def _refuse_absent(self) -> None:
        """Raise ServerUnreachable with a clearer message than the connection attempt would give."""
        path = self._target.socket
        if path is not None and not path.exists():
            raise ServerUnreachable(str(path), "there is no such socket")

    def _answer(
        self, method: str, path: str, headers: dict[str, str], body: Any, query: dict[str, Any]
    ) -> "httpx.Response":
        """Send and repeat a request: this is safe, because every change has an idempotency key."""
        import httpx

        pauses = iter(RETRY_PAUSES_S)
        while True:
            try:
                return self._http.request(method, PREFIX + path, headers=headers, json=body, params=query)
            except httpx.TransportError as error:
                pause = None if _is_absent(error) else next(pauses, None)
                if pause is None:
                    raise ServerUnreachable(self._target.text, _cause(error)) from error
                time.sleep(pause)


def check_target(target: Target) -> None:
    """InvalidTarget for a malformed URL, or a token that is not valid in a header."""
    if not (target.token.isascii() and target.token.isprintable() and " " not in target.token):
        raise InvalidTarget(
            "the token contains characters that tokens do not have", "`hostloom token create` makes one"
        )
    if target.socket is not None:
        if "\0" in str(target.socket):
            raise InvalidTarget("the socket is not a path", "for example /run/hostloom/api.sock")
        return
    import httpx

    try:
        url = httpx.URL(target.url)
        usable = url.scheme in ("http", "https") and bool(url.host) and 0 < (url.port or 80) < 2**16
    except (httpx.InvalidURL, ValueError, UnicodeError):
        usable = False
    if not usable:
        message = f"{target.url!r} is not the URL of a server: expected http:// or https://, then a host"
        raise InvalidTarget(message, "for example http://127.0.0.1:5240")


def check_sendable(value: Any, field: str = "") -> None:
    """Unsendable for a number or text that cannot be represented in JSON or a URL."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Unsendable(field, f"a number, not {value}")
    if isinstance(value, str) and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise Unsendable(field, "text in UTF-8")
    if isinstance(value, Mapping):
        for name, part in value.items():
            check_sendable(part, str(name).replace("_", " "))
    elif isinstance(value, list | tuple):
        for part in value:
            check_sendable(part, field)


def _is_absent(error: "httpx.TransportError") -> bool:
    """Whether no process listens on the socket, so that waiting a second is useless."""
    import httpx

    return isinstance(error, httpx.ConnectError)


def _cause(error: "httpx.TransportError") -> str:
    return str(error) or type(error).__name__


def _problem(answer: "httpx.Response") -> Problem:
    try:
        document = answer.json()
    except ValueError:
        document = {}
    return Problem(answer.status_code, document if isinstance(document, dict) else {})


class Collection(Generic[ItemT, DetailT, CreatedT, ChangedT]):
    """One noun of the API: list, get, create, update, delete, and its special verbs."""

    def __init__(self, transport: Transport, path: str) -> None:
        self._transport, self._path = transport, f"/{path}"

    def list(self, limit: int | None = None, **query: Any) -> list[ItemT]:
        """All items, or the first `limit`, page by page."""
        items: list[ItemT] = []
        after: str | None = None
        while True:
            size = PAGE if limit is None else min(PAGE, limit - len(items))
            page = self._transport.send("GET", self._path, query={**query, "after": after, "limit": size})
            items += page["items"]
            after = page["next"]
            if after is None or (limit is not None and len(items) >= limit):
                return items

    def get(self, key: str, **query: Any) -> DetailT:
        """An item by its key: name or id, FABRIC/VID, CIDR."""
        return cast("DetailT", self._transport.send("GET", self._at(key), query=query))

    def create(self, body: Document) -> CreatedT:
        """Create an item; a long action returns its operation."""
        return cast("CreatedT", self._transport.send("POST", self._path, body=body))

    def update(self, key: str, changes: Document, generation: int | None = None) -> ChangedT:
        """Change the fields in `changes`; with a generation, only if it is still current."""
        answer = self._transport.send("PATCH", self._at(key), body=changes, generation=generation)
        return cast("ChangedT", answer)

    def delete(self, key: str, generation: int | None = None, **query: Any) -> Document:
        """Delete an item; a long action returns its operation, others an empty document."""
        return self._transport.send("DELETE", self._at(key), query=query, generation=generation)

    def ask(self, key: str, what: str, **query: Any) -> Document:
        """Read a part of an item, or information about it."""
        return self._transport.send("GET", f"{self._at(key)}/{what}", query=query)

    def act(self, key: str, verb: str, body: Document | None = None, method: str = "POST") -> Document:
        """Call a special verb of the noun."""
        return self._transport.send(method, f"{self._at(key)}/{verb}", body=body)

    def _at(self, key: str) -> str:
        check_sendable(key, "the name")
        return f"{self._path}/{quote(key, safe='')}"
