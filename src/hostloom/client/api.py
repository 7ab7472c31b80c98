"""The API's nouns: list, get, create, update, delete, and the verbs of their own."""

import json
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from hostloom.client.errors import ServerUnreachable
from hostloom.client.transport import Document, Target, Transport, check_sendable

#: Things a page of a list that is read whole.
PAGE = 500
#: Pauses before a broken stream of events is taken up again.
FOLLOW_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)


class Collection:
    """One noun."""

    def __init__(self, transport: Transport, path: str) -> None:
        self._transport, self._path = transport, f"/{path}"

    def list(self, limit: int | None = None, **query: Any) -> list[Document]:
        """All, or the first `limit`, page by page."""
        found: list[Document] = []
        after: str | None = None
        while True:
            size = PAGE if limit is None else min(PAGE, limit - len(found))
            page = self._transport.send("GET", self._path, query={**query, "after": after, "limit": size})
            found += page["items"]
            after = page["next"]
            if after is None or (limit is not None and len(found) >= limit):
                return found

    def get(self, key: str, **query: Any) -> Document:
        """By its key: name or id, FABRIC/VID, CIDR."""
        return self._transport.send("GET", self._at(key), query=query)

    def create(self, body: Document) -> Document:
        """Create it; a long action answers with its operation."""
        return self._transport.send("POST", self._path, body=body)

    def update(self, key: str, changes: Document, generation: int | None = None) -> Document:
        """Change what `changes` names; with a generation only if it is still the current one."""
        return self._transport.send("PATCH", self._at(key), body=changes, generation=generation)

    def delete(self, key: str, generation: int | None = None, **query: Any) -> Document:
        """Delete it; a long action answers with its operation, else the answer is empty."""
        return self._transport.send("DELETE", self._at(key), query=query, generation=generation)

    def ask(self, key: str, what: str, **query: Any) -> Document:
        """Read a part of it, or something about it."""
        return self._transport.send("GET", f"{self._at(key)}/{what}", query=query)

    def act(self, key: str, verb: str, body: Document | None = None, method: str = "POST") -> Document:
        """A verb of its own."""
        return self._transport.send(method, f"{self._at(key)}/{verb}", body=body)

    def _at(self, key: str) -> str:
        check_sendable(key, "the name")
        return f"{self._path}/{quote(key, safe='')}"


class Client:
    """The API of one server; use it in a `with`."""

    def __init__(self, target: Target) -> None:
        self._transport = transport = Transport(target)
        self.fabrics = Collection(transport, "fabrics")
        self.vlans = Collection(transport, "vlans")
        self.spaces = Collection(transport, "spaces")
        self.subnets = Collection(transport, "subnets")
        self.ranges = Collection(transport, "ranges")
        self.addresses = Collection(transport, "addresses")
        self.racks = Collection(transport, "racks")
        self.nodes = Collection(transport, "nodes")
        self.hosts = Collection(transport, "hosts")
        self.storage_pools = Collection(transport, "storage-pools")
        self.machines = Collection(transport, "machines")
        self.plans = Collection(transport, "plans")
        self.operations = Collection(transport, "operations")
        self.events = Collection(transport, "events")
        self.images = Collection(transport, "images")
        self.zones = Collection(transport, "zones")
        self.resource_pools = Collection(transport, "resource-pools")
        self.domains = Collection(transport, "domains")
        self.tags = Collection(transport, "tags")
        self.users = Collection(transport, "users")
        self.tokens = Collection(transport, "tokens")
        self.apikeys = Collection(transport, "apikeys")
        self.imports = Collection(transport, "imports")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def about(self) -> Document:
        """The server's version, and who we are to it."""
        return self._transport.send("GET", "/about")

    def world(self) -> Document:
        """The live state as the document of a world file."""
        return self._transport.send("GET", "/world")

    def plan(self, request: Document) -> Document:
        """What composing a machine would do, and why: `plan` is None when it is refused."""
        return self._transport.send("POST", "/machines/plan", body=request)

    def compose_batch(self, batch: Document) -> Document:
        """Compose machines together, all or none; answers with the operation and the machines' names."""
        return self._transport.send("POST", "/machines/batch", body=batch)

    def verify(self, which: Document) -> Document:
        """Verify machines on the wire: `machines`, or those of `host`, or all; answers with the operation."""
        return self._transport.send("POST", "/machines/verify", body=which)

    def follow(self, operation_id: str) -> Iterator[Document]:
        """The operation as it is now, and after each change until it is finished or stuck.

        A broken stream is taken up again for a while: an operation does not end with a connection.
        """
        pauses = iter(FOLLOW_PAUSES_S)
        while True:
            broken: ServerUnreachable | None = None
            try:
                for document in self._events(operation_id):
                    yield document
                    if document["finished"]:
                        return
                    pauses = iter(FOLLOW_PAUSES_S)
            except ServerUnreachable as error:
                broken = error
            pause = next(pauses, None)
            if pause is None:
                raise broken or ServerUnreachable(operation_id, "the server ends the stream of events")
            time.sleep(pause)

    def _events(self, operation_id: str) -> Iterator[Document]:
        with self._transport.stream(f"/operations/{operation_id}/events") as lines:
            for line in lines:
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))
