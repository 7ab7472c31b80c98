"""Users, tokens, and checks of permissions."""

import hashlib
import hmac
from dataclasses import replace

from hostloom.model.access import ANONYMOUS, Principal, Token, User
from hostloom.model.errors.permissions import NotAuthenticated, NotPermitted
from hostloom.model.errors.resources import InUse, NotFound
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import UserId
from hostloom.ports.context import Clock, IdSource
from hostloom.ports.store import UnitOfWork
from hostloom.services.naming import check_name, find_by_key

#: As in MAAS.
MAX_USER_NAME = 150


def require_admin(principal: Principal, action: str) -> None:
    """Raise NotPermitted unless the principal is an administrator."""
    if not principal.admin:
        raise NotPermitted(principal.name, action)


def require_user(principal: Principal, action: str) -> None:
    """Raise NotPermitted for a caller without an account; everyone else may read."""
    if principal == ANONYMOUS:
        raise NotPermitted(principal.name, action)


def create_user(uow: UnitOfWork, principal: Principal, name: str, *, admin: bool = False) -> User:
    """Create a user; AlreadyExists."""
    require_admin(principal, "create users")
    if name == ANONYMOUS.name:
        raise InvalidValue("name", name, "stands for users who are not logged in", "choose another name")
    return uow.users.add(User(UserId(0), check_user_name(name), admin))


def check_user_name(name: str) -> str:
    """Return a name that a user can have (what MAAS allows: Django's rule), else raise InvalidValue."""
    usual = all(sign.isalnum() or sign in "_.@+-" for sign in name)
    if not usual or len(name) > MAX_USER_NAME:
        allowed = f"use 1 to {MAX_USER_NAME} letters, digits and the characters _ . @ + -"
        raise InvalidValue("name", name, "is not a user name", allowed)
    return check_name(name)


def list_users(
    uow: UnitOfWork, principal: Principal, after: UserId | None = None, limit: int | None = None
) -> list[User]:
    """By id."""
    require_admin(principal, "see users")
    return uow.users.list(after, limit)


def get_user(uow: UnitOfWork, principal: Principal, key: str) -> User:
    """By name or id; NotFound."""
    require_admin(principal, "see users")
    return find_by_key(uow.users, "user", key)


def delete_user(uow: UnitOfWork, principal: Principal, name: str, *, with_tokens: bool = False) -> None:
    """Delete a user; InUse names machines, and also tokens unless they are deleted too."""
    require_admin(principal, "delete users")
    user = find_by_key(uow.users, "user", name)
    token_ids = [token.id for token in uow.tokens.list() if token.user_id == user.id]
    if token_ids and not with_tokens:
        raise InUse("user", name, [f"token {token_id}" for token_id in token_ids])
    uow.users.delete(user.id)


def give_machines(uow: UnitOfWork, principal: Principal, user: User, heir: User) -> None:
    """Give the machines of a user to another user."""
    require_admin(principal, "change machines")
    for machine in uow.machines.list():
        if machine.owner == user.name:
            uow.machines.update(replace(machine, owner=heir.name))


def create_token(
    uow: UnitOfWork, principal: Principal, clock: Clock, ids: IdSource, user: str, name: str
) -> tuple[Token, str]:
    """Create a token; the second value is the only copy of its text, `ID.SECRET`."""
    require_admin(principal, "create tokens")
    owner = find_by_key(uow.users, "user", user)
    secret = ids.secret()
    token = Token(ids.uuid()[:8], owner.id, name, _hash(secret), clock.now())
    uow.tokens.add(token)
    return token, f"{token.id}.{secret}"


def list_tokens(uow: UnitOfWork, principal: Principal) -> list[Token]:
    """All tokens, without their secrets."""
    require_admin(principal, "see tokens")
    return uow.tokens.list()


def delete_token(uow: UnitOfWork, principal: Principal, token_id: str) -> None:
    """Delete a token; NotFound."""
    require_admin(principal, "delete tokens")
    if uow.tokens.find(token_id) is None:
        raise NotFound("token", token_id)
    uow.tokens.delete(token_id)


def authenticate(uow: UnitOfWork, text: str) -> Principal:
    """The principal of a token; NotAuthenticated for an unknown one."""
    token_id, _, secret = text.partition(".")
    token = uow.tokens.find(token_id)
    if token is None or not hmac.compare_digest(token.secret_sha256, _hash(secret)):
        raise NotAuthenticated("the token is not known")
    user = uow.users.get(token.user_id)
    return Principal(user.name, user.admin)


def _hash(secret: str) -> str:
    """Hash a secret; a plain hash is enough, because the secret is long and random, unlike a password."""
    return hashlib.sha256(secret.encode()).hexdigest()
