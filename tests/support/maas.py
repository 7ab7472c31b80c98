"""A client of MAAS's API for tests: signs as the real ones do, and shows whole answers."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from hostloom.model.access import LOCAL_ADMIN
from hostloom.ports.context import Ports
from hostloom.services import access, apikeys
from support.waiting import wait_until

ROOT = "/MAAS/api/2.0/"
#: One client for all requests, because each new one reads the system's certificates (50 ms of CPU). It keeps
#: no connection open: the servers of tests come and go.
HTTP = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)


def make_key(ports: Ports, user: str = "ann", *, admin: bool = True) -> str:
    """A user's key of MAAS's form; the user is made when there is none."""
    assert ports.secrets is not None
    with ports.store.begin() as uow:
        if uow.users.find(user) is None:
            access.create_user(uow, LOCAL_ADMIN, user, admin=admin)
        key = apikeys.create(uow, LOCAL_ADMIN, ports.clock, ports.ids, user, "test")
        uow.commit()
    return apikeys.text_of(ports.secrets, key)


def read_until(read: Callable[[], Any], status: str, *meanwhile: str) -> Any:
    """The machine that `read` shows, once it has a status; until then only those of `meanwhile`, if given."""
    shown: list[Any] = []

    def is_reached() -> bool:
        shown.append(read())
        name = shown[-1]["status_name"]
        assert not meanwhile or name in (status, *meanwhile), name
        return bool(name == status)

    wait_until(is_reached, status, every_s=0.02)
    return shown[-1]


@dataclass
class Maas:
    """Requests below the API's root, signed with PLAINTEXT."""

    url: str
    key: str
    #: Seconds since the epoch, as the server's clock shows.
    now: float
    nonces: Any = field(default_factory=lambda: itertools.count(1))
    timeout_s: float = 30.0

    def header(self) -> str:
        """A fresh Authorization header."""
        consumer, token, secret = self.key.split(":")
        return ", ".join(
            [
                'OAuth realm=""',
                'oauth_version="1.0"',
                f'oauth_nonce="n{next(self.nonces)}"',
                f'oauth_timestamp="{int(self.now)}"',
                f'oauth_consumer_key="{consumer}"',
                f'oauth_token="{token}"',
                'oauth_signature_method="PLAINTEXT"',
                f'oauth_signature="{quote("&" + secret)}"',
            ]
        )

    def send(
        self, method: str, path: str, fields: Mapping[str, Any] | None = None, **query: Any
    ) -> httpx.Response:
        """A request with url-encoded fields; an op goes into the query."""
        address = f"{self.url}{ROOT}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        headers = {"Authorization": self.header()}
        body = None
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(fields, doseq=True)
        return HTTP.request(method, address, content=body, headers=headers, timeout=self.timeout_s)

    def get(self, path: str, **query: Any) -> Any:
        """What is read; fails unless the answer is 200."""
        return self._good(self.send("GET", path, **query))

    def post(self, path: str, op: str | None = None, **fields: Any) -> Any:
        """What a POST answers; fails unless it is 200."""
        return self._good(self.send("POST", path, fields, **({"op": op} if op else {})))

    def put(self, path: str, **fields: Any) -> Any:
        """What a PUT answers; fails unless it is 200."""
        return self._good(self.send("PUT", path, fields))

    def delete(self, path: str, **query: Any) -> None:
        """Fails unless the answer is 204."""
        found = self.send("DELETE", path, **query)
        assert found.status_code == 204, (found.status_code, found.text)

    def _good(self, found: httpx.Response) -> Any:
        assert found.status_code == 200, (found.status_code, found.text)
        kind = found.headers["content-type"]
        return json.loads(found.text) if kind.startswith("application/json") else found.text
