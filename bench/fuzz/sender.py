"""Sends requests, counts the answers, and has the odd values that all targets share."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
from server import Server

SLOW_S = 10.0
VALUES = (
    "", "0", "1", "-1", "9" * 20, "9" * 5000, "2147483648", "9223372036854775808", "x", "é", "\u0663",
    "a" * 5000,
    "10.0.0.0/24", "10.0.0.1", "::1", "fe80::1%eth0", "true", "null", "a,b", "[]", "{}", "%",
    "id:1", "undefined", "1e309", "nan", "1.5", " ", "../..", "/etc/passwd", "dynamic", "eth0:vid=1",
    "e0:" + "ip=::1," * 100, "a\x1b[31mb",
    "root:1(default),2", "test:///etc/shadow", "qemu+ssh://-oProxyCommand=x/system", "52:54:00:00:00:01",
)  # fmt: skip
PLACES = ("0", "1", "2", "77", "x", "default", "a b", "-1", "..", "9" * 30, "untagged", "é", "10.0.0.0/24")


@dataclass
class Tally:
    """The answers of one target."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    slow: int = 0
    #: Answers of 500, and other things that must not happen.
    faults: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    def note(self, what: str, status: int, text: str, took_s: float) -> None:
        """Count one answer."""
        self.requests += 1
        self.statuses[status] += 1
        if took_s > SLOW_S:
            self.slow += 1
            self.others[f"{took_s:.0f} s: {what[:200]}"] += 1
        if status == 500 or status > 504:
            self.faults.append(f"{what}: {status} {text[:300]}")
        elif status > 500:
            self.others[f"{status} {text[:60]}"] += 1


class Sender:
    """One random generator and one client for all targets: the same seed sends the same requests."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server, self.chance = server, random.Random(seed)  # noqa: S311  (no secret)
        self._http = httpx.Client(timeout=60)

    def send(self, tally: Tally, method: str, url: str, **how: Any) -> None:
        """Send a request and count its answer; `how` are arguments of httpx."""
        began = time.monotonic()
        try:
            answer = self._http.request(method, url, **how)
        except httpx.InvalidURL:
            return
        except httpx.TimeoutException:
            tally.slow += 1
            tally.faults.append(f"{method} {url[:200]}: no answer within a minute")
            return
        except (httpx.HTTPError, UnicodeError, ValueError):
            tally.statuses[0] += 1  # what the client itself cannot send, or a connection that was ended
            return
        took_s = time.monotonic() - began
        tally.note(f"{method} {url[:200]} {str(how)[:300]}", answer.status_code, answer.text, took_s)
