"""Kea's control socket: one JSON command a connection."""

import json
import socket
from pathlib import Path
from typing import Any

from hostloom.model.errors import DhcpRejected, DhcpUnreachable

#: `result` of an answer: done, failed, no such command, nothing found.
SUCCESS, ERROR, UNSUPPORTED, EMPTY = 0, 1, 2, 3
CHUNK = 1 << 16


class ControlSocket:
    """Speaks to one Kea server."""

    def __init__(self, path: Path, timeout_s: float = 30.0) -> None:
        self._path, self._timeout_s = path, timeout_s

    def command(self, name: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        """The `arguments` of a successful answer, empty ones included; DhcpRejected with Kea's words."""
        request: dict[str, Any] = {"command": name}
        if arguments is not None:
            request["arguments"] = arguments
        answer = self._exchange(json.dumps(request).encode())
        if answer.get("result") not in (SUCCESS, EMPTY):
            raise DhcpRejected(f"{name}: {answer.get('text', 'no reason given')}")
        found = answer.get("arguments", {})
        return found if isinstance(found, dict) else {}

    def _exchange(self, request: bytes) -> dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(self._timeout_s)
                connection.connect(str(self._path))
                connection.sendall(request)
                text = b"".join(iter(lambda: connection.recv(CHUNK), b""))
        except OSError as error:
            raise DhcpUnreachable(f"{self._path}: {error.strerror or error}") from error
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise DhcpUnreachable(f"{self._path}: the answer is no JSON ({len(text)} bytes)") from error
        return answer if isinstance(answer, dict) else {}
