"""A private directory with a short name for sockets; directories of dead processes are removed."""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

#: A Unix socket's path has at most 107 bytes; ssh adds 17 to the control socket's path while it connects, and
#: hostloom adds a number and a letter.
MAX_BYTES = 75
#: Age at which a directory without a lock counts as left over from a killed process.
UNFINISHED_S = 60.0
_PREFIX = "hostloom-ssh-"
_LOCK = "lock"


class SocketDirectory:
    """A directory with mode 0700 and a lock that disappears with the process."""

    def __init__(self) -> None:
        parent = Path(tempfile.gettempdir())
        if len(os.fsencode(parent / _PREFIX)) + 8 > MAX_BYTES:
            parent = Path("/tmp")  # noqa: S108  (mkdtemp makes it safe)
        _clear(parent)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        draft = self.path / "new"
        self._lock = draft.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # Other processes may check the lock from now on.
        draft.rename(self.path / _LOCK)

    def close(self) -> None:
        """Remove the directory and its contents."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _clear(parent: Path) -> None:
    """Remove directories of killed processes."""
    for directory in parent.glob(f"{_PREFIX}*"):
        try:
            # In a directory that others can write to, a name may be a link to another file.
            if directory.is_symlink() or directory.stat().st_uid != os.geteuid():
                continue
            if not (directory / _LOCK).exists():
                _clear_unfinished(directory)
                continue
            descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(descriptor, "r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory, ignore_errors=True)
        except OSError:
            # It belongs to another process or another user, or was removed meanwhile.
            continue


def _clear_unfinished(directory: Path) -> None:
    """Remove the directory if its process was killed before it created the lock."""
    status = directory.lstat()
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    if is_ours and abs(time.time() - status.st_mtime) > UNFINISHED_S:
        shutil.rmtree(directory, ignore_errors=True)
