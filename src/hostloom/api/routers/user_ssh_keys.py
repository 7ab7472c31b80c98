"""SSH keys of users, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import In, Out, Text
from hostloom.api.paging import PageOut, Paging
from hostloom.model.access import UserSshKey
from hostloom.ports.store import UnitOfWork
from hostloom.services import user_ssh_keys as service

router = APIRouter(prefix="/ssh-keys", tags=["ssh-keys"])


class SshKeyIn(In):
    """A public key to add, as in a file `id_ed25519.pub`; by default to the caller, named by its comment."""

    public_key: Text
    name: Text = ""
    user: Text = ""


class SshKeyOut(Out):
    """A public SSH key of a user."""

    id: int
    user: str
    name: str
    public_key: str
    fingerprint: str


@router.get("", response_model=PageOut[SshKeyOut])
def list_ssh_keys(
    call: Reading, page: Paging, user: Annotated[str, Query(description="A user's name.")] = ""
) -> Response:
    """List your SSH keys by id; administrators see those of all users, or of one."""
    after = page.after_number or 0
    with call.begin() as uow:
        keys = [key for key in service.list_(uow, call.principal, user) if key.id > after]
        names = {owner.id: owner.name for owner in uow.users.list()}
        answers = [SshKeyOut.made(key, user=names[key.user_id]) for key in keys[: page.more]]
    return call.page(page, answers, lambda answer: answer.id)


@router.post("", status_code=201, response_model=SshKeyOut)
def create_ssh_key(call: Changing, body: SshKeyIn) -> Response:
    """Add an SSH key, which opens the machines that its user deploys from now on."""

    def do(uow: UnitOfWork) -> SshKeyOut:
        clock = call.ports.clock
        key = service.create(uow, call.principal, clock, body.public_key, name=body.name, user=body.user)
        return _made(uow, key)

    return call.commit(201, do)


@router.get("/{key:path}", response_model=SshKeyOut)
def get_ssh_key(call: Reading, key: str) -> Response:
    """Show an SSH key by id, name or fingerprint."""
    with call.begin() as uow:
        return call.one(_made(uow, service.get(uow, call.principal, key)))


@router.delete("/{key:path}", status_code=204)
def delete_ssh_key(call: Changing, key: str) -> Response:
    """Delete an SSH key by id, name or fingerprint; machines that are deployed with it keep it."""
    return call.commit(204, lambda uow: service.delete(uow, call.principal, call.ports.clock, key))


def _made(uow: UnitOfWork, key: UserSshKey) -> SshKeyOut:
    return SshKeyOut.made(key, user=uow.users.get(key.user_id).name)
