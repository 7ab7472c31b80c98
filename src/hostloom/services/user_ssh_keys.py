"""Public SSH keys of users, which open the machines that they deploy."""

from hostloom.model.access import Principal, User, UserSshKey
from hostloom.model.errors.resources import AlreadyExists, NotFound
from hostloom.model.errors.values import InvalidValue
from hostloom.model.event import Event, EventSubjectKind, named_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import UserSshKeyId, is_id
from hostloom.model.ssh_public_key import SshPublicKey, parse_public_key
from hostloom.ports.context import Clock
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_admin
from hostloom.services.naming import MAX_NAME, check_name, find_by_key

MAX_KEYS = 100


def create(
    uow: UnitOfWork, principal: Principal, clock: Clock, text: str, *, name: str = "", user: str = ""
) -> UserSshKey:
    """Add a key to the caller, or to another user if an administrator asks; AlreadyExists, InvalidValue.

    Without a name the key gets its comment as name, or its fingerprint if it has no comment.
    """
    owner = _owner(uow, principal, user, "create SSH keys of other users")
    public_key = parse_public_key(text)
    stored = uow.user_ssh_keys.list(owner.id)
    if public_key.fingerprint in [key.fingerprint for key in stored]:
        raise AlreadyExists("SSH key", public_key.fingerprint, f"is already a key of {owner.name}")
    if len(stored) >= MAX_KEYS:
        raise InvalidValue(
            "public_key",
            None,
            f"would be the key number {len(stored) + 1} of {owner.name}",
            f"a user has at most {MAX_KEYS}; delete one first",
        )
    name = check_name(name) if name else _name(public_key)
    key = UserSshKey(UserSshKeyId(0), owner.id, name, public_key.line, public_key.fingerprint)
    created = uow.user_ssh_keys.add(key)
    _record(uow, clock, EventKind.SSH_KEY_ADDED, owner, created)
    return created


def _name(public_key: SshPublicKey) -> str:
    """The comment, unless it could not stand in a path."""
    try:
        return check_name(public_key.comment[:MAX_NAME].strip())
    except InvalidValue:
        return check_name(public_key.fingerprint.replace("/", "_"))


def list_(uow: UnitOfWork, principal: Principal, user: str = "") -> list[UserSshKey]:
    """The caller's keys by id; administrators see those of a named user, or all."""
    if principal.admin and not user:
        return uow.user_ssh_keys.list()
    return uow.user_ssh_keys.list(_owner(uow, principal, user, "see SSH keys of other users").id)


def get(uow: UnitOfWork, principal: Principal, key: str) -> UserSshKey:
    """By id, fingerprint, or a name that only one key has; NotFound, also for keys that one may not see."""
    visible = list_(uow, principal) if principal.admin or uow.users.find(principal.name) else []
    matching = [item for item in visible if is_id(key) and item.id == int(key)]
    matching = matching or [item for item in visible if key in (item.fingerprint, item.name)]
    if not matching:
        raise NotFound("SSH key", key)
    if len(matching) > 1:
        ids = ", ".join(str(item.id) for item in matching)
        raise InvalidValue("key", key, "is the name of several SSH keys", f"use one of the ids {ids}")
    return matching[0]


def delete(uow: UnitOfWork, principal: Principal, clock: Clock, key: str) -> None:
    """Delete a key as `get` finds it. Machines that are deployed with it keep it."""
    found = get(uow, principal, key)
    uow.user_ssh_keys.delete(found.id)
    _record(uow, clock, EventKind.SSH_KEY_DELETED, uow.users.get(found.user_id), found)


def _owner(uow: UnitOfWork, principal: Principal, user: str, action: str) -> User:
    if user and user != principal.name:
        require_admin(principal, action)
        return find_by_key(uow.users, "user", user)
    owner = uow.users.find(principal.name)
    if owner is None:
        allowed = "name the user that the key belongs to"
        raise InvalidValue("user", principal.name, "has no account on this server", allowed)
    return owner


def _record(uow: UnitOfWork, clock: Clock, kind: EventKind, owner: User, key: UserSshKey) -> None:
    verb = "added" if kind is EventKind.SSH_KEY_ADDED else "deleted"
    details = {"name": key.name, "fingerprint": key.fingerprint}
    subject = named_subject(EventSubjectKind.USER, owner.name)
    uow.events.add(Event(kind, subject, f"SSH key {key.name!r} {verb}", clock.now(), details=details))
