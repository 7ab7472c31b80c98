"""Follows growing data: events, and a machine's console."""

import time
from collections.abc import Iterator
from typing import Any

from hostloom.client import Client, answers

#: Interval of the requests.
LOOK_EVERY_S = 1.0
#: Page size while following events.
PAGE = 100
#: Minimum overlap of two readings of a console for which the second counts as a continuation.
SHARED = 200


def new_events(client: Client, since: int, **query: Any) -> Iterator[answers.Event]:
    """Yield events after the one with the id `since` as they happen, oldest first; never ends.

    `query` contains the filters of the list.
    """
    while True:
        events: list[answers.Event] = []
        for size in (PAGE, 10 * PAGE, 100 * PAGE):
            page = client.events.list(size, **query)
            events = [event for event in page if event["id"] > since]
            if len(events) < len(page) or len(page) < size:
                break
        for event in reversed(events):
            since = event["id"]
            yield event
        time.sleep(LOOK_EVERY_S)


def new_text(client: Client, machine: str) -> Iterator[str]:
    """Yield the end of a machine's console, then new text; never ends."""
    before = ""
    while True:
        now = client.machines.get_console_log(machine)["log"]
        if added := addition(before, now):
            yield added
        before = now
        time.sleep(LOOK_EVERY_S)


def addition(before: str, now: str) -> str:
    """The new text of a console. Only the end of its log is stored, and the log may have restarted."""
    if now.startswith(before):
        return now[len(before) :]
    end = before[-SHARED:]
    place = now.rfind(end)
    return now if place < 0 else now[place + len(end) :]
