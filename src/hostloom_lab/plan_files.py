"""Files with the plans of the labs that are up on this machine; each has its own subnet and number."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network

from hostloom_lab import network
from hostloom_lab.commands import one_at_a_time
from hostloom_lab.errors import LabError
from hostloom_lab.plan import MAX_LABS, STATE, LabPlan, default_subnets, make_plan


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Let only one command change a lab; LabError for the others."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError(f"lab {name} is being changed by another command") from None
        yield


def remove_lock(name: str) -> None:
    """Remove the file that `locked` leaves."""
    (STATE / f"{name}.lock").unlink(missing_ok=True)


def read(name: str) -> LabPlan | None:
    """The plan of a lab that is up; None if it is not, or if its file is damaged."""
    try:
        data = json.loads((STATE / name / "plan.json").read_text())
    except (OSError, ValueError):
        return None
    return make_plan(name, IPv4Network(data["subnet"]), data["hosts"], data.get("number", 0))


def choose(name: str, hosts: int, subnet: IPv4Network | None) -> LabPlan:
    """Plan a lab and save the plan; labs that are made at the same time do so one after the other."""
    with one_at_a_time(STATE):
        plan = _choose(name, hosts, subnet)
        plan.directory.mkdir(parents=True, exist_ok=True)
        draft = plan.directory / "plan.new"
        data = {"subnet": str(plan.subnet), "hosts": len(plan.hosts), "number": plan.number}
        draft.write_text(json.dumps(data))
        draft.replace(plan.directory / "plan.json")
    return plan


def _choose(name: str, hosts: int, subnet: IPv4Network | None) -> LabPlan:
    plan = read(name)
    if plan is not None:
        if subnet not in (None, plan.subnet):
            raise LabError(f"lab {name} is on {plan.subnet}: take it down before you move it")
        return make_plan(name, plan.subnet, max(hosts, len(plan.hosts)), plan.number)
    others = _other_plans(name)
    numbers = set(range(MAX_LABS)) - {other.number for other in others}
    if not numbers:
        names = ", ".join(sorted(other.name for other in others))
        raise LabError(f"at most {MAX_LABS} labs can be up: take down one of {names}")
    candidates = [subnet] if subnet else default_subnets()
    overlaps = {candidate: _overlaps(name, candidate, others) for candidate in candidates}
    for candidate in candidates:
        if not overlaps[candidate]:
            return make_plan(name, candidate, hosts, min(numbers))
    reasons = "; ".join(f"{candidate} overlaps {', '.join(found)}" for candidate, found in overlaps.items())
    raise LabError(f"no free subnet: {reasons}. Give another /16 with --subnet")


def _overlaps(name: str, subnet: IPv4Network, others: list[LabPlan]) -> list[str]:
    """The users of the subnet's addresses: this machine, or other labs, complete or not."""
    plan = make_plan(name, subnet, 0)
    of_labs = [f"lab {other.name}" for other in others if other.subnet.overlaps(subnet)]
    return network.conflicts(subnet, plan.link) + of_labs


def _other_plans(name: str) -> list[LabPlan]:
    """The plans of the other labs, complete or not."""
    names = [path.parent.name for path in STATE.glob("*/plan.json") if path.parent.name != name]
    return [plan for plan in map(read, names) if plan is not None]
