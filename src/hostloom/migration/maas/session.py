"""GET requests to a running MAAS (API 2.0), signed with OAuth 1.0 PLAINTEXT (RFC 5849)."""

import secrets
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

from hostloom.migration.maas.errors import SourceError, SourceMisnamed, SourceUnreachable

API = "/api/2.0/"
#: MAAS takes half a minute to list a thousand machines.
TIMEOUT = httpx.Timeout(300.0, connect=10.0)
#: Statuses for resources that a version of MAAS does not have.
ABSENT = (404, 410)


class MaasSession:
    """A session of one user with one MAAS, for use in a `with` statement."""

    def __init__(self, url: str, key: str) -> None:
        self.url = _root(url)
        parts = key.strip().split(":")
        if len(parts) != 3 or not all(parts):
            raise SourceMisnamed(
                "an API key has three parts, CONSUMER:TOKEN:SECRET",
                "MAAS shows it in a user's preferences, or with `maas apikey --username NAME`",
            )
        self._consumer, self._token, self._secret = parts
        self._http = httpx.Client(timeout=TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def version(self) -> str:
        """Return the version. Raises SourceError if the server is not a MAAS."""
        response = self._get("version/", {}, signed=False)
        body = None if response is None else _json(response)
        if not isinstance(body, dict) or "version" not in body or "capabilities" not in body:
            raise SourceError(f"{self.url} is not a MAAS: {API}version/ says something else", _HINT)
        return str(body["version"])

    def check_key(self) -> None:
        """Raise SourceError unless the key is valid and belongs to an administrator."""
        response = self._get("users/", {"op": "whoami"})
        body = None if response is None else _json(response)
        if isinstance(body, dict) and body.get("is_superuser") is False:
            name = body.get("username")
            raise SourceError(
                f"{name} is not an administrator of {self.url}: it would show only a part",
                "use an administrator's key",
            )

    def list(self, path: str, **query: str) -> list[dict[str, Any]] | None:
        """Return a collection; None if this version of MAAS does not have it."""
        response = self._get(path, query)
        if response is None:
            return None
        body = _json(response)
        if not isinstance(body, list) or not all(isinstance(item, dict) for item in body):
            raise SourceError(f"{self.url} answers {path} with something that is not a list")
        return body

    def one(self, path: str, **query: str) -> dict[str, Any] | None:
        """Return an object; None if it does not exist."""
        response = self._get(path, query)
        body = None if response is None else _json(response)
        return body if isinstance(body, dict) else None

    def _get(self, path: str, query: Mapping[str, str], *, signed: bool = True) -> httpx.Response | None:
        headers = {"Accept": "application/json"} | ({"Authorization": self._header()} if signed else {})
        try:
            response = self._http.get(f"{self.url}{API}{path}", params=query, headers=headers)
        except httpx.TransportError as error:
            cause = str(error) or type(error).__name__
            raise SourceUnreachable(f"the MAAS at {self.url} cannot be reached: {cause}", _HINT) from error
        if response.is_success:
            return response
        if response.status_code in ABSENT:
            return None
        raise self._refusal(path, response)

    def _refusal(self, path: str, response: httpx.Response) -> SourceError:
        if response.status_code == 401:
            return SourceError(f"{self.url} does not accept the API key", "is it complete, and still valid?")
        if response.status_code == 403:
            return SourceError(f"{self.url} does not show {path} with this key", "use an administrator's key")
        if response.is_redirect:
            return SourceError(f"{self.url} redirects to {response.headers.get('location')}", "give that URL")
        return SourceError(
            f"{self.url} answers {path} with {response.status_code}", "the log of that MAAS has the reason"
        )

    def _header(self) -> str:
        fields = {
            "oauth_version": "1.0",
            "oauth_signature_method": "PLAINTEXT",
            "oauth_consumer_key": self._consumer,
            "oauth_token": self._token,
            "oauth_signature": f"&{self._secret}",
            "oauth_timestamp": str(int(time.time())),
            "oauth_nonce": secrets.token_hex(16),
        }
        return "OAuth " + ", ".join(f'{name}="{quote(value, safe="")}"' for name, value in fields.items())


_HINT = "the URL is that of the user interface, such as http://maas:5240/MAAS"


def _root(url: str) -> str:
    """Normalize the URL: without the path of the API."""
    root = url.strip().rstrip("/")
    root = root.removesuffix(API.rstrip("/")).rstrip("/")
    try:
        parts = urlsplit(root)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError:
        port_is_good = False
    if not port_is_good or parts.scheme not in ("http", "https") or not parts.hostname:
        raise SourceMisnamed(f"{url!r} is not a URL of a MAAS", _HINT)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SourceMisnamed("a URL of a MAAS has no user, query or fragment", _HINT)
    return root


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
