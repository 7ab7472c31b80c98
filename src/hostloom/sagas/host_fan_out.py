"""Works on several hosts at once, so that a slow host delays only its own machines."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from hostloom.model.errors.server import Cancelled
from hostloom.sagas.saga import Run

K = TypeVar("K")
T = TypeVar("T")
R = TypeVar("R")

#: Number of hosts that are worked on at the same time.
HOSTS_AT_ONCE = 8
#: Seconds between checks whether the operation was cancelled.
LOOK_EVERY_S = 1.0


def for_each_host(
    run: Run[Any],
    work: Mapping[K, Sequence[T]],
    do: Callable[[K, Iterator[T]], R],
    *,
    to_the_end: bool = False,
) -> list[R]:
    """Call `do` with each key and its items, in parallel; results in the order of the keys.

    After a failure or a cancel no further item begins (the iterators end the thread's work), and the first
    failure is raised. `to_the_end`, as an undo must: every item is tried whatever fails or is cancelled.
    """
    if sum(map(len, work.values())) == 1:
        return [do(key, iter(items)) for key, items in work.items()]
    stop = threading.Event()

    def until_stopped(items: Sequence[T]) -> Iterator[T]:
        for item in items:
            if stop.is_set():
                raise Cancelled("cancelled")
            yield item

    with ThreadPoolExecutor(HOSTS_AT_ONCE, "compose") as pool:
        futures = [pool.submit(do, key, until_stopped(items)) for key, items in work.items()]
        if not to_the_end:
            _watch(run, futures, stop)
    failures = [future.exception() for future in futures]
    for failure in sorted(filter(None, failures), key=lambda error: isinstance(error, Cancelled)):
        raise failure
    return [future.result() for future in futures]


def _watch(run: Run[Any], futures: Sequence[Future[Any]], stop: threading.Event) -> None:
    """Stop all at the first failure, or when the user cancels."""
    pending = set(futures)
    while pending and not stop.is_set():
        finished, pending = wait(pending, LOOK_EVERY_S, FIRST_EXCEPTION)
        if any(future.exception() is not None for future in finished) or (pending and run.wants_cancel()):
            stop.set()
