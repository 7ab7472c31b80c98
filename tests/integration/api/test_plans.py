"""Plans and batches over the real API: every answer, and every no with its code, field and value."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hostloom.client import Client, Problem, Target
from hostloom.client.transport import Document
from hostloom.model.stored_plan import PLAN_LIFETIME_S
from hostloom.store.engine import DatabaseStore
from support.disk_images import a_disk_image
from support.little_world import add_disk_image, little_world
from support.seeds import KEY
from support.server import NOON, Running, serving
from support.statements import counted_statements

SMALL: Document = {"memory_mib": 64, "storage": "root:0.01"}
RATIOS: Document = {"memory_over_commit_ratio": 10.0, "cpu_over_commit_ratio": 4.0}


@pytest.fixture
def client(working: Running) -> Iterator[Client]:
    with Client(Target(socket=working.socket)) as found:
        begun = found.hosts.create({"name": "kvm1", "uri": "test:///default", **RATIOS})
        assert finished(found, begun)["state"] == "succeeded"
        yield found


def finished(client: Client, operation: Document) -> Document:
    *_, last = client.follow(operation["id"])
    return last


def refused(client: Client, path: str, body: Any) -> Problem:
    with pytest.raises(Problem) as found:
        client._transport.send("POST", path, body=body)
    return found.value


def test_planning_one_machine_keeps_the_plan(client: Client) -> None:
    decision = client.plan({**SMALL, "hostname": "web"})
    assert UUID(decision["id"])
    assert decision["expires_at"] == decision["created_at"] + PLAN_LIFETIME_S == NOON + PLAN_LIFETIME_S
    assert "<name>web</name>" in decision["plan"]["domain_xml"]
    assert decision["plan"]["facts_at"] == NOON
    plan = client.plans.get(decision["id"])
    (machine,) = plan["machines"]
    assert machine == decision["plan"] | {"explanation": machine["explanation"], "text": decision["text"]}
    assert plan["dhcp"] == decision["dhcp"] == []
    assert plan["revision"] == decision["revision"]
    assert [each["id"] for each in client.plans.list()] == [plan["id"]]


def test_a_refused_plan_is_not_kept(client: Client) -> None:
    decision = client.plan({"memory_mib": 10**6})
    assert (decision["id"], decision["expires_at"], decision["plan"], decision["revision"]) == (None,) * 4
    no = refused(client, "/plans", {"machines": [{**SMALL, "hostname": "a"}, {"memory_mib": 10**6}]})
    assert (no.status, no.code) == (409, "not-enough-memory")
    assert str(no).startswith("machine vm-")
    assert no.document["explanation"]["refusal"]["code"] == no.code
    assert client.plans.list() == []


def test_a_plan_is_made_of_a_batch_and_applied(client: Client) -> None:
    plan = client.plans.create({"machines": [{**SMALL, "hostname": "web", "count": 2}, SMALL]})
    names = [each["hostname"] for each in plan["machines"]]
    assert names[:2] == ["web-1", "web-2"]
    assert plan["subject"] == f"machines web-1 … {names[2]}"
    begun = client.plans.act(plan["id"], "compose")
    assert (begun["machines"], begun["subject"]) == (names, plan["subject"])
    assert finished(client, begun)["state"] == "succeeded"
    for planned in plan["machines"]:
        made = client.machines.get(planned["hostname"])
        for nic in made["interfaces"]:
            # The one thing that no plan has.
            assert nic["proof"]["verdict"] == "unknown"
            nic["proof"] = None
        for same in ("system_id", "uuid", "host", "interfaces", "disks", "cores", "memory_mib", "netboot"):
            assert made[same] == planned[same]
    assert client.plans.get(plan["id"])["operation"] == begun["id"]
    assert client.plans.act(plan["id"], "compose")["id"] == begun["id"]


def test_a_plan_that_is_out_of_date_tells_every_difference(client: Client) -> None:
    plan = client.plans.create({"machines": [{**SMALL, "hostname": "web", "memory_mib": 20000}]})
    begun = client.machines.create({**SMALL, "memory_mib": 10000})
    assert finished(client, begun)["state"] == "succeeded"
    no = refused(client, f"/plans/{plan['id']}/compose", None)
    assert (no.status, no.code) == (409, "plan-stale")
    (difference,) = no.document["differences"]
    assert (difference["machine"], difference["field"], difference["now"]) == ("web", "host", "refused")
    assert difference["refusal"]["code"] == "not-enough-memory"
    assert no.text[0] == str(no) == f"plan {plan['id']} is out of date"
    assert no.text[1].startswith("web host: kvm1 -> refused: host kvm1 has")
    assert no.hint


def test_a_plan_is_forgotten(client: Client) -> None:
    key = client.plan(SMALL)["id"]
    assert client.plans.delete(key) == {}
    for ask in (client.plans.get, client.plans.delete, lambda key: client.plans.act(key, "compose")):
        with pytest.raises(Problem) as gone:
            ask(key)
        assert (gone.value.status, gone.value.code) == (404, "not-found")
        assert "machine plan" in gone.value.hint


def test_a_batch_is_composed_or_nothing_is(client: Client) -> None:
    begun = client.compose_batch({"machines": [{**SMALL, "hostname": "web", "count": 3}], "strategy": "pack"})
    assert begun["subject"] == "machines web-1 … web-3"
    assert finished(client, begun)["state"] == "succeeded"
    body = {"machines": [{**SMALL, "hostname": "a"}, {**SMALL, "hostname": "web-2"}]}
    no = refused(client, "/machines/batch", body)
    assert (no.status, no.code, no.details["key"]) == (409, "already-exists", "web-2")
    apart = [{**SMALL, "hostname": "x", "count": 2, "anti_affinity": "x"}]
    no = refused(client, "/machines/batch", {"machines": apart})
    assert no.status == 409
    assert "machine x-2" in str(no)
    assert {each["hostname"] for each in client.machines.list()} == {"test", "web-1", "web-2", "web-3"}


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "machines", "is missing"),
        ({"machines": []}, "machines", "too few entries; give at least 1"),
        ({"machines": [{"count": 0}]}, "machines.0.count", "is too low; give at least 1"),
        ({"machines": [{"count": 1001}]}, "machines.0.count", "is too high; give at most 1000"),
        ({"machines": [{"count": "3"}]}, "machines.0.count", "is not a whole number"),
        ({"machines": [{"count": 600}, {"count": 401}]}, "machines", "1001 machines; give at most 1000"),
        ({"machines": [{"colour": "red"}]}, "machines.0.colour", "is not a field"),
        ({"machines": [{"anti_affinity": ""}]}, "machines.0.anti_affinity", "too short; give at least 1"),
        ({"machines": [{}], "strategy": "scatter"}, "strategy", "'spread' or 'pack'"),
        ({"machines": [{}], "count": 2}, "count", "is not a field"),
    ],
)
def test_a_wrong_batch_is_refused_by_field(client: Client, body: Any, field: str, words: str) -> None:
    for path in ("/plans", "/machines/batch"):
        no = refused(client, path, body)
        assert (no.status, no.code) == (422, "invalid-value")
        (wrong,) = no.document["errors"]
        assert wrong["field"] == field
        assert words in wrong["message"]


@pytest.mark.parametrize(
    ("machines", "code", "status"),
    [
        ([{"hostname": "Not_One"}], "invalid-value", 422),
        ([{"hostname": "same"}, {"hostname": "same"}], "invalid-value", 422),
        ([{"hostname": "a" * 62, "count": 10}], "invalid-value", 422),
        ([{"zone": "nowhere"}], "not-found", 404),
        ([{"resource_pool": "none"}], "not-found", 404),
        ([{"hostname": "test"}], "already-exists", 409),
        ([{"interfaces": "eth0:colour=red"}], "unknown-key", 409),
    ],
)
def test_what_cannot_be_is_refused_before_any_host_is_asked(
    client: Client, machines: Any, code: str, status: int
) -> None:
    for path in ("/plans", "/machines/batch"):
        no = refused(client, path, {"machines": machines})
        assert (no.code, no.status) == (code, status)


def test_a_count_belongs_to_a_batch(client: Client) -> None:
    for path in ("/machines", "/machines/plan"):
        assert refused(client, path, {"count": 2}).document["errors"][0]["field"] == "count"


def test_the_answer_looks_for_a_copy_of_the_image_once_per_host_and_pool(tmp_path: Path) -> None:
    world = little_world(tmp_path, hosts_there=1)
    image = a_disk_image(virtual_size_bytes=10**9)
    add_disk_image(world, image)
    store = world.ports.store
    assert isinstance(store, DatabaseStore)
    machine = {"memory_mib": 1024, "storage": "root:2", "deploy": {"image": image.name, "ssh_keys": [KEY]}}

    def statements(client: Client, count: int) -> int:
        with counted_statements(store.engine) as seen:
            plan = client.plans.create({"machines": [{**machine, "hostname": "web", "count": count}]})
        assert [planned["image"]["copy_pool"] for planned in plan["machines"]] == ["default"] * count
        return len([statement for statement in seen if "image_cop" in statement])

    with serving(tmp_path, world.ports), Client(Target(socket=tmp_path / "api.sock")) as client:
        assert statements(client, 1) == statements(client, 5) > 0
    store.close()
