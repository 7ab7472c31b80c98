"""Detects links with frames that already have a tag before they reach the NIC."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from hostloom.model.node import InterfaceKind, NodeInterface

#: Interfaces whose parents are their ports or members.
JOINING = (InterfaceKind.BRIDGE, InterfaceKind.BOND)


class Stacked(Protocol):
    """A link or an interface of a node."""

    @property
    def kind(self) -> InterfaceKind | None:
        """The kind of the link."""
        ...

    @property
    def parents(self) -> Sequence[str]:
        """The names of the links below it."""
        ...


def members(interfaces: Iterable[NodeInterface]) -> frozenset[str]:
    """Interfaces that belong to a bridge, bond or failover pair, and are not used for themselves."""
    names = tuple(interfaces)
    joined = {name for interface in names if interface.kind in JOINING for name in interface.parents}
    return frozenset(joined | {interface.name for interface in names if interface.master})


def is_tagged(name: str, links: Mapping[str, Stacked], visited: frozenset[str] = frozenset()) -> bool:
    """Whether it is a VLAN interface, or a bridge or bond with one below it."""
    link = links.get(name)
    if link is None or name in visited:
        return False
    if link.kind is InterfaceKind.VLAN:
        return True
    return link.kind in JOINING and any(is_tagged(port, links, visited | {name}) for port in link.parents)
