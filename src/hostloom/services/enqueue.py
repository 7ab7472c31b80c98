"""Start a saga: record its operation, for a worker to claim."""

from typing import Any, TypeVar

from hostloom.model.access import Principal
from hostloom.model.operation import Operation, OperationState
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.saga import Saga
from hostloom.serialization import to_json

I = TypeVar("I")  # noqa: E741  (the saga's input)


def start_saga(
    uow: UnitOfWork, ports: Ports, principal: Principal, saga: Saga[I], saga_input: I, subject: str
) -> Operation:
    """Record the operation; it runs once the unit of work is committed."""
    data: dict[str, Any] = to_json(saga_input)
    return uow.operations.add(
        Operation(
            id=ports.ids.uuid(),
            saga=saga.name,
            state=OperationState.PENDING,
            subject=subject,
            input=data,
            steps=saga.describe_steps(),
            created_at=ports.clock.now(),
            requested_by=principal.name,
        )
    )
