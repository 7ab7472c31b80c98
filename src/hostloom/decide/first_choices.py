"""What each label of a request prefers in one shape, in turn: the answer, if nothing stands against it."""

from hostloom.decide.label_sets import LabelSets
from hostloom.decide.match import Wanted
from hostloom.decide.requests import Asked
from hostloom.decide.shapes import Numbers, ShapeTable, TraitSlot
from hostloom.decide.trial import NetworkFit
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.plan import RequestCode


def first_choices(
    table: ShapeTable, number: int, asked: Asked, labels: list[LabelSets]
) -> RequestCode | NetworkFit | None:
    """The verdict on the shape; None where first choices do not complete, so that a search has to tell.

    Only for shapes in which every address can be had.
    """
    shape = table.shapes[number]
    owned: set[str] = set()
    used: set[str] = set()
    macvtaps, boots = 0, False
    for wanted, sets in zip(asked.wanted, labels, strict=True):
        if number not in sets.matching.any:
            return sets.codes.get(number, RequestCode.NO_MATCHING_INTERFACE)
        if wanted.label.attach is AttachKind.NETWORK:
            boots = boots or number in sets.live.boots
            continue
        is_exclusive = _is_exclusive(wanted, is_passthru=shape.is_passthru)
        slot = _preferred(table.slots_of[number], sets.traits, owned, used, is_exclusive=is_exclusive)
        if slot is None:
            return None
        boots = boots or slot.bootable
        macvtaps += slot.is_macvtap
        if slot.is_macvtap and is_exclusive:
            owned.add(slot.source)
        used.add(slot.source)
    if asked.request.netboot and not boots:
        can_boot = any(number in each.live.boots for each in labels)
        return None if can_boot else RequestCode.NO_BOOTABLE_VLAN
    return NetworkFit(not asked.request.netboot, macvtaps)


def _is_exclusive(wanted: Wanted, *, is_passthru: bool) -> bool:
    mode = wanted.label.macvlan_mode
    return mode is MacvlanMode.PASSTHRU or (mode is None and is_passthru)


def _preferred(
    slots: tuple[TraitSlot, ...], traits: Numbers, owned: set[str], used: set[str], *, is_exclusive: bool
) -> TraitSlot | None:
    """The best that is left of what serves the label; one that is not used yet before its equals."""
    best: TraitSlot | None = None
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
