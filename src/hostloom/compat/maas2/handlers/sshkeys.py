"""`account/prefs/sshkeys/`: public SSH keys of a user. hostloom only stores them for clients."""

import base64
import binascii
import struct
from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, bad_field, not_found, refuse, uri
from hostloom.model.access import User
from hostloom.model.annotation import Annotated
from hostloom.ports.store import UnitOfWork
from hostloom.services import annotations
from hostloom.services.naming import find_by_key

sshkeys = Resource("SSHKeys", "account/prefs/sshkeys/", "Manage the SSH keys of the current user.")
sshkey = Resource("SSHKey", "account/prefs/sshkeys/{id}/", "Manage an SSH key of the current user.")
RESOURCES = (sshkeys, sshkey)

#: The annotation of a user with the keys.
SSH_KEYS = "ssh_keys"
MAX_KEYS, MAX_LENGTH = 100, 8192


@sshkeys.crud("read", "List your SSH keys.")
def list_keys(call: Call) -> MaasResponse:
    """List in the order of ids."""
    with call.begin() as uow:
        return answer([_shown(key) for key in _stored(uow, _caller(call, uow))])


@sshkeys.crud(
    "create", "Store an SSH key.", Param("key", "A public key: `ssh-ed25519 AAAA… comment`.", required=True)
)
def create_key(call: Call) -> MaasResponse:
    """Return the new key."""
    text = _checked(call.form.required("key").strip())
    with call.begin() as uow:
        user = _caller(call, uow)
        stored = _stored(uow, user)
        if text.split()[1] in [key["key"].split()[1] for key in stored]:
            raise bad_field("key", "This key has already been added for this user.")
        if len(stored) >= MAX_KEYS:
            raise bad_field("key", f"A user can have at most {MAX_KEYS} keys.")
        notes_of_users = annotations.read(uow, Annotated.USER).values()
        used_ids = [key["id"] for notes in notes_of_users for key in notes.get(SSH_KEYS, [])]
        created = {"id": max(used_ids, default=0) + 1, "key": text}
        annotations.merge(uow, call.principal, Annotated.USER, user.id, {SSH_KEYS: [*stored, created]})
        uow.commit()
    return answer(_shown(created))


@sshkeys.op(
    "POST",
    "import",
    "Fetch keys from Launchpad or GitHub: hostloom does not support this.",
    Param("keysource", "`lp:NAME` or `gh:NAME`."),
)
def import_keys(_: Call) -> MaasResponse:
    """Always refuse, with the reason."""
    raise refuse(409, "hostloom does not fetch keys from other sites: create them one by one.")


@sshkey.crud("read", "Show an SSH key.")
def read_key(call: Call) -> MaasResponse:
    """Look up by id."""
    with call.begin() as uow:
        return answer(_shown(_find(call, _stored(uow, _caller(call, uow)))))


@sshkey.crud("delete", "Delete an SSH key.")
def delete_key(call: Call) -> MaasResponse:
    """Delete by id."""
    with call.begin() as uow:
        user = _caller(call, uow)
        stored = _stored(uow, user)
        deleted = _find(call, stored)
        annotations.merge(
            uow,
            call.principal,
            Annotated.USER,
            user.id,
            {SSH_KEYS: [key for key in stored if key is not deleted]},
        )
        uow.commit()
    return GONE


def _caller(call: Call, uow: UnitOfWork) -> User:
    return find_by_key(uow.users, "user", call.principal.name)


def _stored(uow: UnitOfWork, user: User) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = annotations.read(uow, Annotated.USER).get(user.id, {}).get(SSH_KEYS, [])
    return keys


def _find(call: Call, stored: list[dict[str, Any]]) -> dict[str, Any]:
    number = call.number("id", "SSHKey")
    for key in stored:
        if key["id"] == number:
            return key
    raise not_found("SSHKey")


def _shown(key: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": key["id"],
        "key": key["key"],
        "keysource": "",
        "resource_uri": uri(f"account/prefs/sshkeys/{key['id']}/"),
    }


def _checked(text: str) -> str:
    """Validate a line of an authorized_keys file. The data repeats the type of the key (RFC 4253 §6.6)."""
    parts = text.split(maxsplit=2)
    if len(text) > MAX_LENGTH or not text.isprintable() or len(parts) < 2:
        raise bad_field("key", "Invalid SSH public key: expected a type, the data and a comment on one line.")
    try:
        data = base64.b64decode(parts[1], validate=True)
        (length,) = struct.unpack_from(">I", data)
    except (binascii.Error, struct.error):
        raise bad_field("key", "Invalid SSH public key: its data is not base64.") from None
    if data[4 : 4 + length] != parts[0].encode():
        raise bad_field("key", f"Invalid SSH public key: its data is not of type {parts[0][:40]!r}.")
    return text
