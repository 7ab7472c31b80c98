"""The five handlers of a noun that has a name: list, create, show, change and delete."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import Out
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.services.nouns import NamedNoun


def crud_router(
    noun: NamedNoun[Any, Any, Any],
    out: type[Out],
    shown: Callable[[Any, Names], Out],
    *,
    created: Any,
    changed: Any,
    create: str = "",
    delete: str,
) -> APIRouter:
    """The router of one noun.

    `created` and `changed` are the annotations of the two bodies, such as `Sent[SpaceInput]`; `create` and
    `delete` say what these two do, for the OpenAPI document.
    """
    many, word = f"{noun.kind}s", noun.kind.replace(" ", "_")
    router = APIRouter(prefix=f"/{many.replace(' ', '-')}", tags=[many.replace(" ", "-")])

    def list_all(call: Reading, page: Paging) -> Response:
        with call.begin() as uow:
            names = Names(uow)
            items = noun.list(uow, call.principal, page.after_number, page.more)
            answers = [shown(item, names) for item in items]
        return call.page(page, answers, lambda answer: answer.id)

    def create_one(call: Changing, body: Any) -> Response:
        return call.commit(201, lambda uow: shown(noun.create(uow, call.principal, body), Names(uow)))

    def get_one(call: Reading, key: str) -> Response:
        with call.begin() as uow:
            return call.one(shown(noun.get(uow, call.principal, key), Names(uow)))

    def update_one(call: Changing, key: str, body: Any) -> Response:
        return call.commit(
            200,
            lambda uow: shown(noun.update(uow, call.principal, key, body, call.generation), Names(uow)),
        )

    def delete_one(call: Changing, key: str) -> Response:
        return call.commit(204, lambda uow: noun.delete(uow, call.principal, key, call.generation))

    create_one.__annotations__["body"] = created
    update_one.__annotations__["body"] = changed

    def add(
        method: str, path: str, handler: Callable[..., Response], name: str, text: str, **more: Any
    ) -> None:
        router.add_api_route(path, handler, methods=[method], name=name, description=text, **more)

    add("GET", "", list_all, f"list_{word}s", f"List {many} by id.", response_model=PageOut[out])  # type: ignore[valid-type]  # a class at run time
    add(
        "POST",
        "",
        create_one,
        f"create_{word}",
        create or f"Create a {noun.kind}.",
        status_code=201,
        response_model=out,
    )
    add("GET", "/{key}", get_one, f"get_{word}", f"Show a {noun.kind} by name or id.", response_model=out)
    add("PATCH", "/{key}", update_one, f"update_{word}", f"Change a {noun.kind}.", response_model=out)
    add("DELETE", "/{key}", delete_one, f"delete_{word}", delete, status_code=204)
    return router
