"""A machine in namespaces for mounts, processes and host name; killing its first process kills all others."""

import os
import subprocess
from pathlib import Path

from hostloom_lab.commands import inside, is_alive, kill, pids_in

PID_FILE = "pid"
#: Children of this process. They may outlive it; if it outlives them, it collects their exit codes here.
_CHILDREN: list[subprocess.Popen[bytes]] = []


def start(netns: str, directory: Path, script: str) -> None:
    """Run a script as the first process of a new machine, in its directory; output goes to init.log."""
    init = directory / "init.sh"
    init.write_text(script)
    init.chmod(0o700)
    unshare = ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", str(init)]
    with (directory / "init.log").open("a") as log:
        process = subprocess.Popen(
            inside(netns, unshare),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _CHILDREN.append(process)
    (directory / PID_FILE).write_text(f"{process.pid} {_started(process.pid)}")


def is_running(directory: Path) -> bool:
    """Whether the machine's first process is alive; a later process with the same id does not count."""
    try:
        pid, started = (directory / PID_FILE).read_text().split()
    except (OSError, ValueError):
        return False
    return is_alive(int(pid)) and _started(int(pid)) == started


def stop(netns: str, directory: Path) -> None:
    """Simulate a power loss: all processes in the namespace end immediately."""
    if is_running(directory):
        kill([int((directory / PID_FILE).read_text().split()[0])])
    if pids := [pid for pid in pids_in(netns) if pid != os.getpid()]:
        kill(pids)
    (directory / PID_FILE).unlink(missing_ok=True)
    _CHILDREN[:] = [child for child in _CHILDREN if child.poll() is None]


def _started(pid: int) -> str:
    """Start time of a process in the kernel's ticks, to distinguish it from a later one with its id."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return "gone"
