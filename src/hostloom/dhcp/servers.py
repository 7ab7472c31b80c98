"""The DHCP servers of all racks, by their control channels."""

import threading
from collections.abc import Collection
from pathlib import Path

from hostloom.dhcp.channel import open_channel
from hostloom.dhcp.control import Control
from hostloom.dhcp.driver import KeaDhcp
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import RackId
from hostloom.model.rack import LOCAL, Rack
from hostloom.ports.dhcp import DhcpServer
from hostloom.remote.connection import Remotes


class KeaServers:
    """Implements DhcpServers; `local` is the server from hostloom's configuration.

    `passwords` is a directory with a file for each rack whose channel needs a password, by its name.
    `folders` are those of control sockets on this machine; None: any.
    """

    def __init__(
        self,
        remotes: Remotes,
        local: DhcpServer | None,
        passwords: Path,
        folders: Collection[Path] | None = None,
    ) -> None:
        self._remotes, self._local, self._passwords, self._folders = remotes, local, passwords, folders
        self._lock = threading.Lock()
        self._servers: dict[RackId, tuple[Rack, DhcpServer]] = {}

    def of(self, rack: Rack) -> DhcpServer:
        """The server behind a rack's control channel; InvalidValue for an invalid channel."""
        if rack.control == LOCAL:
            if self._local is None:
                raise InvalidValue(
                    "control",
                    LOCAL,
                    "does not work here, because this hostloom has no Kea of its own",
                    "give the channel of the rack's Kea",
                )
            return self._local
        with self._lock:
            entry = self._servers.get(rack.id)
            if entry is None or _channels(entry[0]) != _channels(rack):
                entry = (rack, self._connect(rack))
                if rack.id:
                    self._servers[rack.id] = entry
            return entry[1]

    def forget(self, rack: Rack) -> None:
        """Forget a deleted rack."""
        with self._lock:
            self._servers.pop(rack.id, None)

    def _connect(self, rack: Rack) -> DhcpServer:
        def channel(field: str, text: str, version: int) -> Control:
            password = self._passwords / rack.name
            return open_channel(field, text, version, self._remotes, password, self._folders)

        control6 = channel("control6", rack.control6, 6) if rack.control6 else None
        return KeaDhcp(channel("control", rack.control, 4), socket6=control6, keep_paths=True)


def _channels(rack: Rack) -> tuple[str, str, str]:
    return rack.name, rack.control, rack.control6
