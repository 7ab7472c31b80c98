"""Kea's DHCPv4 configuration from the intent; pure (https://kea.readthedocs.io, Dhcp4)."""

import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from hostloom.model.dhcp import DhcpIntent, DhcpReservation, DhcpSubnet

#: Debian and Ubuntu keep libraries by architecture: `x86_64-linux-gnu`.
_MULTIARCH = sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu"


@dataclass(frozen=True)
class KeaPaths:
    """Where Kea keeps things; its AppArmor profile on Debian and Ubuntu allows its standard paths only."""

    control_socket: Path = Path("/run/kea/kea4-ctrl-socket")
    leases: Path = Path("/var/lib/kea/kea-leases4.csv")
    log: Path = Path("/var/log/kea/kea-dhcp4.log")
    hooks: Path = Path("/usr/lib", _MULTIARCH, "kea/hooks")


_FOR_EVER = 2**32 - 1
#: iPXE asks with this user class (https://ipxe.org/howto/dhcpd).
_IPXE = "option[77].hex == 'iPXE'"
#: Kea keeps a fixed set of names for client classes: one for each subnet's boot script.
_CLASS = "ipxe-{id}"


def render(intent: DhcpIntent, paths: KeaPaths) -> dict[str, Any]:
    """The whole `Dhcp4` document; IPv6 subnets are another server's."""
    subnets = [each for each in intent.subnets if isinstance(each.cidr, IPv4Network)]
    interfaces = sorted({each.interface for each in subnets if each.interface is not None})
    alone, shared = _by_wire(subnets)
    return {
        "Dhcp4": {
            "interfaces-config": {
                "interfaces": interfaces,
                "dhcp-socket-type": "raw",
                # Kea opens no socket without carrier, which a bridge gets with its first machine.
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
            "hooks-libraries": [{"library": str(paths.hooks / "libdhcp_lease_cmds.so")}],
            "valid-lifetime": intent.lease_time_s,
            "renew-timer": intent.lease_time_s // 3,
            "rebind-timer": intent.lease_time_s * 2 // 3,
            # A machine's firmware and its systems call themselves by different client ids; its MAC stays.
            "match-client-id": False,
            "host-reservation-identifiers": ["hw-address"],
            "reservations-global": False,
            "reservations-in-subnet": True,
            "reservations-out-of-pool": False,
            "option-def": [
                {
                    "name": "ipxe-encap",
                    "code": 175,
                    "space": "dhcp4",
                    "type": "empty",
                    "encapsulate": "ipxe-opts",
                },
                {"name": "no-pxedhcp", "code": 176, "space": "ipxe-opts", "type": "uint8"},
            ],
            "client-classes": [_ipxe_class(each) for each in subnets if each.boot_url],
            "shared-networks": shared,
            "subnet4": alone,
            "loggers": [
                {
                    "name": "kea-dhcp4",
                    "output_options": [{"output": str(paths.log)}],
                    "severity": "INFO",
                }
            ],
        }
    }


def _by_wire(subnets: Iterable[DhcpSubnet]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Subnets that have their wire for themselves, and shared networks of those that have not.

    Of several subnets on one interface Kea would look into the first one alone.
    """
    wires: dict[str, list[DhcpSubnet]] = {}
    for each in subnets:
        wires.setdefault(f"subnet-{each.id}" if each.vlan_id is None else f"vlan-{each.vlan_id}", []).append(
            each
        )
    alone = [_subnet(some[0]) for some in wires.values() if len(some) == 1]
    shared = [
        {"name": name, "subnet4": [_subnet(each) for each in some]}
        for name, some in wires.items()
        if len(some) > 1
    ]
    return alone, shared


def _ipxe_class(subnet: DhcpSubnet) -> dict[str, Any]:
    """iPXE gets the URL of its script, and is told not to wait 3 s for a ProxyDHCP server."""
    return {
        "name": _CLASS.format(id=subnet.id),
        "test": _IPXE,
        "only-if-required": True,
        "boot-file-name": subnet.boot_url,
        "option-data": [
            {"name": "ipxe-encap", "always-send": True},
            {"name": "no-pxedhcp", "space": "ipxe-opts", "data": "1", "always-send": True},
        ],
    }


def _subnet(subnet: DhcpSubnet) -> dict[str, Any]:
    options = [{"name": "interface-mtu", "data": str(subnet.mtu)}]
    if subnet.gateway is not None:
        options.append({"name": "routers", "data": str(subnet.gateway)})
    dns_servers = [str(each) for each in subnet.dns_servers if each.version == subnet.cidr.version]
    if dns_servers:
        options.append({"name": "domain-name-servers", "data": ", ".join(dns_servers)})
    rendered: dict[str, Any] = {
        "id": int(subnet.id),
        "subnet": str(subnet.cidr),
        "pools": [{"pool": f"{pool.start} - {pool.end}"} for pool in subnet.pools],
        "option-data": options,
        "reservations": [_reservation(each) for each in subnet.reservations],
    }
    if subnet.interface is not None:
        rendered["interface"] = subnet.interface
    if subnet.relays:
        rendered["relay"] = {"ip-addresses": [str(each) for each in subnet.relays]}
    if subnet.boot_url:
        rendered["require-client-classes"] = [_CLASS.format(id=subnet.id)]
    return rendered


def _reservation(reservation: DhcpReservation) -> dict[str, Any]:
    return {
        "hw-address": str(reservation.mac),
        "ip-address": str(reservation.ip),
        "hostname": reservation.hostname,
    }
