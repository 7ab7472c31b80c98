"""`users/`: accounts, and who asks."""

from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, bad_field, uri
from hostloom.model.access import User
from hostloom.model.annotation import Annotated
from hostloom.model.errors.resources import NotFound
from hostloom.ports.store import UnitOfWork
from hostloom.services import access, annotations, passwords
from hostloom.services.naming import find_by_key

users = Resource("Users", "users/", "Manage user accounts.")
user = Resource("User", "users/{username}/", "Manage a user account.")
RESOURCES = (users, user)


@users.crud("read", "List users.")
def list_users(call: Call) -> MaasResponse:
    """By id."""
    with call.begin() as uow:
        found = access.list_users(uow, call.principal)
        notes = annotations.of(uow, call.principal, Annotated.USER)
        return answer([_shown(each, notes.get(each.id, {})) for each in found])


@users.op("GET", "whoami", "Show the current user.")
def whoami(call: Call) -> MaasResponse:
    """By this, clients try a key."""
    with call.begin() as uow:
        return answer(_read(call, uow, find_by_key(uow.users, "user", call.principal.name)))


@users.crud(
    "create",
    "Create a user.",
    Param("username", "The name.", required=True),
    Param("email", "An e-mail address; kept, not used."),
    Param("password", "The password, with which clients log in by name."),
    Param("is_superuser", "Whether the user is an administrator: `0` or `1`.", "Boolean"),
)
def create_user(call: Call) -> MaasResponse:
    """A key is made with the password, or with `hostloom apikey create`."""
    form = call.form
    password = form.text("password")
    with call.begin() as uow:
        made = access.create_user(
            uow, call.principal, form.required("username"), admin=bool(form.flag("is_superuser"))
        )
        if password is not None:
            passwords.set_password(uow, made, password)
        if email := form.text("email"):
            annotations.merge(uow, call.principal, Annotated.USER, made.id, {"email": email})
        shown = _read(call, uow, made)
        uow.commit()
    return answer(shown)


@user.crud("read", "Show a user.")
def read_user(call: Call) -> MaasResponse:
    """By name."""
    with call.begin() as uow:
        return answer(_read(call, uow, access.get_user(uow, call.principal, call.places["username"])))


@user.crud(
    "delete",
    "Delete a user.",
    Param("transfer_resources_to", "The user who gets the machines of the deleted one."),
)
def delete_user(call: Call) -> MaasResponse:
    """Delete the user with tokens and keys; refused for an owner of machines, unless a new owner is named."""
    heir = (call.form.text("transfer_resources_to") or "").strip()
    with call.begin() as uow:
        gone = access.get_user(uow, call.principal, call.places["username"])
        if heir:
            try:
                access.give_machines(uow, call.principal, gone, access.get_user(uow, call.principal, heir))
            except NotFound:
                raise bad_field("transfer_resources_to", f"There is no user {heir[:60]!r}.") from None
        access.delete_user(uow, call.principal, gone.name, with_tokens=True)
        uow.commit()
    return GONE


def _read(call: Call, uow: UnitOfWork, found: User) -> dict[str, Any]:
    return _shown(found, annotations.of(uow, call.principal, Annotated.USER, [found.id]).get(found.id, {}))


def _shown(found: User, notes: dict[str, Any]) -> dict[str, Any]:
    return {
        "is_superuser": found.admin,
        "username": found.name,
        "email": notes.get("email", ""),
        "is_local": True,
        "resource_uri": uri(f"users/{found.name}/"),
    }
