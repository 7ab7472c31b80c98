"""Following what grows: events, and a machine's console."""

import time
from collections.abc import Iterator
from typing import Any

from hostloom.client import Client, answers

#: The server is asked this often.
LOOK_EVERY_S = 1.0
#: Events of a page, while following.
PAGE = 100
#: What two readings of a console share at least, so that the second is taken for the first one's end.
SHARED = 200


def new_events(client: Client, since: int, **query: Any) -> Iterator[answers.Event]:
    """Events after the one with the id `since` as they happen, the oldest first; never ends.

    `query` is what the API lists them by.
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
    """The end of a machine's console, then what is added to it; never ends."""
    before = ""
    while True:
        now = client.machines.get_console_log(machine)["log"]
        if added := addition(before, now):
            yield added
        before = now
        time.sleep(LOOK_EVERY_S)


def addition(before: str, now: str) -> str:
    """What a console has written since; of its log only the end is kept, and it may have begun anew."""
    if now.startswith(before):
        return now[len(before) :]
    end = before[-SHARED:]
    place = now.rfind(end)
    return now if place < 0 else now[place + len(end) :]
