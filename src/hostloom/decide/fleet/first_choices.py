"""The first choices of a request's labels in one host class, which are the result if no rule forbids them."""

from dataclasses import dataclass, field

from hostloom.decide.fleet.host_class_table import HostClassTable, Numbers
from hostloom.decide.fleet.host_classes import AttachPointTrait
from hostloom.decide.fleet.label_sets import LabelSets
from hostloom.decide.placement.host_evaluation import NetworkFit
from hostloom.decide.placement.matching import NicRequirement
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.reasons import RequestCode


@dataclass(frozen=True)
class LabelPlan:
    """The requirements of a label that are the same for every host class."""

    sets: LabelSets
    is_network: bool
    #: Whether it owns the parent of its macvtap: always, or if the host's default mode is passthru.
    is_exclusive: bool
    is_exclusive_by_host: bool

    @classmethod
    def of(cls, requirement: NicRequirement, sets: LabelSets) -> "LabelPlan":
        """Of a label."""
        mode = requirement.label.macvlan_mode
        is_network = requirement.label.attach is AttachKind.NETWORK
        return cls(sets, is_network, mode is MacvlanMode.PASSTHRU, mode in (None, MacvlanMode.PASSTHRU))


def first_choices(
    table: HostClassTable, number: int, plans: list[LabelPlan], *, netboot: bool
) -> RequestCode | NetworkFit | None:
    """The verdict on the host class; None if the first choices are not complete, so that a search is needed.

    Only for host classes in which every address can be assigned.
    """
    is_passthru = number in table.passthru
    slots = _Slots(table.slots_of[number])
    for plan in plans:
        sets = plan.sets
        if number not in sets.matching.any:
            return sets.codes.get(number, RequestCode.NO_MATCHING_INTERFACE)
        if plan.is_network:
            slots.boots = slots.boots or number in sets.live.boots
            continue
        is_exclusive = plan.is_exclusive_by_host if is_passthru else plan.is_exclusive
        slot = slots.preferred(sets.traits, is_exclusive=is_exclusive)
        if slot is None:
            return None
        slots.take(slot, is_exclusive=is_exclusive)
    if netboot and not slots.boots:
        can_boot = any(number in plan.sets.live.boots for plan in plans)
        return None if can_boot else RequestCode.NO_BOOTABLE_VLAN
    return NetworkFit(not netboot, slots.macvtaps)


@dataclass
class _Slots:
    """The attach points of one host class, with those that previous labels have taken."""

    slots: tuple[AttachPointTrait, ...]
    used: set[str] = field(default_factory=set)
    #: Parents that a macvtap owns.
    owned: set[str] = field(default_factory=set)
    macvtaps: int = 0
    boots: bool = False

    def preferred(self, traits: Numbers, *, is_exclusive: bool) -> AttachPointTrait | None:
        """The best remaining attach point for the label; among equals, an unused one."""
        best: AttachPointTrait | None = None
        for slot in self.slots:
            if best is not None and slot.preference != best.preference:
                break
            if slot.trait not in traits or not self._is_open(slot, is_exclusive=is_exclusive):
                continue
            if slot.source not in self.used:
                return slot
            best = best or slot
        return best

    def _is_open(self, slot: AttachPointTrait, *, is_exclusive: bool) -> bool:
        if slot.source in self.owned:
            return False
        return not (is_exclusive and slot.is_macvtap and (slot.shared or slot.source in self.used))

    def take(self, slot: AttachPointTrait, *, is_exclusive: bool) -> None:
        """Record that a label takes the attach point."""
        self.boots = self.boots or slot.bootable
        self.used.add(slot.source)
        if slot.is_macvtap:
            self.macvtaps += 1
            if is_exclusive:
                self.owned.add(slot.source)
