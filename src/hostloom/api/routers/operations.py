"""Operations over HTTP: show, follow live, cancel, and retry stuck ones."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Self

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from hostloom.api.calls import ApiCall, Changing, Reading
from hostloom.api.forms import Out, like
from hostloom.api.paging import PageOut, Paging
from hostloom.model.errors.server import DatabaseUnavailable
from hostloom.model.operation import FINISHED, Operation, OperationState, StepRecord
from hostloom.services import operations

router = APIRouter(prefix="/operations", tags=["operations"])

#: Interval of the checks of a followed operation.
LOOK_EVERY_S = 0.1
#: Number of checks without news after which a comment is sent, so that proxies keep the stream open.
LOOKS_PER_COMMENT = 100


@like(StepRecord, hide=("output",))
class StepOut(Out):
    """One step; times in seconds since the epoch."""


@like(Operation, hide=("input", "owner", "lease_until", "fence"))
class OperationOut(Out):
    """A long action and its progress; `finished`: nothing more happens without a user."""

    finished: bool
    steps: list[StepOut]

    @classmethod
    def of(cls, item: Operation) -> Self:
        """Convert an operation, without the inputs and outputs of its steps."""
        return cls.made(item, finished=is_at_rest(item))


def is_at_rest(operation: Operation) -> bool:
    """Whether it is finished, or stuck until a user retries it."""
    return operation.state in FINISHED or operation.state is OperationState.STUCK


@router.get("", response_model=PageOut[OperationOut])
def list_operations(
    call: Reading,
    page: Paging,
    unfinished: Annotated[bool, Query(description="Only those that run or are stuck.")] = False,
) -> Response:
    """List operations, newest first."""
    with call.begin() as uow:
        operation_list = operations.list_(uow, call.principal, page.after, page.more, unfinished=unfinished)
    return call.page(
        page, [OperationOut.of(operation) for operation in operation_list], lambda answer: answer.id
    )


@router.get("/{key}", response_model=OperationOut)
def get_operation(call: Reading, key: str) -> Response:
    """Show an operation with its steps."""
    with call.begin() as uow:
        return call.one(OperationOut.of(operations.get(uow, call.principal, key)))


@router.get(
    "/{key}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
def follow_operation(call: Reading, request: Request, key: str) -> Response:
    """Follow an operation live: an event `operation` with each change, until it is finished or stuck."""
    with call.begin() as uow:
        first = OperationOut.of(operations.get(uow, call.principal, key)).model_dump_json()
    stream = _follow(call, request, key, first)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@router.post("/{key}/cancel", response_model=OperationOut)
def cancel_operation(call: Changing, key: str) -> Response:
    """Ask an operation to stop after its current step and to undo its changes."""
    return call.commit(200, lambda uow: OperationOut.of(operations.cancel(uow, call.principal, key)))


@router.post("/{key}/retry", response_model=OperationOut)
def retry_operation(call: Changing, key: str) -> Response:
    """Retry the step that a stuck operation could not undo."""
    return call.commit(200, lambda uow: OperationOut.of(operations.retry(uow, call.principal, key)))


async def _follow(call: ApiCall, request: Request, key: str, first: str) -> AsyncIterator[str]:
    """The stream; it ends with the operation, the client, or the server."""
    stopping: asyncio.Event = request.app.state.stopping
    event_text, quiet = _event(first), 0
    yield event_text
    finished = '"finished":true' in first
    while not finished and not stopping.is_set() and not await request.is_disconnected():
        await asyncio.sleep(LOOK_EVERY_S)
        now, finished = await run_in_threadpool(_look, call, key)
        quiet += 1
        if now != event_text:
            event_text, quiet = now, 0
            yield now
        elif quiet % LOOKS_PER_COMMENT == 0:
            yield ": still there\n\n"


def _event(operation: str) -> str:
    return f"event: operation\ndata: {operation}\n\n"


def _look(call: ApiCall, key: str) -> tuple[str, bool]:
    """The next message of the stream, and whether it is the last one.

    While the database is unavailable, a comment gives the reason; the stream continues afterwards.
    """
    try:
        with call.begin() as uow:
            operation = OperationOut.of(operations.get(uow, call.principal, key))
    except DatabaseUnavailable as error:
        return f": {error}\n\n", False
    return _event(operation.model_dump_json()), operation.finished
