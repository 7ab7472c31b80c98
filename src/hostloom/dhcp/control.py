"""Kea's control channel: one JSON command at a time."""

import json
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hostloom.model.errors.outside import DhcpRejected, DhcpUnreachable

#: `result` of an answer: done, and nothing found.
SUCCESS, EMPTY = 0, 3
CHUNK_BYTES = 1 << 16
#: Enough for about 250,000 leases.
ANSWER_BYTES = 128 << 20


class Control(ABC):
    """Talks to one Kea server; subclasses implement the transport."""

    def __init__(self, timeout_s: float = 30.0) -> None:
        self._timeout_s = timeout_s

    @abstractmethod
    def exchange(self, request: bytes, timeout_s: float) -> bytes:
        """Send one command, and return the whole answer; DhcpUnreachable."""

    def envelope(self, command: dict[str, Any]) -> dict[str, Any]:
        """A command in the form of the channel."""
        return command

    def command(
        self, name: str, arguments: dict[str, Any] | None = None, *, timeout_s: float | None = None
    ) -> dict[str, Any]:
        """The `arguments` of a successful answer, empty ones included.

        DhcpRejected with Kea's words; DhcpUnreachable when there is no whole answer within `timeout_s`.
        """
        request: dict[str, Any] = {"command": name}
        if arguments is not None:
            request["arguments"] = arguments
        text = self.exchange(json.dumps(self.envelope(request)).encode(), timeout_s or self._timeout_s)
        response = self._parse(name, text)
        if response["result"] not in (SUCCESS, EMPTY):
            raise DhcpRejected(f"{name}: {response.get('text', 'no reason given')}")
        arguments = response.get("arguments", {})
        return arguments if isinstance(arguments, dict) else {}

    def _parse(self, name: str, text: bytes) -> dict[str, Any]:
        try:
            response = json.loads(text)
        except (ValueError, RecursionError) as error:
            why = f"the answer to {name} is not JSON ({len(text)} bytes)"
            raise DhcpUnreachable(f"{self}: {why}") from error
        if isinstance(response, list) and len(response) == 1:
            # The control agent can ask several servers; the command names one.
            response = response[0]
        if not isinstance(response, dict) or "result" not in response:
            raise DhcpUnreachable(f"{self}: the answer to {name} is not one of Kea")
        return response


class ControlSocket(Control):
    """A Unix socket with one connection for each command; its path may be resolved each time."""

    def __init__(self, path: Path | Callable[[float], Path], timeout_s: float = 30.0) -> None:
        super().__init__(timeout_s)
        self._path = path

    def exchange(self, request: bytes, timeout_s: float) -> bytes:
        """Send one command, and return the whole answer; DhcpUnreachable."""
        deadline = time.monotonic() + timeout_s
        path = self._path if isinstance(self._path, Path) else self._path(timeout_s)
        received = bytearray()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(max(deadline - time.monotonic(), 0.001))
                connection.connect(str(path))
                connection.sendall(request)
                while True:
                    connection.settimeout(max(deadline - time.monotonic(), 0.001))
                    chunk = connection.recv(CHUNK_BYTES)
                    if not chunk:
                        return bytes(received)
                    received += chunk
                    if len(received) > ANSWER_BYTES:
                        raise DhcpUnreachable(f"{self}: the answer is longer than {ANSWER_BYTES} bytes")
        except TimeoutError as error:
            raise DhcpUnreachable(f"{self}: no answer within {timeout_s:g} s") from error
        except OSError as error:
            raise DhcpUnreachable(f"{self}: {error.strerror or error}") from error

    def __str__(self) -> str:
        return str(self._path)
