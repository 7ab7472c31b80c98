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
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.2)
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
    assert (shown["status_name"], shown["hostname"], shown["fqdn"]) == ("Commissioning", "vm1", "vm1.default")
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


def test_a_promised_machine_that_came_to_nothing_says_why(
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
    monkeypatch.setattr(waiting, "PATIENCE_S", GIVE_UP_S)
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
