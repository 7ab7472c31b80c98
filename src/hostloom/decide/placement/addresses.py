"""Addresses: whether a requested one can be given, and which is the next free one.

See docs/explanation/rules.md#choosing-addresses.
"""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from itertools import islice

from hostloom.decide.persistent import UsedNumbers
from hostloom.decide.refuse import refuse
from hostloom.decide.snapshot import Delta, Snapshot
from hostloom.model.ids import SubnetId, SystemId, VlanId
from hostloom.model.network import (
    Address,
    AddressKind,
    HeldAddress,
    IPRange,
    RangeKind,
    Span,
    Subnet,
    spans_of,
    special_address,
)
from hostloom.model.reasons import RequestCode, SubjectKind
from hostloom.model.request import AddressMode, LabelConstraints

_NOTHING = UsedNumbers()


def address_of(number: int, version: int) -> Address:
    """The address of a number; `ip_address` would make an IPv4 address of a small IPv6 number."""
    return ip_address(number.to_bytes(4 if version == 4 else 16, "big"))


class AddressIndex:
    """The index of a snapshot's addresses."""

    needs = frozenset({"subnets", "ranges"})

    def __init__(
        self,
        snapshot: Snapshot,
        used: dict[SubnetId, UsedNumbers],
        spans: dict[SubnetId, tuple[Span, ...]],
    ) -> None:
        self._snapshot = snapshot
        self._used = used
        #: Filled at first use; the same for all snapshots of one network.
        self._spans = spans
        self._room: dict[tuple[VlanId, frozenset[SubnetId] | None, int], bool] = {}

    @classmethod
    def build(cls, snapshot: Snapshot) -> "AddressIndex":
        """Read every held address once."""
        numbers: dict[SubnetId, list[int]] = {}
        for address in snapshot.held:
            for subnet_id in _homes(snapshot, address):
                numbers.setdefault(subnet_id, []).append(int(address.ip))
        return cls(snapshot, {key: UsedNumbers.of(number) for key, number in numbers.items()}, {})

    def carried(self, after: Snapshot, delta: Delta) -> "AddressIndex":
        """The index of a later snapshot of the same network."""
        touched: dict[SubnetId, set[Address]] = {}
        for address in (*delta.lost, *delta.gained):
            for subnet_id in _homes(after, address):
                touched.setdefault(subnet_id, set()).add(address.ip)
        states = {
            subnet_id: {int(ip): bool(_holders(after, ip, subnet_id)) for ip in ips}
            for subnet_id, ips in touched.items()
        }
        return AddressIndex(after, self._changed(states), self._spans)

    def numbered(self, states: Mapping[SubnetId, Mapping[int, bool]]) -> "AddressIndex":
        """An index in which these numbers count as used or free; it only answers which one is next."""
        return AddressIndex(self._snapshot, self._changed(states), self._spans)

    def _changed(self, states: Mapping[SubnetId, Mapping[int, bool]]) -> dict[SubnetId, UsedNumbers]:
        used = dict(self._used)
        for subnet_id, state in states.items():
            used[subnet_id] = used.get(subnet_id, UsedNumbers()).changed(state)
        return used

    def is_used(self, ip: Address, subnet: Subnet) -> bool:
        """Whether the address is in use in this subnet."""
        used = self._used.get(subnet.id)
        return used is not None and int(ip) in used

    def free(self, subnet: Subnet) -> Iterator[int]:
        """Free addresses of the subnet, ascending."""
        spans = self._spans.get(subnet.id)
        if spans is None:
            ranges = self._snapshot.ranges_by_subnet.get(subnet.id, ())
            spans = self._spans[subnet.id] = spans_of(subnet, ranges)
        gateway = subnet.gateway
        barred = -1 if gateway is None or gateway not in subnet.cidr else int(gateway)
        used = self._used.get(subnet.id, _NOTHING)
        return (number for low, high in spans for number in used.free(low, high) if number != barred)

    def subnets_of(self, ip: Address) -> tuple[Subnet, ...]:
        """The subnets that the address lies in, of the longest prefix; several if fabrics overlap."""
        subnets = self._snapshot.subnets_around(ip)
        return tuple(subnet for subnet in subnets if subnet.cidr.prefixlen == subnets[0].cidr.prefixlen)

    def problem(
        self, ip: Address, subnet: Subnet, system_id: str | None = None, *, set_aside: bool = False
    ) -> tuple[RequestCode, str] | None:
        """Why the address cannot be assigned in this subnet, with the obstacle; None if it can.

        The node `system_id` can get an address that it leases itself. With `set_aside`, a user reserves it
        for no machine, so reserved ranges of managed subnets and addresses seen on the wire are allowed.
        """
        if (holder := self.holder(ip, subnet, system_id, set_aside=set_aside)) is not None:
            return RequestCode.ADDRESS_IN_USE, self._who(holder)
        ranges = [r for r in self._snapshot.ranges_by_subnet.get(subnet.id, ()) if ip in r]
        barred_kinds = {RangeKind.DYNAMIC} if set_aside or not subnet.managed else set(RangeKind)
        barring = next((ip_range for ip_range in ranges if ip_range.kind in barred_kinds), None)
        if barring is not None:
            return RequestCode.ADDRESS_IN_RANGE, f"{barring.kind} range {barring.start}-{barring.end}"
        reserved_as = _reserved_as(ip, subnet, ranges)
        return None if reserved_as is None else (RequestCode.ADDRESS_RESERVED, reserved_as)

    def holder(
        self, ip: Address, subnet: Subnet, system_id: str | None = None, *, set_aside: bool = False
    ) -> HeldAddress | None:
        """The holder that prevents assigning or reserving the address; parameters as for `problem`."""
        if not self.is_used(ip, subnet):
            return None
        for address in _holders(self._snapshot, ip, subnet.id):
            is_mark = set_aside and address.kind is AddressKind.ON_WIRE
            if not is_mark and not _is_leased_by(address, system_id):
                return address
        return None

    def _who(self, address: HeldAddress) -> str:
        """The name of the holder, for users."""
        if address.kind is AddressKind.ON_WIRE:
            return f"on the wire, {address.comment}"
        node = (
            self._snapshot.node_by_system_id.get(SystemId(address.system_id)) if address.system_id else None
        )
        name = node.hostname if node is not None else address.system_id
        return " ".join(filter(None, (name, address.interface_name, address.comment))) or "set aside"

    def next_free(
        self, vlan_id: VlanId, subnet_ids: frozenset[SubnetId] | None, taken: frozenset[Address]
    ) -> tuple[Address, Subnet] | None:
        """The lowest free address of the VLAN's first subnet with room; `named` narrows the subnets."""
        for subnet in self._subnets(vlan_id, subnet_ids):
            version = subnet.cidr.version
            for number in self.free(subnet):
                address = address_of(number, version)
                if address not in taken:
                    return address, subnet
        return None

    def has_room(self, vlan_id: VlanId, subnet_ids: frozenset[SubnetId] | None, count: int) -> bool:
        """Whether at least `count` addresses are free on the VLAN."""
        key = (vlan_id, subnet_ids, count)
        if key not in self._room:
            numbers = (
                number for subnet in self._subnets(vlan_id, subnet_ids) for number in self.free(subnet)
            )
            self._room[key] = sum(1 for _ in islice(numbers, count)) == count
        return self._room[key]

    def _subnets(self, vlan_id: VlanId, subnet_ids: frozenset[SubnetId] | None) -> Iterator[Subnet]:
        for subnet in self._snapshot.subnets_by_vlan.get(vlan_id, ()):
            if subnet_ids is None or subnet.id in subnet_ids:
                yield subnet


