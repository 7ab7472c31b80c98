"""Release, lock and unlock machines over HTTP; by hostname or system id."""

from fastapi import APIRouter, Response

from hostloom.api.calls import ApiCall, Changing
from hostloom.api.names import Names
from hostloom.api.routers.operations import OperationOut
from hostloom.api.shapes.lifecycle import CommentIn, ReleaseIn, ReleaseOut
from hostloom.api.shapes.machines import MachineOut
from hostloom.services import lifecycle

router = APIRouter(prefix="/machines", tags=["machines"])


@router.post("/{key}/release", response_model=ReleaseOut)
def release_machine(call: Changing, key: str, body: ReleaseIn | None = None) -> Response:
    """Release a machine; the operation takes it out of use, or decomposes it if it was composed on demand."""
    erase = body is not None and body.erase
    return call.perform(200, lambda: _release(call, key, erase=erase))


@router.post("/{key}/lock", response_model=MachineOut)
def lock_machine(call: Changing, key: str, body: CommentIn) -> Response:
    """Protect a machine from being changed, switched off or decomposed."""
    return call.perform(200, lambda: _locked(call, key, body.comment, locked=True))


@router.post("/{key}/unlock", response_model=MachineOut)
def unlock_machine(call: Changing, key: str, body: CommentIn) -> Response:
    """Unlock a machine."""
    return call.perform(200, lambda: _locked(call, key, body.comment, locked=False))


def _release(call: ApiCall, key: str, *, erase: bool) -> ReleaseOut:
    released = lifecycle.release(call.ports, call.principal, key, erase=erase)
    operation = None if released.operation is None else OperationOut.of(released.operation)
    with call.begin() as uow:
        return ReleaseOut(machine=MachineOut.of(released.machine, Names(uow)), operation=operation)


def _locked(call: ApiCall, key: str, comment: str, *, locked: bool) -> MachineOut:
    changed = lifecycle.set_locked(call.ports, call.principal, key, locked=locked, comment=comment)
    with call.begin() as uow:
        return MachineOut.of(changed, Names(uow))
