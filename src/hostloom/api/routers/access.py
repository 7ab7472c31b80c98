"""Users, tokens, API keys and the current user, over HTTP."""

from importlib import metadata
from typing import Annotated

from fastapi import APIRouter, Query, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import Flag, In, Out, Text, like
from hostloom.api.paging import PageOut, Paging
from hostloom.model.access import ApiKey, Token, User
from hostloom.model.errors.server import ConfigError
from hostloom.model.ids import UserId
from hostloom.ports.store import UnitOfWork
from hostloom.services import access
from hostloom.services import apikeys as service

users = APIRouter(prefix="/users", tags=["users"])
tokens = APIRouter(prefix="/tokens", tags=["tokens"])
apikeys = APIRouter(prefix="/apikeys", tags=["apikeys"])
about = APIRouter(prefix="/about", tags=["about"])


class UserIn(In):
    """A user to create."""

    name: Text
    admin: Flag = False


@like(User)
class UserOut(Out):
    """A user."""


class TokenIn(In):
    """A token to create for a user by name; `name` describes its purpose."""

    user: Text
    name: Text = ""


class TokenOut(Out):
    """A token without its secret; `created_at` in seconds since the epoch."""

    id: str
    user: str
    name: str
    created_at: float


class NewTokenOut(TokenOut):
    """A new token; `text` is the bearer token, which is shown once and null in a repeated answer."""

    text: str | None


class ApiKeyIn(In):
    """An API key in MAAS's format to create for a user by name; `name` describes its purpose."""

    user: Text
    name: Text = ""


class ApiKeyOut(Out):
    """An API key without its secret; `id` is its second part, `created_at` in seconds since the epoch."""

    id: str
    user: str
    name: str
    created_at: float


class NewApiKeyOut(ApiKeyOut):
    """A new key; `text` is the key for MAAS's clients, which is shown once and null in a repeated answer."""

    text: str | None


class AboutOut(Out):
    """The server's version and the current user."""

    version: str
    user: str
    admin: bool


@about.get("", response_model=AboutOut)
def show_about(call: Reading) -> Response:
    """Show the server's version and the current user."""
    principal = call.principal
    return call.one(
        AboutOut(version=metadata.version("hostloom"), user=principal.name, admin=principal.admin)
    )


@users.get("", response_model=PageOut[UserOut])
def list_users(call: Reading, page: Paging) -> Response:
    """List users by id."""
    after = None if page.after_number is None else UserId(page.after_number)
    with call.begin() as uow:
        user_list = access.list_users(uow, call.principal, after, page.more)
    return call.page(page, [UserOut.made(user) for user in user_list], lambda answer: answer.id)


@users.post("", status_code=201, response_model=UserOut)
def create_user(call: Changing, body: UserIn) -> Response:
    """Create a user."""
    return call.commit(
        201, lambda uow: UserOut.made(access.create_user(uow, call.principal, body.name, admin=body.admin))
    )


@users.get("/{key}", response_model=UserOut)
def get_user(call: Reading, key: str) -> Response:
    """Show a user by name or id."""
    with call.begin() as uow:
        return call.one(UserOut.made(access.get_user(uow, call.principal, key)))


@users.delete("/{key}", status_code=204)
def delete_user(call: Changing, key: str) -> Response:
    """Delete a user without tokens and machines."""
    return call.commit(204, lambda uow: access.delete_user(uow, call.principal, key))


@tokens.get("", response_model=PageOut[TokenOut])
def list_tokens(
    call: Reading, page: Paging, user: Annotated[str | None, Query(description="A user's name.")] = None
) -> Response:
    """List tokens, oldest first; the cursor counts them."""
    start = page.after_number or 0
    with call.begin() as uow:
        names = {list_user.id: list_user.name for list_user in access.list_users(uow, call.principal)}
        token_list = access.list_tokens(uow, call.principal)
    token_outs = [_token(token, names[token.user_id]) for token in token_list]
    token_outs = [token_out for token_out in token_outs if user is None or token_out.user == user][
        start : start + page.more
    ]
    return call.page(page, token_outs, lambda _: start + page.limit)


@tokens.post("", status_code=201, response_model=NewTokenOut)
def create_token(call: Changing, body: TokenIn) -> Response:
    """Create a token; only this answer contains its text."""
    ports = call.ports

    def do(uow: UnitOfWork) -> NewTokenOut:
        token, text = access.create_token(uow, call.principal, ports.clock, ports.ids, body.user, body.name)
        return NewTokenOut(**_token(token, body.user).model_dump(), text=text)

    return call.commit(201, do, hidden="text")


@tokens.delete("/{key}", status_code=204)
def delete_token(call: Changing, key: str) -> Response:
    """Delete a token; clients that use it lose access."""
    return call.commit(204, lambda uow: access.delete_token(uow, call.principal, key))


@apikeys.get("", response_model=PageOut[ApiKeyOut])
def list_apikeys(call: Reading, page: Paging) -> Response:
    """List API keys, oldest first; the cursor counts them."""
    start = page.after_number or 0
    with call.begin() as uow:
        names = {user.id: user.name for user in uow.users.list()}
        api_keys = service.list_(uow, call.principal)[start : start + page.more]
    keys = [_apikey(api_key, names[api_key.user_id]) for api_key in api_keys]
    return call.page(page, keys, lambda _: start + page.limit)


@apikeys.post("", status_code=201, response_model=NewApiKeyOut)
def create_apikey(call: Changing, body: ApiKeyIn) -> Response:
    """Create an API key in MAAS's format; only this answer contains its text."""
    ports = call.ports
    if ports.secrets is None:
        raise ConfigError("secret_file", None, "is not set, so that this server takes no API keys")
    secrets = ports.secrets

    def do(uow: UnitOfWork) -> NewApiKeyOut:
        key = service.create(uow, call.principal, ports.clock, ports.ids, body.user, body.name)
        user = uow.users.get(key.user_id).name
        return NewApiKeyOut(**_apikey(key, user).model_dump(), text=service.text_of(secrets, key))

    return call.commit(201, do, hidden="text")


@apikeys.delete("/{key}", status_code=204)
def delete_apikey(call: Changing, key: str) -> Response:
    """Delete an API key by its second part; clients that use it lose access."""
    return call.commit(204, lambda uow: service.delete(uow, call.principal, key))


def _apikey(item: ApiKey, user: str) -> ApiKeyOut:
    return ApiKeyOut(id=item.token_key, user=user, name=item.name, created_at=item.created_at)


def _token(item: Token, user: str) -> TokenOut:
    return TokenOut(id=item.id, user=user, name=item.name, created_at=item.created_at)
