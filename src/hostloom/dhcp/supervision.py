"""Keeps a program running: restarts it when it ends, with growing pauses if it fails at once."""

import logging
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 5.0
#: Bytes of a program's output that are kept for error messages.
WORDS_LINES = 4


@dataclass(frozen=True)
class RestartPolicy:
    """How long to wait before a program is started again."""

    first_s: float = 0.5
    #: The pause doubles up to this while the program ends before `well_after_s`.
    longest_s: float = 30.0
    well_after_s: float = 10.0


class Supervised:
    """One program; `prepare` is called before each start, with whether the last run was healthy.

    The program ends with us: it is sent SIGKILL when the thread that started it is no more.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        prepare: Callable[[bool], None],
        patience: RestartPolicy | None = None,
    ) -> None:
        self.name = name
        self._argv, self._prepare = list(argv), prepare
        self._patience = patience or RestartPolicy()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._ends = 0
        self._words = ""
        self._thread = threading.Thread(target=self._keep, name=name, daemon=True)

    def start(self) -> None:
        """Start it and keep it running."""
        self._thread.start()

    def stop(self) -> None:
        """Stop it, by force if it does not stop when asked."""
        with self._lock:
            self._stopping.set()
            if self._process is not None:
                self._process.terminate()
        self._thread.join(STOP_TIMEOUT_S)
        if self._thread.is_alive():
            with self._lock:
                if self._process is not None:
                    self._process.kill()
            self._thread.join(STOP_TIMEOUT_S)

    @property
    def pid(self) -> int | None:
        """None while it is not running."""
        with self._lock:
            return None if self._process is None else self._process.pid

    @property
    def trouble(self) -> str:
        """The last output of the program while it is not running; empty while it runs."""
        with self._lock:
            if self._process is not None or not self._ends:
                return ""
            return f"{self.name} does not run (ends so far: {self._ends}); it said last: {self._words}"

    def _keep(self) -> None:
        pause_s, was_well = self._patience.first_s, True
        while not self._stopping.is_set():
            started_at = time.monotonic()
            self._run(was_well)
            if self._stopping.is_set():
                return
            was_well = time.monotonic() - started_at >= self._patience.well_after_s
            if was_well:
                pause_s = self._patience.first_s
            log.warning("%s ended (%s); starting it again in %g s", self.name, self._words, pause_s)
            self._stopping.wait(pause_s)
            pause_s = min(2 * pause_s, self._patience.longest_s)

    def _run(self, was_well: bool) -> None:
        """One run of the program."""
        output: deque[str] = deque(maxlen=WORDS_LINES)
        try:
            self._prepare(was_well)
            process = self._spawn()
            if process is None:
                return
            with process:
                for line in process.stdout or ():
                    output.append(line.strip())
            message = f"{' '.join(output) or 'nothing'} (exit status {process.returncode})"
        except OSError as error:
            message = str(error)
        with self._lock:
            self._process = None
            self._ends += 1
            self._words = message

    def _spawn(self) -> "subprocess.Popen[str] | None":
        with self._lock:
            if self._stopping.is_set():
                return None
            # Its output is a pipe, because AppArmor would deny a file.
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            return self._process
