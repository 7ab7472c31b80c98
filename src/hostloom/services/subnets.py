"""Subnets: IP prefixes on VLANs."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from ipaddress import ip_network

from hostloom.model.access import Principal
from hostloom.model.errors.resources import InUse
from hostloom.model.errors.values import Conflict, InvalidValue
from hostloom.model.ids import SubnetId, SystemId, VlanId
from hostloom.model.keep import KEEP, Keep, changed_fields
from hostloom.model.network import (
    UNTAGGED,
    Address,
    AddressKind,
    IPRange,
    Network,
    RangeKind,
    Subnet,
    can_be_gateway,
    special_address,
)
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.reassign_vlans import rederive_vlans
from hostloom.services import vlans
from hostloom.services.access import require_admin, require_user
from hostloom.services.fabrics import FABRICS, FabricInput
from hostloom.services.naming import check_generation, check_name, find_by_key
from hostloom.services.publishing import commit_and_publish, served

#: One minute, because clients would otherwise only renew, to one year.
MIN_LEASE_TIME_S, MAX_LEASE_TIME_S = 60, 31_536_000


@dataclass(frozen=True)
class SubnetInput:
    """A subnet to create; `vlan` by FABRIC/VID, id or name."""

    #: As text, so that errors can quote it.
    cidr: str
    #: None: the untagged VLAN of the oldest fabric, which is created if need be.
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


def list_(
    uow: UnitOfWork, principal: Principal, after: SubnetId | None = None, limit: int | None = None
) -> list[Subnet]:
    """By id."""
    require_user(principal, "see subnets")
    return uow.subnets.list(after, limit)


def get(uow: UnitOfWork, principal: Principal, key: str) -> Subnet:
    """By CIDR, id or name; NotFound."""
    require_user(principal, "see subnets")
    return find_by_key(uow.subnets, "subnet", key)


def create(ports: Ports, principal: Principal, fields: SubnetInput) -> Subnet:
    """Create a subnet; on a served VLAN it is published to our DHCP."""
    require_admin(principal, "create subnets")
    cidr = parse_cidr(fields.cidr)

    def change(uow: UnitOfWork) -> tuple[Subnet, Collection[VlanId]]:
        key = _default_vlan(uow, principal) if fields.vlan is None else fields.vlan
        vlan = vlans.get(uow, principal, key)
        subnet = Subnet(
            SubnetId(0),
            cidr,
            vlan.id,
            name=str(cidr) if fields.name is None else fields.name,
            gateway=fields.gateway,
            dns_servers=fields.dns_servers,
            ntp_servers=fields.ntp_servers,
            lease_time_s=fields.lease_time_s,
            managed=fields.managed,
            description=fields.description,
        )
        _check(subnet)
        added = uow.subnets.add(subnet)
        rederive_vlans(uow)
        return added, served(uow, vlan)

    return commit_and_publish(ports, change, lambda uow, result: uow.subnets.delete(result.id))


def update(
    ports: Ports, principal: Principal, key: str, changes: SubnetChanges, generation: int | None = None
) -> Subnet:
    """Change a subnet; it cannot change its VLAN while machines have addresses in it."""
    require_admin(principal, "change subnets")

    def change(uow: UnitOfWork) -> tuple[tuple[Subnet, Subnet], Collection[VlanId]]:
        before = get(uow, principal, key)
        check_generation("subnet", key, before, generation)
        fields = changed_fields(changes)
        if "vlan" in fields:
            fields["vlan_id"] = vlans.get(uow, principal, fields.pop("vlan")).id
        after = replace(before, **fields)
        _check(after)
        if after.gateway != before.gateway:
            _check_gateway_free(uow, after)
        if after.vlan_id != before.vlan_id:
            _refuse_move(uow, before)
        both = [uow.vlans.get(vlan_id) for vlan_id in {before.vlan_id, after.vlan_id}]
        updated = uow.subnets.update(after)
        if after.vlan_id != before.vlan_id:
            rederive_vlans(uow)
        return (before, updated), served(uow, *both)

    return commit_and_publish(ports, change, _put_back)[1]


def delete(ports: Ports, principal: Principal, key: str, generation: int | None = None) -> None:
    """Delete a subnet with its ranges; InUse names the holders of its addresses."""
    require_admin(principal, "delete subnets")

    def change(uow: UnitOfWork) -> tuple[tuple[Subnet, list[IPRange]], Collection[VlanId]]:
        subnet = get(uow, principal, key)
        check_generation("subnet", key, subnet, generation)
        ranges = [range_ for range_ in uow.ranges.list() if range_.subnet_id == subnet.id]
        uow.subnets.delete(subnet.id)
        return (subnet, ranges), served(uow, uow.vlans.get(subnet.vlan_id))

    commit_and_publish(ports, change, _restore)


def parse_cidr(text: str) -> Network:
    """A prefix without host bits; InvalidValue names the prefix that was probably meant."""
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


def _default_vlan(uow: UnitOfWork, principal: Principal) -> str:
    oldest = uow.fabrics.list(limit=1) or [FABRICS.create(uow, principal, FabricInput(None))]
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
    """A subnet's name is its CIDR or not a CIDR at all, because subnets are found by both."""
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


def _put_back(uow: UnitOfWork, subnets: tuple[Subnet, Subnet]) -> None:
    before, after = subnets
    uow.subnets.update(replace(before, generation=after.generation))


def _restore(uow: UnitOfWork, result: tuple[Subnet, list[IPRange]]) -> None:
    subnet, ranges = result
    uow.subnets.add(subnet)
    for range_ in ranges:
        uow.ranges.add(range_)
