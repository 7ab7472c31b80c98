"""A MAAS that answers what it was told to, over real HTTP."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

KEY = "consumer:token:mySecret"
_ROOT = "/MAAS/api/2.0/"


@dataclass
class RecordedMaas:
    """Where it is, and what it says; a number in place of a body is a status."""

    url: str
    bodies: dict[str, Any]
    #: Method and path of each request.
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)


@contextmanager
def serving_maas(bodies: dict[str, Any]) -> Iterator[RecordedMaas]:
    """Serve until the end of the `with`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            maas.asked.append(("GET", self.path))
            maas.headers.append(dict(self.headers))
            path = self.path.removeprefix(_ROOT)
            found = maas.bodies.get(path, 404)
            good = 'oauth_token="token"' in self.headers.get("Authorization", "")
            is_api = self.path.startswith(_ROOT)
            if (
                is_api
                and urlsplit(path).path != "version/"
                and not (good and "%26mySecret" in self.headers["Authorization"])
            ):
                found = 401
            status = found if isinstance(found, int) else 200
            text = found if isinstance(found, str) else json.dumps(found)
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", "https://elsewhere/MAAS/")
            self.end_headers()
            self.wfile.write(text.encode() if status == 200 else b"no")

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        maas = RecordedMaas(f"http://127.0.0.1:{server.server_address[1]}/MAAS", bodies)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield maas
        finally:
            server.shutdown()
            thread.join()
