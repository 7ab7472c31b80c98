"""Networks: ours are made and deleted, others' DHCP goes and comes back; nothing else of them is touched."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from contract.hypervisor.conftest import Subject
from hostloom.model.errors.outside import HypervisorRejected
from hostloom.model.host import Forward, LibvirtNetwork
from hostloom.model.network_fix import LibvirtDhcp, NetworkSpec
from hostloom.ports.hypervisor import Hypervisor

OURS = NetworkSpec("aaaaaaaa-0000-4000-8000-000000000001", "maas", "br0")


@pytest.fixture
def hypervisor(subject: Subject) -> Iterator[Hypervisor]:
    """With what the test made of networks taken back."""
    hypervisor = subject.hypervisor
    before = hypervisor.networks.dhcp("default")
    yield hypervisor
    hypervisor.networks.restore_dhcp("default", before)
    hypervisor.networks.delete(OURS.uuid)


def network(hypervisor: Hypervisor, name: str) -> LibvirtNetwork | None:
    found = {each.name: each for each in hypervisor.describe().libvirt_networks}
    return found.get(name)


def test_dhcp_goes_and_comes_back_exactly_however_often_it_is_told(hypervisor: Hypervisor) -> None:
    before, seen = hypervisor.networks.dhcp("default"), network(hypervisor, "default")
    assert seen is not None
    assert seen.dhcp
    for _ in (1, 2):
        hypervisor.networks.stop_dhcp("default")
        assert network(hypervisor, "default") == replace(seen, dhcp=False)
    assert not any(hypervisor.networks.dhcp("default").kept)
    for _ in (1, 2):
        hypervisor.networks.restore_dhcp("default", before)
        assert hypervisor.networks.dhcp("default") == before
        assert network(hypervisor, "default") == seen


def test_a_network_is_made_once_and_deleted_once(hypervisor: Hypervisor) -> None:
    for _ in (1, 2):
        hypervisor.networks.ensure(OURS)
        wanted = LibvirtNetwork("maas", active=True, bridge="br0", dhcp=False, forward=Forward.BRIDGE)
        assert network(hypervisor, "maas") == wanted
    for _ in (1, 2):
        hypervisor.networks.delete(OURS.uuid)
        assert network(hypervisor, "maas") is None


def test_a_network_of_others_is_neither_taken_nor_deleted(hypervisor: Hypervisor) -> None:
    before = network(hypervisor, "default")
    with pytest.raises(HypervisorRejected, match="another network"):
        hypervisor.networks.ensure(replace(OURS, name="default"))
    assert network(hypervisor, "default") == before


@pytest.mark.parametrize("method", ["dhcp", "leases", "stop_dhcp"])
def test_a_network_that_is_not_there_is_told(hypervisor: Hypervisor, method: str) -> None:
    with pytest.raises(HypervisorRejected, match="does not exist"):
        getattr(hypervisor.networks, method)("nowhere")
    with pytest.raises(HypervisorRejected, match="does not exist"):
        hypervisor.networks.restore_dhcp("nowhere", LibvirtDhcp())
