"""Reads a host's links: their kinds, parents and roles.

Only global and unique-local addresses are kept. Link-local (fe80::/10, 169.254.0.0/16) and loopback addresses
do not identify the network of a link; temporary IPv6 addresses (RFC 8981) change often, and duplicates
detected by the kernel are not in use.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Any

from hostloom.hostscan.bridge_vlans import PortVlans, linux_bridge_vlans, ovs_bridge_vlans
from hostloom.hostscan.openvswitch import OpenVSwitch
from hostloom.hostscan.roles import find_conduits, is_container_bridge, role_of
from hostloom.model.attachment import MacvlanMode
from hostloom.model.errors.values import InvalidValue
from hostloom.model.finding import Findings
from hostloom.model.ids import MacAddress, natural_key
from hostloom.model.network import DEFAULT_MTU, Address
from hostloom.model.node import BridgeKind, BridgeVlans, InterfaceKind, InterfaceRole
from hostloom.model.observed import ObservedLink, ObservedRoute

_KINDS = {
    "bond": InterfaceKind.BOND,
    "team": InterfaceKind.BOND,
    "bridge": InterfaceKind.BRIDGE,
    "vlan": InterfaceKind.VLAN,
}
#: Kinds of NICs: most NICs have no kind, but switch ports and children of InfiniBand NICs have one.
_NIC_KINDS = (None, "dsa", "ipoib")
_MACVLANS = ("macvtap", "macvlan")
#: Links with their own addresses on the network of the link below them.
_CHILDREN = ("macvlan", "ipvlan", "macsec")
#: The kernel's name of the master of all Open vSwitch ports.
_OVS_MASTER = "ovs-system"
#: Prefix of hostloom's temporary probe links (wire/agent/), which are not NICs of the host.
PROBES = "hlp"


@dataclass(frozen=True)
class Facts:
    """Facts beside the links themselves; None if they could not be read."""

    ovs: OpenVSwitch
    speeds: dict[str, int]
    wireless: frozenset[str] | None
    port_vlans: dict[str, PortVlans] | None


class Links:
    """All links by name, with the facts that determine kind and role."""

    def __init__(self, raw: dict[str, Any], facts: Facts, routes: tuple[ObservedRoute, ...]) -> None:
        self._raw, self._facts, self._ovs, self._speeds = raw, facts, facts.ovs, facts.speeds
        self._conduits = find_conduits(raw)
        self._has_own_nic = any(_is_nic(link) for link in raw.values())
        self._kinds = {name: self._kind(name, link) for name, link in raw.items()}
        self._child_addresses = self._find_child_addresses()
        self._routers = self._find_routers(routes)

    def read(self, findings: Findings) -> tuple[ObservedLink, ...]:
        """Links in the order of `ip`; unreadable ones become findings."""
        observed_links = []
        for name, link in self._raw.items():
            with findings.reading(f"link {name}", "a link as `ip -j -d addr show` prints it"):
                observed_links.append(self._link(name, link))
        return tuple(observed_links)

    def _find_child_addresses(self) -> dict[str, list[IPv4Interface | IPv6Interface]]:
        """Addresses of links that are not recorded, by the interface that represents them."""
        addresses_by_interface: dict[str, list[IPv4Interface | IPv6Interface]] = {}
        for name, link in self._raw.items():
            if self._kinds[name] is None and (standing := self._recorded_below(name)) is not None:
                addresses_by_interface.setdefault(standing, []).extend(_addresses(link))
        return addresses_by_interface

    def _find_routers(self, routes: tuple[ObservedRoute, ...]) -> dict[str, set[Address]]:
        """Next hops of routes, by the interface that represents the route's link."""
        addresses_by_interface: dict[str, set[Address]] = {}
        for route in routes:
            gateway, standing = route.next_hop, self._recorded_below(route.interface)
            if gateway is not None and standing is not None and not gateway.is_link_local:
                addresses_by_interface.setdefault(standing, set()).add(gateway)
        return addresses_by_interface

    def _recorded_below(self, name: str) -> str | None:
        """The link itself, or the parent of a macvlan or similar link; the loopback without a NIC."""
        visited: set[str] = set()
        while name in self._raw and name not in visited:
            if self._kinds[name] is not None:
                return name
            visited.add(name)
            name = self._raw[name].get("link", "") if info_kind(self._raw[name]) in _CHILDREN else ""
        loopbacks = (name for name, kind in self._kinds.items() if kind is InterfaceKind.LOOPBACK)
        return next(loopbacks, None)

    def _link(self, name: str, link: dict[str, Any]) -> ObservedLink:
        kind, is_ovs, parents = self._kinds[name], name in self._ovs.bridges, self._parents(name)
        bridge = None
        if kind is InterfaceKind.BRIDGE:
            bridge = BridgeKind.OVS if is_ovs or _is_ovs_device(link) else BridgeKind.STANDARD
        flags = link.get("flags", [])
        return ObservedLink(
            name,
            kind,
            _mac(link, kind),
            # The state of an Open vSwitch bridge's own device is irrelevant: the bridge forwards without it.
            "UP" in flags or is_ovs,
            self._has_carrier(name, flags, parents),
            int(link.get("mtu", DEFAULT_MTU)),
            tuple(_addresses(link)),
            parents,
            bridge,
            self._tag(name, link),
            self._speed(name, kind, parents),
            self._master(name, link),
            _macvlan_mode(link),
            self._role(name, link),
            self._bridge_vlans(name, link) if bridge is not None else None,
            tuple(self._child_addresses.get(name, ())),
            tuple(sorted(self._routers.get(name, ()), key=lambda ip: (ip.version, int(ip)))),
        )

    def _kind(self, name: str, link: dict[str, Any]) -> InterfaceKind | None:
        """Kind of a link that can carry a machine; None for links of guests, containers and tunnels."""
        info = info_kind(link)
        if info == "veth" and name.startswith(PROBES):
            return None
        if name in self._ovs.bridges:
            return InterfaceKind.BRIDGE
        if link.get("link_type") == "loopback":
            return InterfaceKind.LOOPBACK
        if (port := self._ovs.ports.get(name)) is not None and port.is_internal:
            return self._internal_kind(name, link)
        if self._is_unknown_ovs(name, link):
            return InterfaceKind.BRIDGE if "UP" in link.get("flags", []) else None
        return self._kernel_kind(info, link)

    def _is_unknown_ovs(self, name: str, link: dict[str, Any]) -> bool:
        """Whether it may be a bridge or a port of one: only Open vSwitch's database distinguishes them."""
        return _is_ovs_device(link) and not self._ovs.is_known and name != _OVS_MASTER

    def _kernel_kind(self, info: str | None, link: dict[str, Any]) -> InterfaceKind | None:
        """Kind of a link that has nothing to do with Open vSwitch."""
        if info in _NIC_KINDS:
            return InterfaceKind.PHYSICAL if _is_nic(link) else None
        if info == "veth":
            return InterfaceKind.PHYSICAL if self._is_own_veth(link) else None
        return _KINDS.get(info)

    def _internal_kind(self, name: str, link: dict[str, Any]) -> InterfaceKind | None:
        """A VLAN interface if the port is tagged; the bridge's own interface if it has an address."""
        if self._ovs.ports[name].tag_vid is not None:
            return InterfaceKind.VLAN
        return InterfaceKind.PHYSICAL if any(map(_address, link.get("addr_info", []))) else None

    def _is_own_veth(self, link: dict[str, Any]) -> bool:
        """Whether the veth is the NIC of a host that is itself a container.

        The other end of such a veth is in another namespace, as with the host's end of a container's veth.
        The latter has no address here, and its host has NICs.
        """
        if "link_netnsid" not in link:
            return False
        return not self._has_own_nic or any(map(_address, link.get("addr_info", [])))

    def _parents(self, name: str) -> tuple[str, ...]:
        """NICs of the host among the ports or members, without taps of machines; the parent of a VLAN."""
        kind = self._kinds[name]
        if name in self._ovs.bridges:
            ports = self._ovs.plugged_into(name)
            return self._recorded([port for port in ports if not self._ovs.ports[port].is_internal])
        if kind is InterfaceKind.VLAN or info_kind(self._raw[name]) in _MACVLANS:
            parent = self._link_below(name)
            return (parent,) if parent in self._raw else ()
        if kind in (InterfaceKind.BRIDGE, InterfaceKind.BOND):
            return self._recorded([port for port, link in self._raw.items() if link.get("master") == name])
        return ()

    def _recorded(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted((name for name in names if self._kinds.get(name) is not None), key=natural_key))

    def _link_below(self, name: str) -> str:
        """The parent of a VLAN or macvlan interface; empty if it has none."""
        port = self._ovs.ports.get(name) if self._kinds[name] is InterfaceKind.VLAN else None
        return port.bridge if port else self._raw[name].get("link") or ""

    def _has_carrier(self, name: str, flags: list[str], parents: tuple[str, ...]) -> bool:
        """Whether the carrier counts: a bridge without ports has none until its first machine.

        See docs/explanation/rules.md#interfaces-that-can-carry-a-machine.
        """
        if name in self._ovs.bridges:
            return not parents or any("LOWER_UP" in self._raw[p].get("flags", []) for p in parents)
        idle_bridge = self._kinds[name] is InterfaceKind.BRIDGE and "UP" in flags and not parents
        return "LOWER_UP" in flags or idle_bridge

    def _tag(self, name: str, link: dict[str, Any]) -> int | None:
        if self._kinds[name] is not InterfaceKind.VLAN:
            return None
        if name in self._ovs.ports:
            return self._ovs.ports[name].tag_vid
        vid = link.get("linkinfo", {}).get("info_data", {}).get("id")
        return None if vid is None else int(vid)

    def _speed(self, name: str, kind: InterfaceKind | None, parents: tuple[str, ...]) -> int:
        """Mbit/s; for a bridge the speed of its fastest NIC, because the kernel also counts taps."""
        if kind is InterfaceKind.BRIDGE:
            return max((self._speeds.get(parent, 0) for parent in parents), default=0)
        return 0 if kind is None else self._speeds.get(name, 0)

    def _master(self, name: str, link: dict[str, Any]) -> str:
        """The master that uses the link; a VRF does not count, because it only selects routes."""
        if name in self._ovs.ports:
            return self._ovs.ports[name].bridge
        master: str = link.get("master", "")
        return "" if info_kind(self._raw.get(master, {})) == "vrf" else master

    def _role(self, name: str, link: dict[str, Any]) -> InterfaceRole:
        kind = self._kinds[name]
        if kind is not InterfaceKind.BRIDGE:
            return role_of(name, link, kind, self._conduits, self._facts.wireless)
        if _is_ovs_device(link):
            return InterfaceRole.ORDINARY if self._ovs.is_known else InterfaceRole.OVS_UNREADABLE
        ports = [link for link in self._raw.values() if link.get("master") == name]
        is_for_containers = is_container_bridge(name, ports, self._parents(name))
        return InterfaceRole.CONTAINER_BRIDGE if is_for_containers else InterfaceRole.ORDINARY

    def _bridge_vlans(self, name: str, link: dict[str, Any]) -> BridgeVlans | None:
        nics = self._parents(name)
        if name in self._ovs.bridges:
            ports = [self._ovs.ports[nic] for nic in nics]
            return ovs_bridge_vlans(self._ovs.local.get(name), ports)
        if _is_ovs_device(link):
            return BridgeVlans(is_read=False)
        return linux_bridge_vlans(name, link, nics, self._facts.port_vlans)


