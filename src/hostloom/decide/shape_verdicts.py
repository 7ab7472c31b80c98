"""The verdict on every shape of a fleet: why it is refused, or how well it fits."""

from hostloom.decide.addresses import AddressBook, wants_address
from hostloom.decide.attach import LABEL, boots
from hostloom.decide.label_sets import LabelSets, Scope, label_sets
from hostloom.decide.place import place_nics
from hostloom.decide.requests import Asked
from hostloom.decide.shapes import Numbers, Shape, ShapeTable
from hostloom.decide.snapshot import Snapshot
from hostloom.decide.trial import NetworkFit, network_fit
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.plan import RequestCode

Verdict = RequestCode | NetworkFit


def judge_shapes(
    snapshot: Snapshot, book: AddressBook, table: ShapeTable, used: Numbers, asked: Asked
) -> dict[int, Verdict]:
    """By shape number, for those that some host has; hosts that a term names are judged on their own."""
    if not asked.wanted:
        return {number: _default(snapshot, book, table.shapes[number], asked) for number in used}
    addresses = sum(max(len(each.label.ips), 1) for each in asked.wanted)
    scope = Scope(snapshot, book, table, addresses)
    labels = [label_sets(scope, wanted, used) for wanted in asked.wanted]
    verdicts: dict[int, Verdict] = {}
    judge = _Judge(asked, labels)
    for number in used:
        verdict = judge.verdict(number, table.shapes[number])
        if verdict is None:
            verdict = _tried(table.shapes[number], book, asked)
        verdicts[number] = verdict
    return verdicts


def _default(snapshot: Snapshot, book: AddressBook, shape: Shape, asked: Asked) -> Verdict:
    """Without interface constraints: the first in the shape's order that has an address to give."""
    candidates = shape.default_options.candidates
    for each in candidates:
        is_full = (
            each.vlan_id is not None
            and wants_address(LABEL, snapshot, each.vlan_id)
            and not book.has_room(each.vlan_id, None, 1)
        )
        if not is_full:
            is_booted = asked.request.netboot and boots(shape.view, each) and each.bootable
            return NetworkFit(not is_booted, int(each.kind is AttachKind.MACVLAN))
    return RequestCode.SUBNET_FULL if candidates else RequestCode.NO_USABLE_NETWORK


def _tried(shape: Shape, book: AddressBook, asked: Asked) -> Verdict:
    """Search, as for a single host."""
    placement = place_nics(shape.view, book, asked)
    return network_fit(placement.nics) if placement.refusal is None else placement.refusal.code


class _Judge:
    """Reads verdicts out of the sets, wherever labels do not get into each other's way."""

    def __init__(self, asked: Asked, labels: list[LabelSets]) -> None:
        self._labels = labels
        self._netboot = asked.request.netboot
        self._intricate = frozenset().union(*(each.intricate for each in labels))
        self._has_passthru = any(wanted.label.macvlan_mode is MacvlanMode.PASSTHRU for wanted in asked.wanted)

    def verdict(self, number: int, shape: Shape) -> Verdict | None:
        """None: it has to be tried."""
        for at, each in enumerate(self._labels):
            if number not in each.matching.any:
                if self._may_conflict(number, shape, self._labels[:at]):
                    return None
                return each.codes.get(number, RequestCode.NO_MATCHING_INTERFACE)
        is_first_booted = any(number in each.live.first_boots for each in self._labels)
        is_forced = self._netboot and not is_first_booted
        if number in self._intricate or self._may_conflict(number, shape, self._labels, is_forced=is_forced):
            return None
        return self._of_matching(number, is_forced=is_forced)

    def _may_conflict(
        self, number: int, shape: Shape, labels: list[LabelSets], *, is_forced: bool = False
    ) -> bool:
        """Whether two of the labels may want one interface that a passthru machine would own."""
        if not shape.is_passthru and not self._has_passthru:
            return False
        macvtaps = sum(number not in each.live.direct for each in labels)
        return is_forced or macvtaps > (0 if shape.is_passthru else 1)

    def _of_matching(self, number: int, *, is_forced: bool) -> Verdict:
        """`is_forced`: some label has to pass its first choice over, so that a NIC boots."""
        can_boot = not self._netboot or any(number in each.live.boots for each in self._labels)
        if can_boot and all(number in each.live.any for each in self._labels):
            macvtaps = sum(number not in each.live.direct for each in self._labels)
            if is_forced:
                last = [each for each in self._labels if number in each.live.boots][-1]
                macvtaps += number in last.live.direct
            return NetworkFit(not self._netboot, macvtaps)
        if self._netboot and not any(number in each.matching.first_boots for each in self._labels):
            return RequestCode.NO_BOOTABLE_VLAN
        return RequestCode.SUBNET_FULL
