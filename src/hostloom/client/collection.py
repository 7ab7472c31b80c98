"""One noun of the API: list, get, create, update, delete, and verbs of its own."""

from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

from hostloom.client.transport import Document, Transport, check_sendable

#: Things a page of a list that is read whole.
PAGE = 500

#: What a list holds, and what the answers of get, create and update are.
ItemT = TypeVar("ItemT")
DetailT = TypeVar("DetailT")
CreatedT = TypeVar("CreatedT")
ChangedT = TypeVar("ChangedT")


class Collection(Generic[ItemT, DetailT, CreatedT, ChangedT]):
    """One noun."""

    def __init__(self, transport: Transport, path: str) -> None:
        self._transport, self._path = transport, f"/{path}"

    def list(self, limit: int | None = None, **query: Any) -> list[ItemT]:
        """All, or the first `limit`, page by page."""
        items: list[ItemT] = []
        after: str | None = None
        while True:
            size = PAGE if limit is None else min(PAGE, limit - len(items))
            page = self._transport.send("GET", self._path, query={**query, "after": after, "limit": size})
            items += page["items"]
            after = page["next"]
            if after is None or (limit is not None and len(items) >= limit):
                return items

    def get(self, key: str, **query: Any) -> DetailT:
        """By its key: name or id, FABRIC/VID, CIDR."""
        return cast("DetailT", self._transport.send("GET", self._at(key), query=query))

    def create(self, body: Document) -> CreatedT:
        """Create it; a long action answers with its operation."""
        return cast("CreatedT", self._transport.send("POST", self._path, body=body))

    def update(self, key: str, changes: Document, generation: int | None = None) -> ChangedT:
        """Change what `changes` names; with a generation only if it is still the current one."""
        answer = self._transport.send("PATCH", self._at(key), body=changes, generation=generation)
        return cast("ChangedT", answer)

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
