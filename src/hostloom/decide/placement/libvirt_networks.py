"""A host's libvirt networks for a compose without constraints, with every condition that fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hostloom.decide.placement import default_attachment
from hostloom.decide.placement.addresses import address_index_of
from hostloom.decide.placement.candidates import NETWORK_ORDER, HostView, view_of
from hostloom.decide.placement.place_nics import network_warnings, place_nics, probe_warnings
from hostloom.decide.request.resolve import resolve_request
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.host import CorrelationState, LibvirtNetwork
from hostloom.model.ids import natural_key
from hostloom.model.reasons import PlanWarning, Rejection, RejectionCode, WarningCode
from hostloom.model.request import ParsedRequest

#: Warnings that a more precise verdict replaces.
_SAID = frozenset({WarningCode.LIBVIRT_DHCP_ON, WarningCode.NO_DHCP_DETECTED, WarningCode.DHCP_NOT_VERIFIED})


@dataclass(frozen=True)
class NetworkVerdict:
    """One libvirt network."""

    network: LibvirtNetwork
    #: FABRIC/VID of its bridge; None: not known.
    vlan: str | None
    #: Whether our DHCP serves that VLAN.
    is_served: bool
    isolated: bool
    #: The conditions that fail, in the order of the checks.
    fails: tuple[Rejection, ...]
    #: Warnings if it is isolated, or if the last probe of its VLAN contradicts the model.
    warnings: tuple[PlanWarning, ...]
    #: Whether a compose without interface constraints uses it, or why not if it was considered.
    taken: bool
    why_not: Rejection | None = None

    @property
    def looked_for(self) -> bool:
        """Whether a compose without interface constraints considers a network with this name."""
        return self.network.name in NETWORK_ORDER


@dataclass(frozen=True)
class NetworksVerdict:
    """All networks of a host, and what a compose without interface constraints would use."""

    host: str
    networks: tuple[NetworkVerdict, ...]
    #: The network, bridge or NIC that would be used, and how; empty: none.
    takes: str = ""
    attach: str = ""
    #: Whether that NIC boots from the network.
    boots: bool = False


@dataclass(frozen=True)
class _Choice:
    """The choice of a compose without interface constraints on a host; empty: nothing."""

    source: str = ""
    attach: str = ""
    boots: bool = False
    #: The reasons against the other candidates, by name.
    rejections: Mapping[str, Rejection] = field(default_factory=dict)

    @property
    def network(self) -> str:
        """The libvirt network of the choice; empty if it is none."""
        return self.source if self.attach == "network" else ""


def judge_networks(snapshot: Snapshot, state: HostState) -> NetworksVerdict:
    """Check every network of a host, in natural order, regardless of the host's capacity."""
    view = view_of(snapshot, state)
    choice = _choice(view)
    networks = sorted(state.host.libvirt_networks, key=lambda network: natural_key(network.name))
    verdicts = tuple(_judge(view, network, choice) for network in networks)
    return NetworksVerdict(state.host.name, verdicts, choice.source, choice.attach, choice.boots)


def failed_conditions(view: HostView, name: str) -> tuple[Rejection, ...]:
    """Every condition for network boot by our DHCP that the network does not meet."""
    candidate, barred = view.network_candidate(name)
    if barred is not None and barred.code is RejectionCode.NETWORK_MISSING:
        return (barred,)
    is_bridge_known = default_attachment.bridge_is_known(candidate)
    rejections = (
        barred,
        default_attachment.network_without_dhcp(candidate),
        is_bridge_known,
        view.barred(candidate),
        default_attachment.served(candidate) if is_bridge_known is None else None,
    )
    return tuple(rejection for rejection in rejections if rejection is not None)


def _choice(view: HostView) -> _Choice:
    """Place one NIC without constraints; an ambiguous host is not considered."""
    if view.state.host.correlation.state is CorrelationState.AMBIGUOUS:
        return _Choice()
    address_index = address_index_of(view.snapshot)
    request = resolve_request(view.snapshot, address_index, ParsedRequest(labels=(), disks=()))
    placement = place_nics(view, address_index, request)
    label = placement.labels[0]
    rejections = {rejection.subject: rejection for rejection in label.rejections}
    if not placement.nics or not label.winner:
        return _Choice(rejections=rejections)
    return _Choice(label.winner, label.attach, label.boot, rejections)


def _judge(view: HostView, network: LibvirtNetwork, choice: _Choice) -> NetworkVerdict:
    candidate, _ = view.network_candidate(network.name)
    vlan_id = candidate.vlan_id
    warnings = network_warnings(view, candidate) + probe_warnings(view.snapshot, network.name, candidate)
    return NetworkVerdict(
        network,
        view.snapshot.vlan_name(vlan_id),
        candidate.bootable,
        candidate.isolated,
        failed_conditions(view, network.name),
        tuple(warning for warning in warnings if warning.code not in _SAID),
        network.name == choice.network,
        choice.rejections.get(network.name) if network.name in NETWORK_ORDER else None,
    )
