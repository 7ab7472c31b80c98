"""Renders Kea's configuration, one document for each family; pure (https://kea.readthedocs.io)."""

import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hostloom.dhcp import config4, config6, ha
from hostloom.model.dhcp import DhcpIntent, DhcpSubnet

#: Debian and Ubuntu keep libraries by architecture: `x86_64-linux-gnu`.
_MULTIARCH = sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu"
_FOR_EVER = 2**32 - 1


@dataclass(frozen=True)
class _Family:
    """Differences between the families."""

    #: The key of subnets in a document and its shared networks.
    key: str
    subnet: Callable[[DhcpSubnet], dict[str, Any]]
    #: Client classes by name.
    boot_classes: Callable[[DhcpSubnet], dict[str, dict[str, Any]]]


_FAMILY_4 = _Family("subnet4", config4.subnet, config4.boot_classes)
_FAMILY_6 = _Family("subnet6", config6.subnet, config6.boot_classes)


@dataclass(frozen=True)
class KeaPaths:
    """The paths of a Kea server; Debian's AppArmor profiles allow only the standard ones."""

    control_socket: Path = Path("/run/kea/kea4-ctrl-socket")
    leases: Path = Path("/var/lib/kea/kea-leases4.csv")
    log: Path = Path("/var/log/kea/kea-dhcp4.log")
    hooks: Path = Path("/usr/lib", _MULTIARCH, "kea/hooks")


#: The standard paths of the DHCPv6 server.
PATHS_6 = KeaPaths(
    Path("/run/kea/kea6-ctrl-socket"),
    Path("/var/lib/kea/kea-leases6.csv"),
    Path("/var/log/kea/kea-dhcp6.log"),
)


def render(intent: DhcpIntent, paths: KeaPaths) -> dict[str, Any]:
    """The whole `Dhcp4` document; IPv6 subnets are the other server's."""
    subnets = [subnet for subnet in intent.subnets if subnet.cidr.version == 4]
    document = _document(intent, subnets, paths, 4)
    document["interfaces-config"]["dhcp-socket-type"] = "raw"
    alone, shared = _by_wire(subnets, _FAMILY_4)
    return {
        "Dhcp4": document
        | {
            # Firmware and systems of one machine use different client ids, but the same MAC.
            "match-client-id": False,
            "option-def": config4.OPTION_DEFINITIONS,
            "subnet4": alone,
            "shared-networks": shared,
        }
        | _classes(subnets, _FAMILY_4)
    }


def render6(intent: DhcpIntent, paths: KeaPaths) -> dict[str, Any]:
    """The whole `Dhcp6` document; IPv4 subnets are the other server's."""
    subnets = [subnet for subnet in intent.subnets if subnet.cidr.version == 6]
    document = _document(intent, subnets, paths, 6)
    alone, shared = _by_wire(subnets, _FAMILY_6)
    return {
        "Dhcp6": document
        | {
            "preferred-lifetime": intent.lease_time_s * 3 // 4,
            # Kea reads no MAC from the link-local address if it is locally administered, as KVM's are:
            # the firmware's DUID stands in for it. A DUID may hold another NIC's MAC: it is asked last.
            "mac-sources": ["client-link-addr-option", "ipv6-link-local", "duid"],
            "host-reservation-identifiers": ["hw-address", "duid"],
            # Generated once and kept, because an id from a MAC would need a NIC with a MAC.
            "server-id": {"type": "EN"},
            "ip-reservations-unique": False,
            "subnet6": alone,
            "shared-networks": shared,
        }
        | _classes(subnets, _FAMILY_6)
    }


def _document(
    intent: DhcpIntent, subnets: Iterable[DhcpSubnet], paths: KeaPaths, version: int
) -> dict[str, Any]:
    """The part that both families share."""
    paired = [] if intent.ha is None else ha.hooks(intent.ha, version, paths.hooks)
    return {
        "interfaces-config": {
            "interfaces": sorted({subnet.interface for subnet in subnets if subnet.interface is not None}),
            # Kea opens no socket without carrier, and a bridge gets carrier with its first machine.
            "service-sockets-max-retries": _FOR_EVER,
            "service-sockets-retry-wait-time": 1000,
        },
        "control-socket": {"socket-type": "unix", "socket-name": str(paths.control_socket)},
        "lease-database": {
            "type": "memfile",
            "persist": True,
            "name": str(paths.leases),
            "lfc-interval": 3600,
        },
        "hooks-libraries": [{"library": str(paths.hooks / "libdhcp_lease_cmds.so")}, *paired],
        # The listener of a pair needs threads; a single server manages thousands of machines with one.
        "multi-threading": {"enable-multi-threading": bool(paired)},
        **_timers(intent.lease_time_s),
        "host-reservation-identifiers": ["hw-address"],
        "reservations-global": False,
        "reservations-in-subnet": True,
        "reservations-out-of-pool": False,
        "loggers": [
            {
                "name": f"kea-dhcp{version}",
                "output_options": [{"output": str(paths.log)}],
                "severity": "INFO",
            },
        ],
    }


def _timers(lease_time_s: int) -> dict[str, int]:
    """The lease time, and when a client renews at its server and then at any server."""
    return {
        "valid-lifetime": lease_time_s,
        "renew-timer": lease_time_s // 3,
        "rebind-timer": lease_time_s * 2 // 3,
    }


def _by_wire(
    subnets: Iterable[DhcpSubnet], family: _Family
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Subnets alone on their VLAN, and shared networks of subnets that share a VLAN.

    Of several subnets on one interface Kea would look into the first one alone.
    """
    wires: dict[str, list[DhcpSubnet]] = {}
    for subnet in subnets:
        wire = f"subnet-{subnet.id}" if subnet.vlan_id is None else f"vlan-{subnet.vlan_id}"
        wires.setdefault(wire, []).append(subnet)
    alone = [_subnet(wire[0], family) for wire in wires.values() if len(wire) == 1]
    shared = [
        {"name": name, family.key: [_subnet(dhcp_subnet, family) for dhcp_subnet in wire]}
        for name, wire in wires.items()
        if len(wire) > 1
    ]
    return alone, shared


def _subnet(subnet: DhcpSubnet, family: _Family) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "id": int(subnet.id),
        "subnet": str(subnet.cidr),
        "pools": [{"pool": f"{pool.start} - {pool.end}"} for pool in subnet.pools],
    }
    if subnet.interface is not None:
        rendered["interface"] = subnet.interface
    if subnet.lease_time_s is not None:
        rendered |= _timers(subnet.lease_time_s)
    if subnet.relays:
        rendered["relay"] = {"ip-addresses": [str(relay) for relay in subnet.relays]}
    if subnet.boot_url:
        rendered["require-client-classes"] = [f"{name}-{subnet.id}" for name in family.boot_classes(subnet)]
    return rendered | family.subnet(subnet)


def _classes(subnets: Iterable[DhcpSubnet], family: _Family) -> dict[str, Any]:
    """Kea keeps a fixed set of classes: those of each subnet that machines boot on, which requires them.

    An empty list of them is refused in a file, though not on the control socket.
    """
    classes = [
        {"name": f"{name}-{subnet.id}", "only-if-required": True} | rendered
        for subnet in subnets
        if subnet.boot_url
        for name, rendered in family.boot_classes(subnet).items()
    ]
    return {"client-classes": classes} if classes else {}
