"""Responses in the formats of MAAS: JSON or plain text, and errors by status and field."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: The prefix of every `resource_uri`.
ROOT = "/MAAS/api/2.0/"
JSON = "application/json; charset=utf-8"
#: MAAS's CLI cannot log in if the content type has a charset.
BARE_JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class MaasResponse:
    """A response to a client."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(content: Any, status: int = 200) -> MaasResponse:
    """Make a JSON response. Ratios must be floats (clients refuse `1` for `1.0`), sizes and counts ints."""
    return MaasResponse(json.dumps(content).encode(), status)


def text(message: str, status: int = 200) -> MaasResponse:
    """Make a plain-text response."""
    return MaasResponse(message.encode("utf-8", "backslashreplace"), status, TEXT)


#: The response to a successful DELETE. MAAS's CLI requires a Content-Type even here.
GONE = MaasResponse(b"", 204, TEXT)


def uri(path: str) -> str:
    """Make the `resource_uri` of a path below the root: an absolute path, never a URL."""
    return ROOT + path


class Fault(Exception):
    """Ends a request with a response."""

    def __init__(self, maas_response: MaasResponse) -> None:
        super().__init__(maas_response.status)
        self.answer = maas_response


def bad_field(name: str, *messages: str) -> Fault:
    """Make a 400 with the messages for one field."""
    return Fault(answer({name: list(messages)}, 400))


def refuse(status: int, message: str) -> Fault:
    """Make an error response with a plain-text message."""
    return Fault(text(message, status))


def not_found(kind: str) -> Fault:
    """Make a 404 with the message that clients display."""
    return refuse(404, f"No {kind} matches the given query.")
