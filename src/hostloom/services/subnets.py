"""Subnets: IP prefixes on VLANs."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from ipaddress import ip_network

from hostloom.model.errors.resources import InUse
from hostloom.model.errors.values import Conflict, InvalidValue
from hostloom.model.ids import SubnetId, SystemId, VlanId
from hostloom.model.keep import KEEP, Keep, changed_fields
from hostloom.model.network import (
    UNTAGGED,
    Address,
    AddressKind,
    Network,
    RangeKind,
    Subnet,
    can_be_gateway,
    special_address,
)
from hostloom.ports.store import UnitOfWork
from hostloom.recording.reassign_vlans import rederive_vlans
from hostloom.services.fabrics import FABRICS, FabricInput
from hostloom.services.naming import check_name
from hostloom.services.nouns import PublishedNoun, fields_of
from hostloom.services.publishing import served
from hostloom.services.vlans import VLANS

#: One minute, because clients would otherwise only renew, to one year.
MIN_LEASE_TIME_S, MAX_LEASE_TIME_S = 60, 31_536_000


@dataclass(frozen=True)
class SubnetInput:
    """A subnet to create; `vlan` by FABRIC/VID, id or name."""

    #: As text, so that errors can quote it.
    cidr: str
    #: None: the untagged VLAN of the oldest fabric, which is created if necessary.
    vlan: str | None
    name: str | None = None
    gateway: Address | None = None
    dns_servers: tuple[Address, ...] = ()
    ntp_servers: tuple[Address, ...] = ()
    lease_time_s: int | None = None
    managed: bool = True
    description: str = ""


@dataclass(frozen=True)
class SubnetChanges:
    """Changes of a subnet; null as `gateway` or `lease_time_s` removes the value."""

    vlan: str | Keep = KEEP
    name: str | Keep = KEEP
    gateway: Address | Keep | None = KEEP
    dns_servers: tuple[Address, ...] | Keep = KEEP
    ntp_servers: tuple[Address, ...] | Keep = KEEP
    lease_time_s: int | Keep | None = KEEP
    managed: bool | Keep = KEEP
    description: str | Keep = KEEP


def _add(uow: UnitOfWork, fields: SubnetInput) -> Subnet:
    cidr = parse_cidr(fields.cidr)
    vlan = VLANS.find(uow, _default_vlan(uow) if fields.vlan is None else fields.vlan)
    name = str(cidr) if fields.name is None else fields.name
    subnet = Subnet(SubnetId(0), **fields_of(fields, "vlan", cidr=cidr, vlan_id=vlan.id, name=name))
    _check(subnet)
    added = uow.subnets.add(subnet)
    rederive_vlans(uow)
    return added


def _change(uow: UnitOfWork, before: Subnet, changes: SubnetChanges) -> Subnet:
    """A subnet cannot change its VLAN while machines have addresses in it."""
    fields = changed_fields(changes)
    if "vlan" in fields:
        fields["vlan_id"] = VLANS.find(uow, fields.pop("vlan")).id
    after = replace(before, **fields)
    _check(after)
    if after.gateway != before.gateway:
        _check_gateway_free(uow, after)
    if after.vlan_id == before.vlan_id:
        return uow.subnets.update(after)
    _refuse_move(uow, before)
    updated = uow.subnets.update(after)
    rederive_vlans(uow)
    return updated


def _concerned(uow: UnitOfWork, before: Subnet | None, after: Subnet | None) -> Collection[VlanId]:
    vlan_ids = {subnet.vlan_id for subnet in (before, after) if subnet is not None}
    return served(uow, *(uow.vlans.get(vlan_id) for vlan_id in vlan_ids))


def _remember_ranges(uow: UnitOfWork, subnet: Subnet) -> Callable[[UnitOfWork], None]:
    ranges = [ip_range for ip_range in uow.ranges.list() if ip_range.subnet_id == subnet.id]

    def restore(uow: UnitOfWork) -> None:
        for ip_range in ranges:
            uow.ranges.add(ip_range)

    return restore


def parse_cidr(text: str) -> Network:
    """Parse a prefix without host bits; InvalidValue suggests the prefix that was probably meant."""
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise InvalidValue(
            "cidr", text, "is not a prefix", "write it like 10.0.0.0/24 or fd00::/64"
        ) from None
    raise InvalidValue("cidr", text, "has host bits set", f"write {network}")


def _default_vlan(uow: UnitOfWork) -> str:
    oldest = uow.fabrics.list(limit=1) or [FABRICS.add(uow, FabricInput(None))]
    return f"{oldest[0].id}/{UNTAGGED}"


def _check(subnet: Subnet) -> None:
    _check_name(subnet)
    _check_servers(subnet)
    _check_lease_time(subnet)
    gateway = subnet.gateway
    if gateway is None or can_be_gateway(subnet.cidr, gateway):
        return
    if gateway not in subnet.cidr:
        raise InvalidValue(
            "gateway",
            gateway,
            f"is not in {subnet.cidr}",
            "choose an address of the subnet or an IPv6 link-local address",
        )
    special = special_address(subnet.cidr, gateway)
    raise InvalidValue("gateway", gateway, f"is the {special} of {subnet.cidr}", "choose a host address")


def _check_name(subnet: Subnet) -> None:
    """Refuse the CIDR of another subnet as a name, because subnets are found by name and CIDR."""
    if subnet.name == str(subnet.cidr):
        return
    check_name(subnet.name)


def _check_servers(subnet: Subnet) -> None:
    for field, description, servers in (
        ("dns_servers", "a DNS server", subnet.dns_servers),
        ("ntp_servers", "an NTP server", subnet.ntp_servers),
    ):
        for server in servers:
            if server.is_unspecified or server.is_multicast:
                raise InvalidValue(field, server, f"cannot be the address of {description}")


def _check_lease_time(subnet: Subnet) -> None:
    seconds = subnet.lease_time_s
    if seconds is not None and not MIN_LEASE_TIME_S <= seconds <= MAX_LEASE_TIME_S:
        raise InvalidValue(
            "lease_time_s",
            seconds,
            "is out of range",
            f"use {MIN_LEASE_TIME_S} to {MAX_LEASE_TIME_S} seconds",
        )


def _check_gateway_free(uow: UnitOfWork, subnet: Subnet) -> None:
    if subnet.gateway is None:
        return
    for range_ in uow.ranges.list():
        if range_.subnet_id == subnet.id and range_.kind is RangeKind.DYNAMIC and subnet.gateway in range_:
            raise Conflict(
                "gateway",
                subnet.gateway,
                "is in",
                f"the dynamic range {range_.start}-{range_.end}",
                "choose another gateway or shorten the range",
            )
    for address in uow.snapshot().held_by_ip.get(subnet.gateway, ()):
        if address.subnet_id == subnet.id and address.kind in (AddressKind.AUTO, AddressKind.STATIC):
            raise InUse("address", address.ip, [f"machine {address.system_id}"])


def _refuse_move(uow: UnitOfWork, subnet: Subnet) -> None:
    holders = {
        address.system_id: None
        for address in uow.addresses.list(subnet.id)
        if address.kind in (AddressKind.AUTO, AddressKind.STATIC) and address.system_id is not None
    }
    if holders:
        names = [uow.nodes.get(SystemId(holder)).hostname for holder in holders]
        raise InUse("subnet", subnet.cidr, [f"machine {name}" for name in names])


SUBNETS = PublishedNoun[Subnet, SubnetInput, SubnetChanges](
    "subnet", lambda uow: uow.subnets, _add, _change, _concerned, remember=_remember_ranges
)
