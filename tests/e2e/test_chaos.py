"""A short campaign of kills: whatever dies in the middle of its work, the store and the real world agree.

The long form is `python bench/chaos`.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "chaos"
KILLS = {"sqlite": 12, "postgresql": 8}


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_killed_servers_leave_nothing_behind(database: str) -> None:
    """Runs in a separate lab with three hosts."""
    name = f"{os.environ.get('E2E_LAB', 'e2e')[:6]}k{database[0]}"
    argv = [sys.executable, str(BENCH), "--lab", name, "--seed", "7"]
    argv += ["--kills", str(KILLS[database]), "--minutes", "8"]
    argv += ["--postgresql", "--lease", "5"] if database == "postgresql" else []
    done = subprocess.run(argv, capture_output=True, text=True, timeout=900, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = next(line for line in done.stdout.splitlines() if line.startswith("rounds "))
    kills = re.search(r", kills (\d+) ", summary)
    assert kills is not None  # a round ends after its last kill, so there may be some more
    assert int(kills[1]) >= KILLS[database]
