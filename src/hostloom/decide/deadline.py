"""Time limits for decisions: a callback of the caller, which can stop a decision."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_check: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)


def tick() -> None:
    """Decisions call this for each host, label and assignment. It raises what the check raises."""
    check = _check.get()
    if check is not None:
        check()


@contextmanager
def limited(check: Callable[[], None]) -> Iterator[None]:
    """Set the check for the decisions inside the `with` block."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)
