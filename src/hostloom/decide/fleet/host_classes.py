"""Host classes: hosts with interfaces and networks that are alike for all rules."""

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
    """Everything that the rules use, except ids, MACs, addresses and names of hosts."""
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
    """An interface or network of a host class that no rule excludes, regardless of `passthru`.

    See docs/explanation/rules.md#interfaces-that-can-carry-a-machine.
    """

    candidate: Candidate
    #: Whether a passthru machine owns it, and whether it carries macvtaps.
    held: bool
    shared: bool

    @property
    def trait(self) -> tuple[object, ...]:
        """The trait: attach points with the same trait are equal for every request in all host classes."""
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
        """The attach point in the form that placement uses."""
        candidate = self.candidate
        is_macvtap = candidate.kind is AttachKind.MACVLAN
        preference = (candidate.rank, not candidate.bootable)
        return AttachPointTrait(
            trait, candidate.source, is_macvtap, self.shared, candidate.bootable, preference
        )


class AttachPointTrait(NamedTuple):
    """An attach point in the form that placement uses."""

    trait: int
    source: str
    is_macvtap: bool
    shared: bool
    bootable: bool
    #: Equal for attach points that differ only in use and name.
    preference: tuple[int, bool]


@dataclass(frozen=True)
class HostClass:
    """A host without name, ids and addresses."""

    view: HostView

    @cached_property
    def slots(self) -> tuple[AttachPoint, ...]:
        """The attachable interfaces in the natural order of names."""
        view = self.view
        return tuple(
            AttachPoint(candidate, candidate.source in view.held, view.macvtaps[candidate.source] > 0)
            for candidate, barred in view.judged
            if barred is None
        )

    @cached_property
    def network_keys(self) -> dict[str, tuple[object, ...]]:
        """The attributes of libvirt networks that requests use, by name."""
        keys: dict[str, tuple[object, ...]] = {}
        for network in self.view.state.host.libvirt_networks:
            candidate, barred = self.view.network_candidate(network.name)
            barred = barred or self.view.barred(candidate)
            code = None if barred is None else barred.code
            keys[network.name] = (network, candidate.interface, candidate.isolated, code)
        return keys

    @cached_property
    def default_options(self) -> CandidateSet:
        """The candidates of a machine without interface constraints.

        See docs/explanation/rules.md#without-interface-constraints.
        """
        return default_options(self.view)

    @property
    def is_known(self) -> bool:
        """Whether its hosts are correlated with nodes."""
        return self.view.state.host.correlation.state is CorrelationState.CORRELATED

    @cached_property
    def is_passthru(self) -> bool:
        """Whether macvtaps own their parent, unless a label sets another mode."""
        return self.view.state.host.default_macvlan_mode is MacvlanMode.PASSTHRU


def make_host_class(network: Snapshot, state: HostState, node: Node | None) -> HostClass:
    """The host class of a host on this network."""
    interfaces = node.interfaces if node is not None else ()
    neutral = tuple(
        replace(interface, id=InterfaceId(0), mac=None, addresses=(), child_addresses=(), routers=())
        for interface in interfaces
    )
    return HostClass(HostView(network, state, "", neutral))
