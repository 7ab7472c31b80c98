"""Chooses the attachment of a machine without interface constraints.

See docs/explanation/rules.md#without-interface-constraints.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hostloom.decide.placement.addresses import AddressIndex, wants_address
from hostloom.decide.placement.assignment import NicChoice, Obstacle
from hostloom.decide.placement.candidates import NETWORK_ORDER, Candidate, HostView, is_managed_install
from hostloom.decide.placement.matching import (
    CandidateSet,
    NicRequirement,
    container_rejection,
    passthru_rejection,
)
from hostloom.model.attachment import MacvlanMode
from hostloom.model.host import CorrelationState
from hostloom.model.reasons import Rejection, RejectionCode
from hostloom.model.request import LabelConstraints

#: The one NIC of a machine without interface constraints.
LABEL = LabelConstraints("eth0", "eth0")
WANTED = NicRequirement(LABEL, (), ())

Rule = Callable[[HostView, Candidate], Rejection | None]


@dataclass(frozen=True)
class DefaultChoice:
    """The result."""

    options: CandidateSet
    #: None if nothing is usable.
    chosen: NicChoice | None
    passed_over: tuple[tuple[Candidate, Obstacle], ...]


def choose_default(view: HostView, address_index: AddressIndex) -> DefaultChoice:
    """Take the first candidate that can give an address."""
    options = default_options(view)
    passed: list[tuple[Candidate, Obstacle]] = []
    for candidate in options.candidates:
        if not wants_address(LABEL, view.snapshot, candidate.vlan_id) or candidate.vlan_id is None:
            return DefaultChoice(options, NicChoice(candidate, ()), tuple(passed))
        address = address_index.next_free(candidate.vlan_id, None, frozenset())
        if address is not None:
            addresses = ((address[0], address[1].id),)
            return DefaultChoice(options, NicChoice(candidate, addresses), tuple(passed))
        passed.append((candidate, Obstacle.NO_ADDRESS))
    return DefaultChoice(options, None, tuple(passed))


def default_options(view: HostView) -> CandidateSet:
    """Everything on the host, checked by the applicable row of the table; candidates in its order."""
    mode = view.state.host.default_macvlan_mode or MacvlanMode.BRIDGE
    is_known = view.state.host.correlation.state is CorrelationState.CORRELATED
    rule = _network_rule(view, is_known=is_known)
    networks = [(c, barred or rule(view, c)) for c, barred in map(view.network_candidate, NETWORK_ORDER)]
    interfaces = []
    if is_known:
        interfaces = [(c, barred or _interface_rule(view, c, mode)) for c, barred in view.judged]
    judged = (*networks, *interfaces)
    usable = sorted((c for c, no in judged if no is None), key=lambda c: c.preference(()))
    rejected = [no for _, no in judged if no is not None]
    return CandidateSet(WANTED, mode, tuple(usable), tuple(rejected))


def boots(view: HostView, candidate: Candidate) -> bool:
    """Whether the NIC can boot from the network."""
    if view.state.host.correlation.state is not CorrelationState.CORRELATED:
        return True
    return candidate.bootable


def _network_rule(view: HostView, *, is_known: bool) -> Rule:
    if not is_known:
        return _any_network
    return _served_network if is_managed_install(view.state) else _own_network


def _any_network(view: HostView, candidate: Candidate) -> Rejection | None:
    """On an unknown host, any active network is accepted unless it gives machines a trunk."""
    return view.barred(candidate)


def _own_network(view: HostView, candidate: Candidate) -> Rejection | None:
    """On a host that others deployed, libvirt's DHCP must be off and the bridge, if known, usable."""
    return network_without_dhcp(candidate) or view.barred(candidate)


def network_without_dhcp(candidate: Candidate) -> Rejection | None:
    """libvirt's own DHCP must be off."""
    network = candidate.network
    if network is not None and network.dhcp:
        wanted = "libvirt's DHCP off and the VLAN served by ours"
        return candidate.reject(
            "libvirt_dhcp_is_off", RejectionCode.LIBVIRT_DHCP_ON, wanted, "libvirt's DHCP is on"
        )
    return None


def _served_network(view: HostView, candidate: Candidate) -> Rejection | None:
    """On a host that hostloom deployed, the network's bridge must be known and on a bootable VLAN."""
    return (
        network_without_dhcp(candidate)
        or bridge_is_known(candidate)
        or view.barred(candidate)
        or served(candidate)
    )


def bridge_is_known(candidate: Candidate) -> Rejection | None:
    """The network must have a bridge that is an interface of the node."""
    bridge = candidate.network.bridge if candidate.network else None
    if bridge is None:
        code = RejectionCode.NETWORK_WITHOUT_BRIDGE
        return candidate.reject("network_has_a_bridge", code, "a bridge", "none")
    if candidate.interface is None:
        code = RejectionCode.BRIDGE_NOT_KNOWN
        return candidate.reject(
            "bridge_is_known", code, "a bridge of the node", f"{bridge}, which the node does not have"
        )
    return None


def _interface_rule(view: HostView, candidate: Candidate, mode: MacvlanMode) -> Rejection | None:
    rejection = container_rejection(candidate, WANTED) or passthru_rejection(view, candidate, mode)
    return rejection or served(candidate)


def served(candidate: Candidate) -> Rejection | None:
    """The candidate must be on a VLAN that our DHCP serves."""
    if candidate.vlan_id is None:
        return candidate.reject("has_a_vlan", RejectionCode.NO_VLAN, "a VLAN that is served", "no VLAN")
    if not candidate.bootable:
        code = RejectionCode.VLAN_NOT_BOOTABLE
        return candidate.reject("vlan_is_bootable", code, "a VLAN that our DHCP serves", "one it does not")
    return None
