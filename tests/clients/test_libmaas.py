"""python-libmaas, unchanged, in a separate environment that bin/test makes."""

import json
import subprocess
from pathlib import Path

from hostloom.server.system import SystemClock
from support.client_story import LIBMAAS, STORIES
from support.maas import make_key
from support.server import running


def test_its_users_work_on_unchanged(tmp_path: Path) -> None:
    assert LIBMAAS.exists(), "bin/test makes the client's environment"
    with running(tmp_path, worker=True, clock=SystemClock()) as server:
        argv = [
            str(LIBMAAS),
            str(STORIES / "libmaas_story.py"),
            f"{server.url}/MAAS/",
            make_key(server.ports),
        ]
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
