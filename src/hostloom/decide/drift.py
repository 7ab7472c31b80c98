"""Drift: the difference between a node's recorded interfaces and what is seen now, as data."""

from dataclasses import dataclass

from hostloom.model.ids import natural_key
from hostloom.model.node import Node, NodeInterface
from hostloom.model.observed import ObservedLink, ObservedNetwork

#: Attributes whose change is drift, with how each is written.
_ATTRIBUTES = ("kind", "mac", "enabled", "link", "mtu", "parents", "tag_vid", "addresses")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `recorded` or `observed` is empty for what appeared or vanished."""

    #: `interface-appeared`, `interface-vanished`, or `interface-` and the attribute.
    kind: str
    subject: str
    recorded: str
    observed: str


def drift(node: Node | None, seen: ObservedNetwork) -> tuple[Change, ...]:
    """What changed, by interface name; links that are not inventoried (taps, macvtaps) do not count."""
    recorded = {each.name: each for each in (node.interfaces if node else ())}
    observed = {each.name: each for each in seen.links if each.kind is not None}
    changes: list[Change] = []
    for name in sorted({*recorded, *observed}, key=natural_key):
        before, now = recorded.get(name), observed.get(name)
        if before is None and now is not None:
            changes.append(Change("interface-appeared", name, "", str(now.kind)))
        elif now is None and before is not None and name not in seen.unread:
            changes.append(Change("interface-vanished", name, str(before.kind), ""))
        elif before is not None and now is not None:
            changes += _changes(before, now)
    return tuple(changes)


def _changes(before: NodeInterface, now: ObservedLink) -> list[Change]:
    found = []
    for attribute in _ATTRIBUTES:
        old, new = getattr(before, attribute), getattr(now, attribute)
        if attribute in ("addresses", "parents"):
            old, new = sorted(map(str, old)), sorted(map(str, new))
        if old != new:
            found.append(
                Change(f"interface-{attribute.replace('_', '-')}", before.name, _text(old), _text(new))
            )
    return found


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
