"""Events: how they are found, upgraded from the schema before, and kept with renumbered networks."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table, insert, text

from hostloom.model.event import Event, EventSubject, EventSubjectKind, host_subject, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.host import Host
from hostloom.model.ids import FabricId, HostId, SubnetId, SystemId, VlanId
from hostloom.model.import_plan import ImportNoun, Renumbering
from hostloom.model.network import Fabric, Subnet
from hostloom.model.node import Node, NodeKind
from hostloom.ports.store import Store
from hostloom.store.engine import open_store
from support.old_database import DATABASES, old_database

WEB = machine_subject(Node(SystemId("abc123"), "web", NodeKind.MACHINE))
HOST_OF_THIS_NAME = host_subject(Host(HostId(7), "web", "test:///default"))


def test_events_are_found_by_subject_and_kind(store: Store) -> None:
    with store.begin() as uow:
        uow.events.add(
            Event(EventKind.MACHINE_ON, WEB, "1", 1.0),
            Event(EventKind.HOST_LOST, HOST_OF_THIS_NAME, "2", 2.0),
            Event(EventKind.MACHINE_OFF, WEB, "3", 3.0),
        )

        def found(**query: Any) -> list[str]:
            return [event.message for event in uow.events.list(**query)]

        assert found(subject="web") == ["3", "2", "1"]
        assert found(subject="machine web") == ["3", "1"]
        assert found(subject="host web") == ["2"]
        assert found(subject="node web") == found(subject="machine we") == found(subject="machine") == []
        assert found(kinds=(EventKind.HOST_LOST, EventKind.MACHINE_OFF), limit=2) == ["3", "2"]
        assert found(kinds=(EventKind.MACHINE_ON,), subject="host web") == found(kinds=()) == []


def test_events_follow_a_network_that_gets_another_id(store: Store) -> None:
    with store.begin() as uow:
        fabric = uow.fabrics.add(Fabric(FabricId(0), "lan"))
        vlan = uow.vlans.find_by_vid(fabric.id, 0)
        assert vlan is not None
        cidr = ip_network("10.0.0.0/24")
        subnet = uow.subnets.add(Subnet(SubnetId(0), cidr, VlanId(vlan.id), str(cidr)))
        subjects = (
            EventSubject(EventSubjectKind.VLAN, str(vlan.id), "lan/0"),
            EventSubject(EventSubjectKind.SUBNET, str(subnet.id), str(cidr)),
            EventSubject(EventSubjectKind.HOST, str(vlan.id), "kvm1"),
        )
        uow.events.add(*(Event(EventKind.FOREIGN_DHCP, subject, "", 1.0) for subject in subjects))
        uow.renumber(
            [
                Renumbering(ImportNoun.VLAN, vlan.id, 5001, gives_way=False),
                Renumbering(ImportNoun.SUBNET, subnet.id, 70, gives_way=False),
            ]
        )
        keys = {event.subject.kind: event.subject.key for event in uow.events.list()}
    assert keys == {
        EventSubjectKind.VLAN: "5001",
        EventSubjectKind.SUBNET: "70",
        EventSubjectKind.HOST: str(vlan.id),
    }


#: As hostloom recorded events before they had structured subjects: kind, subject, and the key to expect.
RECORDED = (
    ("imported", "world", ("world", "", "")),
    ("machine-composed", "machine web", ("machine", "abc123", "web")),
    ("machine-refused", "machine gone", ("machine", "", "gone")),
    ("lease-given", "node web", ("node", "abc123", "web")),
    ("lease-given", "lease 10.0.0.50", ("lease", "10.0.0.50", "10.0.0.50")),
    ("host-lost", "host kvm1", ("host", "7", "kvm1")),
    ("dhcp-down", "rack rack", ("rack", "3", "rack")),
    ("foreign-dhcp", "vlan the lan/20", ("vlan", "11", "the lan/20")),
    ("range-exhausted", "subnet 10.0.0.0/24", ("subnet", "21", "10.0.0.0/24")),
    ("range-free", "subnet 10.9.0.0/24", ("subnet", "", "10.9.0.0/24")),
    ("address-on-wire", "address fd00::5", ("address", "fd00::5", "fd00::5")),
    ("image-built", "image 20261101-amd64", ("image", "20261101-amd64", "20261101-amd64")),
    ("login-throttled", "user ann lee", ("user", "ann lee", "ann lee")),
)


@pytest.fixture(params=DATABASES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database in the schema before, with events."""
    with old_database(request, tmp_path, "0015", _fill) as url:
        yield url


def _fill(connection: Connection) -> None:
    _add_things(connection)
    for number, (kind, subject, _) in enumerate(RECORDED):
        connection.execute(
            text("INSERT INTO events (kind, subject, message, at, details) VALUES (:k, :s, :m, 1.5, :d)"),
            {"k": kind, "s": subject, "m": f"message {number}", "d": '{"n": 1}'},
        )


def _add_things(connection: Connection) -> None:
    """The rows whose ids become keys."""
    rows: tuple[tuple[str, dict[str, Any]], ...] = (
        ("nodes", {"system_id": "abc123", "hostname": "web", "kind": "machine"}),
        ("nodes", {"system_id": "rack01", "hostname": "rack", "kind": "rack-controller"}),
        ("racks", {"id": 3, "name": "rack", "system_id": "rack01", "control": "local"}),
        ("hosts", {"id": 7, "name": "kvm1", "uri": "test:///default"}),
        ("fabrics", {"id": 9, "name": "the lan"}),
        ("fabrics", {"id": 10, "name": "other"}),
        ("vlans", {"id": 11, "fabric_id": 9, "vid": 20, "name": "vlan-20"}),
        ("vlans", {"id": 12, "fabric_id": 10, "vid": 20, "name": "vlan-20"}),
        ("subnets", {"id": 21, "cidr": "10.0.0.0/24", "vlan_id": 11, "name": "a"}),
        ("subnets", {"id": 22, "cidr": "10.9.0.0/24", "vlan_id": 11, "name": "b"}),
        ("subnets", {"id": 23, "cidr": "10.9.0.0/24", "vlan_id": 12, "fabric_id": 10, "name": "c"}),
    )
    tables = MetaData()
    tables.reflect(connection)
    for name, row in rows:
        table = tables.tables[name]
        connection.execute(insert(table), _unimportant(table) | row)


def _unimportant(table: Table) -> dict[str, Any]:
    """A value for every column that must have one."""
    needed = [column for column in table.c if not column.nullable and column.server_default is None]
    return {
        column.name: 9 if column.name == "fabric_id" else column.type.python_type(1)
        for column in needed
        if column.name != "id"
    }


def test_events_of_the_schema_before_get_structured_subjects(old: str) -> None:
    store: Store = open_store(old)
    with store.begin() as uow:
        events = list(reversed(uow.events.list()))
        assert uow.events.list(subject="machine web", kinds=[EventKind.MACHINE_COMPOSED]) == events[1:2]
    store.close()
    assert [event.subject for event in events] == [
        EventSubject(EventSubjectKind(kind), key, name) for _, _, (kind, key, name) in RECORDED
    ]
    assert [str(event.subject) for event in events] == [subject for _, subject, _ in RECORDED]
    assert [event.kind for event in events] == [EventKind(kind) for kind, _, _ in RECORDED]
    assert (events[3].message, events[3].at, events[3].details) == ("message 3", 1.5, {"n": 1})
