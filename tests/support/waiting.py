"""Waits for what another thread or process does."""

import time
from collections.abc import Callable


def wait_until(is_true: Callable[[], object], what: str, timeout_s: float = 30, every_s: float = 0.1) -> None:
    """Poll until the condition is true; the test fails with `what` after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(every_s)
