"""A hostloom on a given store and fakes, and the estate of the MAAS of support.maas_estate."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from hostloom.migration.maas import read_dump
from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.import_plan import ImportAction, ImportPlan
from hostloom.model.operation import Operation
from hostloom.model.source_inventory import SourceInventory
from hostloom.ports.context import Ports
from hostloom.ports.store import Store
from hostloom.sagas.worker import Worker
from hostloom.services import hosts
from hostloom.services.hosts import HostInput
from support.fake_dhcp import FakeDhcp, FakeServers
from support.fake_hypervisor import FakeHypervisors
from support.fakes import CountingIds, FakeClock, FakeKeys, FakeResolver, FakeScanner
from support.maas_dump import as_sql, tables


def an_estate() -> SourceInventory:
    """Of its dump: no server is needed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "maas.sql"
        path.write_text(as_sql(tables()))
        return read_dump(path)


def summary(plan: ImportPlan) -> dict[ImportAction, int]:
    """How many there are of each action that is there at all."""
    actions = [each.action for each in plan.changes]
    return {action: actions.count(action) for action in ImportAction if action in actions}


@dataclass
class ImportWorld:
    """The ports, and the fakes behind them."""

    ports: Ports
    hypervisors: FakeHypervisors
    scanner: FakeScanner
    keys: FakeKeys
    dhcp: FakeDhcp

    def add_hosts(self, plan: ImportPlan) -> list[Operation]:
        """As the command line does: each by the ordinary operation."""
        done = []
        for each in plan.hosts:
            offered = self.keys.offered(each.uri)
            wanted = HostInput(
                each.name,
                each.uri,
                accept_key=offered[0].fingerprint if offered else None,
                default_macvlan_mode=each.default_macvlan_mode,
                cpu_over_commit_ratio=each.cpu_over_commit_ratio,
                memory_over_commit_ratio=each.memory_over_commit_ratio,
                zone=str(each.zone_id),
                resource_pool=str(each.resource_pool_id),
                tags=each.tags,
                id=each.id,
            )
            hosts.add(self.ports, LOCAL_ADMIN, wanted)
            operation = Worker(self.ports, "test", threads=0).run_one()
            assert operation is not None
            done.append(operation)
        return done


def import_world(store: Store) -> ImportWorld:
    """Nothing is in it."""
    hypervisors, keys, dhcp = FakeHypervisors(), FakeKeys(), FakeDhcp()
    scanner = FakeScanner(hypervisors)
    ports = Ports(
        *(store, hypervisors, scanner, keys, FakeResolver()),
        *(FakeServers(dhcp), FakeClock(), CountingIds()),
    )
    return ImportWorld(ports, hypervisors, scanner, keys, dhcp)
