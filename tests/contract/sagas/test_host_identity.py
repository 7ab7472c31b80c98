"""Hosts that are the same machine, and NICs that come and go, with their events, on both databases."""

import threading
from dataclasses import replace
from ipaddress import ip_address, ip_interface

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.errors.resources import AlreadyExists
from hostloom.model.errors.values import InvalidValue
from hostloom.model.host import CorrelationEvidence, CorrelationState, Host
from hostloom.model.ids import MacAddress
from hostloom.model.node import NodeInterface, VlanSource
from hostloom.model.observed import ObservedLink
from hostloom.model.operation import Operation, OperationState
from hostloom.recording.host_readings import refresh_now
from hostloom.sagas.worker import Worker
from hostloom.services import host_changes, hosts, nodes
from hostloom.services.nodes import InterfaceChanges
from support.little_world import URIS, LittleWorld

UUID = "8f2b6a1e-5c3d-4e7f-9a0b-1c2d3e4f5a6b"
OTHER_UUID = "1d2c3b4a-5f6e-4d7c-8b9a-0f1e2d3c4b5a"


def get(world: LittleWorld, name: str) -> Host:
    with world.ports.store.begin() as uow:
        host = uow.hosts.find(name)
    assert host is not None
    return host


def interfaces(world: LittleWorld, name: str = "kvm1") -> dict[str, NodeInterface]:
    with world.ports.store.begin() as uow:
        node = uow.nodes.find(name)
    assert node is not None
    return {nic.name: nic for nic in node.interfaces}


def events(world: LittleWorld, *kinds: str) -> list[str]:
    with world.ports.store.begin() as uow:
        return [event.message for event in reversed(uow.events.list()) if event.kind in kinds]


def set_uuid(world: LittleWorld, uri: str, uuid: str) -> None:
    there = world.hypervisors.of("", uri)
    there.observed = replace(there.observed, uuid=uuid)


def change_links(world: LittleWorld, uri: str, **names: ObservedLink | None) -> None:
    """Replace links by name; None: it is away."""
    network = world.scanner.networks[uri]
    links = tuple(names.get(link.name, link) for link in network.links)
    world.scanner.networks[uri] = replace(network, links=tuple(link for link in links if link is not None))


def link(world: LittleWorld, uri: str, name: str) -> ObservedLink:
    return next(link for link in world.scanner.networks[uri].links if link.name == name)


def begin_adding(world: LittleWorld, name: str, uri: str) -> None:
    key = world.keys.offered(uri)[0].fingerprint
    hosts.add(world.ports, LOCAL_ADMIN, hosts.HostInput(name, uri, accept_key=key))


# -- one host under two URIs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "qemu+ssh://10.0.0.11/system",
        "qemu+ssh://admin@10.0.0.11:22/system",
        "qemu+ssh://root@kvm1.example/system",
        "qemu+ssh://root@10.0.0.11",
    ],
)
def test_another_uri_of_a_host_is_refused_before_anything_is_sent(world: LittleWorld, uri: str) -> None:
    world.ports.resolver.names["kvm1.example"] = (ip_address("10.0.0.11"),)  # type: ignore[attr-defined]
    with pytest.raises(AlreadyExists, match="kvm1"):
        begin_adding(world, "again", uri)
    with pytest.raises(InvalidValue, match="/system"):
        begin_adding(world, "again", "qemu+ssh://root@10.0.0.12/session")


def test_a_host_that_shows_the_uuid_of_another_is_refused_and_undone(world: LittleWorld) -> None:
    set_uuid(world, URIS[0], UUID)
    refresh_now(world.ports, "kvm1")
    other = "qemu+ssh://root@10.0.0.11:2222/system"
    world.scanner.networks[other] = world.scanner.networks[URIS[0]]
    for uuid in (UUID, ""):  # by its address and NICs, where it shows no UUID
        set_uuid(world, other, uuid)
        begin_adding(world, "again", other)
        operation = world.run()
        assert operation.state is OperationState.FAILED
        assert "belongs to host 'kvm1'" in operation.error
    with world.ports.store.begin() as uow:
        assert [host.name for host in uow.hosts.list()] == ["kvm1"]


