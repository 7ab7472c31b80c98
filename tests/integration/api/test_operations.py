"""Hosts, machines and operations over the real API, client and worker, on libvirt's test driver."""

from collections.abc import Iterator

import pytest

from hostloom.client import Client, Problem, Target
from hostloom.client.transport import Document
from support.server import KEY, Running

URI = "test:///default"


@pytest.fixture
def client(working: Running) -> Iterator[Client]:
    with Client(Target(socket=working.socket)) as found:
        yield found


def finished(client: Client, operation: Document) -> Document:
    *_, last = client.follow(operation["id"])
    return last


@pytest.fixture
def host(client: Client) -> Document:
    body = {"name": "kvm1", "uri": URI, "memory_over_commit_ratio": 10.0, "cpu_over_commit_ratio": 2.0}
    assert finished(client, client.hosts.create(body))["state"] == "succeeded"
    return client.hosts.get("kvm1")


def test_a_host_is_added_read_changed_and_let_go(client: Client, host: Document) -> None:
    assert (host["reachable"], host["machines"], host["correlation"]["state"]) == (True, 1, "unknown")
    assert client.machines.list(host="kvm1")[0]["origin"] == "adopted"
    changed = client.hosts.update("kvm1", {"default_macvlan_mode": "private"}, host["generation"])
    assert changed["default_macvlan_mode"] == "private"
    assert client.hosts.update("kvm1", {"default_macvlan_mode": None})["default_macvlan_mode"] is None
    with pytest.raises(Problem) as stale:
        client.hosts.update("kvm1", {"zone": "default"}, host["generation"])
    assert stale.value.status == 412
    assert finished(client, client.hosts.act("kvm1", "refresh"))["state"] == "succeeded"
    with pytest.raises(Problem) as scan:
        client.hosts.ask("kvm1", "scan")
    assert scan.value.code == "host-not-scannable"
    client.hosts.delete("kvm1")
    assert client.hosts.list() == []


def test_an_unknown_ssh_key_is_shown_and_must_be_the_one_accepted(client: Client) -> None:
    body: Document = {"name": "far", "uri": "qemu+ssh://root@192.0.2.1/system"}
    for extra in ({}, {"accept_key": "SHA256:other"}):
        with pytest.raises(Problem) as unknown:
            client.hosts.create(body | extra)
        assert unknown.value.code == "host-key-unknown"
        assert unknown.value.details["fingerprint"] == KEY.fingerprint
    assert client.operations.list() == []


def test_a_plan_is_a_compose_without_the_deed(client: Client, host: Document) -> None:
    decision = client.plan({"host": "kvm1", "hostname": "web1", "memory_mib": 512})
    assert decision["plan"]["interfaces"][0]["source"] == "default"
    assert [each["code"] for each in decision["plan"]["warnings"]] == [
        "libvirt-dhcp-on",
        "netboot-not-supported",
    ]
    assert decision["text"]
    refused = client.plan({"host": "kvm1", "interfaces": "eth0:vid=20"})
    assert refused["plan"] is None
    assert refused["explanation"]["refusal"]["code"] == "host-not-known"
    assert [each["hostname"] for each in client.machines.list()] == ["test"]


def test_a_machine_lives(client: Client, host: Document) -> None:
    operation = client.machines.create({"host": "kvm1", "hostname": "web1", "memory_mib": 512})
    seen = list(client.follow(operation["id"]))
    assert seen[-1]["state"] == "succeeded"
    assert all(step["state"] == "done" for step in seen[-1]["steps"])
    machine = client.machines.get("web1")
    assert (machine["state"], machine["host"], machine["power"]) == ("ready", "kvm1", "on")
    why = client.machines.ask("web1", "why")
    assert why["explanation"]["chosen"] == "kvm1"
    assert why["text"]
    with pytest.raises(Problem) as in_use:
        client.hosts.delete("kvm1")
    assert in_use.value.details["by"] == ["machine web1"]
    assert client.machines.act("web1", "stop", {"force": True})["power"] == "off"
    assert client.machines.act("web1", "start")["power"] == "on"
    assert client.machines.update("web1", {"tags": ["db"]})["tags"] == ["db"]
    assert finished(client, client.machines.delete("web1"))["state"] == "succeeded"
    with pytest.raises(Problem) as gone:
        client.machines.get("web1")
    assert gone.value.status == 404
    kinds = {each["kind"] for each in client.events.list()}
    assert {"host-added", "machine-composed", "machine-decomposed"} <= kinds


def test_a_refused_compose_explains_itself_and_records_nothing(client: Client, host: Document) -> None:
    before = len(client.operations.list())
    with pytest.raises(Problem) as refused:
        client.machines.create({"host": "kvm1", "memory_mib": 10**7})
    assert (refused.value.status, refused.value.code) == (409, "not-enough-memory")
    assert refused.value.document["explanation"]["refusal"]["code"] == "not-enough-memory"
    assert refused.value.text
    assert len(client.operations.list()) == before


def test_a_foreign_machine_cannot_be_decomposed(client: Client, host: Document) -> None:
    with pytest.raises(Problem) as refused:
        client.machines.delete("test")
    assert refused.value.code == "wrong-state"


def test_an_operation_that_is_over_can_be_neither_cancelled_nor_retried(
    client: Client, host: Document
) -> None:
    operation = client.operations.list()[0]
    for verb in ("cancel", "retry"):
        with pytest.raises(Problem) as refused:
            client.operations.act(operation["id"], verb)
        assert refused.value.code == "wrong-state"
    assert client.operations.list(unfinished=True) == []


def test_a_waiting_operation_is_asked_to_stop_and_can_be_followed(server: Running) -> None:
    with Client(Target(socket=server.socket)) as client:
        operation = client.hosts.create({"name": "kvm1", "uri": URI})
        assert client.operations.act(operation["id"], "cancel")["cancel_requested"] is True
        stream = client.follow(operation["id"])
        assert next(stream)["state"] == "pending"
        stream.close()  # type: ignore[attr-defined]  # follow() is a generator
