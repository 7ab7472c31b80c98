"""Present records after a renumbering."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from hostloom.decide.snapshot import HostState, Snapshot
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
        """Translate the zone and the resource pool of a node, host or machine."""
        return {
            "zone_id": self.zone(item.zone_id),
            "resource_pool_id": self.resource_pool(item.resource_pool_id),
        }


def renumbered(present: Present, moves: list[Renumbering]) -> Present:
    """Replace all ids with the new ones."""
    if not moves:
        return present
    translation = _Translation(
        _by(moves, ImportNoun.ZONE),
        _by(moves, ImportNoun.RESOURCE_POOL),
        _by(moves, ImportNoun.DOMAIN),
        _by(moves, ImportNoun.FABRIC),
        _by(moves, ImportNoun.VLAN),
        _by(moves, ImportNoun.SUBNET),
        frozenset((move.noun, move.after) for move in moves if not move.gives_way),
    )
    machines = tuple(_machine(machine, translation) for machine in present.machines)
    return _groups(
        replace(present, snapshot=_snapshot(present.snapshot, translation), machines=machines), translation
    )


def _snapshot(snapshot: Snapshot, translation: _Translation) -> Snapshot:
    return replace(
        snapshot,
        fabrics=tuple(
            _settled(replace(fabric, id=translation.fabric(fabric.id)), ImportNoun.FABRIC, translation)
            for fabric in snapshot.fabrics
        ),
        vlans=tuple(_vlan(vlan, translation) for vlan in snapshot.vlans),
        subnets=tuple(
            _settled(
                replace(subnet, id=translation.subnet(subnet.id), vlan_id=translation.vlan(subnet.vlan_id)),
                ImportNoun.SUBNET,
                translation,
            )
            for subnet in snapshot.subnets
        ),
        ranges=tuple(replace(item, subnet_id=translation.subnet(item.subnet_id)) for item in snapshot.ranges),
        held=tuple(
            replace(address, subnet_id=translation.subnet(address.subnet_id)) for address in snapshot.held
        ),
        nodes=tuple(_node(node, translation) for node in snapshot.nodes),
        hosts=tuple(_host(state, translation) for state in snapshot.hosts),
        foreign_dhcp=tuple(
            replace(item, vlan_id=translation.vlan(item.vlan_id)) for item in snapshot.foreign_dhcp
        ),
        silent_vlans=frozenset(translation.vlan(key) for key in snapshot.silent_vlans),
    )


def _by(moves: list[Renumbering], noun: ImportNoun) -> _New:
    ids = {move.before: move.after for move in moves if move.noun is noun}
    return lambda key, /: ids.get(key, key)


def _groups(present: Present, translation: _Translation) -> Present:
    """Renumber zones, resource pools and domains, with the annotations of domains."""
    defaults = present.defaults
    annotations: dict[Annotated, Mapping[str | int, Mapping[str, Any]]] = dict(present.annotations)
    if Annotated.DOMAIN in annotations:
        domain_annotations = annotations[Annotated.DOMAIN]
        annotations[Annotated.DOMAIN] = {
            translation.domain(key): values for key, values in domain_annotations.items()
        }
    return replace(
        present,
        zones=tuple(replace(zone, id=translation.zone(zone.id)) for zone in present.zones),
        resource_pools=tuple(
            replace(pool, id=translation.resource_pool(pool.id)) for pool in present.resource_pools
        ),
        domains=tuple(replace(domain, id=translation.domain(domain.id)) for domain in present.domains),
        annotations=annotations,
        defaults=replace(
            defaults,
            zone=translation.zone(defaults.zone),
            resource_pool=translation.resource_pool(defaults.resource_pool),
            domain=translation.domain(defaults.domain),
        ),
    )


def _settled(item: Any, noun: ImportNoun, translation: _Translation) -> Any:
    return replace(item, automatic=False) if (noun, item.id) in translation.imported else item


def _vlan(vlan: Vlan, translation: _Translation) -> Vlan:
    moved = replace(
        vlan,
        id=translation.vlan(vlan.id),
        fabric_id=translation.fabric(vlan.fabric_id),
        relay_vlan_id=translation.vlan(vlan.relay_vlan_id),
    )
    settled: Vlan = _settled(moved, ImportNoun.VLAN, translation)
    return settled


def _node(node: Node, translation: _Translation) -> Node:
    interfaces = tuple(replace(nic, vlan_id=translation.vlan(nic.vlan_id)) for nic in node.interfaces)
    return replace(
        node, interfaces=interfaces, domain_id=translation.domain(node.domain_id), **translation.groups(node)
    )


def _host(state: HostState, translation: _Translation) -> HostState:
    return replace(state, host=replace(state.host, **translation.groups(state.host)))


def _machine(machine: Machine, translation: _Translation) -> Machine:
    interfaces = tuple(replace(nic, vlan_id=translation.vlan(nic.vlan_id)) for nic in machine.interfaces)
    return replace(machine, interfaces=interfaces, **translation.groups(machine))
