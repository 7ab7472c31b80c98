"""`users/`: user accounts."""

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
    """List in the order of ids."""
    with call.begin() as uow:
        accounts = access.list_users(uow, call.principal)
        notes = annotations.of(uow, call.principal, Annotated.USER)
        return answer([_shown(account, notes.get(account.id, {})) for account in accounts])


@users.op("GET", "whoami", "Show the current user.")
def whoami(call: Call) -> MaasResponse:
    """Return the current user. Clients test a key with this request."""
    with call.begin() as uow:
        return answer(_read(call, uow, find_by_key(uow.users, "user", call.principal.name)))


@users.crud(
    "create",
    "Create a user.",
    Param("username", "The name.", required=True),
    Param("email", "E-mail address; stored, but not used."),
    Param("password", "Password for logins with the user name."),
    Param("is_superuser", "Whether the user is an administrator: `0` or `1`.", "Boolean"),
)
def create_user(call: Call) -> MaasResponse:
    """Return the new user, who has no API key yet. A login or `hostloom apikey create` makes one."""
    form = call.form
    password = form.text("password")
    with call.begin() as uow:
        created = access.create_user(
            uow, call.principal, form.required("username"), admin=bool(form.flag("is_superuser"))
        )
        if password is not None:
            passwords.set_password(uow, created, password)
        if email := form.text("email"):
            annotations.merge(uow, call.principal, Annotated.USER, created.id, {"email": email})
        document = _read(call, uow, created)
        uow.commit()
    return answer(document)


@user.crud("read", "Show a user.")
def read_user(call: Call) -> MaasResponse:
    """Look up by name."""
    with call.begin() as uow:
        return answer(_read(call, uow, access.get_user(uow, call.principal, call.places["username"])))


@user.crud(
    "delete",
    "Delete a user.",
    Param("transfer_resources_to", "User who becomes the owner of the deleted user's machines."),
)
def delete_user(call: Call) -> MaasResponse:
    """Delete the user with tokens and keys; refused for an owner of machines, unless a new owner is named."""
    heir = (call.form.text("transfer_resources_to") or "").strip()
    with call.begin() as uow:
        deleted = access.get_user(uow, call.principal, call.places["username"])
        if heir:
            try:
                access.give_machines(uow, call.principal, deleted, access.get_user(uow, call.principal, heir))
            except NotFound:
                raise bad_field("transfer_resources_to", f"User {heir[:60]!r} does not exist.") from None
        access.delete_user(uow, call.principal, deleted.name, with_tokens=True)
        uow.commit()
    return GONE


def _read(call: Call, uow: UnitOfWork, account: User) -> dict[str, Any]:
    return _shown(
        account, annotations.of(uow, call.principal, Annotated.USER, [account.id]).get(account.id, {})
    )


def _shown(account: User, notes: dict[str, Any]) -> dict[str, Any]:
    return {
        "is_superuser": account.admin,
        "username": account.name,
        "email": notes.get("email", ""),
        "is_local": True,
        "resource_uri": uri(f"users/{account.name}/"),
    }
