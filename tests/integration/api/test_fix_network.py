"""Mending a host's networks over the API: previewed, done as previewed or not, undone where it fails."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.client import Client, Problem, Target
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.ids import MacAddress
from hostloom.model.machine import PowerState
from hostloom.model.observed import ObservedInterface, ObservedMachine
from support.fake_hypervisor import FakeHypervisor
from support.little_world import URIS, LittleWorld, libvirts_dhcp_on_an_unserved_vlan, little_world
from support.server import serving

MAC = MacAddress("52:54:00:00:00:77")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LittleWorld]:
    """libvirt's DHCP is on where ours could serve, and a foreign machine uses it."""
    world = little_world(tmp_path, hosts_there=1)
    nic = ObservedInterface(MAC, Attachment(AttachKind.NETWORK, "maas"), "vnet0")
    uuid = "11111111-2222-4333-8444-555555555555"
    hypervisor_of(world).add_machine(
        ObservedMachine(uuid, "printer", 1, 64, PowerState.ON, "amd64", interfaces=(nic,))
    )
    libvirts_dhcp_on_an_unserved_vlan(world)
    yield world
    world.ports.store.close()


def hypervisor_of(world: LittleWorld) -> FakeHypervisor:
    found = world.hypervisors.of("kvm1", URIS[0])
    assert isinstance(found, FakeHypervisor)
    return found


@pytest.fixture
def client(world: LittleWorld, tmp_path: Path) -> Iterator[Client]:
    with serving(tmp_path, world.ports), Client(Target(socket=tmp_path / "api.sock")) as found:
        yield found


PREVIEW = {"network": "maas", "preview": True}


def test_a_preview_names_the_machines_and_changes_nothing(world: LittleWorld, client: Client) -> None:
    before = world.state()
    found = client.hosts.act("kvm1", "fix-network", PREVIEW)
    assert [each["kind"] for each in found["steps"]] == ["libvirt-dhcp-off", "serve-vlan"]
    assert [(each["machine"], each["origin"], each["ip"]) for each in found["losing"]] == [
        ("printer", "adopted", None)
    ]
    assert world.state() == before
    assert "fix-network" not in [each["saga"] for each in client.operations.list()]


def test_leases_that_cannot_be_read_are_told(world: LittleWorld, client: Client) -> None:
    hypervisor_of(world).fail("network_leases")
    found = client.hosts.act("kvm1", "fix-network", PREVIEW)
    assert "injected" in found["leases_unread"]
    assert [each["machine"] for each in found["losing"]] == ["printer"]


def test_what_was_seen_is_done_or_nothing(world: LittleWorld, client: Client) -> None:
    other = [{"kind": "libvirt-dhcp-off", "subject": "maas"}]
    with pytest.raises(Problem) as stale:
        client.hosts.act("kvm1", "fix-network", {"network": "maas", "steps": other})
    assert (stale.value.status, stale.value.code) == (409, "plan-stale")
    shown = client.hosts.act("kvm1", "fix-network", PREVIEW)
    steps = [{key: each[key] for key in ("kind", "subject", "value")} for each in shown["steps"]]
    client.hosts.act("kvm1", "fix-network", {"network": "maas", "steps": steps})
    assert world.run().state == "succeeded"
    found = client.hosts.ask("kvm1", "networks")
    assert (found["takes"], found["boots"]) == ("maas", True)
    assert client.events.list(1)[0]["kind"] == "network-fixed"


def test_a_host_that_changed_meanwhile_is_not_touched(world: LittleWorld, client: Client) -> None:
    client.hosts.act("kvm1", "fix-network", {"network": "maas"})
    hypervisor = hypervisor_of(world)
    networks = tuple(replace(each, active=False) for each in hypervisor.observed.libvirt_networks)
    hypervisor.observed = replace(hypervisor.observed, libvirt_networks=networks)
    ended = world.run()
    assert (ended.state, ended.error_code) == ("failed", "network-inactive")
    assert hypervisor.observed.libvirt_networks == networks


def test_where_our_dhcp_does_not_answer_libvirts_comes_back(world: LittleWorld, client: Client) -> None:
    before = world.state()
    client.hosts.act("kvm1", "fix-network", {"network": "maas"})
    world.dhcp.reachable = False
    ended = world.run()
    assert (ended.state, ended.error_code) == ("failed", "dhcp-unreachable")
    assert world.state() == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"network": "nowhere"}, 409, "network-missing"),
        ({"make_maas": "eth1"}, 409, "network-exists"),
        ({"network": "maas", "make_maas": "br0"}, 422, "invalid-value"),
        ({"colour": "red"}, 422, "invalid-value"),
    ],
)
def test_what_cannot_be_done_is_refused_before_it_begins(
    client: Client, body: dict[str, str], status: int, code: str
) -> None:
    with pytest.raises(Problem) as no:
        client.hosts.act("kvm1", "fix-network", body)
    assert (no.value.status, no.value.code) == (status, code)
    assert "fix-network" not in [each["saga"] for each in client.operations.list()]
