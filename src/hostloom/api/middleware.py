"""ASGI middleware: admits requests by Host, sender and size, and answers unexpected errors."""

import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from hostloom.api.calls import PRINCIPAL_KEY, authenticate
from hostloom.api.connections import SCOPE_KEY
from hostloom.api.problems import answer, problem_of, simple_problem
from hostloom.model.errors.base import HostloomError

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 1024 * 1024
#: Larger limits for administrators, by path: an import holds the records of thousands of machines.
LARGER_BODY_BYTES = dict.fromkeys(("/api/v1/imports", "/api/v1/imports/plan"), 64 * 1024 * 1024)
#: Limit for paths that take no body.
MAX_STRAY_BYTES = 4096
#: Limit for the bodies of all requests that are being answered, together.
MAX_BUFFERED_BYTES = 192 * 1024 * 1024
#: A refused body is read and dropped up to this size, so that the client gets to read the answer.
MAX_DISCARDED_BYTES = 64 * 1024
#: Names that the server always has.
LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})

#: Files of disk images, which only administrators may send.
UPLOAD_PATHS = "/api/v1/disk-images/uploads/"


class Streamed:
    """The handler reads the body while it arrives, and limits it."""


#: Decides from the headers of a request how many bytes its body may have, or returns the refusal.
BodyPolicy = Callable[[dict[str, Any]], Awaitable[int | Streamed | Response]]


@dataclass
class Budget:
    """Bytes of bodies that are in memory at the same time."""

    most: int = MAX_BUFFERED_BYTES
    held: int = field(default=0)

    def take(self, count: int) -> bool:
        """Count more bytes; False if they do not fit."""
        if self.held + count > self.most:
            return False
        self.held += count
        return True

    def give_back(self, count: int) -> None:
        """Count bytes that were freed."""
        self.held -= count


class Limits:
    """ASGI middleware that reads bodies, and refuses a body as soon as it is not admitted."""

    def __init__(self, app: Any, policies: Mapping[str, BodyPolicy], budget: Budget | None = None) -> None:
        """`policies`: by the beginning of the paths that they apply to."""
        self._app, self._policies, self._budget = app, policies, budget or Budget()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Count the body while it arrives, because its length may be missing or wrong."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        admitted = await self._admit(scope)
        if isinstance(admitted, Response):
            await _refuse(admitted, scope, receive, send)
            return
        if isinstance(admitted, Streamed):
            await self._app(scope, receive, send)
            return
        body = _Body(self._budget, admitted)
        try:
            refusal = await body.read(receive) if _may_have_body(scope) else None
            if refusal is not None:
                await _refuse(refusal, scope, receive, send)
            elif not body.is_cut_off:
                await self._app(scope, _Replay(bytes(body.content), receive), send)
        finally:
            body.close()

    async def _admit(self, scope: Any) -> int | Streamed | Response:
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            return answer(simple_problem(400, "bad-request", "the address holds a zero byte"))
        if not _may_have_body(scope):
            return 0
        policy = next(
            (policy for path, policy in self._policies.items() if scope["path"].startswith(path)), None
        )
        limit = MAX_STRAY_BYTES if policy is None else await policy(scope)
        if isinstance(limit, Response | Streamed):
            return limit
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and (len(length) > 19 or int(length) > limit):
            return _too_large(limit)
        return limit


class _Body:
    """A body that is being read, within its own limit and the common budget."""

    def __init__(self, budget: Budget, limit: int) -> None:
        self._budget, self._limit = budget, limit
        self.content = bytearray()
        #: The client has disconnected.
        self.is_cut_off = False

    async def read(self, receive: Any) -> Response | None:
        """Read the whole body; returns the refusal if it is too large."""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.is_cut_off = True
                return None
            chunk = message.get("body", b"")
            if len(self.content) + len(chunk) > self._limit:
                return _too_large(self._limit)
            if not self._budget.take(len(chunk)):
                refusal = answer(simple_problem(503, "busy", "too many large requests at a time: repeat it"))
                refusal.headers["Retry-After"] = "5"
                return refusal
            self.content += chunk
            more = message.get("more_body", False)
        return None

    def close(self) -> None:
        """Free the memory of the body."""
        self._budget.give_back(len(self.content))
        self.content = bytearray()


