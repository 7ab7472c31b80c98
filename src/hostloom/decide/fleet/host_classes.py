"""Host classes: hosts whose interfaces and networks are alike in everything that a rule looks at."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from hostloom.decide.placement.candidates import Candidate, HostView, macvtaps_of
from hostloom.decide.placement.default_attachment import default_options
from hostloom.decide.placement.matching import CandidateSet
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.host import CorrelationState, InstalledBy
from hostloom.model.ids import InterfaceId
from hostloom.model.node import Node, NodeInterface

HostClassKey = tuple[object, ...]


def host_class_key(state: HostState, node: Node | None) -> HostClassKey:
    """All that the rules look at, but ids, MACs, addresses and names of hosts."""
    host = state.host
    return (
        host.correlation.state,
        host.default_macvlan_mode is MacvlanMode.PASSTHRU,
        host.installed_by is InstalledBy.HOSTLOOM,
        frozenset(host.libvirt_networks),
        frozenset(_interface_key(interface) for interface in (node.interfaces if node is not None else ())),
        frozenset(macvtaps_of(state)),
    )


def _interface_key(interface: NodeInterface) -> tuple[object, ...]:
    return (
        interface.name,
        interface.kind,
        interface.vlan_id,
        interface.parents,
        interface.bridge_kind,
        interface.enabled,
        interface.link,
        interface.link_speed,
        interface.tags,
        interface.role,
        interface.master,
        interface.bridge_vlans,
    )


@dataclass(frozen=True)
class AttachPoint:
    """One way into a host class that no rule excludes, `passthru` left aside.

    See docs/explanation/rules.md#interfaces-that-can-carry-a-machine.
    """

    candidate: Candidate
    #: A passthru machine owns it; it carries macvtaps.
    held: bool
    shared: bool

    @property
    def trait(self) -> tuple[object, ...]:
        """Slots with one trait are the same to every request, whatever host class they are of."""
        interface = self.candidate.interface
        facts = (
            ()
            if interface is None
            else (
                interface.name,
                interface.kind,
                interface.vlan_id,
                interface.tags,
                interface.link_speed,
                interface.role,
            )
        )
        return (self.candidate.rank, *facts, self.held, self.shared)

    def numbered(self, trait: int) -> "AttachPointTrait":
        """As placing needs it."""
        candidate = self.candidate
        is_macvtap = candidate.kind is AttachKind.MACVLAN
        preference = (candidate.rank, not candidate.bootable)
        return AttachPointTrait(
            trait, candidate.source, is_macvtap, self.shared, candidate.bootable, preference
        )


class AttachPointTrait(NamedTuple):
    """A slot as placing needs it."""

    trait: int
    source: str
    is_macvtap: bool
    shared: bool
    bootable: bool
    #: Equal for slots between which only use and name decide.
    preference: tuple[int, bool]


@dataclass(frozen=True)
class HostClass:
    """A host without its name, ids and addresses."""

    view: HostView

    @cached_property
    def slots(self) -> tuple[AttachPoint, ...]:
        """Its attachable interfaces by natural name."""
        view = self.view
        return tuple(
            AttachPoint(candidate, candidate.source in view.held, view.macvtaps[candidate.source] > 0)
            for candidate, barred in view.judged
            if barred is None
        )

    @cached_property
    def network_keys(self) -> dict[str, tuple[object, ...]]:
        """Its libvirt networks by name: what requests look at."""
        keys: dict[str, tuple[object, ...]] = {}
        for network in self.view.state.host.libvirt_networks:
            candidate, barred = self.view.network_candidate(network.name)
            barred = barred or self.view.barred(candidate)
            code = None if barred is None else barred.code
            keys[network.name] = (network, candidate.interface, candidate.isolated, code)
        return keys

    @cached_property
    def default_options(self) -> CandidateSet:
        """What a machine without interface constraints could take.

        See docs/explanation/rules.md#without-interface-constraints.
        """
        return default_options(self.view)

    @property
    def is_known(self) -> bool:
        """Whether its hosts are known nodes."""
        return self.view.state.host.correlation.state is CorrelationState.CORRELATED

    @cached_property
    def is_passthru(self) -> bool:
        """Whether macvtaps own their parent here, unless a label says otherwise."""
        return self.view.state.host.default_macvlan_mode is MacvlanMode.PASSTHRU


def make_host_class(network: Snapshot, state: HostState, node: Node | None) -> HostClass:
    """The host class of a host on this network."""
    interfaces = node.interfaces if node is not None else ()
    neutral = tuple(
        replace(interface, id=InterfaceId(0), mac=None, addresses=(), child_addresses=(), routers=())
        for interface in interfaces
    )
    return HostClass(HostView(network, state, "", neutral))
