"""Indexes that were carried along with a snapshot are held against ones that are built anew."""

from dataclasses import replace

from hostloom.decide.fleet.fleet import Fleet, fleet_of
from hostloom.decide.placement.addresses import AddressIndex, address_index_of
from hostloom.decide.snapshot import Snapshot


def build_indexes(snapshot: Snapshot) -> None:
    """Build all, so that later snapshots carry them."""
    _ = snapshot.node_by_system_id, snapshot.host_by_id, snapshot.held_by_ip, snapshot.held_by_node
    address_index_of(snapshot)
    fleet_of(snapshot)


def assert_indexes(snapshot: Snapshot) -> None:
    """Every index of the snapshot is what a fresh one would be."""
    fresh = replace(snapshot)
    assert snapshot.node_by_system_id == fresh.node_by_system_id
    assert snapshot.host_by_id == fresh.host_by_id
    assert {ip: sorted(map(str, some)) for ip, some in snapshot.held_by_ip.items() if some} == {
        ip: sorted(map(str, some)) for ip, some in fresh.held_by_ip.items()
    }
    assert {node: sorted(map(str, some)) for node, some in snapshot.held_by_node.items()} == {
        node: sorted(map(str, some)) for node, some in fresh.held_by_node.items()
    }
    fleet, built = fleet_of(snapshot), Fleet.build(fresh)
    assert fleet.rows == built.rows
    assert fleet.by_room == built.by_room
    assert fleet.positions == built.positions
    assert fleet.names == built.names
    assert [each._replace(host_class=0) for each in fleet.columns] == [
        each._replace(host_class=0) for each in built.columns
    ]
    assert [fleet.table.classes[at].slots for at in fleet.classes] == [
        built.table.classes[at].slots for at in built.classes
    ]
    address_index, anew = address_index_of(snapshot), AddressIndex.build(fresh)
    for subnet in snapshot.subnets:
        if subnet.cidr.num_addresses <= 1 << 16:
            assert list(address_index.free(subnet)) == list(anew.free(subnet))
