"""The sockets that the API listens on."""

import contextlib
import grp
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from hostloom.model.errors.server import ConfigError
from hostloom.server.config import Settings
from hostloom.server.setting_values import Listen

BACKLOG = 128


@contextlib.contextmanager
def listening(settings: Settings) -> Iterator[list[socket.socket]]:
    """The sockets of the API; ConfigError if an address is in use or a directory cannot be used."""
    with contextlib.ExitStack() as stack:
        unix = stack.enter_context(listen_unix(settings.socket, settings.admin_group))
        stack.callback(settings.socket.unlink, missing_ok=True)
        yield [stack.enter_context(listen_tcp(settings.listen)), unix]


def listen_tcp(address: Listen) -> socket.socket:
    """Open a listening TCP socket; ConfigError."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError("listen", str(address), f"cannot be opened: {error.strerror}") from error
    return listener


def listen_unix(path: Path, group: str) -> socket.socket:
    """Open a socket for the server's user and the group; a socket of a dead server is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
            path.parent.chmod(0o755)  # the socket itself restricts access
        if path.is_socket():
            _refuse_live(path)
            path.unlink()
        listener.bind(str(path))
        path.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP)
        with contextlib.suppress(KeyError, PermissionError):  # else only root and this user
            os.chown(path, -1, grp.getgrnam(group).gr_gid)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError("socket", str(path), f"cannot be created: {error.strerror}") from error
    except ConfigError:
        listener.close()
        raise
    return listener


def _refuse_live(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return
    raise ConfigError("socket", str(path), "is in use by another server", "choose another path")
