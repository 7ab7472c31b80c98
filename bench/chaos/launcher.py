"""Starts servers by forking, so that a start costs no import; a server is the same code in a new process.

It runs in the rack and takes one JSON command a line: start, poll, signal.
"""

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from knife import Knife, Plan, Where

from hostloom.sagas import worker
from hostloom.server import app


def main() -> None:
    """Answer commands until the end of the input."""
    for line in sys.stdin:
        command = json.loads(line)
        answer = {"start": _start, "poll": _poll, "signal": _signal}[command.pop("do")](**command)
        print(json.dumps(answer), flush=True)


def _start(config: str, log: str, note: str, plan: dict[str, Any], lease_s: float, *, armed: bool) -> int:
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    empty = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((empty, 0), (file, 1), (file, 2)):
        os.dup2(source, target)
    try:
        worker.LEASE_S, worker.RENEW_EVERY_S = lease_s, lease_s / 4
        where = Where(plan["where"]) if plan["where"] else None
        knife = Knife(Plan(where, plan["after"], plan["fail"]), Path(note))
        knife.install()
        signal.signal(signal.SIGUSR1, lambda *_: knife.arm())
        if armed:
            knife.arm()
        app.serve({}, {}, Path(config))
        os._exit(0)
    finally:
        # A server never returns to the launcher's loop, whatever happened to it.
        traceback.print_exc()
        os._exit(1)


def _poll(pid: int) -> int | None:
    """How it ended; None while it runs."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if ended else None


def _signal(pid: int, number: int) -> None:
    os.kill(pid, number)


main()
