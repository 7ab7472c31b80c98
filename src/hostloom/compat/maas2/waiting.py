"""How long the façade waits for an operation, since MAAS answers when it is done, and what it then says."""

import time

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.responses import refuse
from hostloom.model.operation import FINISHED, Operation, OperationState, StepState

#: Ansible gives most requests ten seconds; what takes longer goes on, and is seen when it is done.
PATIENCE_S = 7.0
#: Between looks; longer from one to the next, since hundreds may wait for a host that hangs.
_PAUSE_S, _LONGEST_PAUSE_S, _LONGER = 0.05, 0.5, 1.5
#: Codes of what a client may try again.
_PASSING = frozenset({"host-unreachable", "outcome-unknown", "dhcp-unreachable", "not-enough-room"})


def wait(
    call: Call, operation: Operation, step: str | None = None, patience_s: float | None = None
) -> Operation:
    """The operation when it has ended, when a step of it is done, or when patience is.

    Patience is counted from the arrival of the request; `patience_s` from now.

    One that failed ends the request: 503 where trying again can help, else 409, with what went wrong.
    """
    until = call.since + PATIENCE_S if patience_s is None else time.monotonic() + patience_s
    pause_s = _PAUSE_S
    while True:
        with call.begin() as uow:
            current = uow.operations.get(operation.id)
        if current.state is OperationState.SUCCEEDED or _is_done(current, step):
            return current
        if current.state in FINISHED or current.state is OperationState.STUCK:
            raise refuse(503 if current.error_code in _PASSING else 409, current.error or current.state.value)
        left_s = until - time.monotonic()
        if left_s <= 0:
            return current
        time.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * _LONGER, _LONGEST_PAUSE_S)


def _is_done(operation: Operation, step: str | None) -> bool:
    return any(each.name == step and each.state is StepState.DONE for each in operation.steps)
