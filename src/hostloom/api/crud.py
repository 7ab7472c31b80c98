"""The usual handlers of a noun: list, create, show, change and delete."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, ConditionalChange, Reading
from hostloom.api.forms import Out
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.services.nouns import NamedNoun, PublishedNoun, ReadNoun

Render = Callable[[Any, Names], Out]


class Change(Protocol):
    """A service's function that changes an item, as the handlers call it."""

    def __call__(
        self, call: ConditionalChange, status: int, render: Render | None, *arguments: Any
    ) -> Response:
        """Make the change; the answer is rendered, or empty without `render`."""
        ...


def in_transaction(service: Callable[..., Any]) -> Change:
    """A change of only the database: `service(uow, principal, …)`; its answer is stored with it."""

    def change(call: ConditionalChange, status: int, render: Render | None, *arguments: Any) -> Response:
        return call.commit(
            status, lambda uow: _rendered(service(uow, call.principal, *arguments), render, Names(uow))
        )

    return change


def with_effects(service: Callable[..., Any]) -> Change:
    """A change with external effects: `service(ports, principal, …)` commits by itself."""

    def change(call: ConditionalChange, status: int, render: Render | None, *arguments: Any) -> Response:
        def run() -> Out | None:
            item = service(call.ports, call.principal, *arguments)
            with call.begin() as uow:
                return _rendered(item, render, Names(uow))

        return call.perform(status, run)

    return change


def _rendered(item: Any, render: Render | None, names: Names) -> Out | None:
    return None if render is None else render(item, names)


@dataclass(frozen=True)
class Changes:
    """The changes of a noun; bodies have annotations such as `Sent[SpaceInput]`.

    Without `created` the router has no create handler; it is in the noun's file.
    """

    updated: Any
    update: Change
    delete: Change
    created: Any = None
    create: Change | None = None


def changes_of(noun: NamedNoun[Any, Any, Any], created: Any, updated: Any) -> Changes:
    """The changes of a noun's service."""
    if isinstance(noun, PublishedNoun):
        new, change, removal = noun.publish_new, noun.publish_changes, noun.publish_deletion
        return Changes(updated, with_effects(change), with_effects(removal), created, with_effects(new))
    create, update, delete = noun.create, noun.update, noun.delete
    return Changes(updated, in_transaction(update), in_transaction(delete), created, in_transaction(create))


@dataclass(frozen=True)
class Texts:
    """Descriptions of the handlers in the OpenAPI document; empty: the usual text."""

    delete: str
    create: str = ""
    update: str = ""
    #: The key of a noun.
    key: str = "name or id"
    #: The noun, if it differs from the name in messages.
    noun: str = ""
    #: The verb of the operation that creates.
    verb: str = "create"


def crud_router(
    noun: ReadNoun[Any],
    out: type[Out],
    changes: Changes,
    texts: Texts,
    *,
    render: Render | None = None,
    path: str = "/{key}",
) -> APIRouter:
    """The router of a noun.

    `render` makes an answer that has more than the fields of its item. Keys with a slash need the path
    `/{key:path}`.
    """
    routes = _Routes(noun, out, texts, render or (lambda item, _: out.made(item)), path)
    routes.add_readers()
    routes.add_changers(changes)
    return routes.router


class _Routes:
    """The routes of one noun."""

    def __init__(self, noun: ReadNoun[Any], out: type[Out], texts: Texts, render: Render, path: str) -> None:
        self.noun, self.out, self.texts, self.render, self.path = noun, out, texts, render, path
        self.title = texts.noun or noun.kind
        many = f"{noun.kind}s".replace(" ", "-")
        self.router = APIRouter(prefix=f"/{many}", tags=[many])

    def add_readers(self) -> None:
        """List and show."""
        noun, render = self.noun, self.render

        def list_all(call: Reading, page: Paging) -> Response:
            with call.begin() as uow:
                names = Names(uow)
                items = noun.list(uow, call.principal, page.after_number, page.more)
                answers = [render(item, names) for item in items]
            return call.page(page, answers, lambda answer: answer.id)

        def get_one(call: Reading, key: str) -> Response:
            with call.begin() as uow:
                return call.one(render(noun.get(uow, call.principal, key), Names(uow)))

        text = f"List {self.title}s by id."
        page = PageOut[self.out]  # type: ignore[name-defined]  # a class at run time
        self._add("GET", "", list_all, f"list {noun.kind}s", text, response_model=page)
        text = f"Show a {self.title} by {self.texts.key}."
        self._add("GET", self.path, get_one, f"get {noun.kind}", text, response_model=self.out)

    def add_changers(self, changes: Changes) -> None:
        """Create, change and delete."""
        if changes.create is not None:
            self._add_creator(changes.created, changes.create)
        kind, texts, render = self.noun.kind, self.texts, self.render

        def update_one(call: Changing, key: str, body: Any) -> Response:
            return changes.update(call, 200, render, key, body, call.generation)

        def delete_one(call: Changing, key: str) -> Response:
            return changes.delete(call, 204, None, key, call.generation)

        update_one.__annotations__["body"] = changes.updated
        text = texts.update or f"Change a {self.title}."
        self._add("PATCH", self.path, update_one, f"update {kind}", text, response_model=self.out)
        self._add("DELETE", self.path, delete_one, f"delete {kind}", texts.delete, status_code=204)

    def _add_creator(self, body_type: Any, create: Change) -> None:
        def create_one(call: Changing, body: Any) -> Response:
            return create(call, 201, self.render, body)

        create_one.__annotations__["body"] = body_type
        verb, text = self.texts.verb, self.texts.create or f"Create a {self.title}."
        name = f"{verb} {self.noun.kind}"
        self._add("POST", "", create_one, name, text, status_code=201, response_model=self.out)

    def _add(
        self, method: str, path: str, handler: Callable[..., Response], words: str, text: str, **settings: Any
    ) -> None:
        """Register a handler; its name is part of the operation's id in the OpenAPI document."""
        name = words.replace(" ", "_")
        self.router.add_api_route(path, handler, methods=[method], name=name, description=text, **settings)
