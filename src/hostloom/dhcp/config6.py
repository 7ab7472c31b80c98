"""The DHCPv6 part of Kea's configuration; pure. Router advertisements give gateway and MTU."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from hostloom.model.dhcp import DhcpReservation, DhcpSubnet

#: iPXE's user class (RFC 8415, 21.15): the first one, behind its length of two bytes.
_IPXE = "substring(option[15].hex, 2, 4) == 'iPXE'"
#: UEFI on x86_64, by its architecture (option 61, RFC 5970).
_UEFI = f"option[61].hex == 0x0007 and not ({_IPXE})"


def boot_classes(subnet: DhcpSubnet) -> dict[str, dict[str, Any]]:
    """Client classes by name: iPXE gets the URL of its script, firmware gets iPXE over TFTP (RFC 5970)."""
    rack = urlsplit(subnet.boot_url).hostname
    urls = {"ipxe": (_IPXE, subnet.boot_url), "uefi": (_UEFI, f"tftp://[{rack}]/snponly.efi")}
    return {
        name: {"test": test, "option-data": [{"name": "bootfile-url", "data": url, "always-send": True}]}
        for name, (test, url) in urls.items()
    }


def subnet(subnet: DhcpSubnet) -> dict[str, Any]:
    """A subnet's options and reservations."""
    dns_servers = [str(dns_server) for dns_server in subnet.dns_servers if dns_server.version == 6]
    # RFC 4075; Kea 2.2 has no option of RFC 5908 that could be written in full.
    sntp_servers = [str(ntp_server) for ntp_server in subnet.ntp_servers if ntp_server.version == 6]
    preferred = {} if subnet.lease_time_s is None else {"preferred-lifetime": subnet.lease_time_s * 3 // 4}
    lists = {"dns-servers": dns_servers, "sntp-servers": sntp_servers}
    return preferred | {
        "option-data": [
            {"name": name, "data": ", ".join(addresses)} for name, addresses in lists.items() if addresses
        ],
        "reservations": _reservations(subnet.reservations),
    }


def _reservations(reservations: Iterable[DhcpReservation]) -> list[dict[str, Any]]:
    """One reservation for each identifier with all addresses, because Kea refuses a second one."""
    by_client: dict[str, dict[str, Any]] = {}
    for reservation in reservations:
        identifiers = {"hw-address": str(reservation.mac)} | (
            {"duid": duid(reservation.uuid)} if reservation.uuid else {}
        )
        for kind, value in identifiers.items():
            by_client.setdefault(value, {kind: value, "ip-addresses": [], "hostname": reservation.hostname})
            by_client[value]["ip-addresses"].append(str(reservation.ip))
    return list(by_client.values())


def duid(uuid: str) -> str:
    """The client id that firmware derives from the UUID (RFC 6355), in Kea's notation."""
    return (b"\x00\x04" + UUID(uuid).bytes).hex(":")
