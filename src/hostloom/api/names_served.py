"""By which names the server is asked: a web page that rebinds its own name to our address gets nothing."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from hostloom.api.peers import SCOPE_KEY
from hostloom.api.problems import answer, simple_problem

ALWAYS = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})


class KnownNames:
    """ASGI middleware that refuses a Host that is neither an address nor one of our names."""

    def __init__(self, app: Any, names: Iterable[str]) -> None:
        self._app = app
        self._names = ALWAYS | {name.lower().rstrip(".") for name in names}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Over the Unix socket any name will do: no web page gets there."""
        if scope["type"] == "http" and SCOPE_KEY not in scope:
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            if len(hosts) > 1 or not all(self._is_known(host.decode("latin-1")) for host in hosts):
                detail = "the server has another name: the setting allowed_hosts lists its names"
                refusal = answer(simple_problem(421, "unknown-host", detail))
                refusal.headers["Connection"] = "close"
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_known(self, host: str) -> bool:
        name, colon, port = host.rpartition(":")
        if not colon or not port.isdigit() or host.endswith("]"):
            name = host
        bare = name.removeprefix("[").removesuffix("]").lower().rstrip(".")
        try:
            ip_address(bare)
        except ValueError:
            return not bare or bare in self._names
        return True
