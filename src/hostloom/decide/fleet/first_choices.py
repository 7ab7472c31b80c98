"""What each label of a request prefers in one host class, in turn: the answer if no rule forbids it."""

from dataclasses import dataclass

from hostloom.decide.fleet.host_classes import AttachPointTrait, HostClassTable, Numbers
from hostloom.decide.fleet.label_sets import LabelSets
from hostloom.decide.placement.host_evaluation import NetworkFit
from hostloom.decide.placement.matching import NicRequirement
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.plan import RequestCode


@dataclass(frozen=True)
class LabelPlan:
    """What a label asks of every host class alike."""

    sets: LabelSets
    is_network: bool
    #: It owns its macvtap's parent: always, or where the host's own mode is passthru.
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
    """The verdict on the host class; None where first choices do not complete, so that a search has to tell.

    Only for host classes in which every address can be had.
    """
    slots, is_passthru = table.slots_of[number], number in table.passthru
    owned: set[str] = set()
    used: set[str] = set()
    macvtaps, boots = 0, False
    for plan in plans:
        sets = plan.sets
        if number not in sets.matching.any:
            return sets.codes.get(number, RequestCode.NO_MATCHING_INTERFACE)
        if plan.is_network:
            boots = boots or number in sets.live.boots
            continue
        is_exclusive = plan.is_exclusive_by_host if is_passthru else plan.is_exclusive
        slot = _preferred(slots, sets.traits, owned, used, is_exclusive=is_exclusive)
        if slot is None:
            return None
        boots = boots or slot.bootable
        macvtaps += slot.is_macvtap
        if slot.is_macvtap and is_exclusive:
            owned.add(slot.source)
        used.add(slot.source)
    if netboot and not boots:
        can_boot = any(number in plan.sets.live.boots for plan in plans)
        return None if can_boot else RequestCode.NO_BOOTABLE_VLAN
    return NetworkFit(not netboot, macvtaps)


def _preferred(
    slots: tuple[AttachPointTrait, ...],
    traits: Numbers,
    owned: set[str],
    used: set[str],
    *,
    is_exclusive: bool,
) -> AttachPointTrait | None:
    """The best that is left of what serves the label; one that is not used yet before its equals."""
    best: AttachPointTrait | None = None
    for slot in slots:
        if best is not None and slot.preference != best.preference:
            break
        if slot.trait not in traits or slot.source in owned:
            continue
        if is_exclusive and slot.is_macvtap and (slot.shared or slot.source in used):
            continue
        if slot.source not in used:
            return slot
        best = best or slot
    return best