def info_kind(link: dict[str, Any]) -> str | None:
    """The kernel's kind of a link; None for NICs."""
    kind: str | None = link.get("linkinfo", {}).get("info_kind")
    return kind


def _macvlan_mode(link: dict[str, Any]) -> MacvlanMode | None:
    """The macvlan mode; None for `source`, which machines cannot use."""
    mode = link.get("linkinfo", {}).get("info_data", {}).get("mode")
    return MacvlanMode(mode) if info_kind(link) in _MACVLANS and mode in list(MacvlanMode) else None


def _is_nic(link: dict[str, Any]) -> bool:
    return link.get("link_type") in ("ether", "infiniband") and info_kind(link) in _NIC_KINDS


def _is_ovs_device(link: dict[str, Any]) -> bool:
    return info_kind(link) == "openvswitch"


def _addresses(link: dict[str, Any]) -> list[IPv4Interface | IPv6Interface]:
    return [address for info in link.get("addr_info", []) if (address := _address(info)) is not None]


def _mac(link: dict[str, Any], kind: InterfaceKind | None) -> MacAddress | None:
    """The NIC's permanent MAC: bonds and passthru machines may change the current one."""
    permanent_mac = None
    if kind is InterfaceKind.PHYSICAL:
        # Before 5.6, iproute2 prints it only for members of bonds.
        permanent_mac = link.get("permaddr") or link["linkinfo"].get("info_slave_data", {}).get("perm_hwaddr")
    for text in (permanent_mac, link.get("address")):
        with contextlib.suppress(InvalidValue):
            mac = MacAddress.parse(text if isinstance(text, str) else "")
            if mac.is_unicast:
                return mac
    return None


def _address(info: dict[str, Any]) -> IPv4Interface | IPv6Interface | None:
    if "local" not in info or info.get("temporary") or info.get("dadfailed"):
        return None
    address = ip_interface(f"{info['local']}/{info['prefixlen']}")
    return None if address.ip.is_link_local or address.ip.is_loopback else address
