"""Operations and kept plans as rows of the database: recorded once, and put into a database later.

`python -m support.recorded_operations DIRECTORY` writes a file for each story in `STORIES`: the rows as
today's code records them after each commit. The process could have died after any of these.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine, delete, insert, select

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.grouping import Domain
from hostloom.model.ids import DomainId
from hostloom.model.operation import Operation
from hostloom.model.request import ComposeBatch, ComposeRequest, Strategy
from hostloom.sagas.runner import Runner
from hostloom.sagas.worker import LEASE_S, SAGAS
from hostloom.services import commissioning, machines, plans
from hostloom.store.tables import operations, steps
from hostloom.store.tables import plans as plan_rows
from support.little_world import LittleWorld, little_world
from support.saga_proofs import Crash, CrashingStore

TABLES: dict[str, Table] = {"operations": operations, "steps": steps, "plans": plan_rows}
REQUEST = ComposeRequest(
    interfaces="eth0:space=mgmt;eth1:name=eth1,mode=unconfigured",
    storage="root:8,data:16(default)",
    hostname="web",
    tags=("blue",),
    zone="default",
    resource_pool="default",
    domain="lab",
)
#: Two machines over both hosts; one of them has an address that it asks for, and stays off.
BATCH = ComposeBatch(
    (
        replace(REQUEST, hostname="web-1"),
        replace(REQUEST, hostname="web-2", interfaces="0:ip=10.0.0.77,mac=52:54:00:aa:bb:cc", start=False),
    ),
    Strategy.SPREAD,
)


def _compose(world: LittleWorld) -> Operation:
    return machines.compose(world.ports, LOCAL_ADMIN, REQUEST)


def _compose_batch(world: LittleWorld) -> Operation:
    return machines.compose_batch(world.ports, LOCAL_ADMIN, BATCH)


def _compose_plan(world: LittleWorld) -> Operation:
    stored, _ = plans.make_or_refuse(world.ports, LOCAL_ADMIN, BATCH)
    return plans.compose(world.ports, LOCAL_ADMIN, stored.id)


def _commission(world: LittleWorld) -> Operation:
    _compose(world)
    world.run()
    return commissioning.commission(world.ports, LOCAL_ADMIN, "web")


def _decompose(world: LittleWorld) -> Operation:
    _compose(world)
    world.run()
    return machines.decompose(world.ports, LOCAL_ADMIN, "web")


#: How the operation is begun.
STORIES: dict[str, Callable[[LittleWorld], Operation]] = {
    "compose": _compose,
    "compose-batch": _compose_batch,
    "compose-plan": _compose_plan,
    "commission": _commission,
    "decompose": _decompose,
}


def a_world(directory: Path) -> LittleWorld:
    """Two hosts, and a domain that is not the default one."""
    directory.mkdir(exist_ok=True)
    world = little_world(directory)
    with world.ports.store.begin() as uow:
        uow.domains.add(Domain(DomainId(0), "lab"))
        uow.commit()
    return world


def begin(story: str, directory: Path, commits: int) -> tuple[LittleWorld, str] | None:
    """The world in which the process died after so many commits, and the operation; None: it had ended."""
    world = a_world(directory)
    operation = STORIES[story](world)
    if commits == 0:
        return world, operation.id
    with world.ports.store.begin() as uow:
        claimed = uow.operations.claim("first", world.clock.now(), LEASE_S)
        uow.commit()
    assert claimed is not None
    dying = replace(world.ports, store=CrashingStore(world.ports.store, commits))
    try:
        Runner(dying, SAGAS[claimed.saga], claimed, lambda _: None).run()
    except Crash:
        return world, operation.id
    return None


def rows_of(connection: Connection, table: str) -> list[dict[str, Any]]:
    """The rows of a table."""
    return [dict(row._mapping) for row in connection.execute(select(TABLES[table]))]


def put_rows(connection: Connection, recording: dict[str, Any], state: dict[str, Any]) -> None:
    """Put the operation in one of its recorded states, and the plans, in the place of what is there."""
    for name in ("steps", "plans", "operations"):
        connection.execute(delete(TABLES[name]))
    rows = {"operations": [recording["operation"] | state["operation"]]} if recording["operation"] else {}
    for name, found in (rows | {"steps": state["steps"], "plans": recording["plans"]}).items():
        if found:
            connection.execute(insert(TABLES[name]), found)


def engine_of(directory: Path) -> Any:
    """The database of a world."""
    return create_engine(f"sqlite:///{directory / 'hostloom.db'}")


def record(story: str, scratch: Path) -> dict[str, Any]:
    """The operation as it begins, the kept plans, and each state of it: what is other than at first."""
    recording: dict[str, Any] = {"operation": {}, "plans": [], "states": []}
    while (
        begun := begin(story, scratch / str(len(recording["states"])), len(recording["states"]))
    ) is not None:
        world, operation_id = begun
        with engine_of(scratch / str(len(recording["states"]))).begin() as connection:
            (row,) = (each for each in rows_of(connection, "operations") if each["id"] == operation_id)
            recording["operation"] = first = recording["operation"] or row
            recording["plans"] = rows_of(connection, "plans")
            other = {name: value for name, value in row.items() if value != first[name]}
            rows = [each for each in rows_of(connection, "steps") if each["operation_id"] == operation_id]
            recording["states"].append({"operation": other, "steps": rows})
        world.ports.store.close()
    return recording


def record_plan(scratch: Path) -> dict[str, Any]:
    """A plan that is kept and not applied yet."""
    world = a_world(scratch)
    plans.make_or_refuse(world.ports, LOCAL_ADMIN, BATCH)
    with engine_of(scratch).begin() as connection:
        found = rows_of(connection, "plans")
    world.ports.store.close()
    return {"operation": {}, "plans": found, "states": [{"operation": {}, "steps": []}]}


def main(target: Path) -> None:
    """Write a file for each story, and one for a kept plan."""
    for story in (*STORIES, "plan"):
        with tempfile.TemporaryDirectory() as directory:
            scratch = Path(directory)
            recording = record(story, scratch) if story in STORIES else record_plan(scratch)
        text = json.dumps(recording, indent=1, default=str, ensure_ascii=False)
        (target / f"{story}.json").write_text(text + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
