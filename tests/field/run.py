#!/usr/bin/env python3
"""Plays field cases: `.venv/bin/python tests/field/run.py CASE.json…`; exits with 1 if one has a fault.

A case is a JSON document: `title`, `source` (the public report), `hosts` and `steps`. A host has an
`address`, what `ip -d -j` shows (`links`, `route4`, `route6`), more sections of the scan (`ovs`, `sections`),
and devices of libvirt's test driver (`libvirt`). A step says what to `do` and what to `expect`: see steps.py.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]

from field.estate import running_estate  # noqa: E402  (found by the path above)
from field.steps import Check, run_step  # noqa: E402


def play(path: Path, directory: Path) -> list[Check]:
    """Every expectation of a case, met or not; `directory` is an empty folder."""
    case = json.loads(path.read_text())
    with running_estate(case, directory) as estate:
        return [check for step in case["steps"] for check in run_step(estate, step)]


def main(paths: list[str]) -> int:
    """Play cases and print each expectation."""
    faulty = 0
    for path in map(Path, paths):
        with tempfile.TemporaryDirectory(prefix="hostloom-field-", ignore_cleanup_errors=True) as directory:
            checks = play(path, Path(directory))
        is_faulty = not all(check.is_met for check in checks)
        faulty += is_faulty
        print(f"== {path.name}: {'FAULT' if is_faulty else 'OK'}")
        for check in checks:
            print(f"   {check}")
    print(f"{len(paths) - faulty} without a fault, {faulty} with")
    return min(faulty, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
