"""What is read of a request: nothing of its body until it is known who sends it, then no more than fits."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Response

from hostloom.api.problems import answer, simple_problem

MAX_BODY_BYTES = 1024 * 1024
#: Of a request to what takes no body.
MAX_STRAY_BYTES = 4096
#: What all requests that are being answered may hold together.
MAX_BUFFERED_BYTES = 192 * 1024 * 1024
#: What is read and dropped of a refused request, so that its client gets to reading the answer.
MAX_DISCARDED_BYTES = 64 * 1024

#: Says from a request's address and headers how many bytes its body may have, or why it is refused.
Door = Callable[[dict[str, Any]], Awaitable[int | Response]]


@dataclass
class Budget:
    """The bytes that bodies hold at a time."""

    most: int = MAX_BUFFERED_BYTES
    held: int = field(default=0)

    def take(self, count: int) -> bool:
        """Whether so many more may be held."""
        if self.held + count > self.most:
            return False
        self.held += count
        return True

    def give_back(self, count: int) -> None:
        """They are held no more."""
        self.held -= count


class Limits:
    """ASGI middleware that reads bodies, or refuses them before anything is read."""

    def __init__(self, app: Any, doors: Mapping[str, Door], budget: Budget | None = None) -> None:
        """`doors` by the beginning of the paths that they are for."""
        self._app, self._doors, self._budget = app, doors, budget or Budget()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Count the body as it comes: a length may be missing or wrong."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        admitted = await self._admit(scope)
        if isinstance(admitted, Response):
            await _refuse(admitted, scope, receive, send)
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

    async def _admit(self, scope: Any) -> int | Response:
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            return answer(simple_problem(400, "bad-request", "the address holds a zero byte"))
        if not _may_have_body(scope):
            return 0
        door = next((door for path, door in self._doors.items() if scope["path"].startswith(path)), None)
        limit = MAX_STRAY_BYTES if door is None else await door(scope)
        if isinstance(limit, Response):
            return limit
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and (len(length) > 19 or int(length) > limit):
            return _too_large(limit)
        return limit


class _Body:
    """A body as it is read, within its own limit and the budget of all."""

    def __init__(self, budget: Budget, limit: int) -> None:
        self._budget, self._limit = budget, limit
        self.content = bytearray()
        #: The client has gone.
        self.is_cut_off = False

    async def read(self, receive: Any) -> Response | None:
        """Read it whole; the answer is why not."""
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
        """Let go of it."""
        self._budget.give_back(len(self.content))
        self.content = bytearray()


def _may_have_body(scope: Any) -> bool:
    return scope["method"] not in ("GET", "HEAD")


def _too_large(limit: int) -> Response:
    return answer(simple_problem(413, "too-large", f"a request may have {limit} bytes"))


async def _refuse(refusal: Response, scope: Any, receive: Any, send: Any) -> None:
    """Answer, and end the connection: what else is sent of the request is not wanted."""
    refusal.headers["Connection"] = "close"
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    small = length.isdigit() and len(length) <= 9 and int(length) <= MAX_DISCARDED_BYTES
    if _may_have_body(scope) and small and b"expect" not in headers:
        await _discard(receive)
    await refusal(scope, receive, send)


async def _discard(receive: Any) -> None:
    """A client that is still sending when the connection ends does not see the answer."""
    count, more = 0, True
    while more and count <= MAX_DISCARDED_BYTES:
        message = await receive()
        count += len(message.get("body", b""))
        more = message.get("more_body", False)


class _Replay:
    """Gives the body that was read, then what the connection says (that it was closed)."""

    def __init__(self, body: bytes, receive: Any) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Any:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}
