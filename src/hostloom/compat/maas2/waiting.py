"""How long the façade waits for an operation, since MAAS answers when it is done, and what it then says."""

import time

from hostloom.compat.maas2.answers import refuse
from hostloom.compat.maas2.call import Call
from hostloom.model.operation import FINISHED, Operation, OperationState, StepState

#: Ansible gives most requests ten seconds; what takes longer goes on, and is seen when it is done.
PATIENCE_S = 7.0
_PAUSE_S = 0.05
#: Codes of what a client may try again.
_PASSING = frozenset({"host-unreachable", "outcome-unknown", "dhcp-unreachable", "not-enough-room"})


def wait(
    call: Call, operation: Operation, step: str | None = None, patience_s: float | None = None
) -> Operation:
    """The operation when it has ended, when a step of it is done, or when patience is.

    One that failed ends the request: 503 where trying again can help, else 409, with what went wrong.
    """
    until = time.monotonic() + (PATIENCE_S if patience_s is None else patience_s)
    while True:
        with call.begin() as uow:
            current = uow.operations.get(operation.id)
        if current.state is OperationState.SUCCEEDED or _is_done(current, step):
            return current
        if current.state in FINISHED or current.state is OperationState.STUCK:
            raise refuse(503 if current.error_code in _PASSING else 409, current.error or current.state.value)
        if time.monotonic() > until:
            return current
        time.sleep(_PAUSE_S)


def _is_done(operation: Operation, step: str | None) -> bool:
    return any(each.name == step and each.state is StepState.DONE for each in operation.steps)
