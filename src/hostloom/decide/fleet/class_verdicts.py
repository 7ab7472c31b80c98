"""Judges every host class of a fleet: the reason for a refusal, or how well it fits."""

from collections.abc import Iterable

from hostloom.decide.fleet.first_choices import LabelPlan, first_choices
from hostloom.decide.fleet.host_class_table import NONE, HostClassTable, Numbers
from hostloom.decide.fleet.host_classes import HostClass
from hostloom.decide.fleet.label_sets import LabelSets, Scope, label_sets
from hostloom.decide.placement.addresses import AddressIndex, wants_address
from hostloom.decide.placement.default_attachment import LABEL, boots
from hostloom.decide.placement.host_evaluation import NetworkFit, network_fit
from hostloom.decide.placement.place_nics import place_nics
from hostloom.decide.request.resolve import ResolvedRequest
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.reasons import RequestCode

Verdict = RequestCode | NetworkFit


def judge_host_classes(
    snapshot: Snapshot,
    address_index: AddressIndex,
    table: HostClassTable,
    used: Numbers,
    resolved_request: ResolvedRequest,
) -> dict[int, Verdict]:
    """Verdicts by number of the host class, for used classes; named hosts are judged separately."""
    if not resolved_request.requirements:
        return {
            number: _default(snapshot, address_index, table.classes[number], resolved_request)
            for number in used
        }
    addresses = sum(max(len(requirement.label.ips), 1) for requirement in resolved_request.requirements)
    scope = Scope(snapshot, address_index, table, addresses)
    labels = [label_sets(scope, requirement, used) for requirement in resolved_request.requirements]
    judge = _Judge(table, address_index, resolved_request, labels)
    return judge.verdicts(used)


def _default(
    snapshot: Snapshot, address_index: AddressIndex, host_class: HostClass, resolved_request: ResolvedRequest
) -> Verdict:
    """The verdict without interface constraints: the first candidate with a free address."""
    candidates = host_class.default_options.candidates
    for candidate in candidates:
        is_full = (
            candidate.vlan_id is not None
            and wants_address(LABEL, snapshot, candidate.vlan_id)
            and not address_index.has_room(candidate.vlan_id, None, 1)
        )
        if not is_full:
            is_booted = (
                resolved_request.request.netboot and boots(host_class.view, candidate) and candidate.bootable
            )
            return NetworkFit(not is_booted, int(candidate.kind is AttachKind.MACVLAN))
    return RequestCode.SUBNET_FULL if candidates else RequestCode.NO_USABLE_NETWORK


class _Judge:
    """Derives verdicts from the sets; evaluates host classes in which labels may compete."""

    def __init__(
        self,
        table: HostClassTable,
        address_index: AddressIndex,
        resolved_request: ResolvedRequest,
        labels: list[LabelSets],
    ) -> None:
        self._table, self._address_index, self._asked, self._labels = (
            table,
            address_index,
            resolved_request,
            labels,
        )
        self._netboot = resolved_request.request.netboot
        self._found: dict[int, Verdict] = {}
        pairs = zip(resolved_request.requirements, labels, strict=True)
        self._plans = [LabelPlan.of(requirement, sets) for requirement, sets in pairs]
        self._lacking = NONE.union(*(label.intricate | label.short for label in labels))

    def verdicts(self, used: Numbers) -> dict[int, Verdict]:
        """Of these host classes."""
        passthru = MacvlanMode.PASSTHRU
        careful = used & self._table.passthru
        if any(requirement.label.macvlan_mode is passthru for requirement in self._asked.requirements):
            careful |= used - self._without_conflict(used)
        for number in careful:
            self._found[number] = self._one(number)
        rest = self._settle_unmatched(used - careful)
        intricate = rest & NONE.union(*(label.intricate for label in self._labels))
        for number in intricate:
            self._found[number] = self._tried(number)
        self._settle_matched(rest - intricate)
        return self._found

    def _without_conflict(self, used: Numbers) -> Numbers:
        """Host classes in which at most one label uses a macvtap, so that the first choices suffice."""
        none, one, *_ = self._by_macvtaps(used)
        firsts = NONE.union(*(label.live.first_boots for label in self._labels)) if self._netboot else used
        return ((none | one) & firsts) - self._lacking

    def _by_macvtaps(self, numbers: Numbers) -> list[Numbers]:
        """Host classes by the number of labels that can only use a macvtap there."""
        sets = [numbers]
        for label in self._labels:
            direct = label.live.direct
            pairs = zip([*sets, NONE], [NONE, *sets], strict=True)
            sets = [(more & direct) | (fewer - direct) for more, fewer in pairs]
        return sets

    def _settle(self, numbers: Iterable[int], verdict: Verdict) -> None:
        self._found.update(dict.fromkeys(numbers, verdict))

    def _settle_unmatched(self, rest: Numbers) -> Numbers:
        """Refuse host classes without a candidate for a label (the first such label); return the others."""
        for label in self._labels:
            missing = rest - label.matching.any
            rest -= missing
            self._settle(missing, RequestCode.NO_MATCHING_INTERFACE)
            for number in missing & label.codes.keys():
                self._found[number] = label.codes[number]
        return rest

    def _settle_matched(self, rest: Numbers) -> None:
        """Every label gets its first choice; if none of these boots, the last label that can boot does."""
        fits = rest.intersection(*(label.live.any for label in self._labels))
        if self._netboot:
            fits &= NONE.union(*(label.live.boots for label in self._labels))
        unfit = rest - fits
        first_boots = NONE.union(*(label.matching.first_boots for label in self._labels))
        self._settle(unfit - first_boots, RequestCode.NO_BOOTABLE_VLAN)
        self._settle(unfit if not self._netboot else unfit & first_boots, RequestCode.SUBNET_FULL)
        forced = self._forced(fits) if self._netboot else NONE
        for count, _by_macvtap in enumerate(self._by_macvtaps(fits)):
            self._settle(_by_macvtap - forced, NetworkFit(not self._netboot, count))
            self._settle(_by_macvtap & forced, NetworkFit(not self._netboot, count + 1))

    def _forced(self, fits: Numbers) -> Numbers:
        """Host classes in which a further label uses a macvtap, because otherwise no NIC boots."""
        rest = fits - NONE.union(*(label.live.first_boots for label in self._labels))
        forced = NONE
        for label in reversed(self._labels):
            last = rest & label.live.boots
            forced |= last & label.live.direct
            rest -= last
        return forced

    # -- one by one ------------------------------------------------------------------------------------

    def _one(self, number: int) -> Verdict:
        """Judge a host class with passthru conflicts: by first choices, or by a search if they fail."""
        if number in self._lacking:
            return self._tried(number)
        verdict = first_choices(self._table, number, self._plans, netboot=self._netboot)
        return self._tried(number) if verdict is None else verdict

    def _tried(self, number: int) -> Verdict:
        """Search, as for a single host."""
        placement = place_nics(self._table.classes[number].view, self._address_index, self._asked)
        return network_fit(placement.nics) if placement.refusal is None else placement.refusal.code
