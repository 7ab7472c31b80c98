"""What is here, with the ids that it has after a renumbering."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from hostloom.decide.snapshot import HostState
from hostloom.migration.import_state import Present
from hostloom.model.annotation import Annotated
from hostloom.model.import_plan import ImportNoun, Renumbering
from hostloom.model.machine import Machine
from hostloom.model.network import Vlan
from hostloom.model.node import Node


class _New(Protocol):
    def __call__(self, key: Any, /) -> Any: ...


@dataclass(frozen=True)
class _Translation:
    zone: _New
    resource_pool: _New
    domain: _New
    fabric: _New
    vlan: _New
    subnet: _New
    imported: frozenset[tuple[ImportNoun, int]]

    def groups(self, item: Any) -> dict[str, Any]:
        """The zone and the resource pool of a node, host or machine."""
        return {
            "zone_id": self.zone(item.zone_id),
            "resource_pool_id": self.resource_pool(item.resource_pool_id),
        }


def renumbered(present: Present, moves: list[Renumbering]) -> Present:
    """What is here, with the new ids wherever an id stands."""
    if not moves:
        return present
    new = _Translation(
        _by(moves, ImportNoun.ZONE),
        _by(moves, ImportNoun.RESOURCE_POOL),
        _by(moves, ImportNoun.DOMAIN),
        _by(moves, ImportNoun.FABRIC),
        _by(moves, ImportNoun.VLAN),
        _by(moves, ImportNoun.SUBNET),
        frozenset((move.noun, move.after) for move in moves if not move.gives_way),
    )
    before = present.snapshot
    after = replace(
        before,
        fabrics=tuple(
            _settled(replace(fabric, id=new.fabric(fabric.id)), ImportNoun.FABRIC, new)
            for fabric in before.fabrics
        ),
        vlans=tuple(_vlan(vlan, new) for vlan in before.vlans),
        subnets=tuple(
            _settled(
                replace(subnet, id=new.subnet(subnet.id), vlan_id=new.vlan(subnet.vlan_id)),
                ImportNoun.SUBNET,
                new,
            )
            for subnet in before.subnets
        ),
        ranges=tuple(replace(item, subnet_id=new.subnet(item.subnet_id)) for item in before.ranges),
        held=tuple(replace(held, subnet_id=new.subnet(held.subnet_id)) for held in before.held),
        nodes=tuple(_node(node, new) for node in before.nodes),
        hosts=tuple(_host(state, new) for state in before.hosts),
        foreign_dhcp=tuple(replace(item, vlan_id=new.vlan(item.vlan_id)) for item in before.foreign_dhcp),
        silent_vlans=frozenset(new.vlan(key) for key in before.silent_vlans),
    )
    machines = tuple(_machine(machine, new) for machine in present.machines)
    return _groups(replace(present, snapshot=after, machines=machines), new)


def _by(moves: list[Renumbering], noun: ImportNoun) -> _New:
    ids = {move.before: move.after for move in moves if move.noun is noun}
    return lambda key, /: ids.get(key, key)


def _groups(present: Present, new: _Translation) -> Present:
    """With the zones, resource pools and domains themselves, and what is kept with domains."""
    defaults = present.defaults
    annotations: dict[Annotated, Mapping[str | int, Mapping[str, Any]]] = dict(present.annotations)
    if Annotated.DOMAIN in annotations:
        of_domains = annotations[Annotated.DOMAIN]
        annotations[Annotated.DOMAIN] = {new.domain(key): values for key, values in of_domains.items()}
    return replace(
        present,
        zones=tuple(replace(zone, id=new.zone(zone.id)) for zone in present.zones),
        resource_pools=tuple(replace(pool, id=new.resource_pool(pool.id)) for pool in present.resource_pools),
        domains=tuple(replace(domain, id=new.domain(domain.id)) for domain in present.domains),
        annotations=annotations,
        defaults=replace(
            defaults,
            zone=new.zone(defaults.zone),
            resource_pool=new.resource_pool(defaults.resource_pool),
            domain=new.domain(defaults.domain),
        ),
    )


def _settled(item: Any, noun: ImportNoun, new: _Translation) -> Any:
    return replace(item, automatic=False) if (noun, item.id) in new.imported else item


def _vlan(vlan: Vlan, new: _Translation) -> Vlan:
    moved = replace(
        vlan,
        id=new.vlan(vlan.id),
        fabric_id=new.fabric(vlan.fabric_id),
        relay_vlan_id=new.vlan(vlan.relay_vlan_id),
    )
    settled: Vlan = _settled(moved, ImportNoun.VLAN, new)
    return settled


def _node(node: Node, new: _Translation) -> Node:
    interfaces = tuple(replace(nic, vlan_id=new.vlan(nic.vlan_id)) for nic in node.interfaces)
    return replace(node, interfaces=interfaces, domain_id=new.domain(node.domain_id), **new.groups(node))


def _host(state: HostState, new: _Translation) -> HostState:
    return replace(state, host=replace(state.host, **new.groups(state.host)))


def _machine(machine: Machine, new: _Translation) -> Machine:
    interfaces = tuple(replace(nic, vlan_id=new.vlan(nic.vlan_id)) for nic in machine.interfaces)
    return replace(machine, interfaces=interfaces, **new.groups(machine))
