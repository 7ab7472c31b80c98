"""Asking VLANs who serves DHCP there: from where, what is recorded, and what is told."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from hostloom.decide.dhcp.probing import LOCAL_URI
from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.dhcp_exchange import DhcpOffer, ForeignDhcp, VlanProbe
from hostloom.model.errors.outside import HostUnreachable
from hostloom.model.errors.resources import NotFound
from hostloom.model.ids import MacAddress, RangeId, VlanId
from hostloom.model.network import IPRange, RangeKind, Subnet
from hostloom.ports.context import Ports
from hostloom.reconcilers.vlan_probe import probe_all, probe_vlan
from hostloom.services import vlan_probes
from support.fake_wire import FakeWire
from support.little_world import URIS, LittleWorld, little_world

ROGUE = DhcpOffer(
    ip_address("10.0.0.66"), MacAddress("02:66:00:00:00:01"), ip_address("10.0.0.150"), None, 3600
)


@pytest.fixture
def wire() -> FakeWire:
    return FakeWire()


@pytest.fixture
def world(tmp_path: Path, wire: FakeWire) -> Iterator[LittleWorld]:
    world = little_world(tmp_path, 0)
    world.ports = replace(world.ports, wire=wire)
    try:
        yield world
    finally:
        world.ports.store.close()


def served(ports: Ports) -> Subnet:
    with ports.store.begin() as uow:
        snapshot = uow.snapshot()
        return next(each for each in snapshot.subnets if each.vlan_id in snapshot.bootable_vlans)


def add_range(ports: Ports) -> None:
    subnet = served(ports)
    start = subnet.cidr.network_address + 200
    with ports.store.begin() as uow:
        uow.ranges.add(IPRange(RangeId(0), subnet.id, RangeKind.DYNAMIC, start, start + 20))
        uow.commit()


def foreign(ports: Ports) -> list[ForeignDhcp]:
    with ports.store.begin() as uow:
        return list(uow.vlan_probes.foreign())


def events(ports: Ports) -> list[tuple[str, str]]:
    with ports.store.begin() as uow:
        return [(each.kind, each.message) for each in uow.events.list() if each.kind.startswith("foreign")]


def own_offer(ports: Ports) -> DhcpOffer:
    with ports.store.begin() as uow:
        node = uow.nodes.get(ports.settings.local)  # type: ignore[arg-type]  # the little world is settled
        interface = next(each for each in node.interfaces if each.ips)
    return DhcpOffer(
        interface.ips[0], interface.mac or ROGUE.mac, served(ports).cidr.network_address + 200, None, 600
    )


def test_a_vlan_is_asked_beside_the_bridge_of_the_rack(world: LittleWorld, wire: FakeWire) -> None:
    wire.segment(LOCAL_URI, "br0").offers.append(ROGUE)
    probe = probe_vlan(world.ports, served(world.ports).vlan_id)
    assert [(what, point.uri, point.attachment.source) for what, point in wire.asked] == [
        ("dhcp4", LOCAL_URI, "br0")
    ]
    assert probe.trouble == "" and probe.seen_from.startswith("br0 of ")
    (found,) = foreign(world.ports)
    assert (found.server, found.mac, found.first_offered) == (ROGUE.server, ROGUE.mac, ROGUE.ip)


def test_what_a_server_offers_grows_and_is_told_once_and_that_it_is_gone(
    world: LittleWorld, wire: FakeWire
) -> None:
    vlan_id, segment = served(world.ports).vlan_id, wire.segment(LOCAL_URI, "br0")
    for last in ("10.0.0.150", "10.0.0.99", "10.0.0.152"):
        segment.offers[:] = [replace(ROGUE, ip=ip_address(last))]
        probe_vlan(world.ports, vlan_id)
        world.clock.time += 60
    (found,) = foreign(world.ports)
    assert (str(found.first_offered), str(found.last_offered)) == ("10.0.0.99", "10.0.0.152")
    assert found.last_seen_at - found.first_seen_at == 120
    assert [kind for kind, _ in events(world.ports)] == ["foreign-dhcp"]
    assert "10.0.0.66 (02:66:00:00:00:01) answers DHCP" in events(world.ports)[0][1]
    segment.offers.clear()
    probe_vlan(world.ports, vlan_id)
    assert foreign(world.ports) == []
    assert [kind for kind, _ in events(world.ports)] == ["foreign-dhcp-gone", "foreign-dhcp"]


def test_whether_ours_answered(world: LittleWorld, wire: FakeWire) -> None:
    vlan_id, segment = served(world.ports).vlan_id, wire.segment(LOCAL_URI, "br0")
    assert probe_vlan(world.ports, vlan_id).ours_answered is None  # there is no dynamic range
    add_range(world.ports)
    assert probe_vlan(world.ports, vlan_id).ours_answered is False
    with world.ports.store.begin() as uow:
        assert vlan_id in uow.snapshot().silent_vlans
    segment.offers.append(own_offer(world.ports))
    assert probe_vlan(world.ports, vlan_id).ours_answered is True
    assert foreign(world.ports) == []
    with world.ports.store.begin() as uow:
        assert uow.snapshot().silent_vlans == frozenset()


def test_a_host_is_asked_where_the_rack_cannot_be(world: LittleWorld, wire: FakeWire) -> None:
    world.add_host(0)
    wire.segment(LOCAL_URI, "br0").held = "held by macvtap0"
    wire.segment(URIS[0], "br0").offers.append(ROGUE)
    assert probe_vlan(world.ports, served(world.ports).vlan_id).seen_from == "br0 of kvm1"
    assert len(foreign(world.ports)) == 1


def test_what_cannot_be_asked_is_said_and_nothing_is_forgotten(world: LittleWorld, wire: FakeWire) -> None:
    vlan_id = served(world.ports).vlan_id
    wire.segment(LOCAL_URI, "br0").offers.append(ROGUE)
    probe_vlan(world.ports, vlan_id)
    wire.faults[LOCAL_URI] = HostUnreachable("rack", "no answer")
    probe = probe_vlan(world.ports, vlan_id)
    assert "no answer" in probe.trouble and probe.ours_answered is None
    assert [each.server for each in foreign(world.ports)] == [ROGUE.server]
    assert [kind for kind, _ in events(world.ports)] == ["foreign-dhcp"]


def test_all_vlans_that_can_be_asked_are(world: LittleWorld, wire: FakeWire) -> None:
    wire.segment(LOCAL_URI, "br0").offers.append(ROGUE)
    probe_all(world.ports)
    with world.ports.store.begin() as uow:
        assert served(world.ports).vlan_id in [each.vlan_id for each in uow.vlan_probes.list()]
        revision = uow.snapshot().revision
    world.clock.time += 600
    probe_all(world.ports)
    with world.ports.store.begin() as uow:
        # the same answers are no change of the world: decisions keep their indexes
        assert uow.snapshot().revision == revision
        assert all(each.at == world.clock.time for each in uow.vlan_probes.list())


def test_the_service_says_what_was_found_and_that_a_vlan_is_not_there(
    world: LittleWorld, wire: FakeWire
) -> None:
    wire.segment(LOCAL_URI, "br0").offers.append(ROGUE)
    key = str(served(world.ports).vlan_id)
    with world.ports.store.begin() as uow:
        assert vlan_probes.get(uow, LOCAL_ADMIN, key).probe is None
    found = vlan_probes.probe(world.ports, LOCAL_ADMIN, key)
    assert isinstance(found.probe, VlanProbe)
    assert [each.server for each in found.foreign] == [ROGUE.server]
    with pytest.raises(NotFound):
        probe_vlan(world.ports, VlanId(999))
