"""The five handlers of a noun that has a name: list, create, show, change and delete."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import Out
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.services.nouns import NamedNoun

Render = Callable[[Any, Names], Out]


def crud_router(
    noun: NamedNoun[Any, Any, Any],
    out: type[Out],
    *,
    created: Any,
    changed: Any,
    delete: str,
    create: str = "",
    render: Render | None = None,
) -> APIRouter:
    """The router of one noun.

    `created` and `changed` are the annotations of the two bodies, such as `Sent[SpaceInput]`; `create` and
    `delete` say what these two do, for the OpenAPI document. `render` makes an answer that has more than the
    fields of its item.
    """
    render = render or (lambda item, _: out.made(item))
    many = f"{noun.kind}s".replace(" ", "-")
    router = APIRouter(prefix=f"/{many}", tags=[many])
    _add_readers(router, noun, out, render)
    _add_creator(router, noun, out, render, created, create or f"Create a {noun.kind}.")
    _add_changers(router, noun, out, render, changed, delete)
    return router


def _add_readers(router: APIRouter, noun: NamedNoun[Any, Any, Any], out: type[Out], render: Render) -> None:
    def list_all(call: Reading, page: Paging) -> Response:
        with call.begin() as uow:
            names = Names(uow)
            items = noun.list(uow, call.principal, page.after_number, page.more)
            answers = [render(item, names) for item in items]
        return call.page(page, answers, lambda answer: answer.id)

    def get_one(call: Reading, key: str) -> Response:
        with call.begin() as uow:
            return call.one(render(noun.get(uow, call.principal, key), Names(uow)))

    many = f"{noun.kind}s"
    page = PageOut[out]  # type: ignore[valid-type]  # a class at run time
    _add(router, "GET", "", list_all, f"list {many}", f"List {many} by id.", response_model=page)
    text = f"Show a {noun.kind} by name or id."
    _add(router, "GET", "/{key}", get_one, f"get {noun.kind}", text, response_model=out)


def _add_creator(
    router: APIRouter,
    noun: NamedNoun[Any, Any, Any],
    out: type[Out],
    render: Render,
    body_type: Any,
    text: str,
) -> None:
    def create_one(call: Changing, body: Any) -> Response:
        return call.commit(201, lambda uow: render(noun.create(uow, call.principal, body), Names(uow)))

    create_one.__annotations__["body"] = body_type
    _add(router, "POST", "", create_one, f"create {noun.kind}", text, status_code=201, response_model=out)


def _add_changers(
    router: APIRouter,
    noun: NamedNoun[Any, Any, Any],
    out: type[Out],
    render: Render,
    body_type: Any,
    delete: str,
) -> None:
    def update_one(call: Changing, key: str, body: Any) -> Response:
        return call.commit(
            200,
            lambda uow: render(noun.update(uow, call.principal, key, body, call.generation), Names(uow)),
        )

    def delete_one(call: Changing, key: str) -> Response:
        return call.commit(204, lambda uow: noun.delete(uow, call.principal, key, call.generation))

    update_one.__annotations__["body"] = body_type
    text = f"Change a {noun.kind}."
    _add(router, "PATCH", "/{key}", update_one, f"update {noun.kind}", text, response_model=out)
    _add(router, "DELETE", "/{key}", delete_one, f"delete {noun.kind}", delete, status_code=204)


def _add(
    router: APIRouter,
    method: str,
    path: str,
    handler: Callable[..., Response],
    words: str,
    text: str,
    **settings: Any,
) -> None:
    """Register a handler; its name becomes part of the operation's id in the OpenAPI document."""
    name = words.replace(" ", "_")
    router.add_api_route(path, handler, methods=[method], name=name, description=text, **settings)
