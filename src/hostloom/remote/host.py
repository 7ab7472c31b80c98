"""One OpenSSH connection a host: commands and forwarded sockets share its master."""

import shlex
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hostloom.model.errors import DriverError, HostKeyChanged, HostKeyUnknown, HostRefused, HostUnreachable
from hostloom.remote.address import SshAddress
from hostloom.remote.command import Completed, run_process
from hostloom.remote.keys import PinnedKeys
from hostloom.remote.master import HOLD, Master, MasterFailed
from hostloom.remote.ssh import (
    CONNECT_TIMEOUT_S,
    SSH_FAILED,
    Failure,
    SshCall,
    as_option,
    cause,
    classify,
    is_from_ssh,
    key_algorithms,
)

#: sshd allows ten sessions a connection (MaxSessions); the master itself takes one.
MAX_SESSIONS = 8
#: How long a connection may take beyond ssh's ConnectTimeout: key exchange, login, the user's shell.
LOGIN_TIMEOUT_S = CONNECT_TIMEOUT_S + 7

_CHECK_SOCKET = 'test -S "$1" || exit 3; test -w "$1" || exit 4'
_SOCKET_TROUBLE = {
    3: "{path} is no socket there: does the daemon run that makes it?",
    4: "{path} may not be opened by this user: it needs to be root or in the group libvirt",
}


class Remote:
    """The SSH connection to one host; made at first use, and again when it is gone.

    Thread-safe. Every method waits at most its `timeout_s`, also for other callers of the same host.
    """

    def __init__(self, address: SshAddress, keys: PinnedKeys, directory: Path, config: Path | None) -> None:
        self._address, self._keys, self._directory = address, keys, directory
        #: Holds the pinned key while a connection is made: ssh reads keys from files alone.
        self._known_hosts = directory / "known_hosts"
        self._call = SshCall(address, self._known_hosts, config)
        self._control = directory / "c"
        self._lock = threading.Lock()
        self._sessions = threading.BoundedSemaphore(MAX_SESSIONS)
        self._master: Master | None = None
        #: Fingerprint that the master was connected with.
        self._trusted = ""
        self._forwarded: dict[str, Path] = {}
        self._used_at = time.monotonic()

    @property
    def name(self) -> str:
        """How errors name the host."""
        return self._address.host

    def run(self, argv: Sequence[str], timeout_s: float = 20.0, stdin: bytes = b"") -> Completed:
        """Run a command on the host, with what it reads.

        A non-zero exit is a result. HostKeyUnknown, HostKeyChanged, HostRefused or HostUnreachable when there
        is no connection. Past `timeout_s` HostUnreachable; the command may go on there.
        """
        until = time.monotonic() + timeout_s
        with self._turn(self._sessions, until):
            master = self._connect(until)
            options = self._options("no") | {"ClearAllForwardings": "yes"}
            left_s = max(0.1, until - time.monotonic())
            done = run_process(self._call.argv(options, shlex.join(argv)), left_s, self.name, argv[0], stdin)
        self._used_at = time.monotonic()
        if done.exit_code == SSH_FAILED and (is_from_ssh(done.stderr) or master.dies_within(0.3)):
            raise self._failure(done.stderr)
        return done

    def forward_unix(self, remote_socket: str, timeout_s: float = 20.0) -> Path:
        """A Unix socket here that leads to one on the host; HostRefused if there is none to lead to."""
        until = time.monotonic() + timeout_s
        self._connect(until)
        with self._turn(self._lock, until):
            local = self._forwarded.get(remote_socket)
        if local is not None and local.exists():
            return local
        checked = self.run(["sh", "-c", _CHECK_SOCKET, "sh", remote_socket], until - time.monotonic())
        if checked.exit_code in _SOCKET_TROUBLE:
            raise HostRefused(self.name, _SOCKET_TROUBLE[checked.exit_code].format(path=remote_socket))
        with self._turn(self._lock, until):
            return self._forward(remote_socket, until)

    def close(self) -> None:
        """End the connection and what goes through it; the next call makes a new one.

        One that another thread is just making is left alone: it ends with this process.
        """
        if self._lock.acquire(timeout=0.5):
            try:
                self._end()
            finally:
                self._lock.release()

    def close_if_idle(self, idle_s: float) -> None:
        """Close it if nothing went through for so long; a forwarded socket counts as in use."""
        if not self._forwarded and self._master and time.monotonic() - self._used_at > idle_s:
            self.close()

    def _forward(self, remote_socket: str, until: float) -> Path:
        local = self._forwarded.get(remote_socket) or self._directory / f"s{len(self._forwarded)}"
        argv = self._call.control(self._options("no"), "forward", "-L", f"{local}:{remote_socket}")
        done = run_process(argv, max(0.1, until - time.monotonic()), self.name, "ssh -O forward")
        if done.exit_code != 0:
            raise self._failure(done.stderr)
        self._forwarded[remote_socket] = local
        return local

    def _connect(self, until: float) -> Master:
        """The master, connected anew if it is gone or the pinned key is another one."""
        pinned = self._keys.find(self._address)
        if pinned is None:
            # Nothing is sent to a host whose key nobody has accepted.
            raise HostKeyUnknown(self.name, self._keys.scan(self._address)[0].fingerprint)
        with self._turn(self._lock, until):
            if self._master is not None and self._master.is_alive and self._trusted == pinned.fingerprint:
                return self._master
            self._end()
            options = self._options("yes") | {
                # Of its several keys the host is to show the pinned one.
                "HostKeyAlgorithms": key_algorithms(pinned.kind),
                "ClearAllForwardings": "yes",
            }
            left_s = min(LOGIN_TIMEOUT_S, max(0.1, until - time.monotonic()))
            self._known_hosts.write_text(f"{pinned.line}\n")
            try:
                self._master = Master(self._call.argv(options, HOLD), self._control, left_s)
            except MasterFailed as error:
                raise self._master_failure(error) from error
            self._trusted = pinned.fingerprint
            return self._master

    def _end(self) -> None:
        if self._master is not None:
            self._master.end()
            self._master = None
        for local in self._forwarded.values():
            local.unlink(missing_ok=True)
        self._forwarded.clear()

    def _options(self, master: str) -> dict[str, str]:
        return {"ControlMaster": master, "ControlPath": as_option(self._control)}

    @contextmanager
    def _turn(self, lock: "threading.Lock | threading.BoundedSemaphore", until: float) -> Iterator[None]:
        """Wait for other callers of this host, but not past the deadline."""
        if not lock.acquire(timeout=max(0.0, until - time.monotonic())):
            raise HostUnreachable(self.name, "earlier calls to it still wait for an answer")
        try:
            yield
        finally:
            lock.release()

    def _master_failure(self, error: MasterFailed) -> DriverError:
        if error.answered:
            return HostRefused(self.name, f"the user's shell there ended at once: {cause(error.words)}")
        return self._failure(error.words)

    def _failure(self, words: str) -> DriverError:
        """ssh's words as an error of ours."""
        match classify(words):
            case Failure.KEY_CHANGED:
                return self._key_changed()
            case Failure.REFUSED:
                return HostRefused(self.name, cause(words))
            case Failure.UNREACHABLE:
                return HostUnreachable(self.name, cause(words))

    def _key_changed(self) -> DriverError:
        pinned = self._keys.find(self._address)
        try:
            offered = self._keys.scan(self._address)
        except HostUnreachable as error:
            return error
        same = [key for key in offered if pinned is not None and key.kind == pinned.kind]
        found = (same or list(offered))[0].fingerprint
        return HostKeyChanged(self.name, pinned.fingerprint if pinned else "none", found)
