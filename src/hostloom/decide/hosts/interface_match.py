"""Which recorded interface each link of a new reading is: by name and MAC, then by MAC, then by name."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from hostloom.model.node import InterfaceKind, NodeInterface
from hostloom.model.observed import ObservedLink

_Test = Callable[[ObservedLink, NodeInterface], bool]


def match_interfaces(
    present: Iterable[NodeInterface], absent: Iterable[NodeInterface], links: Iterable[ObservedLink]
) -> tuple[NodeInterface, ...]:
    """The recorded interfaces that the links are, under the links' names; each at most once.

    `present` are those of the last reading, `absent` those that were away then. A NIC that was renamed is
    found by its MAC; one that was replaced in its slot, and a bridge, by its name.
    """
    present, absent = list(present), list(absent)
    links = [link for link in links if link.kind is not None]
    interfaces: dict[str, NodeInterface] = {}
    _take(interfaces, links, present, lambda link, nic: (link.name, link.mac) == (nic.name, nic.mac))
    for recorded in (present, absent):
        _take(interfaces, links, recorded, _same_nic(links, recorded))
    for recorded in (present, absent):
        _take(interfaces, links, recorded, lambda link, nic: (link.name, link.kind) == (nic.name, nic.kind))
    _take(interfaces, links, present, lambda link, nic: link.name == nic.name)
    return tuple(replace(nic, name=name) for name, nic in interfaces.items())


def _take(
    matches: dict[str, NodeInterface],
    links: Iterable[ObservedLink],
    recorded: list[NodeInterface],
    is_same: _Test,
) -> None:
    """Move what passes the test from `recorded` to `matches`."""
    for link in links:
        if link.name not in matches:
            nic = next((nic for nic in recorded if is_same(link, nic)), None)
            if nic is not None:
                recorded.remove(nic)
                matches[link.name] = nic


def _same_nic(links: Iterable[ObservedLink], recorded: Iterable[NodeInterface]) -> _Test:
    """A NIC with the same MAC, where no two NICs share it: members of some bonds all show the bond's."""
    link_counts = Counter(link.mac for link in links if link.kind is InterfaceKind.PHYSICAL)
    nic_counts = Counter(nic.mac for nic in recorded if nic.kind is InterfaceKind.PHYSICAL)

    def is_same(link: ObservedLink, nic: NodeInterface) -> bool:
        if not link.kind is nic.kind is InterfaceKind.PHYSICAL or link.mac is None:
            return False
        return link.mac == nic.mac and link_counts[link.mac] == nic_counts[link.mac] == 1

    return is_same
