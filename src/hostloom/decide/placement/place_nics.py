"""Place the NICs of a request on one host: with constraints, or without.

See docs/explanation/rules.md#choosing-interfaces.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hostloom.decide.placement import default_attachment
from hostloom.decide.placement.addresses import AddressIndex
from hostloom.decide.placement.assignment import Assignment, Infeasible, NicChoice, Obstacle, Search
from hostloom.decide.placement.candidates import Candidate, HostView
from hostloom.decide.placement.matching import CandidateSet, empty_code, match, vlan_name
from hostloom.decide.placement.nic_reasons import explain_label
from hostloom.decide.request.resolve import ResolvedRequest
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.host import CorrelationState
from hostloom.model.plan import LabelExplanation
from hostloom.model.reasons import PlanWarning, Refusal, RequestCode, SubjectKind, WarningCode
from hostloom.model.request import AddressMode, LabelConstraints


@dataclass(frozen=True)
class PlacedNic:
    """One NIC of the machine on the host."""

    label: LabelConstraints
    chosen: NicChoice
    mode: MacvlanMode | None
    boot: bool


@dataclass(frozen=True)
class Placement:
    """The NICs of a machine on a host, or the refusal, with an explanation in both cases."""

    nics: tuple[PlacedNic, ...]
    labels: tuple[LabelExplanation, ...]
    warnings: tuple[PlanWarning, ...] = ()
    refusal: Refusal | None = None


def place_nics(view: HostView, address_index: AddressIndex, resolved_request: ResolvedRequest) -> Placement:
    """Choose how every NIC is attached."""
    if not resolved_request.requirements:
        return _place_default(view, address_index, resolved_request)
    options = tuple(match(view, requirement) for requirement in resolved_request.requirements)
    netboot = resolved_request.request.netboot
    assignment = Search(view.snapshot, address_index, options, netboot=netboot).run()
    if isinstance(assignment, Infeasible):
        return _refused(options, assignment)
    nics = _boot_first(options, assignment, netboot=netboot)
    labels = []
    for index, (candidate_set, nic) in enumerate(zip(options, nics, strict=True)):
        winner, passed_over = nic.chosen.candidate, assignment.passed_over[index]
        reasons = explain_label(
            candidate_set, winner, passed_over, _used(assignment, index), _taken(options, assignment, index)
        )
        labels.append(_describe(view, nic, reasons))
    return Placement(nics, tuple(labels), _warnings(view, nics, netboot=netboot))


def _describe(view: HostView, nic: PlacedNic, label: LabelExplanation) -> LabelExplanation:
    """The explanation with the address and mode that the NIC gets."""
    candidate = nic.chosen.candidate
    return replace(
        label,
        attach=candidate.kind.value,
        macvlan_mode=nic.mode.value if nic.mode is not None else "",
        vlan=vlan_name(view, candidate.vlan_id) if candidate.vlan_id is not None else "",
        addresses=tuple(str(ip) for ip, _ in nic.chosen.addresses),
        boot=nic.boot,
    )


def _used(assignment: Assignment, index: int) -> frozenset[str]:
    return frozenset(nic_choice.candidate.source for nic_choice in assignment.chosen[:index])


def _taken(options: tuple[CandidateSet, ...], assignment: Assignment, index: int) -> frozenset[str]:
    """The interfaces that passthru, in this label or an earlier one, makes unavailable to the label."""
    earlier = [(options[n], nic_choice.candidate) for n, nic_choice in enumerate(assignment.chosen[:index])]
    owned = {c.source for candidate_set, c in earlier if candidate_set.is_exclusive(c)}
    shared = {c.source for _, c in earlier if c.kind is AttachKind.MACVLAN}
    sources = {c.source for c in options[index].candidates if options[index].is_exclusive(c)}
    return frozenset(owned | (shared & sources))


def _boot_first(
    options: tuple[CandidateSet, ...], assignment: Assignment, *, netboot: bool
) -> tuple[PlacedNic, ...]:
    """The boot NIC is the first one on a bootable VLAN (docs/explanation/rules.md#network-boot)."""
    bootable = [index for index, nic_choice in enumerate(assignment.chosen) if nic_choice.candidate.bootable]
    boot = bootable[0] if netboot and bootable else -1
    return tuple(
        PlacedNic(
            candidate_set.requirement.label, chosen, candidate_set.mode_of(chosen.candidate), boot == index
        )
        for index, (candidate_set, chosen) in enumerate(zip(options, assignment.chosen, strict=True))
    )


def _refused(options: tuple[CandidateSet, ...], dead: Infeasible) -> Placement:
    labels = [
        explain_label(option, choice, (), frozenset())
        for option, choice in zip(options, dead.first_choices, strict=False)
    ]
    stuck = options[dead.label]
    if dead.obstacle in (Obstacle.NO_CANDIDATE, Obstacle.PASSTHRU):
        labels.append(explain_label(stuck, None, (), frozenset(c.source for c in dead.first_choices)))
    return Placement((), tuple(labels), refusal=_refusal(stuck, dead))


def _refusal(stuck: CandidateSet, dead: Infeasible) -> Refusal:
    label = stuck.requirement.label
    if dead.obstacle is Obstacle.NO_BOOTABLE_VLAN:
        found = ", ".join(f"{first_choice.source}" for first_choice in dead.first_choices)
        return Refusal(
            "one_nic_boots",
            RequestCode.NO_BOOTABLE_VLAN,
            SubjectKind.REQUEST,
            "interfaces",
            "a NIC on a VLAN that our DHCP serves",
            f"NICs on {found} only",
        )
    if dead.obstacle is Obstacle.NO_ADDRESS:
        source = dead.first_choices[dead.label].source
        wanted = "a free address on its VLAN"
        return _label_refusal(
            "nic_has_an_address", RequestCode.SUBNET_FULL, label, wanted, f"none by {source}"
        )
    code, found = empty_code(stuck)
    if dead.obstacle is Obstacle.PASSTHRU:
        code = RequestCode.PASSTHRU_IN_USE
        found = f"{', '.join(sorted(c.source for c in stuck.candidates))}: taken by this very request"
    return _label_refusal("label_has_an_interface", code, label, str(_terms(stuck)), found)


def _terms(options: CandidateSet) -> str:
    terms = options.requirement.label.terms
    return ",".join(f"{'not_' * term.negated}{term.key}={term.value}" for term in terms)


def _label_refusal(rule: str, code: RequestCode, label: LabelConstraints, wanted: str, found: str) -> Refusal:
    return Refusal(rule, code, SubjectKind.LABEL, label.label, wanted, found, label.column)


# -- without constraints -------------------------------------------------------------------------------


def _place_default(
    view: HostView, address_index: AddressIndex, resolved_request: ResolvedRequest
) -> Placement:
    result = default_attachment.choose_default(view, address_index)
    winner = result.chosen.candidate if result.chosen else None
    labels = (explain_label(result.options, winner, result.passed_over, frozenset()),)
    if result.chosen is None:
        if result.options.candidates:
            refusal = Refusal(
                "nic_has_an_address",
                RequestCode.SUBNET_FULL,
                SubjectKind.REQUEST,
                "eth0",
                wanted="a free address on its VLAN",
                found="every subnet that it could be on is full",
            )
        else:
            refusal = Refusal(
                "a_network_is_usable",
                RequestCode.NO_USABLE_NETWORK,
                SubjectKind.REQUEST,
                "eth0",
                wanted="libvirt network maas or default, or a bridge or NIC on a VLAN that our DHCP serves",
                found=", ".join(
                    f"{rejection.subject}: {rejection.code}" for rejection in result.options.rejections
                ),
            )
        return Placement((), labels, refusal=refusal)
    chosen = result.chosen
    boot = resolved_request.request.netboot and default_attachment.boots(view, chosen.candidate)
    nic = PlacedNic(default_attachment.LABEL, chosen, result.options.mode_of(chosen.candidate), boot)
    labels = (_describe(view, nic, labels[0]),)
    return Placement((nic,), labels, _warnings(view, (nic,), netboot=resolved_request.request.netboot))


# -- warnings ------------------------------------------------------------------------------------------


def _warnings(view: HostView, nics: tuple[PlacedNic, ...], *, netboot: bool) -> tuple[PlanWarning, ...]:
    warnings = [warning for nic in nics for warning in _nic_warnings(view, nic)]
    if netboot and any(nic.boot for nic in nics[1:]):
        boot = next(nic for nic in nics if nic.boot)
        warnings.append(PlanWarning(WarningCode.BOOT_NIC_NOT_FIRST, boot.label.name, nics[0].label.name))
    return tuple(warnings)


def _nic_warnings(view: HostView, nic: PlacedNic) -> Iterator[PlanWarning]:
    name, candidate = nic.label.name, nic.chosen.candidate
    if nic.boot or nic.label.mode is not AddressMode.UNCONFIGURED:
        yield from probe_warnings(view.snapshot, name, candidate)
    if candidate.kind is AttachKind.NETWORK:
        yield from network_warnings(view, candidate)
    if not candidate.is_verified and candidate.interface is not None:
        yield PlanWarning(WarningCode.VLAN_NOT_VERIFIED, name, candidate.interface.name)
    if candidate.kind is AttachKind.MACVLAN:
        yield PlanWarning(WarningCode.HOST_CANNOT_REACH_GUEST, name, candidate.source)
    if nic.mode is MacvlanMode.VEPA:
        yield PlanWarning(WarningCode.MODE_NOT_SUPPORTED_BY_SWITCH, name, candidate.source)


def probe_warnings(snapshot: Snapshot, name: str, candidate: Candidate) -> list[PlanWarning]:
    """Warnings if the last probe of the candidate's VLAN contradicts the model; `name` is their subject."""
    vlan_id, warnings = candidate.vlan_id, []
    if vlan_id is None:
        return []
    foreign = snapshot.foreign_by_vlan.get(vlan_id, ())
    if foreign:
        servers = ", ".join(dict.fromkeys(str(foreign_dhcp.server) for foreign_dhcp in foreign))
        warnings.append(PlanWarning(WarningCode.FOREIGN_DHCP, name, servers))
    if vlan_id in snapshot.silent_vlans and candidate.bootable:
        warnings.append(PlanWarning(WarningCode.OUR_DHCP_SILENT, name, snapshot.vlan_name(vlan_id)))
    return warnings


def network_warnings(view: HostView, candidate: Candidate) -> list[PlanWarning]:
    """The warnings about a NIC on a libvirt network."""
    is_known = view.state.host.correlation.state is CorrelationState.CORRELATED
    network = candidate.network
    warnings = []
    if network is not None and network.dhcp:
        warnings.append(PlanWarning(WarningCode.LIBVIRT_DHCP_ON, candidate.source))
    elif not is_known or candidate.vlan_id is None:
        warnings.append(PlanWarning(WarningCode.DHCP_NOT_VERIFIED, candidate.source))
    elif not candidate.bootable:
        warnings.append(PlanWarning(WarningCode.NO_DHCP_DETECTED, candidate.source))
    if candidate.isolated:
        warnings.append(PlanWarning(WarningCode.ISOLATED_NETWORK, candidate.source))
    return warnings
