"""Release, lock and mark machines over HTTP; by hostname or system id."""

from collections.abc import Callable

from fastapi import APIRouter, Response

from hostloom.api.calls import ApiCall, Changing
from hostloom.api.names import Names
from hostloom.api.routers.operations import OperationOut
from hostloom.api.shapes.lifecycle import CommentIn, ReleaseIn, ReleaseOut
from hostloom.api.shapes.machines import MachineOut
from hostloom.model.access import Principal
from hostloom.model.machine import Machine
from hostloom.ports.context import Ports
from hostloom.services import lifecycle

router = APIRouter(prefix="/machines", tags=["machines"])


@router.post("/{key}/release", response_model=ReleaseOut)
def release_machine(call: Changing, key: str, body: ReleaseIn | None = None) -> Response:
    """Release a machine; the operation takes it out of use, or decomposes it if it was composed on demand."""
    return call.perform(200, lambda: _release(call, key, body or ReleaseIn()))


@router.post("/{key}/lock", response_model=MachineOut)
def lock_machine(call: Changing, key: str, body: CommentIn) -> Response:
    """Protect a machine from being changed, switched off or decomposed."""
    return call.perform(200, lambda: _locked(call, key, body.comment, locked=True))


@router.post("/{key}/unlock", response_model=MachineOut)
def unlock_machine(call: Changing, key: str, body: CommentIn) -> Response:
    """Unlock a machine."""
    return call.perform(200, lambda: _locked(call, key, body.comment, locked=False))


@router.post("/{key}/mark-broken", response_model=MachineOut)
def mark_machine_broken(call: Changing, key: str, body: CommentIn) -> Response:
    """Mark a machine as broken, so that it is not used; nothing else changes."""
    return call.perform(200, lambda: _marked(call, key, body.comment, lifecycle.mark_broken))


@router.post("/{key}/mark-fixed", response_model=MachineOut)
def mark_machine_fixed(call: Changing, key: str, body: CommentIn) -> Response:
    """Mark a broken machine as ready."""
    return call.perform(200, lambda: _marked(call, key, body.comment, lifecycle.mark_fixed))


def _release(call: ApiCall, key: str, body: ReleaseIn) -> ReleaseOut:
    released = lifecycle.release(call.ports, call.principal, key, erase=body.erase, quick=body.quick)
    operation = None if released.operation is None else OperationOut.of(released.operation)
    with call.begin() as uow:
        return ReleaseOut(machine=MachineOut.of(released.machine, Names(uow)), operation=operation)


def _locked(call: ApiCall, key: str, comment: str, *, locked: bool) -> MachineOut:
    changed = lifecycle.set_locked(call.ports, call.principal, key, locked=locked, comment=comment)
    with call.begin() as uow:
        return MachineOut.of(changed, Names(uow))


def _marked(
    call: ApiCall, key: str, comment: str, mark: Callable[[Ports, Principal, str, str], Machine]
) -> MachineOut:
    changed = mark(call.ports, call.principal, key, comment)
    with call.begin() as uow:
        return MachineOut.of(changed, Names(uow))
