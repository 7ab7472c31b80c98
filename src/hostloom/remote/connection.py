"""One OpenSSH connection a host: commands and a forwarded socket share its master."""

import os
import shlex
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hostloom.model.errors import DriverError, HostKeyChanged, HostKeyUnknown, HostRefused, HostUnreachable
from hostloom.remote.address import SshAddress, ssh_address
from hostloom.remote.keys import PinnedKeys

CONNECT_TIMEOUT_S = 8
#: ssh's own exit code for a connection that failed.
SSH_FAILED = 255
#: ssh's words for a host that answers but does not let us in.
_REFUSALS = ("Permission denied", "Authentication failed", "Too many authentication failures")
_CHANGED = ("REMOTE HOST IDENTIFICATION HAS CHANGED", "Host key verification failed")


@dataclass(frozen=True)
class Completed:
    """A command's end; a non-zero exit is a result, not an error."""

    exit_code: int
    stdout: str
    stderr: str


def run_local(argv: Sequence[str], timeout_s: float, host: str = "this machine") -> Completed:
    """Run a program, and its children, for so long and no longer; HostUnreachable past that."""
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise HostUnreachable(host, f"{argv[0]} did not end within {timeout_s:g} s") from None
    return Completed(process.returncode, stdout, stderr)


class Remote:
    """The SSH connection to one host; made at first use, and again when it is gone."""

    def __init__(self, address: SshAddress, keys: PinnedKeys, directory: Path, config: Path | None) -> None:
        self._address, self._keys, self._directory, self._config = address, keys, directory, config
        self._control = directory / "c"
        self._lock = threading.Lock()
        self._forwarded: dict[str, Path] = {}

    def run(self, argv: Sequence[str], timeout_s: float = 20.0) -> Completed:
        """Run a command on the host."""
        self._check_key()
        self._ensure_master()
        done = run_local(
            self._ssh("--", self._address.destination, shlex.join(argv)), timeout_s, self._address.host
        )
        if done.exit_code == SSH_FAILED:
            raise self._failure(done.stderr)
        return done

    def forward(self, remote_socket: str) -> Path:
        """A local Unix socket that leads to one on the host."""
        self._check_key()
        self._ensure_master()
        with self._lock:
            local = self._directory / f"s{len(self._forwarded)}"
            if remote_socket in self._forwarded:
                local = self._forwarded[remote_socket]
                if local.exists():
                    return local
            local.unlink(missing_ok=True)
            spec = f"{local}:{remote_socket}"
            done = run_local(
                self._ssh("-O", "forward", "-L", spec, self._address.destination), 10, self._address.host
            )
            if done.exit_code != 0:
                raise self._failure(done.stderr)
            self._forwarded[remote_socket] = local
            return local

    def close(self) -> None:
        """End the connection and what goes through it."""
        with self._lock:
            if self._control.exists():
                self._end_master()
            for local in self._forwarded.values():
                local.unlink(missing_ok=True)
            self._forwarded.clear()

    def _end_master(self) -> None:
        run_local(self._ssh("-O", "exit", self._address.destination), 5, self._address.host)
        self._control.unlink(missing_ok=True)

    def _ensure_master(self) -> None:
        """Start the master that all commands share; a dead one leaves its socket behind."""
        with self._lock:
            if self._control.exists():
                alive = run_local(self._ssh("-O", "check", self._address.destination), 5, self._address.host)
                if alive.exit_code == 0:
                    return
                self._control.unlink(missing_ok=True)
            for local in self._forwarded.values():
                local.unlink(missing_ok=True)
            master = self._ssh("-o", "ControlPersist=yes", "-M", "-N", "-f", self._address.destination)
            self._start_master(master)

    def _start_master(self, argv: list[str]) -> None:
        """The master goes to the background and keeps stderr open: it may not be waited for by reading."""
        with tempfile.TemporaryFile(mode="w+") as words:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=words,
                start_new_session=True,
            )
            try:
                code = process.wait(CONNECT_TIMEOUT_S + 5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                cause = f"ssh did not connect within {CONNECT_TIMEOUT_S + 5} s"
                raise HostUnreachable(self._address.host, cause) from None
            if code != 0:
                words.seek(0)
                raise self._failure(words.read())

    def _check_key(self) -> None:
        """Nothing is sent to a host whose key nobody has accepted."""
        if self._keys.find(self._address) is None:
            offered = self._keys.scan(self._address)
            raise HostKeyUnknown(self._address.host, offered[0].fingerprint)

    def _failure(self, words: str) -> DriverError:
        """ssh's words as an error of ours."""
        host = self._address.host
        lines = [line.strip() for line in words.splitlines() if line.strip()]
        cause = lines[-1] if lines else "ssh failed without a word"
        if any(mark in words for mark in _CHANGED):
            pinned = self._keys.find(self._address)
            found = ", ".join(key.fingerprint for key in self._keys.scan(self._address))
            return HostKeyChanged(host, pinned.fingerprint if pinned else "none", found)
        if any(mark in words for mark in _REFUSALS):
            return HostRefused(host, cause)
        return HostUnreachable(host, cause)

    def _ssh(self, *rest: str) -> list[str]:
        address = self._address
        argv = ["ssh"]
        if self._config is not None:
            argv += ["-F", str(self._config)]
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": str(CONNECT_TIMEOUT_S),
            "ControlPath": str(self._control),
            "GlobalKnownHostsFile": "/dev/null",
            "HashKnownHosts": "no",
            "ServerAliveInterval": "5",
            "ServerAliveCountMax": "3",
            "StreamLocalBindUnlink": "yes",
            "StrictHostKeyChecking": "yes",
            "UpdateHostKeys": "no",
            "UserKnownHostsFile": str(self._keys.file),
        }
        pinned = self._keys.find(address)
        if pinned is not None:
            # Ask for the kind of key that is pinned: a host that has several shows that one.
            options["HostKeyAlgorithms"] = _algorithms(pinned.kind)
        for name, value in options.items():
            argv += ["-o", f"{name}={value}"]
        if address.port is not None:
            argv += ["-p", str(address.port)]
        if address.keyfile is not None:
            argv += ["-i", address.keyfile]
        return [*argv, *rest]


