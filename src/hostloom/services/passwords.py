"""Passwords of users, for MAAS's clients that create users and log in by name; hashed with scrypt."""

import base64
import hashlib
import hmac
import secrets
import threading

from hostloom.model.access import Principal, User
from hostloom.model.errors.values import InvalidValue
from hostloom.ports.store import UnitOfWork

#: Longer passwords are refused before hashing.
MAX_LENGTH = 1024
#: Parameters that OWASP recommends for interactive logins: 16 MiB and about 50 ms per hash, with p = 5.
_N, _R, _P = 2**14, 8, 5
_SALT_BYTES, _KEY_BYTES = 16, 32
#: Limits parallel hashes, because a hash needs memory and a core, and anyone can trigger one.
_TURN = threading.BoundedSemaphore(2)


def set_password(uow: UnitOfWork, user: User, password: str) -> None:
    """Set a user's password; InvalidValue describes the allowed values and never contains the password."""
    if not 1 <= len(password) <= MAX_LENGTH:
        raise InvalidValue("password", None, "is empty or too long", f"use 1 to {MAX_LENGTH} characters")
    uow.passwords.put(user.id, _hash(password, secrets.token_bytes(_SALT_BYTES)))


def find(uow: UnitOfWork, name: str, password: str) -> Principal | None:
    """The user with this name and password, else None, in the same time."""
    if len(password) > MAX_LENGTH:
        return None
    user = uow.users.find(name)
    stored_password = None if user is None else uow.passwords.of(user.id)
    salt = secrets.token_bytes(_SALT_BYTES) if stored_password is None else _salt_of(stored_password)
    hashed = _hash(password, salt)
    if user is None or stored_password is None or not hmac.compare_digest(hashed, stored_password):
        return None
    return Principal(user.name, user.admin)


def _hash(password: str, salt: bytes) -> str:
    with _TURN:
        key = hashlib.scrypt(
            password.encode("utf-8", "surrogatepass"),
            salt=salt,
            n=_N,
            r=_R,
            p=_P,
            maxmem=2**26,
            dklen=_KEY_BYTES,
        )
    return f"scrypt:{_text(salt)}:{_text(key)}"


def _salt_of(hashed: str) -> bytes:
    return base64.b64decode(hashed.split(":")[1])


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
