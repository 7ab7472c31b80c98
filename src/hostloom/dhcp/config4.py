"""The DHCPv4 part of Kea's configuration; pure."""

from typing import Any
from urllib.parse import urlsplit

from hostloom.model.dhcp import DhcpReservation, DhcpSubnet

#: The user class of iPXE (https://ipxe.org/howto/dhcpd).
_IPXE = "option[77].hex == 'iPXE'"
#: Firmware by its architecture (option 93, RFC 4578 and IANA): a BIOS, UEFI on x86_64, the same by HTTP.
_BIOS = f"option[93].hex == 0x0000 and not ({_IPXE})"
_UEFI = f"(option[93].hex == 0x0007 or option[93].hex == 0x0009) and not ({_IPXE})"
_UEFI_HTTP = f"option[93].hex == 0x0010 and not ({_IPXE})"
#: iPXE's own options are encapsulated in one DHCP option.
OPTION_DEFINITIONS = [
    {"name": "ipxe-encap", "code": 175, "space": "dhcp4", "type": "empty", "encapsulate": "ipxe-opts"},
    {"name": "no-pxedhcp", "code": 176, "space": "ipxe-opts", "type": "uint8"},
]


def boot_classes(subnet: DhcpSubnet) -> dict[str, dict[str, Any]]:
    """Client classes by name: iPXE gets its script; firmware gets iPXE, over TFTP or HTTP.

    Firmware that asks over IPv4 can load over IPv4 only.
    """
    rack = urlsplit(subnet.boot_url)
    ipxe = {"ipxe": _ipxe_class(subnet)}
    if ":" in (rack.hostname or ""):
        return ipxe
    loader = f"http://{rack.netloc}/boot/snponly.efi"
    return ipxe | {
        "bios": {"test": _BIOS, "next-server": rack.hostname, "boot-file-name": "undionly.kpxe"},
        "uefi": {"test": _UEFI, "next-server": rack.hostname, "boot-file-name": "snponly.efi"},
        "uefi-http": {
            "test": _UEFI_HTTP,
            "boot-file-name": loader,
            # Firmware accepts only answers with this class.
            "option-data": [{"name": "vendor-class-identifier", "data": "HTTPClient", "always-send": True}],
        },
    }


def _ipxe_class(subnet: DhcpSubnet) -> dict[str, Any]:
    """The URL of the script, and an option that avoids waiting 3 s for ProxyDHCP."""
    return {
        "test": _IPXE,
        "boot-file-name": subnet.boot_url,
        "option-data": [
            {"name": "ipxe-encap", "always-send": True},
            {"name": "no-pxedhcp", "space": "ipxe-opts", "data": "1", "always-send": True},
        ],
    }


def subnet(subnet: DhcpSubnet) -> dict[str, Any]:
    """A subnet's options and reservations."""
    options = [{"name": "interface-mtu", "data": str(subnet.mtu)}]
    if subnet.gateway is not None:
        options.append({"name": "routers", "data": str(subnet.gateway)})
    dns_servers = [str(dns_server) for dns_server in subnet.dns_servers if dns_server.version == 4]
    if dns_servers:
        options.append({"name": "domain-name-servers", "data": ", ".join(dns_servers)})
    ntp_servers = [str(ntp_server) for ntp_server in subnet.ntp_servers if ntp_server.version == 4]
    if ntp_servers:
        options.append({"name": "ntp-servers", "data": ", ".join(ntp_servers)})
    return {
        "option-data": options,
        "reservations": [_reservation(reservation) for reservation in subnet.reservations],
    }


def _reservation(reservation: DhcpReservation) -> dict[str, Any]:
    return {
        "hw-address": str(reservation.mac),
        "ip-address": str(reservation.ip),
        "hostname": reservation.hostname,
    }
