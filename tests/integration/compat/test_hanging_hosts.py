"""A host that hangs: what clients asked for is answered within their patience, goes on, and is seen."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest

from hostloom.compat.maas2 import waiting
from hostloom.compat.maas2.handlers import vm_hosts
from support.fake_hypervisor import FakeHypervisor
from support.little_world import URIS, LittleWorld
from support.maas import Maas

#: What a test lets a host hang before it gives up; longer than any client waits.
GIVE_UP_S = 40
#: More than the threads that the native API has.
CROWD = 45


class Stuck:
    """A hypervisor whose calls of one method do not return until it is let go."""

    def __init__(self, hypervisor: FakeHypervisor) -> None:
        self._hypervisor = hypervisor
        self._gone = threading.Event()
        self.reached = threading.Event()

    def at(self, method: str) -> None:
        """Hang from now on."""

        def before(name: str) -> None:
            if name == method:
                self.reached.set()
                assert self._gone.wait(GIVE_UP_S), f"{name} was never let go"

        self._hypervisor.before_call = before

    def let_go(self) -> None:
        self._hypervisor.before_call = None
        self._gone.set()


@pytest.fixture
def stuck(world: LittleWorld) -> Iterator[Stuck]:
    found = Stuck(world.hypervisors.of("kvm1", URIS[0]))
    yield found
    found.let_go()


@pytest.fixture
def maas(fleet: Maas, stuck: Stuck, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maas]:
    """A client of a server whose patience is short."""
    monkeypatch.setattr(waiting, "WAIT_TIMEOUT_S", 0.2)
    yield fleet
    stuck.let_go()


@pytest.fixture
def host(maas: Maas) -> str:
    (found,) = maas.get("vm-hosts/")
    return f"vm-hosts/{found['id']}/"


def wait_for(read: Callable[[], Any], wanted: Any) -> None:
    until = time.monotonic() + 20
    while (found := read()) != wanted:
        assert time.monotonic() < until, f"{found} and not {wanted}"
        time.sleep(0.02)


@pytest.mark.parametrize("method", ["describe", "ensure_volume", "ensure_machine", "start"])
def test_a_composed_machine_is_commissioning_until_its_host_answers(
    maas: Maas, stuck: Stuck, host: str, method: str
) -> None:
    zone = maas.post("zones/", name="east")
    stuck.at(method)
    made = maas.post(
        host, "compose", hostname="vm1", cores="2", memory="1024", zone="east", interfaces="eth0:space=mgmt"
    )
    path = f"machines/{made['system_id']}/"
    assert stuck.reached.wait(10)
    shown = maas.get(path)
    assert (shown["status_name"], shown["hostname"], shown["fqdn"]) == ("Commissioning", "vm1", "vm1.maas")
    assert (shown["cpu_count"], shown["memory"], shown["architecture"]) == (2, 1024, "amd64/generic")
    assert (shown["zone"], shown["pool"]["name"], shown["pod"]["name"]) == (zone, "default", "kvm1")
    assert maas.get("machines/", hostname="vm1", status="commissioning") == [shown]
    assert maas.get("machines/").count(shown) == 1
    stuck.let_go()
    wait_for(lambda: maas.get(path)["status_name"], "Ready")
    ready = maas.get(path)
    assert [nic["vlan"]["name"] for nic in ready["interface_set"]] == ["mgmt"]
    assert len(ready["ip_addresses"]) == 1
    same = ("system_id", "hostname", "fqdn", "zone", "pool", "pod", "cpu_count", "memory", "architecture")
    assert {name: shown[name] for name in same} == {name: ready[name] for name in same}


@pytest.fixture
def second(world: LittleWorld, maas: Maas) -> Iterator[Stuck]:
    """A host that is not added yet, and whose first reading does not end."""
    found = Stuck(world.hypervisors.of("kvm2", URIS[1]))
    found.at("describe")
    yield found
    found.let_go()


NEW_HOST = {"type": "virsh", "power_address": URIS[1], "name": "kvm2", "tags": "fast"}


def test_a_new_host_has_its_id_before_it_is_read(maas: Maas, second: Stuck) -> None:
    made = maas.post("pods/", **NEW_HOST)
    path = f"pods/{made['id']}/"
    assert (made["name"], made["tags"], made["total"]["cores"]) == ("kvm2", ["fast"], 0)
    assert made["status_message"] == "it is being read for the first time"
    assert maas.get(path) == made
    assert made["id"] in [host["id"] for host in maas.get("vm-hosts/")]
    # What Terraform does at once: a change with every field.
    fields = {**NEW_HOST, "cpu_over_commit_ratio": "2.5", "default_macvlan_mode": "vepa", "name": "kvm-two"}
    assert maas.put(path, **fields)["cpu_over_commit_ratio"] == 2.5
    second.let_go()
    wait_for(lambda: maas.get(path)["status_message"], "")
    read = maas.get(path)
    assert (read["total"]["cores"], read["name"], read["default_macvlan_mode"]) == (16, "kvm-two", "vepa")
    assert read["cpu_over_commit_ratio"] == 2.5


def test_the_same_host_again_is_refused_while_it_is_read(maas: Maas, second: Stuck) -> None:
    maas.post("pods/", **NEW_HOST)
    again = maas.send("POST", "vm-hosts/", NEW_HOST)
    assert (again.status_code, "kvm2" in again.text) == (400, True)


def test_a_compose_waits_for_the_first_reading_of_its_host(
    maas: Maas, second: Stuck, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = maas.post("pods/", **NEW_HOST)
    path = f"pods/{made['id']}/"
    monkeypatch.setattr(vm_hosts, "FIRST_READING_S", 0.3)
    refused = maas.send("POST", path, {"hostname": "vm2"}, op="compose")
    assert (refused.status_code, "kvm2 cannot be used yet" in refused.text) == (503, True)
    monkeypatch.setattr(vm_hosts, "FIRST_READING_S", GIVE_UP_S)
    with ThreadPoolExecutor(1) as pool:
        composing = pool.submit(maas.send, "POST", path, {"hostname": "vm2"}, op="compose")
        time.sleep(0.1)
        assert not composing.done()
        second.let_go()
        answer = composing.result()
    assert "cannot be used yet" not in answer.text
    assert "being read" not in answer.text


def test_a_new_host_that_cannot_be_read_is_removed_with_a_reason(
    maas: Maas, second: Stuck, world: LittleWorld
) -> None:
    made = maas.post("pods/", **NEW_HOST)
    path = f"pods/{made['id']}/"
    world.hypervisors.of("kvm2", URIS[1]).unreachable = True
    second.let_go()
    wait_for(lambda: maas.send("GET", path).status_code, 404)
    for answer in (maas.send("GET", path), maas.send("POST", path, {"hostname": "x"}, op="compose")):
        assert answer.status_code == 404
        assert "it is switched off" in answer.text
    assert [host["name"] for host in maas.get("pods/")] == ["kvm1"]
    assert maas.send("GET", "pods/999/").text == "No Pod matches the given query."
    world.hypervisors.of("kvm2", URIS[1]).unreachable = False
    assert maas.post("pods/", **NEW_HOST)["name"] == "kvm2"


def test_a_new_host_may_be_deleted_while_it_is_read(maas: Maas, second: Stuck) -> None:
    made = maas.post("pods/", **NEW_HOST)
    maas.delete(f"pods/{made['id']}/")
    second.let_go()
    wait_for(lambda: maas.get("vm-hosts/")[1:], [])
    time.sleep(0.2)
    assert [host["name"] for host in maas.get("vm-hosts/")] == ["kvm1"]


def test_a_promised_machine_that_failed_gives_the_reason(
    maas: Maas, stuck: Stuck, world: LittleWorld, host: str
) -> None:
    stuck.at("describe")
    made = maas.post(host, "compose", hostname="vm1", interfaces="eth0:space=mgmt")
    path = f"machines/{made['system_id']}/"
    assert maas.get(path)["status_name"] == "Commissioning"
    world.hypervisors.of("kvm1", URIS[0]).unreachable = True
    stuck.let_go()
    wait_for(lambda: maas.get(path)["status_name"], "Failed commissioning")
    assert maas.get(path)["status_message"]
    assert "vm1" not in [each["hostname"] for each in maas.get("machines/")]


def test_a_refresh_is_answered_and_goes_on(maas: Maas, stuck: Stuck, world: LittleWorld, host: str) -> None:
    before = maas.get(host)
    hypervisor = world.hypervisors.of("kvm1", URIS[0])
    hypervisor.observed = replace(hypervisor.observed, cores=24)
    stuck.at("describe")
    assert maas.post(host, "refresh") == before
    stuck.let_go()
    wait_for(lambda: maas.get(host)["total"]["cores"], 24)


@pytest.mark.parametrize("method", ["power", "stop", "delete_machine", "delete_volume"])
def test_a_deleted_machine_is_releasing_until_its_host_answers(
    maas: Maas, stuck: Stuck, host: str, method: str
) -> None:
    made = maas.post(host, "compose", hostname="vm1", interfaces="eth0:space=mgmt")
    path = f"machines/{made['system_id']}/"
    wait_for(lambda: maas.get(path)["status_name"], "Ready")
    stuck.at(method)
    maas.delete(path)
    assert maas.get(path)["status_name"] == "Releasing"
    stuck.let_go()
    wait_for(lambda: maas.send("GET", path).status_code, 404)


def test_many_who_wait_take_nothing_from_others(
    maas: Maas, stuck: Stuck, world: LittleWorld, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "WAIT_TIMEOUT_S", GIVE_UP_S)
    stuck.at("describe")
    with ThreadPoolExecutor(CROWD) as crowd:
        answers = [crowd.submit(maas.send, "POST", host, {}, op="refresh") for _ in range(CROWD)]
        wait_for(lambda: _refreshes(world), CROWD)
        assert maas.get(host)["name"] == "kvm1"
        assert httpx.get(f"{maas.url}/healthz", timeout=GIVE_UP_S / 4).status_code == 200
        stuck.let_go()
        assert {each.result().status_code for each in answers} == {200}


def _refreshes(world: LittleWorld) -> int:
    with world.ports.store.begin() as uow:
        return len([each for each in uow.operations.list(unfinished=True) if each.saga == "refresh"])
