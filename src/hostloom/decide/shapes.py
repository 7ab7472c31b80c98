"""Hosts of one shape are one to every rule: what their interfaces and networks are, whatever they are called.

A request is held against each distinct interface of all shapes once, and sets of shapes come out.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from hostloom.decide.attach import default_options
from hostloom.decide.candidates import Candidate, HostView
from hostloom.decide.match import Options
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.decide.terms import Group
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.host import CorrelationState
from hostloom.model.ids import InterfaceId, VlanId
from hostloom.model.node import Node, NodeInterface

ShapeKey = tuple[object, ...]
Numbers = frozenset[int]
NONE: Numbers = frozenset()


#: Keys about the interface itself that hosts of one shape agree in, with what they look at.
_VALUES: Mapping[str, Callable[[NodeInterface], object]] = {
    "name": lambda each: each.name,
    "type": lambda each: each.kind,
    "tag": lambda each: each.tags,
    "link_speed": lambda each: each.link_speed,
}


def _interface(slot: "Slot") -> NodeInterface:
    interface = slot.candidate.interface
    if interface is None:
        raise AssertionError("a slot is a host interface")
    return interface


def shape_key(state: HostState, node: Node | None) -> ShapeKey:
    """All that the rules look at, but ids, MACs, addresses and names of hosts."""
    host = state.host
    taps = {
        (nic.source, nic.mode is MacvlanMode.PASSTHRU)
        for machine in state.machines
        for nic in machine.interfaces
        if nic.kind is AttachKind.MACVLAN
    }
    return (
        host.correlation.state,
        host.default_macvlan_mode,
        host.installed_by,
        frozenset(host.libvirt_networks),
        frozenset(_interface_key(each) for each in (node.interfaces if node is not None else ())),
        frozenset(taps),
    )


def _interface_key(each: NodeInterface) -> tuple[object, ...]:
    return (
        each.name,
        each.kind,
        each.vlan_id,
        each.parents,
        each.bridge_kind,
        each.enabled,
        each.link,
        each.link_speed,
        each.tags,
    )


@dataclass(frozen=True)
class Slot:
    """One way into a shape that no rule of DESIGN 2.3 bars, `passthru` left aside."""

    candidate: Candidate
    #: A passthru machine owns it; it carries macvtaps.
    held: bool
    shared: bool

    @property
    def trait(self) -> tuple[object, ...]:
        """Slots with one trait are the same to every request, whatever shape they are of."""
        each = self.candidate.interface
        facts = () if each is None else (each.name, each.kind, each.vlan_id, each.tags, each.link_speed)
        return (self.candidate.rank, *facts, self.held, self.shared)


@dataclass(frozen=True)
class Shape:
    """A host without its name, ids and addresses."""

    view: HostView

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Its attachable interfaces by natural name."""
        view = self.view
        return tuple(
            Slot(candidate, candidate.source in view.held, view.macvtaps[candidate.source] > 0)
            for candidate, barred in view.judged
            if barred is None
        )

    @cached_property
    def network_keys(self) -> dict[str, tuple[object, ...]]:
        """Its libvirt networks by name: what requests look at."""
        found: dict[str, tuple[object, ...]] = {}
        for network in self.view.state.host.libvirt_networks:
            candidate, barred = self.view.network_candidate(network.name)
            code = None if barred is None else barred.code
            found[network.name] = (network, candidate.interface, candidate.isolated, code)
        return found

    @cached_property
    def default_options(self) -> Options:
        """What a machine without interface constraints could take (DESIGN 2.5)."""
        return default_options(self.view)

    @property
    def is_known(self) -> bool:
        """Whether its hosts are known nodes."""
        return self.view.state.host.correlation.state is CorrelationState.CORRELATED

    @property
    def is_passthru(self) -> bool:
        """Whether macvtaps own their parent here, unless a label says otherwise."""
        return self.view.state.host.default_macvlan_mode is MacvlanMode.PASSTHRU


def make_shape(network: Snapshot, state: HostState, node: Node | None) -> Shape:
    """The shape of a host on this network."""
    interfaces = node.interfaces if node is not None else ()
    neutral = tuple(replace(each, id=InterfaceId(0), mac=None, addresses=()) for each in interfaces)
    return Shape(HostView(network, state, "", neutral))


