"""Our bookkeeping of one compose on 1 to 10,000 hosts: decide, check, reserve, commit, on SQLite.

python bench/compose.py [HOSTS …]

Beside it: one transaction that inserts the same rows and decides nothing.
Bar: docs/explanation/quality-bars.md.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import create_engine, event, text

from hostloom.decide.check.check import check
from hostloom.decide.placement.compose import decide, prepare
from hostloom.decide.request.resolve import parse_request
from hostloom.decide.snapshot import Snapshot
from hostloom.model.host import Correlation, CorrelationState
from hostloom.model.ids import FabricId, HostId, InterfaceId, MacAddress, SpaceId, SubnetId, SystemId, VlanId
from hostloom.model.request import ComposeRequest, Identities
from hostloom.ports.store import Reservation, Store
from hostloom.store.engine import open_store
from worlds import big_world

SIZES = (1, 100, 1000, 10000)
ROUNDS = 40
BAR_MS = 50.0
ONE_NIC = "eth0:space=mgmt"
THREE_NICS = "eth0:space=mgmt;eth1:space=dmz;eth2:space=storage"


def fill(store: Store, world: Snapshot) -> None:
    """Store the network, the nodes and the hosts of a world (its machines are left out)."""
    with store.begin() as uow:
        spaces = {each.id: uow.spaces.add(replace(each, id=SpaceId(0))).id for each in world.spaces}
        fabrics = {
            each.id: uow.fabrics.add(replace(each, id=FabricId(0), name=f"bench-{each.name}")).id
            for each in world.fabrics
        }
        vlans = {}
        for each in world.vlans:
            space = None if each.space_id is None else spaces[each.space_id]
            vlan = replace(each, id=VlanId(0), fabric_id=fabrics[each.fabric_id], space_id=space)
            there = uow.vlans.find_by_vid(vlan.fabric_id, vlan.vid)
            stored = uow.vlans.add(vlan) if there is None else there
            if there is not None:
                stored = uow.vlans.update(replace(there, dhcp_on=each.dhcp_on, space_id=space))
            vlans[each.id] = stored.id
        for subnet in world.subnets:
            uow.subnets.add(replace(subnet, id=SubnetId(0), vlan_id=vlans[subnet.vlan_id]))
        for node, state in zip(world.nodes, world.hosts, strict=True):
            interfaces = [
                replace(
                    each, id=InterfaceId(0), vlan_id=None if each.vlan_id is None else vlans[each.vlan_id]
                )
                for each in node.interfaces
            ]
            uow.nodes.add(replace(node, interfaces=()))
            uow.nodes.replace_interfaces(node.system_id, interfaces)
            correlation = Correlation(CorrelationState.CORRELATED, node.system_id)
            uow.hosts.add(replace(state.host, id=HostId(0), correlation=correlation))
        uow.commit()


def measure(call: Callable[[int], object]) -> tuple[float, float]:
    """Median and 95th percentile in ms."""
    took = []
    for number in range(ROUNDS):
        began = time.perf_counter()
        call(number)
        took.append((time.perf_counter() - began) * 1000)
    return median(took), quantiles(took, n=20)[-1]


def identities(number: int) -> Identities:
    """Those of the machine with a number."""
    macs = tuple(
        MacAddress(f"52:54:{n:02x}:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}")
        for n in range(3)
    )
    uuid = f"{number:08x}-0000-4000-8000-000000000000"
    return Identities(SystemId(f"m{number:05d}"), f"vm{number}", uuid, macs)


def compose(store: Store, interfaces: str, number: int) -> None:
    """Everything but the host's own work."""
    request = parse_request(ComposeRequest(interfaces=interfaces))
    with store.begin() as uow:
        snapshot = uow.snapshot()
        decision = decide(snapshot, request, identities(number))
        assert decision.plan is not None, decision.explanation
        assert not check(snapshot, request, decision.plan)
        uow.reserve([Reservation(decision.plan, decision.explanation)])
        uow.commit()


def run(hosts: int, directory: Path) -> None:
    """Measure with so many hosts."""
    path = directory / f"{hosts}.db"
    store = open_store(f"sqlite:///{path}")
    began = time.perf_counter()
    fill(store, big_world(hosts, min(hosts, 1250)))
    filled = time.perf_counter() - began
    began = time.perf_counter()
    with store.begin() as uow:
        prepare(uow.snapshot())
    cold = (time.perf_counter() - began) * 1000
    one = measure(lambda number: compose(store, ONE_NIC, number))
    three = measure(lambda number: compose(store, THREE_NICS, number + 10000))
    floor = bare(path)
    print(
        f"{hosts:6} hosts: 1 NIC {one[0]:6.2f} ms (p95 {one[1]:6.2f})",
        f"3 NICs {three[0]:6.2f} ms ({three[0] / one[0]:4.2f} x)",
        f"bare rows {floor:5.2f} ms ({one[0] / floor:4.1f} x)",
        f"bar {BAR_MS:g} ms: {'met' if one[1] <= BAR_MS else 'MISSED'}",
        f"(filled in {filled:.0f} s, cold read and indexes {cold:.0f} ms)",
        sep="  ",
    )
    store.close()


def bare(path: Path) -> float:
    """The median of inserting four rows in one transaction, synced as ours are."""
    engine = create_engine(f"sqlite:///{path}.bare")

    @event.listens_for(engine, "connect")
    def _settings(connection: object, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[attr-defined]

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT)"))

    def insert(number: int) -> None:
        with engine.begin() as connection:
            for n in range(4):
                connection.execute(
                    text("INSERT INTO rows VALUES (:id, :body)"), {"id": number * 4 + n, "body": "x" * 200}
                )

    return measure(insert)[0]


def main() -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as directory:
        for hosts in [int(each) for each in sys.argv[1:]] or SIZES:
            run(hosts, Path(directory))


if __name__ == "__main__":
    main()
