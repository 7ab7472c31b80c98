"""python-libmaas, unchanged, in an environment of its own that bin/test makes."""

import json
import subprocess
import time
from pathlib import Path

from support.maas import make_key
from support.server import running

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".clients/libmaas/bin/python"
STORY = Path(__file__).with_name("libmaas_story.py")


class SystemClock:
    """The client signs with the machine's time."""

    def now(self) -> float:
        return time.time()


def test_its_users_work_on_unchanged(tmp_path: Path) -> None:
    assert PYTHON.exists(), "bin/test makes the client's environment"
    with running(tmp_path, worker=True, clock=SystemClock()) as server:
        argv = [str(PYTHON), str(STORY), f"{server.url}/MAAS/", make_key(server.ports)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout) == {
        "whoami": "ann",
        "network": ["physical", "10.0.20.0/24", "10.0.20.100"],
        "pod": ["kvm1", "vepa", 10.0, "default"],
        "machine": [1024, 1, True],
        "disks": [10**9],
        "off": True,
        "left": [0, []],
    }
