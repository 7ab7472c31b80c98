"""Operations and plans that an earlier version recorded go on with the code of today."""

import json
from pathlib import Path
from typing import Any

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.ids import SystemId
from hostloom.model.operation import OperationState
from hostloom.sagas.worker import LEASE_S
from hostloom.services import plans
from support.little_world import LittleWorld
from support.recorded_operations import STORIES, a_world, begin, engine_of, put_rows, rows_of

RECORDED = Path(__file__).parents[2] / "fixtures" / "operations"


def recording(story: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDED / f"{story}.json").read_text())
    return found


def states_of(story: str) -> list[int]:
    """Every state of a compose; of the others, whose later states are much alike, some."""
    states = list(range(len(recording(story)["states"])))
    return states if story == "compose" else [*states[:4], states[-1]]


STATES = [(story, at) for story in STORIES for at in dict.fromkeys(states_of(story))]


def put(directory: Path, told: dict[str, Any], state: dict[str, Any]) -> None:
    """Put what was recorded in the place of what today's code has written."""
    engine = engine_of(directory)
    with engine.begin() as connection:
        put_rows(connection, told, state)
    engine.dispose()


def step_states(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["name"]: str(row["state"]) for row in rows}


def machines_of(world: LittleWorld, identities: list[dict[str, Any]]) -> list[Any]:
    """The machines, each with the name of its domain and its addresses."""
    with world.ports.store.begin() as uow:
        found = []
        for each in identities:
            node = uow.nodes.get(SystemId(each["system_id"]))
            machine = uow.machines.get(node.system_id)
            ips = [[str(ip) for ip in nic.ips] for nic in machine.interfaces]
            disks = [(disk.name, disk.pool) for disk in machine.disks]
            domain = uow.domains.get(node.domain_id).name
            found.append((machine.hostname, str(machine.state), domain, machine.uuid, ips, disks))
    return found


@pytest.mark.parametrize(("story", "at"), STATES)
def test_an_unfinished_operation_goes_on_from_every_step(story: str, at: int, tmp_path: Path) -> None:
    told = recording(story)
    state = told["states"][at]
    begun = begin(story, tmp_path, at)
    assert begun is not None
    world, operation_id = begun
    assert operation_id == told["operation"]["id"]
    with engine_of(tmp_path).begin() as connection:
        rows = [row for row in rows_of(connection, "steps") if row["operation_id"] == operation_id]
    assert step_states(rows) == step_states(state["steps"])
    put(tmp_path, told, state)
    if state["operation"].get("state") != "succeeded":
        world.clock.time += LEASE_S + 1
        assert world.run().state is OperationState.SUCCEEDED
    if not story.startswith("compose"):
        return
    given = told["operation"]["input"]["identities"]
    domains = [each["domain"] for each in told["operation"]["input"]["batch"]["machines"]]
    there = machines_of(world, given)
    assert [(name, state, domain, uuid) for name, state, domain, uuid, _, _ in there] == [
        (each["hostname"], "ready", domain, each["uuid"]) for each, domain in zip(given, domains, strict=True)
    ]
    assert all(disks == [("root", "default"), ("data", "default")] for *_, disks in there)
    if len(there) == 2:
        assert there[1][4] == [["10.0.0.77"]]


def test_a_kept_plan_is_shown_and_applied(tmp_path: Path) -> None:
    told = recording("plan")
    world = a_world(tmp_path)
    put(tmp_path, told, told["states"][0])
    (row,) = told["plans"]
    with world.ports.store.begin() as uow:
        _, content = plans.get(uow, LOCAL_ADMIN, world.clock.now(), row["id"])
    planned = row["content"]["plans"]
    assert [[nic.mac.text for nic in plan.interfaces] for plan in content.plans] == [
        [nic["mac"] for nic in plan["interfaces"]] for plan in planned
    ]
    plans.compose(world.ports, LOCAL_ADMIN, row["id"])
    assert world.run().state is OperationState.SUCCEEDED
    there = machines_of(world, row["content"]["identities"])
    ips = [[nic["ips"] for nic in plan["interfaces"]] for plan in planned]
    assert [machine[4] for machine in there] == ips
