"""Detects links that machines cannot use: those of containers, switch conduits, Wi-Fi and InfiniBand."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hostloom.model.node import InterfaceKind, InterfaceRole

#: Bridge names of container engines: Docker and its networks, Podman and other users of CNI, LXC, LXD,
#: Incus, kubenet, kube-router, Weave, nerdctl, Multipass, Waydroid.
_CONTAINER_BRIDGE = re.compile(
    r"docker\d+|docker_gwbridge|br-[0-9a-f]{12}|podman\d+|cni\d+|cni-\S+|cbr\d+|kube-bridge|weave|nerdctl\d+"
    r"|lxcbr\d+|lxdbr\d+|incusbr\d+|mpqemubr\d+|waydroid0"
)
#: Names that systemd and the kernel give to Wi-Fi NICs, used if the scan did not look for Wi-Fi.
_WIRELESS_NAME = re.compile(r"wlan\d+|wl[opsvxb]\w+")
#: The last line of the list of Wi-Fi NICs.
_ASKED = "."


def parse_wireless(text: str) -> frozenset[str] | None:
    """The Wi-Fi NICs; None if unknown."""
    names = text.split()
    return frozenset(names[:-1]) if names and names[-1] == _ASKED else None


def is_wireless(name: str, wireless: frozenset[str] | None) -> bool:
    """Whether a NIC is a Wi-Fi NIC; determined by its name if the list is unknown."""
    return name in wireless if wireless is not None else _WIRELESS_NAME.fullmatch(name) is not None


def find_conduits(links: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """NICs that serve as conduits of DSA switch ports."""
    return frozenset(
        conduit for link in links.values() if (conduit := conduit_of(link)) is not None and conduit in links
    )


def conduit_of(link: Mapping[str, Any]) -> str | None:
    """The NIC below a switch port; None for other links.

    Before Linux 6.0 a switch port has no kind, only a link below it.
    """
    info = link.get("linkinfo", {})
    if info.get("info_kind") not in ("dsa", None) or link.get("link_type") != "ether":
        return None
    data = info.get("info_data", {}) if info.get("info_kind") == "dsa" else {}
    below = data.get("conduit") or data.get("master") or link.get("link")
    return below if isinstance(below, str) else None


def is_container_bridge(name: str, ports: Iterable[Mapping[str, Any]], nics: Iterable[str]) -> bool:
    """Whether a container engine created the bridge: it has no NIC, and its name or ports match."""
    if any(nics):
        return False
    if _CONTAINER_BRIDGE.fullmatch(name):
        return True
    kinds = [("link_netnsid" in port, port.get("linkinfo", {}).get("info_kind")) for port in ports]
    return bool(kinds) and all(kind == (True, "veth") for kind in kinds)


def role_of(
    name: str,
    link: Mapping[str, Any],
    kind: InterfaceKind | None,
    conduits: frozenset[str],
    wireless: frozenset[str] | None,
) -> InterfaceRole:
    """Role of a link that is not a bridge."""
    if kind is None or kind is InterfaceKind.LOOPBACK:
        return InterfaceRole.ORDINARY
    if link.get("link_type") == "infiniband":
        return InterfaceRole.INFINIBAND
    if name in conduits:
        return InterfaceRole.DSA_CONDUIT
    if kind is InterfaceKind.PHYSICAL and is_wireless(name, wireless):
        return InterfaceRole.WIRELESS
    return InterfaceRole.ORDINARY
