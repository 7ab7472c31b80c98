"""What is stored comes back equal, whatever it is."""

from dataclasses import fields, replace
from ipaddress import IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostloom.model.attachment import Attachment
from hostloom.model.event import Event, EventSubject
from hostloom.model.host import Correlation, CorrelationState, Host
from hostloom.model.ids import HostId, MacAddress, SubnetId, SystemId
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin
from hostloom.model.network import AddressKind, HeldAddress, Subnet
from hostloom.model.node import Node, NodeInterface
from hostloom.model.operation import Operation, StepRecord
from hostloom.ports.store import Store
from support.stored import store_world

#: PostgreSQL has no NUL in texts, and a lone surrogate is no character.
words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(0, 2**31 - 1)
times = st.floats(0, 4e9, allow_nan=False)
macs = st.integers(0, 2**48 - 1).map(lambda n: MacAddress.parse(f"{n:012x}"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
interfaces = st.one_of(
    st.builds(IPv4Interface, st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32))),
    st.builds(
        lambda ip, length: IPv6Interface((IPv6Address(ip), length)),
        st.integers(0, 2**128 - 1),
        st.integers(0, 128),
    ),
)
addresses = interfaces.map(lambda each: each.ip)

st.register_type_strategy(MacAddress, macs)

storing = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def a(entity: type[Any], **given_fields: Any) -> st.SearchStrategy[Any]:
    """Any value of a dataclass: its plain fields anything, the rest as given."""
    plain = {
        str: words,
        int: numbers,
        float: times,
        str | None: st.none() | words,
        int | None: st.none() | numbers,
        float | None: st.none() | times,
    }
    found = {
        each.name: plain[each.type]
        for each in fields(entity)
        if each.type in plain and each.name not in given_fields
    }
    if "generation" in found:
        found["generation"] = st.integers(1, 10**6)  # an update counts it up
    return st.builds(entity, **(found | given_fields))


def tuples(items: st.SearchStrategy[Any], **unique: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=3, **unique).map(tuple)


nics = tuples(
    a(
        NodeInterface,
        vlan_id=st.none(),
        addresses=tuples(interfaces),
        parents=tuples(words),
        tags=tuples(words),
    ),
    unique_by=lambda each: each.name,
)
machine_nics = tuples(
    a(
        MachineInterface,
        attachment=a(Attachment),
        vlan_id=st.none(),
        ips=tuples(addresses),
    ),
    unique_by=(lambda each: each.name, lambda each: each.mac),
)


@storing
@given(data=st.data())
def test_nodes(store: Store, data: st.DataObject) -> None:
    drawn = data.draw(
        a(
            Node,
            interfaces=nics,
            zone_id=st.just(1),
            resource_pool_id=st.just(1),
            domain_id=st.just(1),
            tags=tuples(words),
        )
    )
    node = replace(drawn, system_id=SystemId("n00001"), interfaces=_without_ids(drawn.interfaces))
    with store.begin() as uow:
        stored = uow.nodes.add(node)
        assert replace(stored, interfaces=_without_ids(stored.interfaces)) == node
        assert uow.nodes.get(node.system_id) == uow.nodes.list()[0] == stored
        assert uow.snapshot().nodes == (stored,)
        scanned = _without_ids(data.draw(nics))
        again = uow.nodes.replace_interfaces(node.system_id, scanned)
        assert uow.nodes.get(node.system_id) == again
        assert [each.addresses for each in again.interfaces] == [each.addresses for each in scanned]


def _without_ids(interfaces: tuple[NodeInterface, ...]) -> tuple[NodeInterface, ...]:
    return tuple(replace(each, id=0) for each in interfaces)


@storing
@given(data=st.data())
def test_hosts(store: Store, data: st.DataObject) -> None:
    match = a(
        Correlation, state=st.just(CorrelationState.UNKNOWN), system_id=st.none(), candidates=tuples(words)
    )
    host = data.draw(
        st.builds(
            Host,
            id=st.just(HostId(0)),
            name=words,
            uri=words,
            correlation=match,
            cores=numbers,
            memory_mib=numbers,
            unreachable_cause=words,
            facts_at=st.none() | times,
            zone_id=st.just(1),
            resource_pool_id=st.just(1),
            tags=tuples(words),
            storage_pools=...,
            libvirt_networks=...,
            emulations=...,
            default_macvlan_mode=...,
            generation=numbers,
        )
    )
    with store.begin() as uow:
        stored = uow.hosts.add(host)
        assert replace(stored, id=0) == host
        assert uow.hosts.get(stored.id) == uow.hosts.find(host.name) == stored
        assert [each.host for each in uow.snapshot().hosts] == [stored]


@storing
@given(data=st.data())
def test_machines(store: Store, data: st.DataObject) -> None:
    drawn = data.draw(
        a(
            Machine,
            host_id=st.none(),
            interfaces=machine_nics,
            zone_id=st.just(1),
            resource_pool_id=st.just(1),
            tags=tuples(words),
        )
    )
    machine = replace(drawn, system_id=SystemId("m00001"))
    with store.begin() as uow:
        uow.machines.add(machine)
        assert uow.machines.get(machine.system_id) == uow.machines.list()[0] == machine
        other = data.draw(machine_nics)
        changed = uow.machines.update(replace(machine, interfaces=other, origin=MachineOrigin.ENLISTED))
        assert (
            uow.machines.find(machine.hostname)
            == changed
            == replace(
                machine, interfaces=other, origin=MachineOrigin.ENLISTED, generation=machine.generation + 1
            )
        )


@storing
@given(
    operation=a(Operation, input=st.dictionaries(words, json_values, max_size=3), steps=st.just(())),
    data=st.data(),
)
def test_operations(store: Store, operation: Operation, data: st.DataObject) -> None:
    steps = data.draw(tuples(a(StepRecord, output=json_values), unique_by=lambda each: each.name))
    operation = replace(operation, steps=steps)
    with store.begin() as uow:
        uow.operations.add(operation)
        assert uow.operations.get(operation.id) == operation
        if steps:
            step = replace(data.draw(a(StepRecord, output=json_values)), name=steps[-1].name)
            uow.operations.save_step(operation, step)
            assert uow.operations.get(operation.id).steps == (*steps[:-1], step)


@storing
@given(event=a(Event, subject=a(EventSubject), details=st.dictionaries(words, json_values, max_size=3)))
def test_events(store: Store, event: Event) -> None:
    with store.begin() as uow:
        uow.events.add(event)
        assert replace(uow.events.list()[0], id=event.id) == event


@pytest.mark.parametrize("network", [IPv4Network("0.0.0.0/0"), IPv6Network("::/0")], ids=["v4", "v6"])
def test_held_addresses_keep_their_order(store: Store, network: IPv4Network | IPv6Network) -> None:
    world = store_world(store)

    @storing
    @given(ips=st.lists(addresses.filter(lambda ip: ip.version == network.version), unique=True, max_size=8))
    def check(ips: list[Any]) -> None:
        with store.begin() as uow:
            uow.subnets.delete(world.subnet.id)
            subnet = uow.subnets.add(Subnet(SubnetId(0), network, world.vlan.id, "all"))
            for ip in ips:
                uow.addresses.hold(HeldAddress(ip, AddressKind.STATIC, subnet.id, comment=str(ip)))
            assert [each.ip for each in uow.addresses.list(subnet.id)] == sorted(ips)
            assert {each.comment for each in uow.snapshot().held} == {str(ip) for ip in ips}

    check()
