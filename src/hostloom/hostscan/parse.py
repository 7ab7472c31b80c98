"""What `ip -j` and `ovs-vsctl` print, as links, addresses and routes."""

import json
from ipaddress import IPv4Interface, IPv6Interface, ip_interface, ip_network
from typing import Any

from hostloom.model.errors import InvalidValue
from hostloom.model.ids import MacAddress
from hostloom.model.node import BridgeKind, InterfaceKind
from hostloom.model.observed import ObservedLink, ObservedNetwork, ObservedRoute

_KINDS = {
    "bond": InterfaceKind.BOND,
    "bridge": InterfaceKind.BRIDGE,
    "vlan": InterfaceKind.VLAN,
    "team": InterfaceKind.BOND,
}


def parse(parts: dict[str, str]) -> ObservedNetwork:
    """The parts that the scan's script printed, by name."""
    raw = {each["ifname"]: each for each in json.loads(parts["addr"])}
    ovs = _OpenVSwitch(parts)
    speeds = _speeds(parts.get("speed", ""))
    members = _members(raw)
    links = tuple(_link(each, raw, members, ovs, speeds.get(name, 0)) for name, each in raw.items())
    routes = [*json.loads(parts.get("route4") or "[]"), *json.loads(parts.get("route6") or "[]")]
    return ObservedNetwork(parts.get("hostname", ""), links, tuple(filter(None, map(_route, routes))))


def _members(raw: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """By bridge or bond, its ports or members; taps and macvtaps of machines are no NICs of the host."""
    found: dict[str, list[str]] = {}
    for name, each in raw.items():
        if (master := each.get("master")) and _kind(each) is not None:
            found.setdefault(master, []).append(name)
    return {master: tuple(sorted(names)) for master, names in found.items()}


def _kind(each: dict[str, Any]) -> InterfaceKind | None:
    """What carries or could carry a machine; None for what belongs to guests and containers."""
    if each.get("link_type") == "loopback":
        return InterfaceKind.LOOPBACK
    info = each.get("linkinfo", {}).get("info_kind")
    if info is None:
        return InterfaceKind.PHYSICAL if each.get("link_type") == "ether" else None
    if info == "veth":
        # The NIC of a host that is itself a container: the other end is in another namespace.
        return InterfaceKind.PHYSICAL if "link_netnsid" in each else None
    return _KINDS.get(info)


def _link(
    each: dict[str, Any],
    raw: dict[str, Any],
    members: dict[str, tuple[str, ...]],
    ovs: "_OpenVSwitch",
    speed: int,
) -> ObservedLink:
    name = each["ifname"]
    kind = InterfaceKind.BRIDGE if name in ovs.bridges else _kind(each)
    bridge = None
    parents: tuple[str, ...] = members.get(name, ())
    if name in ovs.bridges:
        bridge, parents = BridgeKind.OVS, tuple(p for p in ovs.bridges[name] if p in raw and _kind(raw[p]))
    elif kind is InterfaceKind.BRIDGE:
        bridge = BridgeKind.STANDARD
    elif kind is InterfaceKind.VLAN:
        parents = (each["link"],) if each.get("link") else ()
    flags = each.get("flags", [])
    enabled = "UP" in flags
    # A bridge without ports has no carrier until its first machine: that is not link-down (DESIGN 2.3).
    link = "LOWER_UP" in flags or (kind is InterfaceKind.BRIDGE and enabled and not parents)
    return ObservedLink(
        name,
        kind,
        _mac(each.get("address")),
        enabled,
        link,
        int(each.get("mtu", 1500)),
        tuple(filter(None, map(_address, each.get("addr_info", [])))),
        parents,
        bridge,
        _tag(each) if kind is InterfaceKind.VLAN else None,
        max(speed, 0),
        each.get("master") or ovs.bridge_of(name),
    )


def _tag(each: dict[str, Any]) -> int | None:
    vid = each.get("linkinfo", {}).get("info_data", {}).get("id")
    return int(vid) if vid is not None else None


def _mac(text: str | None) -> MacAddress | None:
    try:
        mac = MacAddress.parse(text or "")
    except InvalidValue:
        return None
    return mac if mac.is_unicast else None


def _address(info: dict[str, Any]) -> IPv4Interface | IPv6Interface | None:
    """Link-local addresses say nothing about the network that a link is on."""
    address = ip_interface(f"{info['local']}/{info['prefixlen']}")
    return None if address.ip.is_link_local else address


def _route(route: dict[str, Any]) -> ObservedRoute | None:
    if "dev" not in route:
        return None
    destination = route["dst"]
    network = None if destination == "default" else ip_network(destination, strict=False)
    return ObservedRoute(network, route.get("gateway", ""), route["dev"])


def _speeds(text: str) -> dict[str, int]:
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if value.lstrip("-").isdigit():
            found[name] = int(value)
    return found


class _OpenVSwitch:
    """Bridges and their ports' interfaces, as `ovs-vsctl --format=json list` prints them."""

    def __init__(self, parts: dict[str, str]) -> None:
        interfaces = {row["_uuid"]: row["name"] for row in _rows(parts.get("ovs-interface", ""))}
        ports = {
            row["_uuid"]: [interfaces[each] for each in _set(row["interfaces"]) if each in interfaces]
            for row in _rows(parts.get("ovs-port", ""))
        }
        #: By bridge, the names of everything plugged into it but its own port.
        self.bridges: dict[str, tuple[str, ...]] = {}
        for row in _rows(parts.get("ovs-bridge", "")):
            name = row["name"]
            plugged = [each for port in _set(row["ports"]) for each in ports.get(port, [])]
            self.bridges[name] = tuple(sorted(each for each in plugged if each != name))

    def bridge_of(self, interface: str) -> str:
        """The bridge that an interface is plugged into; empty for none."""
        return next((name for name, plugged in self.bridges.items() if interface in plugged), "")


def _rows(text: str) -> list[dict[str, Any]]:
    if not text:
        return []
    table = json.loads(text)
    return [
        {name: _plain(value) for name, value in zip(table["headings"], row, strict=True)}
        for row in table["data"]
    ]


def _plain(value: Any) -> Any:
    """`["uuid", x]` is x; sets stay lists of plain values."""
    if isinstance(value, list) and len(value) == 2 and value[0] == "uuid":
        return value[1]
    if isinstance(value, list) and len(value) == 2 and value[0] == "set":
        return [_plain(each) for each in value[1]]
    return value


def _set(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
