"""What is written as a world file is read as the same world."""

import json
from dataclasses import replace

from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.host import PlacedMachine, bytes_left
from hostloom.model.request import GB
from hostloom.simulation.dump_world import dump_world
from hostloom.simulation.world_file import read_world
from support.worlds import world

SNAPSHOT = world("""
world: 1
fabrics: [{name: lan, vlans: [{vid: 0}]}]
hosts:
  - name: kvm1
    address: qemu+ssh://u@10.0.0.5/system
    interfaces: [{name: eth0, vlan: lan/0}, {name: br0, type: bridge, parents: [eth0]}]
""").snapshot


def again(snapshot: Snapshot) -> Snapshot:
    return read_world(json.loads(json.dumps(dump_world(snapshot)))).snapshot


def with_state(state: HostState) -> Snapshot:
    return replace(SNAPSHOT, hosts=(state,))


def test_a_world_is_read_as_it_was_written() -> None:
    assert again(SNAPSHOT) == SNAPSHOT


def test_disks_that_sparse_pools_do_not_show_are_kept() -> None:
    machine = PlacedMachine("vm1", 1, 1024, (), {"default": 990 * GB})
    state = replace(SNAPSHOT.hosts[0], machines=(machine,))
    (found,) = again(with_state(state)).hosts
    assert bytes_left(found.host.storage_pools[0], found.machines) == 10 * GB


def test_a_host_that_was_never_read_runs_nothing() -> None:
    state = SNAPSHOT.hosts[0]
    empty = replace(state, host=replace(state.host, emulations=(), storage_pools=(), cores=0, memory_mib=0))
    (found,) = again(with_state(empty)).hosts
    assert (found.host.architectures, found.host.storage_pools) == ((), ())


def test_a_parent_that_is_no_interface_to_us_is_left_out() -> None:
    (node,) = SNAPSHOT.nodes
    odd = replace(node, interfaces=(replace(node.interfaces[0], parents=("dummy0",)), node.interfaces[1]))
    (found,) = again(replace(SNAPSHOT, nodes=(odd,))).nodes
    assert [each.parents for each in found.interfaces] == [(), ("eth0",)]
