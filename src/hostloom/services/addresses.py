"""Addresses and their holders; reserves and releases addresses."""

from collections.abc import Sequence

from hostloom.decide.placement.addresses import address_index_of
from hostloom.decide.snapshot import Snapshot
from hostloom.model.access import Principal
from hostloom.model.errors.resources import AlreadyExists, InUse, NotFound
from hostloom.model.errors.values import Conflict, InvalidValue
from hostloom.model.ids import SubnetId, SystemId
from hostloom.model.network import SEEN_KINDS, Address, AddressKind, HeldAddress, Subnet
from hostloom.model.reasons import RequestCode
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_admin, require_user
from hostloom.services.subnets import SUBNETS


def list_(
    uow: UnitOfWork, principal: Principal, subnet: str | None = None, kind: AddressKind | None = None
) -> list[HeldAddress]:
    """All held addresses, or those of a subnet or kind, by address."""
    require_user(principal, "see addresses")
    subnet_id = None if subnet is None else SUBNETS.get(uow, principal, subnet).id
    addresses = _without_own_leases(uow.addresses.list(subnet_id))
    return [address for address in addresses if kind in (None, address.kind)]


def _without_own_leases(addresses: Sequence[HeldAddress]) -> list[HeldAddress]:
    """Leave out leases of nodes for which the address is reserved, so that it is listed once."""
    reserved = {_place(address) for address in addresses if address.kind not in SEEN_KINDS}

    def is_listed(address: HeldAddress) -> bool:
        return address.kind is not AddressKind.LEASE or _place(address) not in reserved

    return [address for address in addresses if is_listed(address)]


def _place(address: HeldAddress) -> tuple[Address, SubnetId | None, str | None]:
    return address.ip, address.subnet_id, address.system_id


def get(uow: UnitOfWork, principal: Principal, ip: Address, subnet: str | None = None) -> HeldAddress:
    """The holder of an address; NotFound if it is free."""
    require_user(principal, "see addresses")
    subnet_id = None if subnet is None else SUBNETS.get(uow, principal, subnet).id
    holders = [
        address for address in uow.snapshot().held_by_ip.get(ip, ()) if subnet_id in (None, address.subnet_id)
    ]
    if not holders:
        raise NotFound("held address", ip)
    return min(_without_own_leases(holders), key=lambda address: address.kind)


def reserve(
    uow: UnitOfWork, principal: Principal, ip: Address, subnet: str | None = None, comment: str = ""
) -> HeldAddress:
    """Reserve an address, so that no machine gets it; AlreadyExists names its holder."""
    require_admin(principal, "reserve addresses")
    uow.lock_world()
    world = uow.snapshot()
    home = _home(uow, principal, world, ip, subnet)
    address_index = address_index_of(world)
    holder = address_index.holder(ip, home, set_aside=True)
    if holder is not None:
        raise AlreadyExists("address", ip, f"is {holder.held_by(_hostname(uow, holder))}")
    problem = address_index.problem(ip, home, set_aside=True)
    if problem is not None:
        raise _refused(ip, home, *problem)
    if world.held_by_ip.get(ip):
        uow.addresses.release(ip, home.id)
    return _set_aside(uow, ip, home, comment)


def reserve_next(uow: UnitOfWork, principal: Principal, subnet: str, comment: str = "") -> HeldAddress:
    """Reserve the next free address of a subnet."""
    require_admin(principal, "reserve addresses")
    uow.lock_world()
    home = SUBNETS.get(uow, principal, subnet)
    next_address = address_index_of(uow.snapshot()).next_free(home.vlan_id, frozenset({home.id}), frozenset())
    if next_address is None:
        raise InvalidValue(
            "subnet", home.cidr, "has no free address", "release an address or choose another subnet"
        )
    return _set_aside(uow, next_address[0], home, comment)


def release(uow: UnitOfWork, principal: Principal, ip: Address, subnet: str | None = None) -> None:
    """Release an address that was reserved or seen on the wire; InUse for an address of a node."""
    require_admin(principal, "release addresses")
    address = get(uow, principal, ip, subnet)
    if address.kind not in (AddressKind.RESERVED, AddressKind.ON_WIRE):
        raise InUse("address", ip, [_hostname(uow, address) or address.held_by(None)])
    uow.addresses.release(address.ip, address.subnet_id)


def _set_aside(uow: UnitOfWork, ip: Address, home: Subnet, comment: str) -> HeldAddress:
    address = HeldAddress(ip, AddressKind.RESERVED, home.id, comment=comment)
    uow.addresses.hold(address)
    return address


def _refused(ip: Address, home: Subnet, code: RequestCode, reason: str) -> InvalidValue:
    if code is RequestCode.ADDRESS_IN_RANGE:
        return Conflict("ip", ip, "is in", f"the {reason}", "choose an address outside it")
    return InvalidValue("ip", ip, f"is {reason}", f"choose a free host address of {home.cidr}")


def _home(uow: UnitOfWork, principal: Principal, world: Snapshot, ip: Address, subnet: str | None) -> Subnet:
    """The subnet of an address: the named one, otherwise the one with the longest prefix."""
    if subnet is not None:
        named_subnet = SUBNETS.get(uow, principal, subnet)
        if ip not in named_subnet.cidr:
            raise InvalidValue(
                "ip", ip, f"is not in subnet {named_subnet.cidr}", "choose an address of that subnet"
            )
        return named_subnet
    candidates = address_index_of(world).subnets_of(ip)
    if not candidates:
        raise InvalidValue("ip", ip, "is in no known subnet", "create its subnet first")
    if len(candidates) > 1:
        ids = ", ".join(str(candidate.id) for candidate in candidates)
        raise InvalidValue(
            "subnet", None, f"is missing, and several contain {ip} ({ids})", "give the id of one"
        )
    return candidates[0]


def _hostname(uow: UnitOfWork, address: HeldAddress) -> str | None:
    return None if address.system_id is None else uow.nodes.get(SystemId(address.system_id)).hostname
