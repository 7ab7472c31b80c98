"""The lab itself: up, mended, down without a trace, whatever happened in between."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hostloom_lab import plan_files
from hostloom_lab.errors import LabError
from hostloom_lab.lab import Lab

NAME = "trial"
LAB = [sys.executable, "-m", "hostloom_lab.main"]


#: Takes a lab up and kills its own process group when a step has ended.
KILLED_AFTER = """
import os, signal, sys
from importlib import import_module
from hostloom_lab.lab import Lab

_, module_name, step_name, lab = sys.argv
module = import_module(f"hostloom_lab.{module_name}")
step = getattr(module, step_name)


def killed_after(*arguments):
    step(*arguments)
    os.killpg(0, signal.SIGKILL)


setattr(module, step_name, killed_after)
Lab(lab).up(hosts=1)
"""


@pytest.fixture
def trial() -> Iterator[Lab]:
    lab = Lab(NAME)
    lab.down()
    yield lab
    lab.down()


def traces() -> dict[str, object]:
    """What a lab could leave on this machine, without what other labs and tests have there meanwhile."""
    links = json.loads(
        subprocess.run(["ip", "-j", "link"], capture_output=True, text=True, check=True).stdout
    )
    netns = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    mounts = Path("/proc/mounts").read_text()
    processes = [
        path
        for path in Path("/proc").glob("[0-9]*/environ")
        if f"/run/hostloom-lab/{NAME}" in _read(path.with_name("cmdline"))
    ]
    return {
        "links": sorted(link["ifname"] for link in links if is_ours(link["ifname"])),
        "netns": sorted(line.split()[0] for line in netns.splitlines() if is_ours(line)),
        "mounts": [
            line for line in mounts.splitlines() if f"hl-{NAME}" in line or f"hostloom-lab/{NAME}" in line
        ],
        "files": Path(f"/run/hostloom-lab/{NAME}").exists(),
        "processes": processes,
    }


def is_ours(name: str) -> bool:
    """Whether a link or namespace can be of the trial: those of other labs and tests begin like this."""
    return name.startswith(f"hl-{NAME}") or not name.startswith(("hl-", "hlw"))


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def test_down_leaves_nothing(trial: Lab) -> None:
    before = traces()
    trial.up(hosts=1)
    assert trial.status().is_whole
    assert traces() != before
    trial.down()
    assert traces() == before
    assert not trial.status().exists


@pytest.mark.parametrize(
    "step", ["network.build_switch", "rack.start", "network.build_host", "host.start", "rack.wait"]
)
def test_an_up_that_was_killed_is_taken_down_without_a_trace(trial: Lab, step: str) -> None:
    before = traces()
    argv = [sys.executable, "-c", KILLED_AFTER, *step.split("."), NAME]
    done = subprocess.run(argv, start_new_session=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert traces() != before
    trial.down()
    assert traces() == before


def test_a_second_up_mends_and_leaves_what_works(trial: Lab) -> None:
    trial.up(hosts=2)
    pids = {name: _read(trial.plan.directory / name / "pid") for name in ("kvm1", "kvm2")}
    trial.unplug("kvm1")
    assert not trial.status().is_whole
    trial.up(hosts=2)
    assert trial.status().is_whole
    assert _read(trial.plan.directory / "kvm1/pid") != pids["kvm1"]
    assert _read(trial.plan.directory / "kvm2/pid") == pids["kvm2"]


def test_a_cable_can_be_pulled(trial: Lab) -> None:
    trial.up(hosts=1)
    trial.unplug("kvm1", "eth1")
    assert "NO-CARRIER" in trial.run_in("kvm1", ["ip", "link", "show", "eth1"])
    trial.plug("kvm1", "eth1")
    assert "LOWER_UP" in trial.run_in("kvm1", ["ip", "link", "show", "eth1"])


def test_labs_that_are_made_at_once_share_nothing(trial: Lab) -> None:
    labs = [trial, Lab(f"{NAME}2")]
    try:
        with ThreadPoolExecutor() as pool:
            plans = list(pool.map(lambda lab: lab.up(hosts=0), labs))
        assert not plans[0].subnet.overlaps(plans[1].subnet)
        assert plans[0].number != plans[1].number
        assert all(lab.status().is_whole for lab in labs)
    finally:
        labs[1].down()


def test_two_commands_at_once_do_not_meet(trial: Lab) -> None:
    with plan_files.locked(trial.name), pytest.raises(LabError, match="being changed by another command"):
        trial.up(hosts=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["up", "--hosts", "99"], "expected 0 to 20"),
        (["up", "--subnet", "10.0.0.0/24"], "expected a /16"),
        (["up", "--subnet", "nonsense"], "nonsense"),
        (["unplug", "kvm9"], "not up"),
    ],
)
def test_mistakes_are_named(trial: Lab, arguments: list[str], words: str) -> None:
    done = subprocess.run([*LAB, *arguments, "--name", NAME], capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert not trial.status().exists
