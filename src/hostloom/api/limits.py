"""What no request may be: too large, or with a zero byte in its address."""

from typing import Any

from hostloom.api.problems import answer, simple_problem

MAX_BODY_BYTES = 1024 * 1024
#: What may be larger: all that another system knew of thousands of machines.
LARGER = {"/api/v1/imports": 64 * 1024 * 1024}


class Limits:
    """ASGI middleware that refuses such requests before anything reads them."""

    def __init__(self, app: Any, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._app, self._max = app, max_body_bytes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Count the body as it comes: a length may be missing or wrong."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = LARGER.get(scope["path"], self._max)
        refusal = self._refuse(scope, limit)
        if refusal is None:
            body = await self._read(scope, receive, limit)
            refusal = None if body is not None else self._too_large(limit)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, _Replay(body or b"", receive), send)

    def _refuse(self, scope: Any, limit: int) -> Any:
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            return answer(simple_problem(400, "bad-request", "the address holds a zero byte"))
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length[:20]) > limit:
            return self._too_large(limit)
        return None

    async def _read(self, scope: Any, receive: Any, limit: int) -> bytes | None:
        if scope["method"] in ("GET", "HEAD"):
            return b""
        body, more = bytearray(), True
        while more and len(body) <= limit:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return bytes(body) if len(body) <= limit else None

    def _too_large(self, limit: int) -> Any:
        detail = f"a request may have {limit} bytes"
        return answer(simple_problem(413, "too-large", detail))


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
