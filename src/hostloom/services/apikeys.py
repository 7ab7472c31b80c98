"""API keys in MAAS's format, with which clients of its API sign their requests."""

from dataclasses import replace

from hostloom.model.access import ApiKey, Principal
from hostloom.model.errors.permissions import NotAuthenticated
from hostloom.model.errors.resources import NotFound
from hostloom.ports.context import Clock, IdSource, Secrets
from hostloom.ports.store import UnitOfWork
from hostloom.services import access, passwords
from hostloom.services.access import require_admin
from hostloom.services.groupings import name_domain_as_maas
from hostloom.services.naming import find_by_key


def create(
    uow: UnitOfWork, principal: Principal, clock: Clock, ids: IdSource, user: str, name: str
) -> ApiKey:
    """Create a key for a user by name or id; administrators for everyone, others for themselves."""
    if user != principal.name:
        require_admin(principal, "create API keys of others")
    owner = find_by_key(uow.users, "user", user)
    key = ApiKey(_word(ids.uuid()), _word(ids.uuid()), owner.id, name, clock.now())
    if not uow.api_keys.list():
        # Such keys are for clients of MAAS's API.
        name_domain_as_maas(uow)
    uow.api_keys.add(key)
    return key


def text_of(secrets: Secrets, key: ApiKey) -> str:
    """The text of a key for clients: `consumer:token:secret`."""
    return f"{key.consumer_key}:{key.token_key}:{secret_of(secrets, key)}"


def secret_of(secrets: Secrets, key: ApiKey) -> str:
    """The third part of a key, which is derived and always the same."""
    return secrets.derive(f"api-key {key.consumer_key} {key.token_key}")


def list_(uow: UnitOfWork, principal: Principal) -> list[ApiKey]:
    """All keys, oldest first; ordinary users see only their own."""
    api_keys = uow.api_keys.list()
    if principal.admin:
        return api_keys
    owner = uow.users.find(principal.name)
    return [api_key for api_key in api_keys if owner is not None and api_key.user_id == owner.id]


def delete(uow: UnitOfWork, principal: Principal, token_key: str) -> None:
    """Delete a key, so that it is no longer accepted; NotFound, also for other users' keys."""
    if token_key not in [api_key.token_key for api_key in list_(uow, principal)]:
        raise NotFound("API key", token_key)
    uow.api_keys.delete(token_key)


def rename(uow: UnitOfWork, principal: Principal, token_key: str, name: str) -> ApiKey:
    """Rename a key; NotFound, also for other users' keys."""
    for key in list_(uow, principal):
        if key.token_key == token_key:
            renamed = replace(key, name=name)
            uow.api_keys.delete(token_key)
            uow.api_keys.add(renamed)
            return renamed
    raise NotFound("API key", token_key)


def find(uow: UnitOfWork, consumer_key: str, token_key: str) -> tuple[ApiKey, Principal]:
    """The key that a request names, and its user; NotAuthenticated."""
    key = uow.api_keys.find(token_key)
    if key is None or key.consumer_key != consumer_key:
        raise NotAuthenticated("the API key is not known")
    user = uow.users.get(key.user_id)
    return key, Principal(user.name, user.admin)


def log_in(
    uow: UnitOfWork, clock: Clock, ids: IdSource, user: str, password: str, name: str
) -> tuple[ApiKey, Principal]:
    """Create a key for a user who gives a password or a token; NotAuthenticated."""
    principal = passwords.find(uow, user, password)
    if principal is None:
        principal = access.authenticate(uow, password)
    if principal.name != user:
        raise NotAuthenticated("the token is not this user's")
    return create(uow, principal, clock, ids, user, name), principal


def _word(uuid: str) -> str:
    """18 letters and digits, as MAAS's keys have."""
    return uuid.replace("-", "")[:18]
