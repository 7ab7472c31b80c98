"""The ssh process that keeps a host's connection open for all calls."""

import os
import select
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO

from hostloom.remote.command import kill_group

READY = b"hostloom-ready"
#: The master's command on the host ends with its standard input, which only this process holds open. So
#: no connection outlives the process, even after kill -9 (a master in the background would).
HOLD = f"echo {READY.decode()}; exec cat >/dev/null"
END_TIMEOUT_S = 2


class MasterFailed(Exception):
    """The connection failed; the message is ssh's, or the host's if `answered`."""

    def __init__(self, message: str, *, answered: bool = False) -> None:
        super().__init__(message)
        self.words, self.answered = message, answered


class Master:
    """A running master; its control socket accepts commands and forwards."""

    def __init__(self, argv: list[str], control: Path, timeout_s: float) -> None:
        """Connect, and return when the host answers; MasterFailed with ssh's message or after `timeout_s`."""
        self._control = control
        control.unlink(missing_ok=True)
        with tempfile.TemporaryFile() as errors:
            self._process = _start(argv, errors)
            output = self._await_ready(time.monotonic() + timeout_s)
            if READY in output:
                return
            ended = self._ended_within(0.5)
            code = self._process.returncode
            self.end()
            errors.seek(0)
            message = (errors.read() + output).decode(errors="replace")
        if not ended:
            raise MasterFailed(message or f"no answer within {timeout_s:.3g} s")
        raise MasterFailed(message, answered=code != 255)

    @property
    def is_alive(self) -> bool:
        """Whether calls can use the master."""
        return self._process.poll() is None and self._control.exists()

    def dies_within(self, timeout_s: float) -> bool:
        """Whether the master has ended or is about to: its clients notice a lost connection first."""
        return self._ended_within(timeout_s) or not self._control.exists()

    def end(self) -> None:
        """Close the connection; running calls fail."""
        if self._process.poll() is None:
            self._process.terminate()
            if not self._ended_within(END_TIMEOUT_S):
                kill_group(self._process)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()
        self._control.unlink(missing_ok=True)

    def _await_ready(self, deadline: float) -> bytes:
        """The host's output up to the mark; a login shell may print other text first."""
        assert self._process.stdout is not None  # noqa: S101  (for the type checker: it is a pipe)
        output, stream = b"", self._process.stdout.fileno()
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        while READY not in output:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                return output
            chunk = os.read(stream, 4096)
            if not chunk:
                return output
            output += chunk
        return output

    def _ended_within(self, timeout_s: float) -> bool:
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True


def _start(argv: list[str], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
            # Ctrl-C at the server's terminal must not interrupt a saga's connection.
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise MasterFailed(f"{error}: OpenSSH's client is needed here") from error