def test_of_two_uris_that_are_added_at_once_one_is_taken(world: LittleWorld) -> None:
    uris = ["qemu+ssh://root@10.0.0.12:2201/system", "qemu+ssh://root@10.0.0.12:2202/system"]
    for number, uri in enumerate(uris):
        world.scanner.networks[uri] = world.scanner.networks[URIS[1]]
        set_uuid(world, uri, OTHER_UUID)
        begin_adding(world, f"new{number}", uri)
    gate = threading.Barrier(2)
    for uri in uris:
        world.hypervisors.of("", uri).before_call = lambda method: (
            gate.wait(20) if method == "describe" else None
        )
    ended: list[Operation | None] = []
    threads = [
        threading.Thread(target=lambda n=n: ended.append(Worker(world.ports, f"w{n}", threads=0).run_one()))
        for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = sorted(each.state.value for each in ended if each is not None)
    assert states == ["failed", "succeeded"]
    with world.ports.store.begin() as uow:
        assert len([host for host in uow.hosts.list() if host.uuid == OTHER_UUID]) == 1


def test_a_refresh_reports_a_host_with_two_uris_and_makes_it_ambiguous(world: LittleWorld) -> None:
    assert world.add_host(1).state is OperationState.SUCCEEDED
    world.scanner.networks[URIS[1]] = world.scanner.networks[URIS[0]]
    for uri in URIS:
        set_uuid(world, uri, UUID)
    before = interfaces(world, "kvm2")
    for name in ("kvm1", "kvm2", "kvm1"):
        refresh_now(world.ports, name)
    assert get(world, "kvm1").correlation.state is CorrelationState.CORRELATED
    match = get(world, "kvm2").correlation
    assert (match.state, match.matched) == (CorrelationState.AMBIGUOUS, "host kvm1")
    assert interfaces(world, "kvm2") == before
    assert any("host kvm1" in text for text in events(world, "host-match-lost"))


def test_a_uuid_of_two_machines_does_not_refuse_the_second(world: LittleWorld) -> None:
    for uri in URIS:
        set_uuid(world, uri, UUID)
    refresh_now(world.ports, "kvm1")
    assert world.add_host(1).state is OperationState.SUCCEEDED
    assert len(events(world, "host-uuid-shared")) == 1


# -- another machine behind the URI ----------------------------------------------------------------------


def test_another_machine_behind_a_uri_overwrites_nothing_until_the_operator_confirms(
    world: LittleWorld,
) -> None:
    set_uuid(world, URIS[0], UUID)
    refresh_now(world.ports, "kvm1")
    recorded, before = get(world, "kvm1"), interfaces(world)
    set_uuid(world, URIS[0], OTHER_UUID)
    there = world.hypervisors.of("", URIS[0])
    there.observed = replace(there.observed, memory_mib=1)
    for name in ("eth0", "eth1", "eth2"):
        mac = MacAddress(f"3c:ec:ef:00:00:0{name[-1]}")
        change_links(world, URIS[0], **{name: replace(link(world, URIS[0], name), mac=mac)})
    for _ in range(2):
        refresh_now(world.ports, "kvm1")
        host = get(world, "kvm1")
        assert host.correlation.state is CorrelationState.AMBIGUOUS
        assert (host.memory_mib, host.uuid) == (recorded.memory_mib, UUID)
        assert interfaces(world) == before
    assert recorded.correlation.system_id is not None
    host_changes.update(
        world.ports, LOCAL_ADMIN, "kvm1", host_changes.HostChanges(node=recorded.correlation.system_id)
    )
    assert world.run().state is OperationState.SUCCEEDED
    host = get(world, "kvm1")
    assert (host.correlation.state, host.memory_mib, host.uuid) == (
        CorrelationState.CORRELATED,
        1,
        OTHER_UUID,
    )


def test_how_a_host_was_matched_is_recorded_truthfully(world: LittleWorld) -> None:
    assert get(world, "kvm1").correlation.evidence is CorrelationEvidence.ADOPTED
    refresh_now(world.ports, "kvm1")
    assert get(world, "kvm1").correlation.evidence is CorrelationEvidence.ADDRESS


# -- interfaces ------------------------------------------------------------------------------------------


def say_vlan(world: LittleWorld, name: str) -> NodeInterface:
    with world.ports.store.begin() as uow:
        (vlan,) = (vlan for vlan in uow.vlans.list() if vlan.vid == 10)
        changes = InterfaceChanges(vlan=str(vlan.id), tags=("uplink",))
        nodes.update_interface(uow, LOCAL_ADMIN, "kvm1", name, changes)
        uow.commit()
    return interfaces(world)[name]


def test_a_vlan_that_was_set_follows_its_nic(world: LittleWorld) -> None:
    told = say_vlan(world, "eth1")
    there = link(world, URIS[0], "eth1")
    for name in ("ens9", "eth1"):
        change_links(world, URIS[0], eth1=replace(there, name=name), ens9=replace(there, name=name))
        refresh_now(world.ports, "kvm1")
        nic = interfaces(world)[name]
        assert (nic.id, nic.vlan_id, nic.vlan_source, nic.tags) == (
            told.id,
            told.vlan_id,
            VlanSource.OPERATOR,
            ("uplink",),
        )


@pytest.mark.parametrize("name", ["eth1", "ens9"])
def test_a_vlan_that_was_set_waits_for_a_nic_that_is_away(world: LittleWorld, name: str) -> None:
    refresh_now(world.ports, "kvm1")
    told = say_vlan(world, "eth1")
    network = world.scanner.networks[URIS[0]]
    there = link(world, URIS[0], "eth1")
    change_links(world, URIS[0], eth1=None)
    refresh_now(world.ports, "kvm1")
    assert "eth1" not in interfaces(world)
    world.scanner.networks[URIS[0]] = replace(
        network, links=tuple(replace(each, name=name) if each == there else each for each in network.links)
    )
    refresh_now(world.ports, "kvm1")
    nic = interfaces(world)[name]
    assert (nic.id, nic.vlan_id, nic.vlan_source) == (told.id, told.vlan_id, VlanSource.OPERATOR)
    refresh_now(world.ports, "kvm1")
    assert interfaces(world)[name] == nic


def test_nics_that_swap_their_names_keep_their_vlans(world: LittleWorld) -> None:
    told = say_vlan(world, "eth1")
    first, second = link(world, URIS[0], "eth1"), link(world, URIS[0], "eth2")
    change_links(world, URIS[0], eth1=replace(second, name="eth1"), eth2=replace(first, name="eth2"))
    refresh_now(world.ports, "kvm1")
    now = interfaces(world)
    assert (now["eth2"].id, now["eth2"].vlan_source) == (told.id, VlanSource.OPERATOR)
    assert now["eth1"].vlan_source is not VlanSource.OPERATOR


# -- drift -----------------------------------------------------------------------------------------------


def test_a_change_on_a_host_is_reported_once(world: LittleWorld) -> None:
    refresh_now(world.ports, "kvm1")
    assert events(world, "drift") == []
    with world.ports.store.begin() as uow:
        node = uow.nodes.find("kvm1")
    assert node is not None
    assert node.scanned_at == world.clock.time
    there = world.hypervisors.of("", URIS[0])
    (pool,), (network,) = there.observed.storage_pools, there.observed.libvirt_networks
    there.observed = replace(
        there.observed,
        memory_mib=1024,
        storage_pools=(replace(pool, active=False),),
        libvirt_networks=(replace(network, active=False), replace(network, name="extra")),
    )
    bridge, nic = link(world, URIS[0], "br0"), link(world, URIS[0], "eth1")
    change_links(
        world,
        URIS[0],
        br0=replace(bridge, addresses=(*bridge.addresses, ip_interface("10.0.0.99/24"))),
        eth1=replace(nic, name="ens9"),
        eth2=None,
    )
    refresh_now(world.ports, "kvm1")
    told = events(world, "drift")
    refresh_now(world.ports, "kvm1")
    assert events(world, "drift") == told
    starts = [
        "addresses of interface br0: 10.0.0.11/24 is now",
        "name of interface ens9: eth1 is now ens9",
        "interface eth2: physical is now gone",
        "memory: ",
        "storage pool default: active dir",
        "libvirt network default: active",
        "libvirt network extra: new",
    ]
    assert [any(text.startswith(start) for text in told) for start in starts] == [True] * len(starts), told
    assert len(told) == len(starts)
