"""Hosts that stop to answer are marked without any request, and read again when they are back."""

from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.model.errors.outside import HostUnreachable
from hostloom.model.host import BEING_READ
from hostloom.reconcilers.host_pulse import HostPulse
from support.fake_hypervisor import FakeHypervisor
from support.little_world import URIS, LittleWorld, little_world


@pytest.fixture
def world(tmp_path: Path) -> LittleWorld:
    return little_world(tmp_path)


def first_host(world: LittleWorld) -> FakeHypervisor:
    hypervisor = world.hypervisors.of("kvm1", URIS[0])
    assert isinstance(hypervisor, FakeHypervisor)
    return hypervisor


def reachable(world: LittleWorld) -> dict[str, bool]:
    with world.ports.store.begin() as uow:
        return {host.name: host.reachable for host in uow.hosts.list()}


def kinds(world: LittleWorld) -> list[str]:
    with world.ports.store.begin() as uow:
        return [event.kind for event in uow.events.list(limit=50) if str(event.subject) == "host kvm1"]


def test_a_lost_host_is_marked_at_its_second_miss(world: LittleWorld) -> None:
    pulse = HostPulse(world.ports)
    first_host(world).unreachable = True
    pulse.look()
    assert reachable(world) == {"kvm1": True, "kvm2": True}
    pulse.look()
    pulse.look()
    assert reachable(world) == {"kvm1": False, "kvm2": True}
    assert kinds(world).count("host-lost") == 1


def test_misses_count_in_a_row(world: LittleWorld) -> None:
    pulse = HostPulse(world.ports)
    for is_lost in (True, False, True, False, True):
        first_host(world).unreachable = is_lost
        pulse.look()
    assert reachable(world)["kvm1"]


def test_a_host_that_is_back_is_read_again(world: LittleWorld) -> None:
    pulse = HostPulse(world.ports)
    first_host(world).unreachable = True
    for _ in range(2):
        pulse.look()
    first_host(world).unreachable = False
    world.clock.time += 1000
    pulse.look()
    assert reachable(world)["kvm1"]
    assert "host-back" in kinds(world)
    with world.ports.store.begin() as uow:
        host = uow.hosts.find("kvm1")
    assert host is not None
    assert host.facts_at == world.clock.now()


def test_a_host_that_answers_but_cannot_be_read_stays_marked(world: LittleWorld) -> None:
    pulse = HostPulse(world.ports)
    first_host(world).unreachable = True
    for _ in range(2):
        pulse.look()
    first_host(world).unreachable = False
    first_host(world).fail("describe", HostUnreachable("kvm1", "half awake"))
    pulse.look()
    assert not reachable(world)["kvm1"]
    pulse.look()
    assert not reachable(world)["kvm1"], "the next look only waits"
    pulse.look()
    assert reachable(world)["kvm1"]


def test_a_host_that_cannot_be_read_is_read_more_and_more_rarely(world: LittleWorld) -> None:
    """A reading costs time on the host and the server, and an answered ping does not guarantee success."""
    pulse, hypervisor = HostPulse(world.ports), first_host(world)
    hypervisor.unreachable = True
    for _ in range(2):
        pulse.look()
    hypervisor.unreachable = False
    hypervisor.fail("describe", HostUnreachable("kvm1", "half awake"), times=None)
    readings: list[int] = []
    for number in range(100):
        hypervisor.calls.clear()
        pulse.look()
        if ("describe", "") in hypervisor.calls:
            readings.append(number)
    assert readings == [0, 2, 6, 14, 30, 62, 94]
    hypervisor.heal()
    hypervisor.unreachable = True
    pulse.look()
    hypervisor.unreachable = False
    pulse.look()
    assert reachable(world)["kvm1"], "a host that was away meanwhile is read at once"


def test_a_host_that_is_read_for_the_first_time_is_left_to_that_reading(world: LittleWorld) -> None:
    """Or the pulse would record it, and a failed addition would leave it behind."""
    with world.ports.store.begin() as uow:
        host = uow.hosts.find("kvm1")
        assert host is not None
        uow.hosts.update(replace(host, facts_at=None, reachable=False, unreachable_cause=BEING_READ))
        uow.commit()
    first_host(world).calls.clear()
    HostPulse(world.ports).look()
    assert first_host(world).calls == []
    with world.ports.store.begin() as uow:
        host = uow.hosts.find("kvm1")
    assert host is not None
    assert host.is_being_read
