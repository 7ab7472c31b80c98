"""Matches one label with the candidates of a host, with the reasons against the others."""

from dataclasses import dataclass

from hostloom.decide.deadline import tick
from hostloom.decide.placement.candidates import NETWORK_ORDER, Candidate, HostView
from hostloom.decide.request.resolve_constraints import ResolvedConstraint
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.ids import SubnetId, VlanId
from hostloom.model.network import Address, Subnet
from hostloom.model.reasons import Rejection, RejectionCode, RequestCode
from hostloom.model.request import LabelConstraints


@dataclass(frozen=True)
class NicRequirement:
    """One label with its names looked up; the same for every host."""

    label: LabelConstraints
    groups: tuple[ResolvedConstraint, ...]
    #: For each `ip=`, the subnets in which the address can be given.
    ip_subnets: tuple[tuple[Address, tuple[Subnet, ...]], ...]

    @property
    def named_subnets(self) -> frozenset[SubnetId] | None:
        """The subnets that the label names; None if it names none."""
        subnet_sets = [
            group.subnets for group in self.groups if group.subnets is not None and not group.negated
        ]
        return frozenset.intersection(*subnet_sets) if subnet_sets else None

    @property
    def names_interface(self) -> bool:
        """Whether the label names host interfaces explicitly, which also allows container bridges."""
        return any(group.key in ("name", "id") and not group.negated for group in self.groups)

    @property
    def ip_vlans(self) -> frozenset[VlanId] | None:
        """The VLANs on which every `ip=` can be given; None without `ip=`."""
        vlans = [frozenset(subnet.vlan_id for subnet in subnets) for _, subnets in self.ip_subnets]
        return frozenset.intersection(*vlans) if vlans else None


@dataclass(frozen=True)
class CandidateSet:
    """The candidates and rejections of one label on one host, regardless of other labels."""

    requirement: NicRequirement
    mode: MacvlanMode
    candidates: tuple[Candidate, ...]
    rejections: tuple[Rejection, ...]
    #: Interfaces that only passthru rules out: they are owned, or (for passthru) already in use.
    busy: tuple[str, ...] = ()

    def mode_of(self, candidate: Candidate) -> MacvlanMode | None:
        """The macvlan mode with this candidate; None for bridges and networks."""
        return self.mode if candidate.kind is AttachKind.MACVLAN else None

    def is_exclusive(self, candidate: Candidate) -> bool:
        """Whether this label would own the candidate."""
        return self.mode_of(candidate) is MacvlanMode.PASSTHRU


def match(view: HostView, requirement: NicRequirement) -> CandidateSet:
    """Check everything on the host against one label; `candidates` are in no particular order."""
    tick()
    label = requirement.label
    mode = label.macvlan_mode or view.state.host.default_macvlan_mode or MacvlanMode.BRIDGE
    if label.attach is AttachKind.NETWORK:
        judged, others = _judged_networks(view, requirement), _not_networks(view)
    else:
        judged, others = _judged_interfaces(view, requirement, mode), []
    busy = [
        candidate.source
        for candidate, rejection in judged
        if rejection is not None and _is_only_busy(view, candidate, rejection, requirement)
    ]
    return CandidateSet(
        requirement,
        mode,
        tuple(candidate for candidate, rejection in judged if rejection is None),
        (*(rejection for _, rejection in judged if rejection is not None), *others),
        tuple(busy),
    )


def _judged_networks(view: HostView, requirement: NicRequirement) -> list[tuple[Candidate, Rejection | None]]:
    label = requirement.label
    names = (label.network,) if label.network is not None else NETWORK_ORDER
    return [
        (candidate, barred or _network_rejection(view, candidate, requirement))
        for candidate, barred in map(view.network_candidate, names)
    ]


def _judged_interfaces(
    view: HostView, requirement: NicRequirement, mode: MacvlanMode
) -> list[tuple[Candidate, Rejection | None]]:
    return [
        (candidate, barred or _interface_rejection(view, candidate, requirement, mode))
        for candidate, barred in view.judged
    ]


def _not_networks(view: HostView) -> list[Rejection]:
    """Reject every interface for a label that asks for a network."""
    return [c.reject("attach_kind", RejectionCode.ATTACH_KIND, "network", c.kind) for c, _ in view.judged]


def _is_only_busy(
    view: HostView, candidate: Candidate, rejection: Rejection, requirement: NicRequirement
) -> bool:
    """Whether only a passthru machine or a macvtap on the candidate rules it out."""
    is_busy = rejection.code is RejectionCode.PASSTHRU_IN_USE
    return is_busy and _label_rejection(view, candidate, requirement) is None


def _interface_rejection(
    view: HostView, candidate: Candidate, requirement: NicRequirement, mode: MacvlanMode
) -> Rejection | None:
    rejection = container_rejection(candidate, requirement) or passthru_rejection(view, candidate, mode)
    if rejection is not None:
        return rejection
    return _label_rejection(view, candidate, requirement)


def _label_rejection(view: HostView, candidate: Candidate, requirement: NicRequirement) -> Rejection | None:
    if (unmet := _unmet(view, candidate, requirement)) is not None:
        return unmet
    if requirement.label.attach is not None and requirement.label.attach is not candidate.kind:
        return candidate.reject(
            "attach_kind", RejectionCode.ATTACH_KIND, requirement.label.attach, candidate.kind
        )
    return None


