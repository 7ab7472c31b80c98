"""A private directory with a short name, for sockets; those of dead processes are cleared away."""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

#: A Unix socket's path holds 107 bytes; ssh adds 17 to the control socket's while it connects, and we a
#: number and a letter.
MAX_BYTES = 75
#: A directory without a lock that is older was left by a process that was killed.
UNFINISHED_S = 60.0
_PREFIX = "hostloom-ssh-"
_LOCK = "lock"


class SocketDirectory:
    """Open to us alone (0700), and ours as long as we live: the lock in it goes with the process."""

    def __init__(self) -> None:
        parent = Path(tempfile.gettempdir())
        if len(os.fsencode(parent / _PREFIX)) + 8 > MAX_BYTES:
            parent = Path("/tmp")  # noqa: S108  (mkdtemp makes it safe)
        _clear(parent)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        draft = self.path / "new"
        self._lock = draft.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # Only now may others look whether it is locked.
        draft.rename(self.path / _LOCK)

    def close(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _clear(parent: Path) -> None:
    """Remove what processes left that were killed."""
    for directory in parent.glob(f"{_PREFIX}*"):
        try:
            # Where others may write, a name may be a link to a file of ours.
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
            # Another process's, another user's, or gone meanwhile.
            continue


def _clear_unfinished(directory: Path) -> None:
    """Remove one whose process was killed before it had made the lock, which takes no time."""
    status = directory.lstat()
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    if is_ours and abs(time.time() - status.st_mtime) > UNFINISHED_S:
        shutil.rmtree(directory, ignore_errors=True)
