"""What is DHCPv4's own in Kea's configuration; pure."""

from typing import Any

from hostloom.model.dhcp import DhcpReservation, DhcpSubnet

#: iPXE asks with this user class (https://ipxe.org/howto/dhcpd).
_IPXE = "option[77].hex == 'iPXE'"
#: iPXE's own options come in one of DHCP's.
OPTION_DEFINITIONS = [
    {"name": "ipxe-encap", "code": 175, "space": "dhcp4", "type": "empty", "encapsulate": "ipxe-opts"},
    {"name": "no-pxedhcp", "code": 176, "space": "ipxe-opts", "type": "uint8"},
]


def ipxe_class(subnet: DhcpSubnet) -> dict[str, Any]:
    """iPXE gets the URL of its script, and is told not to wait 3 s for a ProxyDHCP server."""
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
    dns_servers = [str(each) for each in subnet.dns_servers if each.version == 4]
    if dns_servers:
        options.append({"name": "domain-name-servers", "data": ", ".join(dns_servers)})
    return {"option-data": options, "reservations": [_reservation(each) for each in subnet.reservations]}


def _reservation(reservation: DhcpReservation) -> dict[str, Any]:
    return {
        "hw-address": str(reservation.mac),
        "ip-address": str(reservation.ip),
        "hostname": reservation.hostname,
    }
