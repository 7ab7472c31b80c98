"""Kea's control socket: one JSON command a connection."""

import json
import socket
import time
from pathlib import Path
from typing import Any

from hostloom.model.errors import DhcpRejected, DhcpUnreachable

#: `result` of an answer: done, and nothing found.
SUCCESS, EMPTY = 0, 3
CHUNK_BYTES = 1 << 16


class ControlSocket:
    """Speaks to one Kea server."""

    def __init__(self, path: Path, timeout_s: float = 30.0) -> None:
        self._path, self._timeout_s = path, timeout_s

    def command(
        self, name: str, arguments: dict[str, Any] | None = None, *, timeout_s: float | None = None
    ) -> dict[str, Any]:
        """The `arguments` of a successful answer, empty ones included.

        DhcpRejected with Kea's words; DhcpUnreachable when there is no whole answer within `timeout_s`.
        """
        request: dict[str, Any] = {"command": name}
        if arguments is not None:
            request["arguments"] = arguments
        text = self._exchange(json.dumps(request).encode(), timeout_s or self._timeout_s)
        answer = self._parse(name, text)
        if answer["result"] not in (SUCCESS, EMPTY):
            raise DhcpRejected(f"{name}: {answer.get('text', 'no reason given')}")
        found = answer.get("arguments", {})
        return found if isinstance(found, dict) else {}

    def _exchange(self, request: bytes, timeout_s: float) -> bytes:
        until = time.monotonic() + timeout_s
        received = bytearray()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(timeout_s)
                connection.connect(str(self._path))
                connection.sendall(request)
                while True:
                    connection.settimeout(max(until - time.monotonic(), 0.001))
                    chunk = connection.recv(CHUNK_BYTES)
                    if not chunk:
                        return bytes(received)
                    received += chunk
        except TimeoutError as error:
            raise DhcpUnreachable(f"{self._path}: no answer within {timeout_s:g} s") from error
        except OSError as error:
            raise DhcpUnreachable(f"{self._path}: {error.strerror or error}") from error

    def _parse(self, name: str, text: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(text)
        except ValueError as error:
            why = f"the answer to {name} is not JSON ({len(text)} bytes)"
            raise DhcpUnreachable(f"{self._path}: {why}") from error
        if not isinstance(answer, dict) or "result" not in answer:
            raise DhcpUnreachable(f"{self._path}: the answer to {name} is not one of Kea")
        return answer
