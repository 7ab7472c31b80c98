"""One OpenSSH connection per host: commands and forwarded sockets share its master."""

import itertools
import select
import shlex
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import HostKeyChanged, HostKeyUnknown, HostRefused, HostUnreachable
from hostloom.remote.address import SshAddress
from hostloom.remote.command import Completed, run_process
from hostloom.remote.keys import PinnedKeys
from hostloom.remote.master import HOLD, Master, MasterFailed
from hostloom.remote.relay import Relay
from hostloom.remote.sockets import CARRY, FIND_SOCKET, NONE_THERE, NOT_ALLOWED
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

#: By default sshd allows ten sessions per connection (MaxSessions); the master uses one.
MAX_SESSIONS = 8
#: Time for a connection beyond ssh's ConnectTimeout: key exchange, login, the user's shell.
LOGIN_TIMEOUT_S = CONNECT_TIMEOUT_S + 7

#: How long a relay command is watched before it counts as connected.
RELAY_TRIAL_S = 1.0

_SOCKET_TROUBLE = {
    NONE_THERE: "there is no socket {paths}: check that its daemon runs; `?socket=` names another socket",
    NOT_ALLOWED: "{paths} cannot be opened by this user, who must be root or in the group libvirt",
}
_NOT_FORWARDED = (
    "its sshd does not forward sockets (AllowStreamLocalForwarding, AllowTcpForwarding or DisableForwarding"
    " in sshd_config), or nothing answers at {path}; without forwarding: {words}"
)


