"""A request: its principal, its unit of work, and its answer, which is stored for repeated requests."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Header, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from hostloom.api.connections import SCOPE_KEY, principal_of_peer
from hostloom.api.paging import Page
from hostloom.model.access import Principal
from hostloom.model.errors.permissions import NotAuthenticated
from hostloom.model.errors.resources import AlreadyExists
from hostloom.model.errors.server import DatabaseUnavailable
from hostloom.model.errors.stale import IdempotencyConflict, IdempotencyPending
from hostloom.model.errors.values import InvalidValue
from hostloom.ports.context import Ports
from hostloom.ports.operation_records import StoredAnswer
from hostloom.ports.store import UnitOfWork
from hostloom.services import access

JSON = "application/json"
#: Time for which answers are stored, for repeated requests: a day.
KEEP_ANSWERS_S = 24 * 3600.0
#: Keys of requests that changed nothing, and that could not be freed because the database failed.
_FREE_KEYS: set[str] = set()
#: Key in the scope of the principal that was authenticated before the body was read; requests cannot set it.
PRINCIPAL_KEY = "hostloom.principal"
_ETAG = re.compile(r'"(\d{1,9})"')
#: Only documents the scheme; the token is read below, because a Unix socket needs none.
_bearer = HTTPBearer(auto_error=False, description="A token of `hostloom token create`.")


@dataclass(frozen=True)
class ApiCall:
    """A request that reads."""

    ports: Ports
    principal: Principal
    path: str
    query: tuple[tuple[str, str], ...]

    def begin(self) -> UnitOfWork:
        """A unit of work, for use in a `with` statement."""
        return self.ports.store.begin()

    def one(self, item: BaseModel, status: int = 200) -> Response:
        """The answer with one item."""
        return _response(status, self.path, item.model_dump_json())

    def page(self, page: Page, records: Sequence[BaseModel], cursor: Callable[[Any], object]) -> Response:
        """The answer with a page of items; `items` has one more than the page if another page follows."""
        base_models = records[: page.limit]
        after = str(cursor(base_models[-1])) if len(records) > page.limit else None
        items = ",".join(base_model.model_dump_json() for base_model in base_models)
        ending = "null" if after is None else f'"{after}"'
        answer = Response(f'{{"items":[{items}],"next":{ending}}}', media_type=JSON)
        if after is not None:
            query = urlencode([*((k, v) for k, v in self.query if k != "after"), ("after", after)])
            answer.headers["Link"] = f'<{self.path}?{query}>; rel="next"'
        return answer


@dataclass(frozen=True)
class ConditionalChange(ApiCall):
    """A request that changes something."""

    key: str | None
    fingerprint: str
    #: The generation in If-Match, which the caller has seen.
    generation: int | None

    def commit(
        self, status: int, do: Callable[[UnitOfWork], BaseModel | None], *, hidden: str | None = None
    ) -> Response:
        """Run a change of the database; its answer is stored with it, without the `hidden` field."""
        with self.begin() as uow:
            if (stored := self._claim(uow)) is not None:
                return stored
            base_model = do(uow)
            kept = base_model.model_copy(update={hidden: None}) if base_model and hidden else base_model
            self._settle(uow, status, _dump(kept))
            uow.commit()
        return _response(status, self.path, _dump(base_model))

    def perform(self, status: int, do: Callable[[], BaseModel | None]) -> Response:
        """Run a change with external effects, which opens its own units of work; its key is claimed first.

        If the process dies meanwhile, the key stays claimed, and repeated requests are told so.
        """
        if self.key is None:
            return _response(status, self.path, _dump(do()))
        with self.begin() as uow:
            if (stored := self._claim(uow)) is not None:
                return stored
            uow.commit()
        try:
            body = _dump(do())
        except BaseException as error:
            self._give_back(self.key, error)
            raise
        with self.begin() as uow:
            self._settle(uow, status, body)
            uow.commit()
        return _response(status, self.path, body)

    def _give_back(self, key: str, cause: BaseException) -> None:
        """Free the key of a request that changed nothing; later, if the database cannot be written now.

        If the database connection was lost, the last commit may have succeeded, so the key stays claimed.
        """
        if isinstance(cause, DatabaseUnavailable) and cause.is_lost:
            return
        try:
            with self.begin() as uow:
                uow.answers.forget(key)
                uow.commit()
        except DatabaseUnavailable:
            _FREE_KEYS.add(key)

    def _claim(self, uow: UnitOfWork) -> Response | None:
        """Claim the key for this request, or return the answer to the first request with this key."""
        if self.key is None:
            return None
        now = self.ports.clock.now()
        uow.answers.prune(now - KEEP_ANSWERS_S)
        if self.key in _FREE_KEYS:
            _FREE_KEYS.discard(self.key)
            uow.answers.forget(self.key)
        try:
            uow.answers.add(StoredAnswer(self.key, self.fingerprint, 0, "", now))
        except AlreadyExists:
            stored = uow.answers.find(self.key)
            if stored is None:
                raise IdempotencyPending(self.key) from None
            if stored.fingerprint != self.fingerprint:
                raise IdempotencyConflict(self.key) from None
            if not stored.status:
                raise IdempotencyPending(self.key) from None
            return _response(stored.status, self.path, stored.body)
        return None

    def _settle(self, uow: UnitOfWork, status: int, body: str) -> None:
        if self.key is not None:
            uow.answers.settle(StoredAnswer(self.key, self.fingerprint, status, body, self.ports.clock.now()))


def authenticate(request: Request, _: Annotated[object, Depends(_bearer)] = None) -> Principal:
    """The principal of the token or of the Unix socket's peer; NotAuthenticated."""
    cached = request.scope.get(PRINCIPAL_KEY)
    if isinstance(cached, Principal):
        return cached
    ports: Ports = request.app.state.ports
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer":
            raise NotAuthenticated("the Authorization header is not a bearer token")
        with ports.store.begin() as uow:
            return access.authenticate(uow, token.strip())
    peer = request.scope.get(SCOPE_KEY)
    principal = None if peer is None else principal_of_peer(peer, request.app.state.admin_group)
    if principal is None:
        raise NotAuthenticated("no token was sent")
    return principal


