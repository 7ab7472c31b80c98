"""Answers as MAAS gave them: JSON or plain text, a Content-Type on every one, errors by status and field."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Where the façade is, as clients see it in every `resource_uri`.
ROOT = "/MAAS/api/2.0/"
JSON = "application/json; charset=utf-8"
#: MAAS's CLI refuses to log in when a charset follows.
BARE_JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class MaasResponse:
    """What goes back to a client."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(found: Any, status: int = 200) -> MaasResponse:
    """JSON. Ratios must be floats (clients refuse `1` for `1.0`); sizes and counts ints."""
    return MaasResponse(json.dumps(found).encode(), status)


def text(words: str, status: int = 200) -> MaasResponse:
    """Plain text."""
    return MaasResponse(words.encode("utf-8", "backslashreplace"), status, TEXT)


#: Of a successful DELETE: MAAS's CLI fails without a Content-Type even here.
GONE = MaasResponse(b"", 204, TEXT)


def uri(path: str) -> str:
    """The `resource_uri` of a path below the root: an absolute path, never a URL."""
    return ROOT + path


class Fault(Exception):
    """A request that ends here with this answer."""

    def __init__(self, maas_response: MaasResponse) -> None:
        super().__init__(maas_response.status)
        self.answer = maas_response


def bad_field(name: str, *messages: str) -> Fault:
    """400 with the field and what is wrong with it."""
    return Fault(answer({name: list(messages)}, 400))


def bad_fields(wrong: Mapping[str, list[str]]) -> Fault:
    """400 with every wrong field."""
    return Fault(answer(dict(wrong), 400))


def refuse(status: int, words: str) -> Fault:
    """A status with its reason as plain text."""
    return Fault(text(words, status))


def not_found(kind: str) -> Fault:
    """404 in the words that clients show."""
    return refuse(404, f"No {kind} matches the given query.")
