"""Reads bridges and ports from Open vSwitch's database (`ovs-vsctl --format=json list`)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class OvsPort:
    """One interface of a port: a bond has several."""

    interface: str
    bridge: str
    #: Access tag; None for trunks.
    tag_vid: int | None
    #: Whether Open vSwitch created the device, which then belongs to the host, not to a guest.
    is_internal: bool
    #: The value in the table; if empty, a port with a tag is an access port, otherwise a trunk.
    vlan_mode: str = ""
    #: VLANs of a trunk; empty means all.
    trunks: tuple[int, ...] = ()


@dataclass(frozen=True)
class OpenVSwitch:
    """Bridges with their ports, except their internal ones."""

    #: False if Open vSwitch is not installed, does not run, or cannot be read by this user.
    is_known: bool
    bridges: frozenset[str]
    ports: dict[str, OvsPort]
    #: The internal port of each bridge, which belongs to the host.
    local: dict[str, OvsPort] = field(default_factory=dict)

    def plugged_into(self, bridge: str) -> tuple[str, ...]:
        """The interfaces of a bridge, by name."""
        return tuple(sorted(name for name, port in self.ports.items() if port.bridge == bridge))


def parse_openvswitch(bridges: str, ports: str, interfaces: str) -> OpenVSwitch:
    """Parse the tables Bridge, Port and Interface; a missing table is empty text."""
    if not (bridges and ports and interfaces):
        return OpenVSwitch(False, frozenset(), {})
    interface_rows = {row["_uuid"]: row for row in _rows(interfaces)}
    port_rows = {row["_uuid"]: row for row in _rows(ports)}
    ovs_ports: dict[str, OvsPort] = {}
    local: dict[str, OvsPort] = {}
    names = set()
    for bridge in _rows(bridges):
        names.add(bridge["name"])
        for port in _existing(port_rows, bridge["ports"]):
            for interface in _existing(interface_rows, port["interfaces"]):
                table = local if interface["name"] == bridge["name"] else ovs_ports
                table[interface["name"]] = _port(bridge, port, interface)
    return OpenVSwitch(True, frozenset(names), ovs_ports, local)


def _existing(rows: dict[str, dict[str, Any]], keys: Any) -> list[dict[str, Any]]:
    return [rows[key] for key in _many(keys) if key in rows]


def _port(bridge: dict[str, Any], port: dict[str, Any], interface: dict[str, Any]) -> OvsPort:
    return OvsPort(
        interface["name"],
        bridge["name"],
        next(_numbers(port, "tag"), None),
        interface["type"] == "internal",
        next(iter(_many(port.get("vlan_mode", []))), ""),
        tuple(_numbers(port, "trunks")),
    )


def _numbers(port: dict[str, Any], column: str) -> Iterator[int]:
    """VLANs; Open vSwitch's schema allows 0 to 4095."""
    for number in _many(port.get(column, [])):
        if not 0 <= int(number) <= 4095:
            raise ValueError(f"{column} {number} of a port, where 0 to 4095 are possible")
        yield int(number)


def _rows(text: str) -> list[dict[str, Any]]:
    table = json.loads(text)
    return [
        {name: _plain(value) for name, value in zip(table["headings"], row, strict=True)}
        for row in table["data"]
    ]


def _plain(value: Any) -> Any:
    """`["uuid", x]` is x; `["set", [x, …]]` is a list of plain values; maps stay as they are."""
    match value:
        case ["uuid", str(plain)]:
            return plain
        case ["set", list(values)]:
            return [_plain(value) for value in values]
        case _:
            return value


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