def read_call(request: Request, principal: Annotated[Principal, Depends(authenticate)]) -> ApiCall:
    """The dependency of reading requests."""
    return ApiCall(
        request.app.state.ports, principal, request.url.path, tuple(request.query_params.multi_items())
    )


async def change_call(
    request: Request,
    principal: Annotated[Principal, Depends(authenticate)],
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=8,
            max_length=200,
            pattern=r"^[!-~]+$",
            description="Repeating a request with its key gives the first one's answer, for a day.",
        ),
    ] = None,
    if_match: Annotated[
        str | None,
        Header(description="The ETag last read: the change is refused if it is no longer the current one."),
    ] = None,
) -> ConditionalChange:
    """The dependency of changing requests."""
    parts = (request.method, request.url.path, request.url.query, principal.name, if_match or "")
    digest = hashlib.sha256("\n".join(parts).encode() + b"\n" + await request.body())
    return ConditionalChange(
        request.app.state.ports,
        principal,
        request.url.path,
        tuple(request.query_params.multi_items()),
        idempotency_key,
        digest.hexdigest(),
        _generation(if_match),
    )


def refuse_unknown_query(request: Request) -> None:
    """Refuse query parameters that the route does not define."""
    route = request.scope.get("route")
    if isinstance(route, APIRoute):
        names = set(_query_names(route.dependant))
        for name in request.query_params:
            if name not in names:
                allowed = f"use {', '.join(sorted(names))}" if names else "send none"
                raise InvalidValue("query", name, "is not a query parameter of this request", allowed)


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (query_param.alias for query_param in dependant.query_params)
    for dependency in dependant.dependencies:
        yield from _query_names(dependency)


Reading = Annotated[ApiCall, Depends(read_call)]
Changing = Annotated[ConditionalChange, Depends(change_call)]


def _generation(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise InvalidValue("If-Match", if_match, "is not an ETag", 'send the ETag of an answer, such as "3"')
    return int(match[1])


def _dump(item: BaseModel | None) -> str:
    return "" if item is None else item.model_dump_json()


def _response(status: int, path: str, body: str) -> Response:
    """Build a response; its headers depend only on status and body, so that repeated answers are equal."""
    if status == 204:
        return Response(status_code=204)
    answer = Response(body, status, media_type=JSON)
    data = _head(body)
    if "generation" in data:
        answer.headers["ETag"] = f'"{data["generation"]}"'
    if status == 202:
        answer.headers["Location"] = f"/api/v1/operations/{data['id']}"
    if status == 201 and (key := data.get("system_id") or data.get("id") or data.get("ip")):
        answer.headers["Location"] = f"{path}/{key}"
    return answer


def _head(body: str) -> dict[str, Any]:
    document = json.loads(body)
    return document if isinstance(document, dict) else {}