def _algorithms(kind: str) -> str:
    return "rsa-sha2-512,rsa-sha2-256,ssh-rsa" if kind == "ssh-rsa" else kind


class Remotes:
    """The connections to all hosts, each with its own lock: a dead one blocks nobody else."""

    def __init__(self, keys: PinnedKeys, config: Path | None = None) -> None:
        self.keys, self._config = keys, config
        # Unix socket paths hold 107 bytes: ssh adds 17 to the control path's name while it connects.
        self._directory = tempfile.TemporaryDirectory(prefix="hostloom-")
        self._lock = threading.Lock()
        self._remotes: dict[SshAddress, Remote] = {}

    def of(self, address: SshAddress) -> Remote:
        """The connection to an address."""
        with self._lock:
            if address not in self._remotes:
                directory = Path(self._directory.name) / str(len(self._remotes))
                directory.mkdir(mode=0o700, exist_ok=True)
                self._remotes[address] = Remote(address, self.keys, directory, self._config)
            return self._remotes[address]

    def libvirt_uri(self, uri: str) -> str:
        """A URI that libvirt opens here: the socket on the host, forwarded; others stay as they are."""
        address = ssh_address(uri)
        if address is None:
            return uri
        driver = uri.partition("+ssh://")[0]
        return f"{driver}+unix:///system?socket={self.of(address).forward(address.socket)}"

    def read_file(self, uri: str, path: str, limit_bytes: int) -> str:
        """The end of a file on the host of a URI; empty if it is not there yet."""
        address = ssh_address(uri)
        argv = ["tail", "-c", str(limit_bytes), path]
        done = run_local(argv, 10) if address is None else self.of(address).run(argv)
        return done.stdout if done.exit_code == 0 else ""

    def close(self) -> None:
        """End every connection."""
        with self._lock:
            remotes, self._remotes = list(self._remotes.values()), {}
        for remote in remotes:
            remote.close()
        self._directory.cleanup()