@dataclass(frozen=True)
class ShapeTable:
    """All shapes of a fleet by number, with the sets that requests are held against. Immutable."""

    #: A snapshot without hosts: the network that the shapes are on.
    network: Snapshot
    numbers: Mapping[ShapeKey, int] = field(default_factory=dict)
    shapes: tuple[Shape, ...] = ()
    #: A slot for every distinct trait, and the shapes that have one like it.
    traits: tuple[Slot, ...] = ()
    shapes_of: tuple[Numbers, ...] = ()
    trait_numbers: Mapping[tuple[object, ...], int] = field(default_factory=dict)
    by_vlan: Mapping[VlanId | None, Numbers] = field(default_factory=dict)
    #: A number for every distinct libvirt network with its bridge; by shape, the numbers by name.
    network_numbers: Mapping[object, int] = field(default_factory=dict)
    networks_of: tuple[Mapping[str, int], ...] = ()

    def extended(self, new: Mapping[ShapeKey, Callable[[], Shape]]) -> "ShapeTable":
        """With these shapes too; the numbers of the others stay."""
        numbers, trait_numbers = dict(self.numbers), dict(self.trait_numbers)
        shapes, traits = list(self.shapes), list(self.traits)
        network_numbers, networks_of = dict(self.network_numbers), list(self.networks_of)
        members: dict[int, list[int]] = {}
        by_vlan: dict[VlanId | None, list[int]] = {}
        for key, make in new.items():
            number = numbers[key] = len(shapes)
            shapes.append(make())
            keys = shapes[number].network_keys
            networks_of.append(
                {name: network_numbers.setdefault(key, len(network_numbers)) for name, key in keys.items()}
            )
            for slot in shapes[number].slots:
                trait = trait_numbers.setdefault(slot.trait, len(traits))
                if trait == len(traits):
                    traits.append(slot)
                    by_vlan.setdefault(slot.candidate.vlan_id, []).append(trait)
                members.setdefault(trait, []).append(number)
        shapes_of = [*self.shapes_of, *(NONE for _ in range(len(traits) - len(self.traits)))]
        for trait, some in members.items():
            shapes_of[trait] = shapes_of[trait].union(some)
        merged = dict(self.by_vlan)
        for vlan_id, some in by_vlan.items():
            merged[vlan_id] = merged.get(vlan_id, NONE).union(some)
        return ShapeTable(
            self.network,
            numbers,
            tuple(shapes),
            tuple(traits),
            tuple(shapes_of),
            trait_numbers,
            merged,
            network_numbers,
            tuple(networks_of),
        )

    @cached_property
    def all_traits(self) -> Numbers:
        """Numbers of all traits."""
        return frozenset(range(len(self.traits)))

    @cached_property
    def held(self) -> Numbers:
        """Traits that a passthru machine owns."""
        return frozenset(at for at, slot in enumerate(self.traits) if slot.held)

    @cached_property
    def shared(self) -> Numbers:
        """Traits that carry macvtaps."""
        return frozenset(at for at, slot in enumerate(self.traits) if slot.shared)

    @cached_property
    def bootable(self) -> Numbers:
        """Traits on bootable VLANs."""
        return frozenset(at for at, slot in enumerate(self.traits) if slot.candidate.bootable)

    @cached_property
    def by_rank(self) -> tuple[Numbers, Numbers, Numbers]:
        """Bridges, bonds, the rest."""
        ranks = [slot.candidate.rank for slot in self.traits]
        bridges, bonds, rest = (
            frozenset(at for at, each in enumerate(ranks) if each == rank) for rank in (0, 1, 2)
        )
        return bridges, bonds, rest

    @cached_property
    def _distinct(self) -> dict[str, list[tuple[NodeInterface, Numbers]]]:
        """By key: an interface of each value that the key looks at, with the traits of that value."""
        found: dict[str, dict[object, list[int]]] = {key: {} for key in _VALUES}
        for at, slot in enumerate(self.traits):
            for key, value in _VALUES.items():
                if slot.candidate.interface is not None:
                    found[key].setdefault(value(slot.candidate.interface), []).append(at)
        return {
            key: [(_interface(self.traits[some[0]]), frozenset(some)) for some in values.values()]
            for key, values in found.items()
        }

    def meeting(self, group: Group) -> Numbers:
        """Traits that meet a group of terms; none, where it names hosts by id, address or hostname."""
        if group.vlans is not None:
            on = NONE.union(*(self.by_vlan.get(vlan_id, NONE) for vlan_id in group.vlans))
            return self.all_traits - on if group.negated else on
        if group.key not in _VALUES:
            return self.all_traits if group.negated else NONE
        return NONE.union(
            *(some for interface, some in self._distinct[group.key] if group.admits(interface, ""))
        )

    def having(self, traits: Iterable[int]) -> Numbers:
        """Shapes that have at least one of the traits."""
        return NONE.union(*(self.shapes_of[each] for each in traits))
