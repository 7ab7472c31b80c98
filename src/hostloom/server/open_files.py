"""Raises the limit of file descriptors, and limits connections to the available descriptors."""

import logging
import resource
from dataclasses import replace

from hostloom.model.errors.server import ConfigError
from hostloom.server.config import Settings

log = logging.getLogger(__name__)

#: Highest limit that is set, because some programs that we start close every descriptor up to the limit.
CEILING = 65_536
#: Descriptors for database connections (three files each with SQLite), sockets, Kea, logs and other files.
FIXED = 160
#: Descriptors per worker: its SSH and libvirt connections to a host, and the pipes of a program.
A_WORKER = 16
#: Minimum number of connections to the API; with fewer the server does not start.
FEWEST_CONNECTIONS = 32


def fit(settings: Settings) -> Settings:
    """Raise the soft limit to the hard limit, and limit connections by it; ConfigError if it is too low."""
    limit = _raise_limit()
    fixed = FIXED + settings.workers * A_WORKER
    # The boot server has its own port and may have as many connections as the API.
    doors = 2 if settings.boot_port else 1
    room = (limit - fixed) // doors
    if room >= settings.max_connections:
        return settings
    if room < FEWEST_CONNECTIONS:
        needed = fixed + FEWEST_CONNECTIONS * doors
        raise ConfigError(
            "workers",
            settings.workers,
            f"needs {needed} open files, and {limit} are allowed",
            "lower it or raise the hard limit (`ulimit -Hn`, LimitNOFILE= of a systemd unit)",
        )
    log.warning(
        "only %d files may be open: max_connections is %d, not %d; for all of them it takes %d "
        "(`ulimit -Hn`, LimitNOFILE= of a systemd unit)",
        limit,
        room,
        settings.max_connections,
        fixed + settings.max_connections * doors,
    )
    per_address = min(settings.max_connections_per_address, room)
    return replace(settings, max_connections=room, max_connections_per_address=per_address)


def _raise_limit() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = CEILING if hard == resource.RLIM_INFINITY else min(hard, CEILING)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return CEILING if soft == resource.RLIM_INFINITY else soft
