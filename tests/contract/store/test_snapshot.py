"""Snapshots that are kept in memory are what a fresh reading of the database would be."""

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.errors.base import HostloomError
from hostloom.model.ids import InterfaceId, SpaceId, SubnetId, SystemId, VlanId
from hostloom.model.network import AddressKind, HeldAddress, Space, Subnet, Vlan
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.ports.store import Reservation, Store, UnitOfWork
from hostloom.store import engine as store_engine
from hostloom.store.engine import open_store
from support.indexes import assert_indexes, build_indexes
from support.stored import EXPLANATION, StoredWorld, a_host, a_plan, store_world


def read(store: Store) -> Snapshot:
    with store.begin() as uow:
        return uow.snapshot()


def in_order(snapshot: Snapshot) -> Snapshot:
    """The same, with every tuple sorted: nothing decided depends on their order."""
    return replace(
        snapshot,
        held=tuple(sorted(snapshot.held, key=repr)),
        nodes=tuple(sorted(snapshot.nodes, key=lambda each: each.system_id)),
        hosts=tuple(
            HostState(each.host, tuple(sorted(each.machines, key=lambda machine: machine.name)))
            for each in sorted(snapshot.hosts, key=lambda each: each.host.id)
        ),
    )


def a_nic(number: int, vlan_id: VlanId | None) -> NodeInterface:
    address = ip_interface(f"10.0.{number % 3}.{number % 50 + 100}/24")
    return NodeInterface(
        InterfaceId(0), f"eth{number % 3}", InterfaceKind.PHYSICAL, vlan_id=vlan_id, addresses=(address,)
    )


def _reserve(uow: UnitOfWork, world: StoredWorld, n: int) -> None:
    host = uow.hosts.get(world.host.id)
    plan = a_plan(world, n % 12, revision=uow.snapshot().revision)
    uow.reserve([Reservation(replace(plan, host_generation=host.generation), EXPLANATION)])


def _rename(uow: UnitOfWork, world: StoredWorld, n: int) -> None:
    node = uow.nodes.list()[n % 5]
    uow.nodes.update(replace(node, hostname=f"renamed{n}"))


def _hold(uow: UnitOfWork, world: StoredWorld, n: int) -> None:
    uow.addresses.hold(
        HeldAddress(ip_address(f"10.0.0.{200 + n % 9}"), AddressKind.RESERVED, world.subnet.id)
    )


def _lease(uow: UnitOfWork, world: StoredWorld, n: int) -> None:
    ips = [ip_address(f"10.0.0.{210 + (n + k) % 9}") for k in range(n % 4)]
    uow.addresses.replace_leases([HeldAddress(ip, AddressKind.LEASE, world.subnet.id) for ip in ips])


def _update_host(uow: UnitOfWork, world: StoredWorld, n: int) -> None:
    uow.hosts.update(replace(uow.hosts.get(world.host.id), facts_at=float(n)))


def _update_machine(uow: UnitOfWork, world: StoredWorld, n: int) -> None:
    machine = uow.machines.list()[n % 3]
    uow.machines.update(replace(machine, cores=n % 3 + 1, hostname=f"again{n}", interfaces=()))


def _add_node(uow: UnitOfWork, world: StoredWorld, n: int) -> None:
    vlan_id = world.vlan.id if n % 2 else None
    uow.nodes.add(Node(SystemId(f"n{n % 9:05d}"), f"node{n % 9}", NodeKind.DEVICE, (a_nic(n, vlan_id),)))


def _delete_subnet(uow: UnitOfWork, world: StoredWorld, n: int) -> None:
    subnets = [each for each in uow.subnets.list() if each.id != world.subnet.id]
    uow.subnets.delete(subnets[n % 3].id)


