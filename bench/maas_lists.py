"""MAAS's lists of 1,000 machines and 500 hosts, as clients get them, beside bare reads of the store.

python bench/maas_lists.py [MACHINES HOSTS]

Bars: docs/explanation/quality-bars.md.
"""

import gc
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

from sqlalchemy import event

from compose import THREE_NICS, compose, fill
from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.handlers.resources import CATALOGUE
from hostloom.model.access import LOCAL_ADMIN
from hostloom.ports.context import Ports
from hostloom.server.config import Settings
from hostloom.server.wiring import wire
from hostloom.store.engine import DatabaseStore
from worlds import big_world

ROUNDS = 15
BARS_MS = {"machines/": 300.0, "vm-hosts/": 100.0}


def listed(ports: Ports, path: str) -> bytes:
    """The body that a client gets."""
    found = CATALOGUE.find(path)
    assert found is not None
    do = found.resource.actions["GET", None].do
    return do(Call(ports, LOCAL_ADMIN, found.places, Form({}, {}), "http://bench")).body


def measured(call: Callable[[], object]) -> tuple[float, float]:
    """Median and worst in ms, the first one left out: it fills what is kept in memory."""
    call()
    took = []
    for _ in range(ROUNDS):
        gc.collect()
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1000)
    return median(took), max(took)


def statements_of(ports: Ports, call: Callable[[], object]) -> int:
    """How many it takes."""
    assert isinstance(ports.store, DatabaseStore)
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(ports.store.engine, "before_cursor_execute", note)
    call()
    event.remove(ports.store.engine, "before_cursor_execute", note)
    return len([each for each in seen if not each.startswith(("BEGIN", "COMMIT"))])


def bare(ports: Ports, name: str) -> int:
    """The rows as model objects, and nothing else."""
    with ports.store.begin() as uow:
        return len(getattr(uow, name).list())


def run(ports: Ports, machines: int, hosts: int) -> None:
    """Fill the store, and measure."""
    fill(ports.store, big_world(hosts, hosts, machines_a_host=0))
    for number in range(machines):
        compose(ports.store, THREE_NICS, number)
    for path, noun, count in (("machines/", "machines", machines), ("vm-hosts/", "hosts", hosts)):
        floor, _ = measured(partial(bare, ports, noun))
        took, worst = measured(partial(listed, ports, path))
        print(
            f"{count:5} {noun}: {took:6.1f} ms (worst {worst:6.1f})",
            f"bare read {floor:6.1f} ms ({took / floor:4.1f} x)",
            f"{statements_of(ports, partial(listed, ports, path))} statements",
            f"{len(listed(ports, path)) / 1e6:.1f} MB",
            f"bar {BARS_MS[path]:g} ms: {'met' if worst <= BARS_MS[path] else 'MISSED'}",
            sep="  ",
        )


def main() -> None:
    """Measure."""
    machines, hosts = (int(each) for each in sys.argv[1:] or (1000, 500))
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        run(wire(Settings(state_dir=Path(directory)), stack), machines, hosts)


if __name__ == "__main__":
    main()
