"""Kea that hostloom starts and supervises, on its standard paths inside a private mount namespace."""

import contextlib
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hostloom.dhcp.config import PATHS_6, KeaPaths, render, render6
from hostloom.dhcp.driver import KeaDhcp
from hostloom.dhcp.supervision import RestartPolicy, Supervised
from hostloom.model.dhcp import DhcpIntent, DhcpPulse, Lease
from hostloom.model.errors.outside import DhcpUnreachable
from hostloom.model.errors.server import ConfigError
from hostloom.model.rack import RackStatus

START_TIMEOUT_S = 5.0
#: hostloom's directories and their mount points: AppArmor profiles allow Kea no other paths.
_BINDS = {"etc": "/etc/kea", "lib": "/var/lib/kea", "log": "/var/log/kea", "run": "/run/kea"}
#: $1: the directory; $2: the IP version. Where Kea's own directories may be missing, the namespace has
#: directories of its own; /mnt is the way to ours, which they may cover.
_SCRIPT = """\
set -e
mount --bind "$1" /mnt
for each in /run /var/lib /var/log; do mount -t tmpfs -o mode=755 tmpfs "$each"; done
mkdir -p /run/lock/kea /run/kea /var/lib/kea /var/log/kea
for each in {binds}; do mount --bind "/mnt/${{each%%:*}}" "${{each#*:}}"; done
umount /mnt
export KEA_PIDFILE_DIR=/run/kea KEA_LOCKFILE_DIR=/run/lock/kea
exec "/usr/sbin/kea-dhcp$2" -c "/etc/kea/kea-dhcp$2.conf"
"""


class EmbeddedKea:
    """The DHCP port with an embedded Kea; call `start` first and `stop` at the end.

    A server starts with its last configuration. If it ends at once with it, it starts with an empty one.
    `wrap` is put before the command of the server of an IP version.
    """

    def __init__(
        self,
        directory: Path,
        patience: RestartPolicy | None = None,
        *,
        wrap: Mapping[int, Sequence[str]] | None = None,
    ) -> None:
        self._directory = directory
        self._wrap = wrap or {}
        self._writing = threading.Lock()
        versions = [version for version in (4, 6) if shutil.which(f"/usr/sbin/kea-dhcp{version}")]
        if 4 not in versions:
            raise ConfigError(
                "kea_embedded", True, "needs Kea's DHCPv4 server", "install the package kea-dhcp4-server"
            )
        self._servers = {version: self._supervised(version, patience) for version in versions}
        self._kea = KeaDhcp(
            self._socket(4), socket6=self._socket(6) if 6 in versions else None, on_set=self._remember
        )

    def start(self) -> None:
        """Start the servers and wait until they answer; a server that does not is restarted repeatedly."""
        for name in _BINDS:
            (self._directory / name).mkdir(parents=True, exist_ok=True, mode=0o750)
        for server in self._servers.values():
            server.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the servers; leases stay in their files."""
        for server in self._servers.values():
            server.stop()

    def apply(self, intent: DhcpIntent) -> None:
        """Like KeaDhcp."""
        with self._told():
            self._kea.apply(intent)

    def leases(self) -> Sequence[Lease]:
        """Like KeaDhcp."""
        with self._told():
            return self._kea.leases()

    def is_alive(self) -> bool:
        """Whether every server answers."""
        return self._kea.is_alive()

    def pulse(self) -> DhcpPulse:
        """Like KeaDhcp, with the last output of a server that ended."""
        with self._told():
            pulse = self._kea.pulse()
            return replace(pulse, trouble=self._trouble or pulse.trouble) if pulse.trouble else pulse

    def status(self) -> RackStatus:
        """Like KeaDhcp, with the last output of a server that ended."""
        status = self._kea.status()
        return replace(status, trouble=self._trouble or status.trouble) if status.trouble else status

    def running(self) -> dict[str, Any]:
        """Like KeaDhcp."""
        with self._told():
            return self._kea.running()

    @property
    def _trouble(self) -> str:
        return "; ".join(server.trouble for server in self._servers.values() if server.trouble)

    @property
    def pids(self) -> dict[int, int | None]:
        """Process ids by IP version; None for a server that does not run."""
        return {version: server.pid for version, server in self._servers.items()}

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Raise DhcpUnreachable with the last output of the server."""
        try:
            yield
        except DhcpUnreachable as error:
            if not self._trouble:
                raise
            raise DhcpUnreachable(self._trouble) from error

    def _socket(self, version: int) -> Path:
        return self._directory / f"run/kea{version}-ctrl-socket"

    def _supervised(self, version: int, patience: RestartPolicy | None) -> Supervised:
        binds = " ".join(f"{name}:{path}" for name, path in _BINDS.items())
        script = ["sh", "-c", _SCRIPT.format(binds=binds), "kea", str(self._directory), str(version)]
        argv = [*self._wrap.get(version, ()), "unshare", "--mount", "--propagation", "private", *script]
        return Supervised(
            f"kea-dhcp{version}", argv, lambda was_well: self._prepare(version, was_well), patience
        )

    def _prepare(self, version: int, was_well: bool) -> None:
        """Delete the pid files of a dead server, which would prevent the next start."""
        for name in (f"kea{version}-ctrl-socket", f"kea-dhcp{version}.kea-dhcp{version}.pid"):
            (self._directory / "run" / name).unlink(missing_ok=True)
        if not was_well or not self._config(version).exists():
            paths = KeaPaths() if version == 4 else PATHS_6
            self._remember(version, (render if version == 4 else render6)(DhcpIntent(()), paths))

    def _config(self, version: int) -> Path:
        return self._directory / f"etc/kea-dhcp{version}.conf"

    def _remember(self, version: int, document: dict[str, Any]) -> None:
        draft = self._config(version).with_suffix(".new")
        with self._writing:
            with draft.open("w") as file:
                json.dump(document, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._config(version))
