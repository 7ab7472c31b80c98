"""Upgrades: what was recorded in the schema before is read in the one of now."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from hostloom.model.operation import OperationState
from hostloom.ports.store import Store
from hostloom.sagas.placement import OBSERVE, ChosenHosts, ComposeInput
from hostloom.serialization import from_json
from hostloom.store.engine import open_store
from support.a_request import a_request
from support.old_database import DATABASES, old_database

#: As the first schema's composes were recorded.
REQUEST = {
    "host": None,
    "interfaces": "eth0:space=mgmt",
    "storage": "",
    "cores": 2,
    "memory_mib": 512,
    "architecture": None,
    "netboot": True,
    "hostname": "web",
    "zone": None,
    "resource_pool": None,
    "tags": ["blue"],
    "qcow2": False,
    "start": True,
}
IDENTITIES = {"system_id": "abc123", "hostname": "web", "uuid": "u", "macs": ["52:54:00:00:00:01"]}


@pytest.fixture(params=DATABASES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database in the first schema, with composes under way."""
    with old_database(request, tmp_path, "0001", _fill) as url:
        yield url


def _fill(connection: Connection) -> None:
    _add(connection, "op-1", "compose", {"request": REQUEST, "identities": IDENTITIES})
    _add(connection, "op-2", "compose", {"request": REQUEST, "identities": IDENTITIES})
    _add(connection, "op-3", "refresh", {"host": "kvm1"})
    connection.execute(
        text(
            "INSERT INTO steps (operation_id, name, state, output, error, error_code)"
            " VALUES ('op-1', 'observe', 'done', :output, '', ''),"
            " ('op-2', 'observe', 'running', 'null', '', '')"
        ),
        {"output": json.dumps({"host": "kvm1"})},
    )


def _add(connection: Connection, key: str, saga: str, given: dict[str, Any]) -> None:
    connection.execute(
        text(
            "INSERT INTO operations (id, saga, state, subject, input, step_names, error, error_code,"
            " cancel_requested, created_at, owner, lease_until, fence, requested_by)"
            " VALUES (:id, :saga, 'running', 'machine web', :input, :steps, '', '', :no, 1.0, '', 0, 1, 'a')"
        ),
        {"id": key, "saga": saga, "input": json.dumps(given), "steps": '["observe"]', "no": False},
    )


def test_a_compose_that_was_under_way_goes_on_as_a_batch_of_one(old: str) -> None:
    store: Store = open_store(old)
    with store.begin() as uow:
        first, second, refresh = (uow.operations.get(f"op-{n}") for n in (1, 2, 3))
    store.close()
    assert first.state is OperationState.RUNNING
    given = from_json(first.input, ComposeInput)
    wanted = a_request(interfaces="eth0:space=mgmt", cores=2, memory_mib=512, hostname="web", tags=("blue",))
    assert given.batch.machines == (wanted,)
    assert [each.system_id for each in given.identities] == ["abc123"]
    assert given.plan_id is None
    assert OBSERVE.output is ChosenHosts
    assert from_json(first.steps[0].output, ChosenHosts) == ChosenHosts(("kvm1",))
    assert second.steps[0].output is None
    assert refresh.input == {"host": "kvm1"}
