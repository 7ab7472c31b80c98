"""`account/prefs/sshkeys/`: public SSH keys of the caller, which open the machines that it deploys."""

from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, bad_field, not_found, refuse, uri
from hostloom.model.access import UserSshKey
from hostloom.model.errors.resources import AlreadyExists
from hostloom.ports.store import UnitOfWork
from hostloom.services import user_ssh_keys as service

sshkeys = Resource("SSHKeys", "account/prefs/sshkeys/", "Manage the SSH keys of the current user.")
sshkey = Resource("SSHKey", "account/prefs/sshkeys/{id}/", "Manage an SSH key of the current user.")
RESOURCES = (sshkeys, sshkey)


@sshkeys.crud("read", "List your SSH keys.")
def list_keys(call: Call) -> MaasResponse:
    """List in the order of ids."""
    with call.begin() as uow:
        return answer([_shown(key) for key in _own(uow, call)])


@sshkeys.crud(
    "create", "Add an SSH key.", Param("key", "A public key: `ssh-ed25519 AAAA… comment`.", required=True)
)
def create_key(call: Call) -> MaasResponse:
    """Return the new key."""
    text = call.form.required("key")
    with call.begin() as uow:
        try:
            created = service.create(uow, call.principal, call.ports.clock, text)
        except AlreadyExists:
            raise bad_field("key", "This key has already been added for this user.") from None
        uow.commit()
    return answer(_shown(created))


@sshkeys.op(
    "POST",
    "import",
    "Import keys from Launchpad or GitHub: hostloom does not support this.",
    Param("keysource", "`lp:NAME` or `gh:NAME`."),
)
def import_keys(_: Call) -> MaasResponse:
    """Always refuse, with the reason."""
    raise refuse(409, "hostloom fetches no keys from other sites: create them one by one.")


@sshkey.crud("read", "Show an SSH key.")
def read_key(call: Call) -> MaasResponse:
    """Look up by id."""
    with call.begin() as uow:
        return answer(_shown(_find(uow, call)))


@sshkey.crud("delete", "Delete an SSH key.")
def delete_key(call: Call) -> MaasResponse:
    """Delete by id."""
    with call.begin() as uow:
        service.delete(uow, call.principal, call.ports.clock, str(_find(uow, call).id))
        uow.commit()
    return GONE


def _own(uow: UnitOfWork, call: Call) -> list[UserSshKey]:
    """The keys of the caller, also of an administrator."""
    return service.list_(uow, call.principal, call.principal.name)


def _find(uow: UnitOfWork, call: Call) -> UserSshKey:
    number = call.number("id", "SSHKey")
    for key in _own(uow, call):
        if key.id == number:
            return key
    raise not_found("SSHKey")


def _shown(key: UserSshKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "key": key.public_key,
        "keysource": "",
        "resource_uri": uri(f"account/prefs/sshkeys/{key.id}/"),
    }
