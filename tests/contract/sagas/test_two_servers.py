"""Two servers on one database: many composes at once, none lost, none twice, nothing shared out twice."""

import itertools
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.errors.refusals import Refused
from hostloom.model.network import AddressKind
from hostloom.model.operation import FINISHED, Operation, OperationState
from hostloom.model.request import ComposeRequest
from hostloom.ports.context import Ports
from hostloom.sagas.worker import Worker
from hostloom.server.system import RandomIds
from hostloom.services import machines
from hostloom.store.engine import open_store
from support.little_world import little_world
from support.postgres import running_postgres

COUNT = 100
CLIENTS = 20
END_S = 300.0


def compose(ports: Ports, number: int) -> Operation | Refused:
    request = ComposeRequest(
        interfaces="eth0:space=mgmt", hostname=f"m{number}", storage="root:1", memory_mib=64
    )
    try:
        return machines.compose(ports, LOCAL_ADMIN, request)
    except Refused as error:
        return error


@pytest.mark.postgres
def test_a_hundred_composes_at_once(tmp_path: Path) -> None:
    with running_postgres() as server, server.database() as url:
        world = little_world(tmp_path, hosts_there=2, database=url)
        with world.ports.store.begin() as uow:
            for host in uow.hosts.list():
                uow.hosts.update(replace(host, cpu_over_commit_ratio=Decimal(10)))
            uow.commit()
            room = sum(int(host.cores * Decimal(10)) for host in uow.hosts.list())
        stores = [world.ports.store, open_store(url)]
        servers = [replace(world.ports, store=store, ids=RandomIds()) for store in stores]
        workers = [Worker(ports, f"server {n}", threads=4) for n, ports in enumerate(servers)]
        for worker in workers:
            worker.start()
        turns = itertools.cycle(servers)
        with ThreadPoolExecutor(CLIENTS) as pool:
            asked = list(pool.map(compose, itertools.islice(turns, COUNT), range(COUNT)))
        accepted = [answer for answer in asked if isinstance(answer, Operation)]
        _wait_for_rest(servers[0])
        for worker in workers:
            worker.stop()
        with stores[0].begin() as uow:
            ended = [uow.operations.get(operation.id) for operation in accepted]
            made = uow.machines.list()
            held = [item for item in uow.addresses.list() if item.kind is AddressKind.AUTO]
        states = Counter(operation.state for operation in ended)
        troubles = {operation.error for operation in ended if operation.error_code == "bug"}
        refused = [str(answer) for answer in asked if not isinstance(answer, Operation)]
        failed = [(item.state, item.error_code, item.error) for item in ended if item.error]
        assert not troubles
        assert (refused, failed) == ([], [])
        assert states[OperationState.SUCCEEDED] == len(made) == min(COUNT, room)
        assert set(states) <= {OperationState.SUCCEEDED, OperationState.FAILED}
        assert {operation.error_code for operation in ended} <= {"", "no-host-fits"}
        assert len({item.ip for item in held}) == len(held) == len(made)
        assert len({nic.mac for machine in made for nic in machine.interfaces}) == len(made)
        for store in stores:
            store.close()


def _wait_for_rest(ports: Ports) -> None:
    pause, waited = threading.Event(), 0.0
    while waited < END_S:
        with ports.store.begin() as uow:
            if all(item.state in FINISHED for item in uow.operations.list(unfinished=True)):
                return
        pause.wait(0.2)
        waited += 0.2
    pytest.fail(f"not at rest after {END_S:g} s")