ACTIONS: tuple[Callable[[UnitOfWork, StoredWorld, int], object], ...] = (
    _reserve,
    _reserve,
    _rename,
    _hold,
    _lease,
    _update_host,
    _update_machine,
    _add_node,
    _delete_subnet,
    lambda uow, world, n: uow.release([SystemId(f"m{n % 12:05d}")]),
    lambda uow, world, n: uow.addresses.release(ip_address(f"10.0.0.{200 + n % 9}"), world.subnet.id),
    lambda uow, world, n: uow.nodes.replace_interfaces(SystemId(f"n{n % 9:05d}"), (a_nic(n + 1, None),)),
    lambda uow, world, n: uow.nodes.delete(SystemId(f"n{n % 9:05d}")),
    lambda uow, world, n: uow.hosts.add(a_host(f"more{n % 4}")),
    lambda uow, world, n: uow.hosts.delete(uow.hosts.list()[-1].id),
    lambda uow, world, n: uow.spaces.add(Space(SpaceId(0), f"space{n}")),
    lambda uow, world, n: uow.vlans.add(Vlan(VlanId(0), world.fabric.id, n % 40 + 30, "more")),
    lambda uow, world, n: uow.subnets.add(
        Subnet(SubnetId(0), ip_network(f"10.0.{n % 4}.0/24"), world.vlan.id, "more")
    ),
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_kept_is_what_a_fresh_process_reads(url: str, store: Store, seed: int) -> None:
    """Two processes change the world by turns, in transactions of one to three changes, some rolled back."""
    world = store_world(store)
    stores = (store, open_store(url))
    chance = random.Random(seed)  # noqa: S311  (a test's choice of actions)
    done = set()
    for each in stores:
        build_indexes(read(each))
    for n in range(60):
        actor = chance.choice(stores)
        with actor.begin() as uow:
            for _ in range(chance.randint(1, 3)):
                action = chance.choice(ACTIONS)
                try:
                    action(uow, world, chance.randrange(1000))
                    done.add(action)
                except (HostloomError, IndexError):
                    continue
            seen = uow.snapshot()
            assert_indexes(seen)
            if chance.random() < 0.2:
                continue
            uow.commit()
            assert in_order(uow.snapshot()) == in_order(seen)
        if n % 10 == 9:
            fresh = open_store(url)
            assert in_order(read(fresh)) == in_order(read(stores[0])) == in_order(read(stores[1]))
            assert_indexes(read(stores[0]))
            assert_indexes(read(stores[1]))
            fresh.close()
    stores[1].close()
    assert len(done) > len(set(ACTIONS)) / 2


def test_only_the_transaction_itself_sees_its_changes_before_the_commit(store: Store) -> None:
    store_world(store)
    before = read(store)
    with store.begin() as uow:
        uow.spaces.add(Space(SpaceId(0), "dmz"))
        assert [each.name for each in uow.snapshot().spaces] == ["dmz"]
    assert read(store) is before
    with store.begin() as uow:
        uow.spaces.add(Space(SpaceId(0), "other"))
        uow.commit()
        assert [each.name for each in uow.snapshot().spaces] == ["other"]


def test_a_host_that_goes_together_with_its_machines_is_gone(store: Store) -> None:
    world = store_world(store)
    with store.begin() as uow:
        _reserve(uow, world, 1)
        uow.commit()
    assert [each.name for each in read(store).host_by_id[world.host.id].machines] != []
    with store.begin() as uow:
        uow.release([each.system_id for each in uow.machines.of_host(world.host.id)])
        uow.hosts.delete(world.host.id)
        uow.commit()
    assert world.host.id not in {each.host.id for each in read(store).hosts}


def test_revisions_count_up_with_every_change_of_the_world_and_only_with_these(store: Store) -> None:
    world = store_world(store)
    before = read(store).revision
    with store.begin() as uow:
        uow.answers.prune(0)
        uow.commit()
    assert read(store).revision == before
    with store.begin() as uow:
        uow.hosts.update(replace(world.host, cores=1))
        uow.spaces.add(Space(SpaceId(0), "dmz"))
        uow.commit()
    assert read(store).revision == before + 1


def test_a_process_that_slept_through_forgotten_removals_reads_anew(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = store_world(store)
    with store.begin() as uow:
        uow.nodes.add(Node(SystemId("n00001"), "printer", NodeKind.DEVICE))
        uow.commit()
    assert len(read(store).nodes) == 1
    monkeypatch.setattr(store_engine, "KEPT_REVISIONS", 0)
    other = open_store(url)
    with other.begin() as uow:
        uow.nodes.delete(SystemId("n00001"))
        uow.commit()
    other.close()
    open_store(url).close()
    assert read(store).nodes == ()
    assert read(store).host_by_id[world.host.id].host == world.host


def test_a_commit_that_follows_anothers_does_not_hide_it(url: str, store: Store) -> None:
    """A process adds its reservation to its snapshot only if no other change came in between."""
    world = store_world(store)
    revision = read(store).revision
    other = open_store(url)
    with other.begin() as uow:
        uow.spaces.add(Space(SpaceId(0), "between"))
        uow.commit()
    other.close()
    with store.begin() as uow:
        uow.reserve([Reservation(a_plan(world, 1, revision=revision), EXPLANATION)])
        uow.commit()
    assert [each.name for each in read(store).spaces] == ["between"]
    assert [each.name for each in read(store).hosts[0].machines] == ["vm1"]


def test_threads_that_read_while_others_write_see_whole_transactions(store: Store) -> None:
    """Transaction n writes n to the host and holds the nth address. Every snapshot shows both or none."""
    world = store_world(store)
    stop = threading.Event()
    torn: list[Snapshot] = []
    seen: list[float] = []

    def watch() -> None:
        while not stop.is_set():
            snapshot = read(store)
            seen.append(snapshot.hosts[0].host.facts_at or 0)
            if len(snapshot.held) != seen[-1]:
                torn.append(snapshot)

    readers = [threading.Thread(target=watch) for _ in range(2)]
    for reader in readers:
        reader.start()
    host = world.host
    for n in range(1, 80):
        with store.begin() as uow:
            host = uow.hosts.update(replace(host, facts_at=float(n)))
            ip = world.subnet.cidr.network_address + n
            uow.addresses.hold(HeldAddress(ip, AddressKind.RESERVED, world.subnet.id))
            uow.commit()
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []
    assert len(set(seen)) > 1