def _reserved_as(ip: Address, subnet: Subnet, ranges: list[IPRange]) -> str | None:
    """The purpose for which the address is reserved; `ranges` are those that contain it."""
    if ip == subnet.gateway:
        return f"the gateway of {subnet.cidr}"
    if (special := special_address(subnet.cidr, ip)) is not None:
        return f"the {special} of {subnet.cidr}"
    if not subnet.managed and all(ip_range.kind is not RangeKind.RESERVED for ip_range in ranges):
        return f"outside the reserved ranges of the unmanaged {subnet.cidr}"
    return None


def _homes(snapshot: Snapshot, address: HeldAddress) -> Iterable[SubnetId]:
    """The subnets in which the address counts as used: the recorded one, or all that contain it."""
    if address.subnet_id is not None:
        return (address.subnet_id,)
    return [subnet.id for subnet in snapshot.subnets_around(address.ip)]


def _holders(snapshot: Snapshot, ip: Address, subnet_id: SubnetId) -> list[HeldAddress]:
    return [address for address in snapshot.held_by_ip.get(ip, ()) if address.subnet_id in (None, subnet_id)]


def _is_leased_by(address: HeldAddress, system_id: str | None) -> bool:
    return (
        address.kind in (AddressKind.LEASE, AddressKind.ON_WIRE)
        and system_id is not None
        and address.system_id == system_id
    )


def address_index_of(snapshot: Snapshot) -> AddressIndex:
    """The snapshot's address index, built once."""
    address_index = snapshot.indexes.get("addresses")
    if not isinstance(address_index, AddressIndex):
        address_index = snapshot.indexes["addresses"] = AddressIndex.build(snapshot)
    return address_index


def wants_address(label: LabelConstraints, snapshot: Snapshot, vlan_id: VlanId | None) -> bool:
    """Whether a NIC of this label gets the next free address. Without subnets, `auto` means `dhcp`."""
    automatic = label.mode is AddressMode.AUTO and not label.ips
    return automatic and vlan_id is not None and vlan_id in snapshot.subnets_by_vlan


def check_requested(
    address_index: AddressIndex,
    labels: tuple[LabelConstraints, ...],
    choices: dict[tuple[str, Address], list[Subnet]],
) -> None:
    """Check each `ip=`: known subnet, in use, in a range, reserved; then that none is requested twice.

    `choices` has the subnets that the label's keys allow for each address. Subnets in which the address
    cannot be assigned are removed from it.
    """
    for label in labels:
        for ip, column in label.ip_columns:
            _check_one(address_index, ip, column, choices[label.name, ip])
    addresses: set[Address] = set()
    for label in labels:
        for ip, column in label.ip_columns:
            if ip in addresses:
                raise refuse(
                    "addresses_differ",
                    RequestCode.DUPLICATE_ADDRESS,
                    SubjectKind.ADDRESS,
                    str(ip),
                    wanted="each address once",
                    found=f"again in label {label.label}",
                    column=column,
                )
            addresses.add(ip)


def _check_one(address_index: AddressIndex, ip: Address, column: int, subnets: list[Subnet]) -> None:
    if not subnets:
        raise refuse(
            "address_is_in_a_known_subnet",
            RequestCode.ADDRESS_OUTSIDE_SUBNET,
            SubjectKind.ADDRESS,
            str(ip),
            wanted="an address in a known subnet",
            found="in none",
            column=column,
        )
    problems = [(subnet, address_index.problem(ip, subnet)) for subnet in subnets]
    good = [subnet for subnet, problem in problems if problem is None]
    first = problems[0][1]
    if not good and first is not None:
        code, holder = first
        raise refuse(
            "address_is_free",
            code,
            SubjectKind.ADDRESS,
            str(ip),
            wanted=f"a free address of {problems[0][0].cidr}",
            found=holder,
            column=column,
        )
    subnets[:] = good
