"""Drift: the differences between the record of a host or node and a reading, as data."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from hostloom.model.drift import Drift
from hostloom.model.host import Host, LibvirtNetwork, StoragePool
from hostloom.model.ids import natural_key
from hostloom.model.node import InterfaceKind, Node, NodeInterface
from hostloom.model.observed import ObservedHost, ObservedLink, ObservedNetwork

T = TypeVar("T", StoragePool, LibvirtNetwork)

#: Attributes that count as drift when they change, with their formats.
_ATTRIBUTES = ("kind", "mac", "enabled", "link", "mtu", "parents", "tag_vid", "addresses")
#: A host's memory counts as changed if it differs by more than this part of it. The kernel's total varies
#: although the hardware stays the same, for example with a balloon or with what a new kernel keeps for
#: itself. Memory modules that are added, removed or broken are a larger part.
MEMORY_TOLERANCE_PERCENT = 1


def drift(node: Node | None, observed_network: ObservedNetwork) -> tuple[Drift, ...]:
    """What changed, by interface name; links that are not inventoried (taps, macvtaps) do not count.

    An interface whose name has changed is known by its MAC.
    """
    inventory = node.interfaces if node is not None else ()
    interfaces = [nic for nic in inventory if nic.name not in observed_network.unread]
    recorded = _by_name_now(interfaces, observed_network)
    observed = {link.name: link for link in observed_network.links if link.kind is not None}
    old_names = {nic.id: nic.name for nic in interfaces}
    changes: list[Drift] = []
    for name in sorted({*recorded, *observed}, key=natural_key):
        before, now = recorded.get(name), observed.get(name)
        if before is None:
            changes += _appeared(now)
        elif now is None:
            changes.append(Drift("interface-vanished", name, str(before.kind), ""))
        else:
            changes += _renamed(before, old_names[before.id])
            changes += _changes(before, now)
    return tuple(changes)


def _appeared(link: ObservedLink | None) -> list[Drift]:
    return [] if link is None else [Drift("interface-appeared", link.name, "", str(link.kind))]


def _by_name_now(
    interfaces: list[NodeInterface], observed_network: ObservedNetwork
) -> dict[str, NodeInterface]:
    """The recorded interfaces by the names that their links have now."""
    matched = match_interfaces(interfaces, (), observed_network.links)
    matched_ids = {nic.id for nic in matched}
    unmatched = [nic for nic in interfaces if nic.id not in matched_ids]
    return {nic.name: nic for nic in (*unmatched, *matched)}


def _renamed(nic: NodeInterface, old_name: str) -> list[Drift]:
    return [] if nic.name == old_name else [Drift("interface-name", nic.name, old_name, nic.name)]


def memory_after(recorded_mib: int, observed_mib: int) -> int:
    """The memory to record of a host: the recorded one until the observed one differs by enough to count.

    Small differences are measured from the recorded memory, so that they are noticed once they add up.
    """
    is_same = abs(observed_mib - recorded_mib) * 100 <= recorded_mib * MEMORY_TOLERANCE_PERCENT
    return recorded_mib if is_same else observed_mib


def host_drift(host: Host, observed_host: ObservedHost) -> tuple[Drift, ...]:
    """What changed of the host, its storage pools and libvirt networks.

    Free space and small differences of memory do not count.
    """
    changes = []
    if host.cores != observed_host.cores:
        changes.append(Drift("host-cores", "", str(host.cores), str(observed_host.cores)))
    if host.memory_mib != memory_after(host.memory_mib, observed_host.memory_mib):
        changes.append(Drift("host-memory", "", f"{host.memory_mib} MiB", f"{observed_host.memory_mib} MiB"))
    changes += _parts("pool", host.storage_pools, observed_host.storage_pools, _pool)
    changes += _parts("network", host.libvirt_networks, observed_host.libvirt_networks, _network)
    return tuple(changes)


def _parts(kind: str, before: Iterable[T], now: Iterable[T], describe: Callable[[T], str]) -> list[Drift]:
    recorded: dict[str, str] = {part.name: describe(part) for part in before}
    observed: dict[str, str] = {part.name: describe(part) for part in now}
    changes = []
    for name in sorted({*recorded, *observed}, key=natural_key):
        old, new = recorded.get(name, ""), observed.get(name, "")
        if old != new:
            verb = "changed" if old and new else "appeared" if new else "vanished"
            changes.append(Drift(f"{kind}-{verb}", name, old, new))
    return changes


def _pool(pool: StoragePool) -> str:
    size = f", {pool.total_bytes} bytes" if pool.active else ""
    return f"{'active' if pool.active else 'inactive'} {pool.kind}{size}"


def _network(network: LibvirtNetwork) -> str:
    parts = ["active" if network.active else "inactive", f"forward {network.forward or 'none'}"]
    parts.append(f"bridge {network.bridge or 'none'}")
    parts.append(f"libvirt's DHCP {'on' if network.dhcp else 'off'}")
    return ", ".join(parts)


def _changes(before: NodeInterface, now: ObservedLink) -> list[Drift]:
    drifts = []
    for attribute in _ATTRIBUTES:
        if attribute == "mac" and InterfaceKind.BRIDGE is before.kind is now.kind:
            continue  # it changes with the ports of the bridge, which include taps of machines
        old, new = getattr(before, attribute), getattr(now, attribute)
        if attribute in ("addresses", "parents"):
            old, new = sorted(map(str, old)), sorted(map(str, new))
        if old != new:
            drifts.append(
                Drift(
                    f"interface-{attribute.replace('_', '-')}", before.name, value_text(old), value_text(new)
                )
            )
    return drifts


def value_text(value: object) -> str:
    """A recorded or observed value in words."""
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


_Test = Callable[[ObservedLink, NodeInterface], bool]


def match_interfaces(
    present: Iterable[NodeInterface], absent: Iterable[NodeInterface], links: Iterable[ObservedLink]
) -> tuple[NodeInterface, ...]:
    """Match recorded interfaces with links, by the links' names; each interface matches at most one link.

    `present` are the interfaces of the last reading, `absent` those that it did not find. The MAC identifies
    a renamed NIC; the name identifies a bridge, or a NIC that was replaced in its slot.
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
    """A NIC with the same MAC. A shared MAC does not count, because members of some bonds show the bond's."""
    link_counts = Counter(link.mac for link in links if link.kind is InterfaceKind.PHYSICAL)
    nic_counts = Counter(nic.mac for nic in recorded if nic.kind is InterfaceKind.PHYSICAL)

    def is_same(link: ObservedLink, nic: NodeInterface) -> bool:
        if not link.kind is nic.kind is InterfaceKind.PHYSICAL or link.mac is None:
            return False
        return link.mac == nic.mac and link_counts[link.mac] == nic_counts[link.mac] == 1

    return is_same
