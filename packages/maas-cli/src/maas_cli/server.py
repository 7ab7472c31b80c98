"""Sends requests, signed with the profile's key, to a server."""

import json
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import httpx

from maas_cli.errors import CliError
from maas_cli.profiles import Profile

ROOT = "/api/2.0/"
#: As in MAAS's command, because a compose may wait for a host.
TIMEOUT_S = 300.0
Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """A server's answer."""

    status: int
    body: bytes
    content_type: str
    #: Hash of the server's current description; empty if the server sends none.
    described: str

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return self.status // 100 == 2


class Server:
    """The server of a profile."""

    def __init__(self, profile: Profile, *, debug: bool = False) -> None:
        self._profile, self._debug = profile, debug

    def ask(self, method: str, path: str, op: str | None = None, fields: Fields = ()) -> Answer:
        """Send one request; `path` is absolute, as in the description."""
        query = [("op", op)] if op else []
        in_body = method in ("POST", "PUT")
        query += [] if in_body else list(fields)
        parts = urlsplit(self._profile.url)
        url = urlunsplit((parts.scheme, parts.netloc, path, urlencode(query), ""))
        body = urlencode(fields).encode() if in_body and fields else None
        headers = {"Authorization": _signature(self._profile.key), "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self._send(method, url, headers, body)

    def describe(self) -> dict[str, Any]:
        """The server's description; CliError if the answer is not one of a MAAS API."""
        answer = self.ask("GET", f"{urlsplit(self._profile.url).path}describe/")
        try:
            document = json.loads(answer.body)
            if answer.ok and {"resources", "hash"} <= set(document):
                description: dict[str, Any] = document
                return description
        except (ValueError, TypeError):
            pass
        raise CliError(
            f"{self._profile.url} does not answer as hostloom or MAAS would (status {answer.status})."
        )

    def check_key(self) -> None:
        """Raise CliError unless the server accepts the key."""
        answer = self.ask("GET", f"{urlsplit(self._profile.url).path}users/", "whoami")
        if answer.status == 401:
            raise CliError(
                "the server does not accept this key: `hostloom apikey list` shows the valid keys."
            )
        if not answer.ok:
            raise CliError(
                f"{self._profile.url} does not answer as hostloom or MAAS would (status {answer.status})."
            )

    def _send(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
        try:
            with httpx.Client(verify=not self._profile.insecure, timeout=TIMEOUT_S) as client:
                response = client.request(method, url, headers=headers, content=body)
        except httpx.TimeoutException as error:
            raise CliError(f"{url} did not answer within {TIMEOUT_S:.0f} s.") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise CliError(f"{url} cannot be reached: {str(error) or type(error).__name__}.") from error
        if self._debug:
            _show(method, url, response)
        kind = response.headers.get("content-type", "")
        return Answer(
            response.status_code, response.content, kind, response.headers.get("x-maas-api-hash", "")
        )


def root_of(text: str) -> str:
    """The root of the API; the text may lack the scheme, `/MAAS`, `/api/2.0` and the last slash."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise CliError(f"{text!r} is not the URL of a server, such as http://SERVER:5240/MAAS.")
    path = parts.path.rstrip("/").removesuffix("/api/2.0")
    return urlunsplit((parts.scheme, parts.netloc, (path or "/MAAS") + ROOT, "", ""))


def check_key(text: str) -> str:
    """Check the key's form and return it without surrounding blanks."""
    key = text.strip()
    if key.count(":") != 2 or not key.isascii() or not key.isprintable():
        raise CliError(
            "the key is not of the form CONSUMER:TOKEN:SECRET: `hostloom apikey create USER` creates one."
        )
    return key


def _signature(key: str) -> str:
    """OAuth 1 (RFC 5849) with PLAINTEXT: the key's secret is the signature."""
    consumer, token, secret = key.split(":")
    fields = {
        "oauth_version": "1.0",
        "oauth_signature_method": "PLAINTEXT",
        "oauth_consumer_key": consumer,
        "oauth_token": token,
        "oauth_signature": f"&{secret}",
        "oauth_nonce": secrets.token_hex(16),
        "oauth_timestamp": str(int(time.time())),
    }
    return "OAuth " + ", ".join(f'{name}="{quote(value, safe="")}"' for name, value in fields.items())


def _show(method: str, url: str, response: httpx.Response) -> None:
    """Print the request line and the answer's headers, but never the key."""
    print(
        f"> {method} {url}", f"< {response.status_code} {response.reason_phrase}", sep="\n", file=sys.stderr
    )
    for name, value in response.headers.items():
        print(f"< {name}: {value}", file=sys.stderr)
