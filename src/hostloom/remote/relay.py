"""A local Unix socket whose connections are relayed by commands on hosts where sshd forbids forwarding."""

import contextlib
import select
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from hostloom.remote.command import kill_group

#: Limit of a command's output in an error, in bytes.
MAX_WORDS_BYTES = 2000


class Relay:
    """Listens at a path; every connection becomes the standard input and output of a separate command."""

    def __init__(self, path: Path, argv: Sequence[str]) -> None:
        self._path, self._argv = path, argv
        self._lock = threading.Lock()
        self._running: list[subprocess.Popen[bytes]] = []
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by close)
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(8)
        self._thread = threading.Thread(target=self._serve, name="ssh-relay", daemon=True)
        self._thread.start()

    def trouble(self, timeout_s: float) -> str | None:
        """Open a test connection; the command's output if it ended, None if it still runs."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(str(self._path))
            readable, _, _ = select.select([probe], [], [], timeout_s)
            if not readable or probe.recv(1, socket.MSG_PEEK):
                return None
        # The output is complete before the command ends, but the end may be noticed first.
        time.sleep(0.05)
        self._errors.seek(0)
        return self._errors.read(MAX_WORDS_BYTES).decode(errors="replace").strip()

    def close(self) -> None:
        """Close every connection and stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._path.unlink(missing_ok=True)
        self._thread.join(5)
        with self._lock:
            for process in self._running:
                kill_group(process)
            self._running.clear()
        self._errors.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            # If no process can be started, close this connection; later ones may succeed.
            with connection, self._lock, contextlib.suppress(OSError):
                self._running = [process for process in self._running if process.poll() is None]
                self._running.append(self._carry(connection))

    def _carry(self, connection: socket.socket) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._argv,
            stdin=connection.fileno(),
            stdout=connection.fileno(),
            stderr=self._errors,
            start_new_session=True,
        )
