"""Runs a job and prints its answer."""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

from hostloom.wire.agent.dhcp import dhcp
from hostloom.wire.agent.links import AgentError
from hostloom.wire.agent.neighbours import reach
from hostloom.wire.agent.nic import Nic


def run(job: dict[str, Any]) -> dict[str, Any]:
    """The answer to a job: `offers` or `reach`, or the failure as `refused` or `unable`."""
    signal.alarm(int(job["end_s"]))
    try:
        nic = Nic(job["source"], job["kind"], job.get("mode") or "bridge")
        return dhcp(nic, job) if job["task"] == "dhcp" else reach(nic, job)
    except AgentError as error:
        return {"refused": str(error)}
    except PermissionError as error:
        return {"unable": f"its user may not make network interfaces ({error.strerror})"}
    except OSError as error:
        return {"unable": str(error)}


def main() -> None:
    """Print the answer to the job in the program's argument."""
    print(json.dumps(run(json.loads(sys.argv[1]))))
