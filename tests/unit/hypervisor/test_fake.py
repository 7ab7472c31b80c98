"""The fake's faults and its view from outside; what it does as a hypervisor, the contract says."""

import pytest

from hostloom.model.errors.outside import HostUnreachable, HypervisorRejected, OutcomeUnknown
from hostloom.model.machine import PowerState
from hostloom.ports.hypervisor import Hypervisor, Hypervisors, LibvirtNetworks, Volumes
from support.fake_hypervisor import FakeHypervisor, FakeHypervisors
from support.specs import UUID, a_disk, a_spec


@pytest.fixture
def hypervisor() -> FakeHypervisor:
    return FakeHypervisor()


def test_a_named_method_fails_once(hypervisor: FakeHypervisor) -> None:
    hypervisor.fail("ensure_volume")
    hypervisor.describe()
    with pytest.raises(HypervisorRejected, match="injected"):
        hypervisor.volumes.ensure(a_disk())
    assert hypervisor.world() == FakeHypervisor().world()
    hypervisor.volumes.ensure(a_disk())
    assert hypervisor.world() != FakeHypervisor().world()


def test_the_nth_call_fails(hypervisor: FakeHypervisor) -> None:
    hypervisor.fail(skip=2, error=HostUnreachable("kvm1", "gone"))
    hypervisor.describe()
    hypervisor.power(UUID)
    with pytest.raises(HostUnreachable, match="gone"):
        hypervisor.power(UUID)
    hypervisor.power(UUID)


def test_a_method_fails_always_until_it_is_healed(hypervisor: FakeHypervisor) -> None:
    hypervisor.fail("power", times=None)
    for _ in range(3):
        with pytest.raises(HypervisorRejected):
            hypervisor.power(UUID)
    hypervisor.heal()
    assert hypervisor.power(UUID) is PowerState.UNKNOWN


def test_a_late_failure_has_done_its_work(hypervisor: FakeHypervisor) -> None:
    hypervisor.fail("ensure_machine", OutcomeUnknown("kvm1", "define", 60), late=True)
    with pytest.raises(OutcomeUnknown):
        hypervisor.ensure_machine(a_spec(disks=()))
    assert hypervisor.find_machine(UUID) is not None


def test_a_host_that_is_off_answers_nothing_and_changes_nothing(hypervisor: FakeHypervisor) -> None:
    hypervisor.unreachable = True
    with pytest.raises(HostUnreachable):
        hypervisor.volumes.ensure(a_disk())
    hypervisor.heal()
    assert hypervisor.world().volumes == ()
    assert hypervisor.calls == [("ensure_volume", a_disk().volume)]


def test_the_world_is_equal_when_everything_is_undone(hypervisor: FakeHypervisor) -> None:
    before = hypervisor.world()
    hypervisor.volumes.ensure(a_disk())
    hypervisor.ensure_machine(a_spec())
    hypervisor.start(UUID)
    assert hypervisor.world() != before
    hypervisor.delete_machine(UUID)
    hypervisor.volumes.delete(a_disk())
    assert hypervisor.world() == before


def test_a_machine_does_not_start_without_its_volume(hypervisor: FakeHypervisor) -> None:
    hypervisor.ensure_machine(a_spec())
    with pytest.raises(HypervisorRejected, match="no volume"):
        hypervisor.start(UUID)


def test_hosts_are_told_apart_by_uri() -> None:
    hypervisors = FakeHypervisors()
    hypervisors.of("kvm1", "fake:///1").volumes.ensure(a_disk())
    assert hypervisors.of("kvm2", "fake:///2").world().volumes == ()
    assert hypervisors.of("kvm1", "fake:///1").world().volumes == (a_disk(),)
    assert set(hypervisors.world()) == {"fake:///1", "fake:///2"}


@pytest.mark.parametrize("port", [Hypervisor, LibvirtNetworks, Volumes, Hypervisors])
def test_a_port_stays_small(port: type) -> None:
    methods = [name for name, value in vars(port).items() if callable(value) and not name.startswith("_")]
    assert 2 <= len(methods) <= 12
