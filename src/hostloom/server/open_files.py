"""File descriptors: the process may have as many as it needs, and takes no more connections than it can."""

import logging
import resource
from dataclasses import replace

from hostloom.model.errors.server import ConfigError
from hostloom.server.config import Settings

log = logging.getLogger(__name__)

#: More are never needed; some programs that we start close every number up to the limit.
CEILING = 65_536
#: Database connections (of SQLite three files each), sockets, Kea, logs, files that are read now and then.
FIXED = 160
#: A worker's SSH and libvirt connections to a host, and the pipes of a program that it runs.
A_WORKER = 16
#: Connections to the API that there must be room for, or the server is of no use.
FEWEST_CONNECTIONS = 32


def fit(settings: Settings) -> Settings:
    """Raise the soft limit to the hard one, and bound connections by it; ConfigError where it is too low."""
    limit = _raise_limit()
    fixed = FIXED + settings.workers * A_WORKER
    # Machines that boot have as many connections as the API, on a port of their own.
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
