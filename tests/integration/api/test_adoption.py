"""The VLANs of machines that others created on a host: the report, and the refresh that records the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hostloom.client import Client, Problem, Target
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.ids import MacAddress
from hostloom.model.machine import PowerState
from hostloom.model.observed import ObservedInterface, ObservedMachine
from hostloom.recording.host_readings import refresh_now
from support.fake_hypervisor import FakeHypervisor
from support.little_world import URIS, LittleWorld, little_world
from support.server import serving

ATTACHMENTS = (
    Attachment(AttachKind.BRIDGE, "br0"),
    Attachment(AttachKind.BRIDGE, "gone"),
    Attachment(AttachKind.NETWORK, "nowhere"),
    Attachment(AttachKind.OTHER, "user"),
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LittleWorld]:
    """A machine of others appeared on the host after it was read."""
    world = little_world(tmp_path, hosts_there=1)
    hypervisor = world.hypervisors.of("kvm1", URIS[0])
    assert isinstance(hypervisor, FakeHypervisor)
    nics = tuple(
        ObservedInterface(MacAddress(f"52:54:00:00:00:{number:02x}"), attachment)
        for number, attachment in enumerate(ATTACHMENTS)
    )
    uuid = "11111111-2222-4333-8444-555555555555"
    hypervisor.add_machine(ObservedMachine(uuid, "printer", 1, 64, PowerState.ON, "amd64", interfaces=nics))
    yield world
    world.ports.store.close()


@pytest.fixture
def client(world: LittleWorld, tmp_path: Path) -> Iterator[Client]:
    with serving(tmp_path, world.ports), Client(Target(socket=tmp_path / "api.sock")) as client:
        yield client


def test_the_report_changes_nothing_and_says_why_a_nic_has_no_vlan(
    world: LittleWorld, client: Client
) -> None:
    before = world.state()
    report = client.hosts.get_adoption("kvm1")
    assert world.state() == before
    assert [nic["why_not"] for nic in report["nics"] if nic["vlan"] is None] == [
        "the host has no interface gone",
        "the host has no libvirt network nowhere",
        "it is attached by user, which is no network of the host",
    ]
    assert report["unmapped"] == 3
    assert report["nics"][0]["vlan"] is not None and report["nics"][0]["machine"] == "printer"


def test_a_refresh_records_what_the_report_shows(world: LittleWorld, client: Client) -> None:
    report = client.hosts.get_adoption("kvm1")
    refresh_now(world.ports, "kvm1")
    (machine,) = (item for item in client.machines.list(host="kvm1") if item["origin"] == "adopted")
    recorded = client.machines.get(machine["hostname"])["interfaces"]
    assert [nic["vlan"] for nic in recorded] == [nic["vlan"] for nic in report["nics"]]
    assert client.hosts.get_adoption("kvm1")["nics"] == report["nics"]


def test_the_host_says_how_it_came_to_hostloom(world: LittleWorld, client: Client) -> None:
    assert client.hosts.get("kvm1")["origin"]["case"] == "adopted"
    refresh_now(world.ports, "kvm1")
    assert client.hosts.get("kvm1")["origin"]["case"] == "known-node"
    (event,) = client.events.list(kind="host-added")
    assert event["message"] == "added at 10.0.0.11 as new node kvm1"


def test_an_unknown_host_has_no_report(client: Client) -> None:
    with pytest.raises(Problem, match="nowhere"):
        client.hosts.get_adoption("nowhere")
