"""The table of all host classes of a fleet, with the indexes that requests are compared with.

A request is compared once with every distinct interface, which results in sets of host classes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from hostloom.decide.fleet.host_classes import AttachPoint, AttachPointTrait, HostClass, HostClassKey
from hostloom.decide.request.resolve_constraints import ResolvedConstraint
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import VlanId
from hostloom.model.node import NodeInterface

#: Numbers of host classes, or of traits.
Numbers = frozenset[int]
NONE: Numbers = frozenset()

#: Keys about the interface itself in which hosts of a class agree, with the attributes that they use.
_VALUES: Mapping[str, Callable[[NodeInterface], object]] = {
    "name": lambda interface: interface.name,
    "type": lambda interface: interface.kind,
    "tag": lambda interface: interface.tags,
    "link_speed": lambda interface: interface.link_speed,
}


def _interface(slot: AttachPoint) -> NodeInterface:
    interface = slot.candidate.interface
    if interface is None:
        raise AssertionError("a slot is a host interface")
    return interface


@dataclass(frozen=True)
class HostClassTable:
    """All host classes of a fleet by number, with the sets for comparisons with requests. Immutable."""

    #: A snapshot without hosts, with the network of the host classes.
    network: Snapshot
    numbers: Mapping[HostClassKey, int] = field(default_factory=dict)
    classes: tuple[HostClass, ...] = ()
    #: An attach point for every distinct trait, and the host classes with it.
    traits: tuple[AttachPoint, ...] = ()
    classes_of: tuple[Numbers, ...] = ()
    #: Attach points in order of preference, by host class.
    slots_of: tuple[tuple[AttachPointTrait, ...], ...] = ()
    trait_numbers: Mapping[tuple[object, ...], int] = field(default_factory=dict)
    by_vlan: Mapping[VlanId | None, Numbers] = field(default_factory=dict)
    #: A number for every distinct libvirt network with its bridge; by host class, the numbers by name.
    network_numbers: Mapping[object, int] = field(default_factory=dict)
    networks_of: tuple[Mapping[str, int], ...] = ()

    def extended(self, new: Mapping[HostClassKey, Callable[[], HostClass]]) -> "HostClassTable":
        """The table with additional host classes; the numbers of the others do not change."""
        numbers = dict(self.numbers)
        classes = list(self.classes)
        for key, make in new.items():
            numbers[key] = len(classes)
            classes.append(make())
        return replace(
            self, numbers=numbers, classes=tuple(classes), **self._traits(classes), **self._networks(classes)
        )

    def _traits(self, classes: list[HostClass]) -> dict[str, Any]:
        """The known traits and those of the new host classes."""
        trait_numbers, traits = dict(self.trait_numbers), list(self.traits)
        slots_of = list(self.slots_of)
        members: dict[int, list[int]] = {}
        for number, host_class in enumerate(classes[len(slots_of) :], len(slots_of)):
            attach_point_traits = []
            for slot in host_class.slots:
                trait = trait_numbers.setdefault(slot.trait, len(traits))
                if trait == len(traits):
                    traits.append(slot)
                members.setdefault(trait, []).append(number)
                attach_point_traits.append(slot.numbered(trait))
            slots_of.append(
                tuple(
                    sorted(attach_point_traits, key=lambda attach_point_trait: attach_point_trait.preference)
                )
            )
        classes_of = [*self.classes_of, *(NONE for _ in range(len(traits) - len(self.traits)))]
        for trait, member in members.items():
            classes_of[trait] = classes_of[trait].union(member)
        by_vlan = dict(self.by_vlan)
        for vlan_id, found_traits in _grouped(traits, len(self.traits)).items():
            by_vlan[vlan_id] = by_vlan.get(vlan_id, NONE).union(found_traits)
        return {
            "trait_numbers": trait_numbers,
            "traits": tuple(traits),
            "slots_of": tuple(slots_of),
            "classes_of": tuple(classes_of),
            "by_vlan": by_vlan,
        }

    def _networks(self, classes: list[HostClass]) -> dict[str, Any]:
        """The known libvirt networks and those of the new host classes."""
        numbers, networks_of = dict(self.network_numbers), list(self.networks_of)
        for host_class in classes[len(networks_of) :]:
            keys = host_class.network_keys
            networks_of.append({name: numbers.setdefault(key, len(numbers)) for name, key in keys.items()})
        return {"network_numbers": numbers, "networks_of": tuple(networks_of)}

    @cached_property
    def all_traits(self) -> Numbers:
        """Numbers of all traits."""
        return frozenset(range(len(self.traits)))

    @cached_property
    def held(self) -> Numbers:
        """Traits that a passthru machine owns."""
        return frozenset(index for index, slot in enumerate(self.traits) if slot.held)

    @cached_property
    def shared(self) -> Numbers:
        """Traits that carry macvtaps."""
        return frozenset(index for index, slot in enumerate(self.traits) if slot.shared)

    @cached_property
    def vlans(self) -> tuple[VlanId | None, ...]:
        """The VLAN of each trait."""
        return tuple(slot.candidate.vlan_id for slot in self.traits)

    @cached_property
    def by_preference(self) -> tuple[tuple[Numbers, Numbers], ...]:
        """Bridges, bonds and others, each divided into those on bootable VLANs and the rest."""
        groups: dict[tuple[int, bool], list[int]] = {}
        for index, slot in enumerate(self.traits):
            groups.setdefault((slot.candidate.rank, slot.candidate.bootable), []).append(index)
        return tuple(
            (frozenset(groups.get((rank, True), ())), frozenset(groups.get((rank, False), ())))
            for rank in (0, 1, 2)
        )

    @cached_property
    def bridges(self) -> Numbers:
        """Traits that are bridges."""
        return self.by_preference[0][0] | self.by_preference[0][1]

    @cached_property
    def container_bridges(self) -> Numbers:
        """Traits of container bridges, which a label must name explicitly."""
        return frozenset(
            number for number, slot in enumerate(self.traits) if slot.candidate.is_for_containers
        )

    @cached_property
    def passthru(self) -> Numbers:
        """Host classes in which macvtaps own their parent, unless a label sets another mode."""
        return frozenset(index for index, host_class in enumerate(self.classes) if host_class.is_passthru)

    @cached_property
    def _distinct(self) -> dict[str, list[tuple[NodeInterface, Numbers]]]:
        """An interface for every distinct value of a key, with the traits of that value, by key."""
        groups: dict[str, dict[object, list[int]]] = {key: {} for key in _VALUES}
        for index, slot in enumerate(self.traits):
            for key, value in _VALUES.items():
                if slot.candidate.interface is not None:
                    groups[key].setdefault(value(slot.candidate.interface), []).append(index)
        return {
            key: [(_interface(self.traits[value[0]]), frozenset(value)) for value in values.values()]
            for key, values in groups.items()
        }

    def meeting(self, group: ResolvedConstraint) -> Numbers:
        """Traits that meet a constraint; none if it names hosts by id, address or hostname."""
        if group.vlans is not None:
            on = NONE.union(*(self.by_vlan.get(vlan_id, NONE) for vlan_id in group.vlans))
            return self.all_traits - on if group.negated else on
        if group.key not in _VALUES:
            return self.all_traits if group.negated else NONE
        return NONE.union(
            *(numbers for interface, numbers in self._distinct[group.key] if group.admits(interface, ""))
        )

    def having(self, traits: Iterable[int]) -> Numbers:
        """Host classes that have at least one of the traits."""
        return NONE.union(*map(self.classes_of.__getitem__, traits))


def _grouped(traits: list[AttachPoint], start: int) -> dict[VlanId | None, list[int]]:
    groups: dict[VlanId | None, list[int]] = {}
    for index in range(start, len(traits)):
        groups.setdefault(traits[index].candidate.vlan_id, []).append(index)
    return groups
