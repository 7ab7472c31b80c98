"""Operations: list, cancel and retry."""

from hostloom.model.access import Principal
from hostloom.model.operation import Operation
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_admin, require_user


def get(uow: UnitOfWork, principal: Principal, operation_id: str) -> Operation:
    """By id, without input and outputs; NotFound."""
    require_user(principal, "see operations")
    return uow.operations.get(operation_id, with_data=False)


def list_(
    uow: UnitOfWork,
    principal: Principal,
    after: str | None = None,
    limit: int | None = None,
    *,
    unfinished: bool = False,
) -> list[Operation]:
    """Newest first, without inputs and outputs."""
    require_user(principal, "see operations")
    return uow.operations.list(after, limit, unfinished=unfinished, with_data=False)


def cancel(uow: UnitOfWork, principal: Principal, operation_id: str) -> Operation:
    """Ask an operation to stop after its current step and to undo its changes."""
    require_admin(principal, "cancel operations")
    return uow.operations.request_cancel(operation_id)


def retry(uow: UnitOfWork, principal: Principal, operation_id: str) -> Operation:
    """Continue a stuck operation; WrongState if it is not stuck."""
    require_admin(principal, "retry operations")
    return uow.operations.retry(operation_id)
