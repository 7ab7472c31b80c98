"""Addresses: who has which, and setting one aside by hand."""

from collections.abc import Collection

from hostloom.decide.addresses import address_book
from hostloom.model.access import Principal
from hostloom.model.errors import AlreadyExists, Conflict, InUse, InvalidValue, NotFound
from hostloom.model.ids import SubnetId, SystemId
from hostloom.model.network import SEEN_KINDS, Address, AddressKind, HeldAddress, RangeKind, Subnet
from hostloom.ports import UnitOfWork
from hostloom.services import subnets
from hostloom.services.access import require_admin, require_user


def list_(
    uow: UnitOfWork, principal: Principal, subnet: str | None = None, kind: AddressKind | None = None
) -> list[HeldAddress]:
    """All that somebody has, or those of a subnet or kind, by address."""
    require_user(principal, "see addresses")
    subnet_id = None if subnet is None else subnets.get(uow, principal, subnet).id
    held = uow.addresses.list(subnet_id)
    own = {(each.ip, each.subnet_id, each.system_id) for each in held if each.kind not in SEEN_KINDS}
    return [each for each in held if kind in (None, each.kind) and not _is_lease_of_own(each, own)]


def _is_lease_of_own(held: HeldAddress, own: Collection[tuple[Address, SubnetId | None, str | None]]) -> bool:
    """Whether a node leases what is reserved for it: told once."""
    return held.kind is AddressKind.LEASE and (held.ip, held.subnet_id, held.system_id) in own


def get(uow: UnitOfWork, principal: Principal, ip: Address, subnet: str | None = None) -> HeldAddress:
    """The holder of an address; NotFound when it is free."""
    held = [each for each in list_(uow, principal, subnet) if each.ip == ip]
    if not held:
        raise NotFound("held address", ip)
    return held[0]


def reserve(
    uow: UnitOfWork, principal: Principal, ip: Address, subnet: str | None = None, comment: str = ""
) -> HeldAddress:
    """Set an address aside, so that no machine is given it; AlreadyExists names its holder."""
    require_admin(principal, "reserve addresses")
    home = _home(uow, principal, ip, subnet)
    edge = "gateway" if ip == home.gateway else subnets.edge_of(home.cidr, ip)
    if edge is not None:
        choice = f"choose a free host address of {home.cidr}"
        raise InvalidValue("ip", ip, f"is the {edge} of {home.cidr}", choice)
    for each in uow.ranges.list():
        if each.subnet_id == home.id and each.kind is RangeKind.DYNAMIC and ip in each:
            raise Conflict(
                "ip",
                ip,
                "is in",
                f"the dynamic range {each.start}-{each.end}",
                "choose an address outside it",
            )
    for held in uow.addresses.list(home.id):
        if held.ip == ip and held.kind is not AddressKind.ON_WIRE:
            raise AlreadyExists("address", ip, _holder(uow, held))
    uow.addresses.release(ip, home.id)
    wanted = HeldAddress(ip, AddressKind.RESERVED, home.id, comment=comment)
    uow.addresses.hold(wanted)
    return wanted


def reserve_next(uow: UnitOfWork, principal: Principal, subnet: str, comment: str = "") -> HeldAddress:
    """Set the next free address of a subnet aside."""
    require_admin(principal, "reserve addresses")
    home = subnets.get(uow, principal, subnet)
    found = address_book(uow.snapshot()).next_free(home.vlan_id, frozenset({home.id}), frozenset())
    if found is None:
        raise InvalidValue(
            "subnet", home.cidr, "has no free address", "release an address or choose another subnet"
        )
    return reserve(uow, principal, found[0], str(home.id), comment)


def release(uow: UnitOfWork, principal: Principal, ip: Address, subnet: str | None = None) -> None:
    """Give back an address that was set aside or seen on the wire; those of nodes go with them (InUse)."""
    require_admin(principal, "release addresses")
    held = get(uow, principal, ip, subnet)
    if held.kind not in (AddressKind.RESERVED, AddressKind.ON_WIRE):
        raise InUse("address", ip, [_holder(uow, held)])
    uow.addresses.release(held.ip, held.subnet_id)


def _home(uow: UnitOfWork, principal: Principal, ip: Address, subnet: str | None) -> Subnet:
    """The subnet that an address belongs to: the one named, else the longest prefix around it."""
    if subnet is not None:
        named = subnets.get(uow, principal, subnet)
        if ip not in named.cidr:
            raise InvalidValue("ip", ip, f"is not in subnet {named.cidr}", "choose an address of that subnet")
        return named
    around = [each for each in uow.subnets.list() if ip in each.cidr]
    if not around:
        raise InvalidValue("ip", ip, "is in no known subnet", "create its subnet first")
    longest = max(each.cidr.prefixlen for each in around)
    candidates = [each for each in around if each.cidr.prefixlen == longest]
    if len(candidates) > 1:
        ids = ", ".join(str(each.id) for each in candidates)
        raise InvalidValue(
            "subnet", None, f"is missing, and several contain {ip} ({ids})", "give the id of one"
        )
    return candidates[0]


def _holder(uow: UnitOfWork, held: HeldAddress) -> str:
    if held.system_id is None:
        return f"set aside{f': {held.comment}' if held.comment else ''}"
    return f"{held.kind.value} address of {uow.nodes.get(SystemId(held.system_id)).hostname}"