def _may_have_body(scope: Any) -> bool:
    return scope["method"] not in ("GET", "HEAD")


def _too_large(limit: int) -> Response:
    return answer(simple_problem(413, "too-large", f"the body of a request may have at most {limit} bytes"))


async def _refuse(refusal: Response, scope: Any, receive: Any, send: Any) -> None:
    """Answer and close the connection, so that the rest of the request is not read."""
    refusal.headers["Connection"] = "close"
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    small = length.isdigit() and len(length) <= 9 and int(length) <= MAX_DISCARDED_BYTES
    if _may_have_body(scope) and small and b"expect" not in headers:
        await _discard(receive)
    await refusal(scope, receive, send)


async def _discard(receive: Any) -> None:
    """Drop the body: a client that is still sending when the connection closes never sees the answer."""
    count, more = 0, True
    while more and count <= MAX_DISCARDED_BYTES:
        message = await receive()
        count += len(message.get("body", b""))
        more = message.get("more_body", False)


class _Replay:
    """Hands the body that was read to the application, then the messages of the connection."""

    def __init__(self, body: bytes, receive: Any) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Any:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


class ApiBodyPolicy:
    """Only callers who are authenticated may send a body to the native API."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any]) -> int | Streamed | Response:
        """The limit, or the refusal of an unknown caller before any of the body is read."""
        try:
            principal = await run_in_threadpool(authenticate, Request({**scope, "app": self._app}))
        except HostloomError as error:
            return answer(problem_of(error))
        scope[PRINCIPAL_KEY] = principal
        if scope["path"].startswith(UPLOAD_PATHS) and scope["method"] == "PUT" and principal.admin:
            return Streamed()
        return LARGER_BODY_BYTES.get(scope["path"], MAX_BODY_BYTES) if principal.admin else MAX_BODY_BYTES


class KnownNames:
    """ASGI middleware that refuses a Host that is neither an address nor one of our names.

    A web page that rebinds its own name to our address (DNS rebinding) is refused.
    """

    def __init__(self, app: Any, names: Iterable[str]) -> None:
        self._app = app
        self._names = LOCAL_NAMES | {name.lower().rstrip(".") for name in names}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Requests over the Unix socket may use any name, because no web page can reach it."""
        if scope["type"] == "http" and SCOPE_KEY not in scope:
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            if len(hosts) > 1 or not all(self._is_known(host.decode("latin-1")) for host in hosts):
                detail = "the server has another name: the setting allowed_hosts lists its names"
                refusal = answer(simple_problem(421, "unknown-host", detail))
                refusal.headers["Connection"] = "close"
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_known(self, host: str) -> bool:
        name, colon, port = host.rpartition(":")
        if not colon or not port.isdigit() or host.endswith("]"):
            name = host
        bare = name.removeprefix("[").removesuffix("]").lower().rstrip(".")
        try:
            ip_address(bare)
        except ValueError:
            return not bare or bare in self._names
        return True


class Incidents:
    """ASGI middleware for unexpected errors: logs the traceback, and gives the caller its number."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle a request; after an unexpected error answer 500, or abort an answer that has begun."""
        has_started = False

        async def sending(message: Any) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if scope["type"] != "http":
                raise
            incident = uuid.uuid4().hex[:12]
            context = {"method": scope["method"], "path": scope["path"]}
            log.error("unexpected error", incident=incident, **context, exc_info=error)
            if has_started:
                raise
            detail = f"hostloom made a mistake; its log tells more under {incident}"
            response = answer(simple_problem(500, "internal-error", detail) | {"incident": incident})
            await response(scope, receive, send)
