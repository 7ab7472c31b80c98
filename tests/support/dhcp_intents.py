"""Intents to hand to a DHCP server: a served VLAN or two of a rack."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from uuid import NAMESPACE_OID, uuid5

from hostloom.model.dhcp import DhcpIntent, DhcpReservation, DhcpSubnet
from hostloom.model.ids import MacAddress, RangeId, SubnetId
from hostloom.model.network import IPRange, RangeKind

WEB, DB = MacAddress("52:54:00:00:00:01"), MacAddress("52:54:00:00:00:02")


def a_reservation(mac: MacAddress, ip: str, hostname: str = "web1") -> DhcpReservation:
    """One address for one NIC; of IPv6 also for the firmware of the machine that is called so."""
    address = ip_address(ip)
    return DhcpReservation(mac, address, hostname, a_uuid(mac) if address.version == 6 else "")


def a_uuid(mac: MacAddress) -> str:
    """The UUID of the machine that has the NIC."""
    return str(uuid5(NAMESPACE_OID, str(mac)))


def a_pool(first: str, last: str, subnet: int = 10) -> IPRange:
    """A dynamic range."""
    return IPRange(RangeId(1), SubnetId(subnet), RangeKind.DYNAMIC, ip_address(first), ip_address(last))


def a_subnet(*reservations: DhcpReservation, number: int = 10, **changes: object) -> DhcpSubnet:
    """Subnet 10.77.`number`.0/24 with that id on the rack's eth0, with a gateway and a small pool."""
    prefix = f"10.77.{number}"
    subnet = DhcpSubnet(
        id=SubnetId(number),
        cidr=ip_network(f"{prefix}.0/24"),
        interface="eth0",
        pools=(a_pool(f"{prefix}.100", f"{prefix}.199", number),),
        gateway=ip_address(f"{prefix}.1"),
        dns_servers=(),
        mtu=1500,
        reservations=reservations,
    )
    return replace(subnet, **changes)  # type: ignore[arg-type]  # checked by the dataclass's own constructor


def a_subnet6(*reservations: DhcpReservation, number: int = 10, **changes: object) -> DhcpSubnet:
    """Subnet 2001:db8:77:`number`::/64, its id 600 and more, on the rack's eth0, with a small pool."""
    prefix = f"2001:db8:77:{number}:"
    subnet = DhcpSubnet(
        id=SubnetId(600 + number),
        cidr=ip_network(f"{prefix}:/64"),
        interface="eth0",
        pools=(a_pool(f"{prefix}:1000", f"{prefix}:1fff", 600 + number),),
        gateway=ip_address("fe80::1"),
        dns_servers=(),
        mtu=1500,
        reservations=reservations,
    )
    return replace(subnet, **changes)  # type: ignore[arg-type]  # checked by the dataclass's own constructor


def an_intent(*subnets: DhcpSubnet) -> DhcpIntent:
    """What a rack serves."""
    return DhcpIntent(subnets)


def many_reservations(count: int) -> Sequence[DhcpReservation]:
    """Reservations in 10.88.0.0/16, from 10.88.0.1 on."""
    first = int(ip_address("10.88.0.0"))
    return [
        DhcpReservation(
            MacAddress.parse(f"0200{number:08x}"), ip_address(first + number), f"machine-{number}"
        )
        for number in range(1, count + 1)
    ]
