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
    current = _follow(call, operation, until, step)
    has_failed = current.state is not OperationState.SUCCEEDED and _rests(current)
    if has_failed and not _is_done(current, step):
        raise refuse(503 if current.error_code in _PASSING else 409, current.error or current.state.value)
    return current


def wait_for_end(call: Call, operation: Operation, timeout_s: float) -> bool:
    """Wait until an operation has ended, in whatever way; False if it is stuck or still runs then."""
    return _follow(call, operation, time.monotonic() + timeout_s).state in FINISHED


def _follow(call: Call, operation: Operation, until: float, step: str | None = None) -> Operation:
    """Poll an operation until it ends or is stuck, one of its steps is done, or the time has come."""
    pause_s = _PAUSE_S
    while True:
        with call.begin() as uow:
            current = uow.operations.get(operation.id)
        left_s = until - time.monotonic()
        if _rests(current) or _is_done(current, step) or left_s <= 0:
            return current
        time.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * _LONGER, _LONGEST_PAUSE_S)


def _rests(operation: Operation) -> bool:
    """Whether an operation has ended or is stuck."""
    return operation.state in FINISHED or operation.state is OperationState.STUCK


def _is_done(operation: Operation, step: str | None) -> bool:
    return any(
        operation_step.name == step and operation_step.state is StepState.DONE
        for operation_step in operation.steps
    )
