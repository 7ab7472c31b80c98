"""An end to decisions: whoever asks for one may be asked, now and then, whether it goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_check: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)


def tick() -> None:
    """Called once for each host, label or assignment that is tried; raises what the caller's check raises."""
    check = _check.get()
    if check is not None:
        check()


@contextmanager
def limited(check: Callable[[], None]) -> Iterator[None]:
    """Have `check` called throughout the decisions inside."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)
