"""A hostloom on a given store and fakes, and the estate of the MAAS of support.maas_estate."""

import tempfile
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from hostloom.migration.maas import read_dump
from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.ids import HostId, RangeId, SubnetId
from hostloom.model.import_plan import ImportAction, ImportPlan
from hostloom.model.network import IPRange, RangeKind
from hostloom.model.source_inventory import SourceHost, SourceInventory
from hostloom.ports.context import Ports
from hostloom.ports.store import Store
from hostloom.sagas.import_inventory import ImportInput
from hostloom.sagas.worker import Worker
from hostloom.services import imports
from hostloom.services.imports import ImportResult
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


def an_inventory_of(uri: str) -> SourceInventory:
    """The same MAAS with one host, and with its office subnet on the VLAN that the little world serves."""
    inventory = an_estate()
    vlans = tuple(replace(vlan, vid=10) if vlan.id == 5001 else vlan for vlan in inventory.vlans)
    start, end = ip_address("10.0.0.240"), ip_address("10.0.0.250")
    range_ = IPRange(RangeId(3), SubnetId(1), RangeKind.RESERVED, start, end)
    host = SourceHost(HostId(7), "kvm2", "virsh", uri)
    return replace(inventory, vlans=vlans, ranges=(*inventory.ranges, range_), hosts=(host,))


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

    def run(self, inventory: SourceInventory, **options: Any) -> ImportResult:
        """Import, and run all operations to their end."""
        keys = {host.name: self.key_of(host.uri) for host in inventory.hosts}
        started = imports.start(self.ports, LOCAL_ADMIN, ImportInput(inventory, accept_keys=keys, **options))
        worker = Worker(self.ports, "test", threads=0)
        while worker.run_one() is not None:
            pass
        with self.ports.store.begin() as uow:
            return imports.result(uow, LOCAL_ADMIN, started.id)

    def key_of(self, uri: str) -> str:
        """The fingerprint that a host shows; empty for one without SSH."""
        return next((key.fingerprint for key in self.keys.offered(uri)), "")


def import_world(store: Store) -> ImportWorld:
    """Nothing is in it."""
    hypervisors, keys, dhcp = FakeHypervisors(), FakeKeys(), FakeDhcp()
    scanner = FakeScanner(hypervisors)
    ports = Ports(
        *(store, hypervisors, scanner, keys, FakeResolver()),
        *(FakeServers(dhcp), FakeClock(), CountingIds()),
    )
    return ImportWorld(ports, hypervisors, scanner, keys, dhcp)