class Remote:
    """The SSH connection to one host; opened at first use and again after it was lost.

    Thread-safe. Every method waits at most its `timeout_s`, also for other callers of the same host.
    """

    def __init__(self, address: SshAddress, keys: PinnedKeys, directory: Path, config: Path | None) -> None:
        self._address, self._keys, self._directory = address, keys, directory
        #: Holds the pinned key while a connection is opened, because ssh reads keys only from files.
        self._known_hosts = directory / "known_hosts"
        self._call = SshCall(address, self._known_hosts, config)
        self._control = directory / "c"
        self._lock = threading.Lock()
        self._sessions = threading.BoundedSemaphore(MAX_SESSIONS)
        self._master: Master | None = None
        #: Fingerprint that the master used to connect.
        self._trusted = ""
        #: Local sockets by the requested sockets on the host.
        self._forwarded: dict[tuple[str, ...], Path] = {}
        self._relays: list[Relay] = []
        #: Held while a socket is forwarded, so that callers who need the same socket share it.
        self._forwarding = threading.Lock()
        self._numbers = itertools.count()
        self._used_at = time.monotonic()

    @property
    def name(self) -> str:
        """Name of the host in errors."""
        return self._address.host

    def run(self, argv: Sequence[str], timeout_s: float = 20.0, stdin: bytes = b"") -> Completed:
        """Run a command on the host, with optional input.

        A non-zero exit code is not an error. HostKeyUnknown, HostKeyChanged, HostRefused, HostUnreachable if
        no connection can be opened; HostUnreachable after `timeout_s`, while the command may still run.
        """
        deadline = time.monotonic() + timeout_s
        with self._turn(self._sessions, deadline):
            master = self._connect(deadline)
            options = self._options("no") | {"ClearAllForwardings": "yes"}
            left_s = max(0.1, deadline - time.monotonic())
            completed = run_process(
                self._call.argv(options, shlex.join(argv)), left_s, self.name, argv[0], stdin
            )
        self._used_at = time.monotonic()
        if completed.exit_code == SSH_FAILED and (is_from_ssh(completed.stderr) or master.dies_within(0.3)):
            raise self._failure(completed.stderr)
        return completed

    def forward_unix(self, *sockets: str, libvirt: str = "", timeout_s: float = 20.0) -> Path:
        """A local Unix socket that leads to the first of these host sockets that the user may open.

        If sshd forbids forwarding, commands relay the connections, as with virsh; `libvirt` is the URI that
        virt-ssh-helper opens on the host. HostRefused if no socket exists or can be reached.
        """
        deadline = time.monotonic() + timeout_s
        self._connect(deadline)
        with self._turn(self._forwarding, deadline):
            local = self._forwarded.get(sockets)
            if local is not None and local.exists():
                return local
            path = self._find_socket(sockets, deadline)
            local = self._directory / f"s{next(self._numbers)}"
            with self._turn(self._lock, deadline):
                self._forward(local, path, deadline)
            if not self._leads_on(local, deadline):
                self._relay(local, path, libvirt, deadline)
            self._forwarded[sockets] = local
            return local

    def close(self) -> None:
        """Close the connection and everything that uses it; the next call opens a new one.

        A connection that another thread is opening stays; it ends with this process.
        """
        if self._lock.acquire(timeout=0.5):
            try:
                self._end()
            finally:
                self._lock.release()

    def close_if_idle(self, idle_s: float) -> None:
        """Close the connection if it has been idle that long; a forwarded socket counts as in use."""
        if not self._forwarded and self._master and time.monotonic() - self._used_at > idle_s:
            self.close()

    def _find_socket(self, sockets: Sequence[str], deadline: float) -> str:
        completed = self.run(["sh", "-c", FIND_SOCKET, "sh", *sockets], deadline - time.monotonic())
        if completed.exit_code in _SOCKET_TROUBLE:
            paths = " or ".join(sockets)
            raise HostRefused(self.name, _SOCKET_TROUBLE[completed.exit_code].format(paths=paths))
        # A login shell may print other text first.
        lines = [line for line in completed.stdout.splitlines() if line in sockets]
        if not lines:
            raise HostRefused(self.name, f"looking for {' or '.join(sockets)}: {cause(completed.stderr)}")
        return lines[-1]

    def _forward(self, local: Path, path: str, deadline: float) -> None:
        argv = self._call.control(self._options("no"), "forward", "-L", f"{local}:{path}")
        completed = run_process(argv, max(0.1, deadline - time.monotonic()), self.name, "ssh -O forward")
        if completed.exit_code != 0:
            raise self._failure(completed.stderr)

    def _leads_on(self, local: Path, deadline: float) -> bool:
        """Whether a connection to the forwarded socket stays open.

        ssh does not report a refusal by sshd, but the refusal arrives before the result of a later command.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(local))
                self.run(["true"], deadline - time.monotonic())
                readable, _, _ = select.select([probe], [], [], 0.05)
                return not readable or bool(probe.recv(1, socket.MSG_PEEK))
            except OSError:
                return False

    def _relay(self, local: Path, path: str, libvirt: str, deadline: float) -> None:
        with self._turn(self._lock, deadline):
            cancel = self._call.control(self._options("no"), "cancel", "-L", f"{local}:{path}")
            run_process(cancel, max(0.1, deadline - time.monotonic()), self.name, "ssh -O cancel")
            options = self._options("no") | {"ClearAllForwardings": "yes"}
            command = shlex.join(["sh", "-c", CARRY, "sh", path, libvirt])
            relay = Relay(local, self._call.argv(options, command))
            message = relay.trouble(RELAY_TRIAL_S)
            if message is None:
                self._relays.append(relay)
                return
            relay.close()
        raise HostRefused(self.name, _NOT_FORWARDED.format(path=path, words=cause(message)))

    def _connect(self, deadline: float) -> Master:
        """The master; it reconnects if the connection was lost or the pinned key changed."""
        pinned = self._keys.find(self._address)
        if pinned is None:
            # Send nothing to a host whose key was not accepted.
            raise HostKeyUnknown(self.name, self._keys.scan(self._address)[0].fingerprint)
        with self._turn(self._lock, deadline):
            if self._master is not None and self._master.is_alive and self._trusted == pinned.fingerprint:
                return self._master
            self._end()
            options = self._options("yes") | {
                # Request the pinned one of the host's keys.
                "HostKeyAlgorithms": key_algorithms(pinned.kind),
                "ClearAllForwardings": "yes",
            }
            left_s = min(LOGIN_TIMEOUT_S, max(0.1, deadline - time.monotonic()))
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
        for relay in self._relays:
            relay.close()
        self._relays.clear()
        for local in self._forwarded.values():
            local.unlink(missing_ok=True)
        self._forwarded.clear()

    def _options(self, master: str) -> dict[str, str]:
        return {"ControlMaster": master, "ControlPath": as_option(self._control)}

    @contextmanager
    def _turn(self, lock: "threading.Lock | threading.BoundedSemaphore", deadline: float) -> Iterator[None]:
        """Wait for other callers of this host until the deadline."""
        if not lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise HostUnreachable(self.name, "earlier calls to it still wait for an answer")
        try:
            yield
        finally:
            lock.release()

    def _master_failure(self, error: MasterFailed) -> DriverError:
        if error.answered:
            return HostRefused(self.name, f"the user's shell there ended at once: {cause(error.words)}")
        return self._failure(error.words)

    def _failure(self, message: str) -> DriverError:
        """The model's error for ssh's message."""
        match classify(message):
            case Failure.KEY_CHANGED:
                return self._key_changed()
            case Failure.REFUSED:
                return HostRefused(self.name, cause(message))
            case Failure.UNREACHABLE:
                return HostUnreachable(self.name, cause(message))

    def _key_changed(self) -> DriverError:
        pinned = self._keys.find(self._address)
        try:
            offered = self._keys.scan(self._address)
        except HostUnreachable as error:
            return error
        same = [key for key in offered if pinned is not None and key.kind == pinned.kind]
        fingerprint = (same or list(offered))[0].fingerprint
        return HostKeyChanged(self.name, pinned.fingerprint if pinned else "none", fingerprint)
