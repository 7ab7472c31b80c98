"""Waiting for operations, because MAAS's clients expect a response only after the work is done."""

import time

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.responses import refuse
from hostloom.model.operation import FINISHED, Operation, OperationState, StepState

#: Ansible's timeout for most requests is ten seconds. Longer operations continue in the background.
WAIT_TIMEOUT_S = 7.0
#: Pauses between polls. They grow, because hundreds of requests may wait for an unresponsive host.
_PAUSE_S, _LONGEST_PAUSE_S, _LONGER = 0.05, 0.5, 1.5
#: Error codes of operations that a client may retry.
_PASSING = frozenset({"host-unreachable", "outcome-unknown", "dhcp-unreachable", "not-enough-room"})


def wait(
    call: Call, operation: Operation, step: str | None = None, timeout_s: float | None = None
) -> Operation:
    """Wait until an operation ends, one of its steps is done, or the timeout passes.

    The default timeout starts at the arrival of the request; `timeout_s` starts now.

    Raises 503 with the error of a failed operation that a client may retry, else 409.
    """
    until = call.since + WAIT_TIMEOUT_S if timeout_s is None else time.monotonic() + timeout_s
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


def wait_for_end(call: Call, operation: Operation, timeout_s: float) -> bool:
    """Wait until an operation has ended, in whatever way; False if it still runs after the timeout."""
    until = time.monotonic() + timeout_s
    while True:
        with call.begin() as uow:
            state = uow.operations.get(operation.id).state
        if state in FINISHED or state is OperationState.STUCK or time.monotonic() > until:
            return state in FINISHED
        time.sleep(_PAUSE_S)


def _is_done(operation: Operation, step: str | None) -> bool:
    return any(
        operation_step.name == step and operation_step.state is StepState.DONE
        for operation_step in operation.steps
    )
