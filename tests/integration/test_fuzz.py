"""The fuzzer of every port, for some seconds; `python bench/fuzz` is the same for ten minutes."""

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench" / "fuzz"


def test_no_port_stumbles_over_what_is_sent() -> None:
    argv = [sys.executable, str(BENCH), "--seconds", "8", "--seed", "1"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for target in ("v1 (schemathesis)", "v1 (raw)", "MAAS", "TCP bytes", "socket bytes", "boot HTTP", "TFTP"):
        line = next(line for line in done.stdout.splitlines() if line.startswith(target))
        assert int(line[20:29]) > 0, line