def container_rejection(candidate: Candidate, requirement: NicRequirement) -> Rejection | None:
    """Reject a bridge of a container engine that the label does not name."""
    if not candidate.is_for_containers or requirement.names_interface:
        return None
    code = RejectionCode.CONTAINER_BRIDGE
    return candidate.reject("is_no_container_bridge", code, "a bridge for machines", "one for containers")


def passthru_rejection(view: HostView, candidate: Candidate, mode: MacvlanMode) -> Rejection | None:
    """Reject an interface that a passthru machine owns or, for passthru, one that carries a macvtap."""
    code = RejectionCode.PASSTHRU_IN_USE
    if candidate.source in view.held:
        owner = view.held[candidate.source]
        return candidate.reject("is_not_held", code, "an interface without an owner", f"held by {owner}")
    exclusive = candidate.kind is AttachKind.MACVLAN and mode is MacvlanMode.PASSTHRU
    if exclusive and view.macvtaps[candidate.source]:
        found = f"{view.macvtaps[candidate.source]} macvtap(s) on it"
        return candidate.reject("is_free_for_passthru", code, "an interface without macvtap", found)
    return None


def _network_rejection(view: HostView, candidate: Candidate, requirement: NicRequirement) -> Rejection | None:
    network = candidate.network
    if network is not None and network.dhcp:
        found = "libvirt's DHCP is on"
        return candidate.reject(
            "libvirt_dhcp_is_off", RejectionCode.LIBVIRT_DHCP_ON, "libvirt's DHCP off", found
        )
    if (barred := view.barred(candidate)) is not None:
        return barred
    if candidate.interface is None and (requirement.groups or requirement.label.ips):
        code = RejectionCode.BRIDGE_NOT_KNOWN
        if network is not None and network.bridge is None:
            code = RejectionCode.NETWORK_WITHOUT_BRIDGE
        return candidate.reject("bridge_meets_the_label", code, "a bridge that is known", "one that is not")
    return _unmet(view, candidate, requirement)


def _unmet(view: HostView, candidate: Candidate, requirement: NicRequirement) -> Rejection | None:
    """A rejection with the first constraint that the candidate does not meet."""
    interface = candidate.interface
    for group in requirement.groups:
        if interface is None or not group.admits(interface, view.hostname):
            return candidate.reject(
                "constraints_are_met",
                RejectionCode.CONSTRAINT_NOT_MET,
                str(group),
                describe_found(view, candidate, group),
            )
    vlans = requirement.ip_vlans
    if vlans is not None and candidate.vlan_id not in vlans:
        addresses = ", ".join(str(ip) for ip, _ in requirement.ip_subnets)
        found = vlan_name(view, candidate.vlan_id)
        return candidate.reject(
            "constraints_are_met", RejectionCode.CONSTRAINT_NOT_MET, f"the VLAN of ip={addresses}", found
        )
    return None


def describe_found(view: HostView, candidate: Candidate, group: ResolvedConstraint) -> str:
    """The candidate's value for the property that the constraint is about."""
    interface = candidate.interface
    if group.vlans is not None or interface is None:
        return vlan_name(view, candidate.vlan_id)
    values = {
        "id": str(interface.id),
        "name": interface.name,
        "hostname": view.hostname,
        "type": str(interface.kind),
        "tag": ",".join(interface.tags) or "no tags",
        "link_speed": f"{interface.link_speed} Mbit/s" if interface.link_speed else "not known",
        "ip": ", ".join(map(str, interface.ips)) or "no address",
    }
    return values[group.key]


def vlan_name(view: HostView, vlan_id: VlanId | None) -> str:
    """FABRIC/VID with the VLAN's space."""
    vlan = view.snapshot.vlan_by_id.get(vlan_id) if vlan_id is not None else None
    if vlan is None:
        return "no VLAN"
    space = view.snapshot.space_by_id[vlan.space_id].name if vlan.space_id is not None else "no space"
    return f"{view.snapshot.vlan_name(vlan.id)} ({space})"


def empty_code(options: CandidateSet) -> tuple[RequestCode, str]:
    """The refusal code of a label without candidates, with the findings instead."""
    codes = [(rejection.code, rejection.subject) for rejection in options.rejections]
    if options.requirement.label.attach is AttachKind.NETWORK:
        return _empty_network_code(options, [code for code, _ in codes])
    if options.busy:
        return RequestCode.PASSTHRU_IN_USE, ", ".join(options.busy)
    return RequestCode.NO_MATCHING_INTERFACE, f"{len(codes)} host interface(s), none that matches"


def _empty_network_code(options: CandidateSet, codes: list[RejectionCode]) -> tuple[RequestCode, str]:
    network = options.requirement.label.network
    found = ", ".join(
        f"{rejection.subject}: {rejection.code}"
        for rejection in options.rejections
        if rejection.subject == (network or rejection.subject)
    )
    if network is not None and RejectionCode.NETWORK_MISSING in codes:
        return RequestCode.UNKNOWN_NETWORK, found
    if network is not None and RejectionCode.NETWORK_INACTIVE in codes:
        return RequestCode.NETWORK_INACTIVE, found
    keys = (
        RejectionCode.CONSTRAINT_NOT_MET,
        RejectionCode.BRIDGE_NOT_KNOWN,
        RejectionCode.NETWORK_WITHOUT_BRIDGE,
    )
    if any(code in keys for code in codes):
        return RequestCode.NO_MATCHING_INTERFACE, found
    return RequestCode.NO_USABLE_NETWORK, found
