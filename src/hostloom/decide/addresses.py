"""Addresses: is a requested one ours to give, and which is the next free one (DESIGN 2.4 rule 6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address

from hostloom.decide.refuse import refuse
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import SubnetId, VlanId
from hostloom.model.network import Address, IPRange, RangeKind, Subnet
from hostloom.model.plan import RequestCode, SubjectKind
from hostloom.model.request import AddressMode, LabelConstraints

Span = tuple[int, int]


@dataclass(frozen=True)
class SubnetSpace:
    """What of a subnet can be given out; built once a snapshot."""

    subnet: Subnet
    ranges: tuple[IPRange, ...]
    used: frozenset[int]

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """Spans from which addresses are given, ascending, used addresses not yet taken out."""
        cidr = self.subnet.cidr
        low, high = int(cidr.network_address), int(cidr.broadcast_address)
        if has_ends(self.subnet):
            low, high = low + 1, high - (cidr.version == 4)
        reserved = _merged(self.ranges, RangeKind.RESERVED)
        dynamic = _merged(self.ranges, RangeKind.DYNAMIC)
        ours = [(low, high)]
        if not self.subnet.managed:
            ours = [(max(a, low), min(b, high)) for a, b in reserved if max(a, low) <= min(b, high)]
            return tuple(_without(ours, dynamic))
        return tuple(_without(_without(ours, reserved), dynamic))

    def free(self) -> Iterator[int]:
        """Free addresses, ascending."""
        gateway = self.subnet.gateway
        barred = -1 if gateway is None or gateway not in self.subnet.cidr else int(gateway)
        for low, high in self.spans:
            for number in range(low, high + 1):
                if number not in self.used and number != barred:
                    yield number

    def first_free(self, taken: frozenset[Address]) -> Address | None:
        """The lowest free address that is not in `taken`."""
        for number in self.free():
            address = _address(number, self.subnet.cidr.version)
            if address not in taken:
                return address
        return None


def _address(number: int, version: int) -> Address:
    """`ip_address` would make an IPv4 address of a small IPv6 number."""
    return ip_address(number.to_bytes(4 if version == 4 else 16, "big"))


def has_ends(subnet: Subnet) -> bool:
    """Whether its first address (and the last, in IPv4) is special: not in /31, /32, /127 and /128."""
    return subnet.cidr.prefixlen < subnet.cidr.max_prefixlen - 1


def _merged(ranges: tuple[IPRange, ...], kind: RangeKind) -> list[Span]:
    spans: list[Span] = []
    for each in sorted((r for r in ranges if r.kind is kind), key=lambda r: int(r.start)):
        start, end = int(each.start), int(each.end)
        if spans and start <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans


def _without(spans: list[Span], holes: list[Span]) -> list[Span]:
    for low, high in holes:
        cut: list[Span] = []
        for a, b in spans:
            if high < a or b < low:
                cut.append((a, b))
                continue
            if a < low:
                cut.append((a, low - 1))
            if high < b:
                cut.append((high + 1, b))
        spans = cut
    return spans


class AddressBook:
    """The address side of a snapshot, indexed; kept with the snapshot for as long as that lives."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._used: dict[SubnetId | None, set[int]] = {}
        self._who: dict[tuple[SubnetId | None, Address], str] = {}
        for held in snapshot.held:
            for subnet_id in (held.subnet_id,) if held.subnet_id else self._all_containing(held.ip):
                self._used.setdefault(subnet_id, set()).add(int(held.ip))
                who = " ".join(filter(None, (held.system_id, held.interface_name, held.comment)))
                self._who.setdefault((subnet_id, held.ip), who)
        self._spaces: dict[SubnetId, SubnetSpace] = {}

    def _all_containing(self, ip: Address) -> tuple[SubnetId, ...]:
        return tuple(each.id for each in self._snapshot.subnets if ip in each.cidr)

    def space(self, subnet: Subnet) -> SubnetSpace:
        """The subnet's space, built at its first use."""
        if subnet.id not in self._spaces:
            ranges = self._snapshot.ranges_by_subnet.get(subnet.id, ())
            used = frozenset(self._used.get(subnet.id, ()))
            self._spaces[subnet.id] = SubnetSpace(subnet, ranges, used)
        return self._spaces[subnet.id]

    def subnets_of(self, ip: Address) -> tuple[Subnet, ...]:
        """The subnets that the address lies in, of the longest prefix; several if fabrics overlap."""
        found = [each for each in self._snapshot.subnets if ip in each.cidr]
        longest = max((each.cidr.prefixlen for each in found), default=0)
        return tuple(sorted((s for s in found if s.cidr.prefixlen == longest), key=lambda s: s.id))

    def problem(self, ip: Address, subnet: Subnet) -> tuple[RequestCode, str] | None:
        """Why the address cannot be given in this subnet, with what was found; None when it can."""
        space = self.space(subnet)
        if int(ip) in space.used:
            return RequestCode.ADDRESS_IN_USE, self._who.get((subnet.id, ip), "") or "in use"
        for each in space.ranges:
            if ip in each and (each.kind is RangeKind.DYNAMIC or subnet.managed):
                return RequestCode.ADDRESS_IN_RANGE, f"{each.kind} range {each.start}-{each.end}"
        if ip == subnet.gateway:
            return RequestCode.ADDRESS_RESERVED, f"the gateway of {subnet.cidr}"
        if has_ends(subnet) and ip == subnet.cidr.network_address:
            return RequestCode.ADDRESS_RESERVED, f"the network address of {subnet.cidr}"
        if has_ends(subnet) and ip.version == 4 and ip == subnet.cidr.broadcast_address:
            return RequestCode.ADDRESS_RESERVED, f"the broadcast address of {subnet.cidr}"
        if not subnet.managed and not any(ip in each for each in space.ranges):
            return RequestCode.ADDRESS_RESERVED, f"outside the reserved ranges of the unmanaged {subnet.cidr}"
        return None

    def next_free(
        self, vlan_id: VlanId, named: frozenset[SubnetId] | None, taken: frozenset[Address]
    ) -> tuple[Address, Subnet] | None:
        """The lowest free address of the VLAN's first subnet with room; `named` narrows the subnets."""
        for subnet in self._snapshot.subnets_by_vlan.get(vlan_id, ()):
            if named is None or subnet.id in named:
                address = self.space(subnet).first_free(taken)
                if address is not None:
                    return address, subnet
        return None


def address_book(snapshot: Snapshot) -> AddressBook:
    """The snapshot's address book, built once."""
    book = snapshot.indexes.get("addresses")
    if not isinstance(book, AddressBook):
        book = AddressBook(snapshot)
        snapshot.indexes["addresses"] = book
    return book


def wants_address(label: LabelConstraints, snapshot: Snapshot, vlan_id: VlanId | None) -> bool:
    """Whether a NIC of this label takes the next free address: on a VLAN without subnets `auto` is `dhcp`."""
    automatic = label.mode is AddressMode.AUTO and not label.ips
    return automatic and vlan_id is not None and vlan_id in snapshot.subnets_by_vlan


def check_requested(
    book: AddressBook, labels: tuple[LabelConstraints, ...], choices: dict[tuple[str, Address], list[Subnet]]
) -> None:
    """Check each `ip=` in turn: known subnet, in use, in a range, reserved; then that none is asked twice.

    `choices` gives the subnets in which an address may lie, those that the label's keys allow; what cannot
    be given is taken out of it.
    """
    for label in labels:
        for ip in label.ips:
            _check_one(book, label, ip, choices[label.name, ip])
    seen: set[Address] = set()
    for label in labels:
        for ip in label.ips:
            if ip in seen:
                raise refuse(
                    "addresses_differ",
                    RequestCode.DUPLICATE_ADDRESS,
                    SubjectKind.ADDRESS,
                    str(ip),
                    wanted="each address once",
                    found=f"again in label {label.label}",
                    column=label.column,
                )
            seen.add(ip)


def _check_one(book: AddressBook, label: LabelConstraints, ip: Address, subnets: list[Subnet]) -> None:
    if not subnets:
        raise refuse(
            "address_is_in_a_known_subnet",
            RequestCode.ADDRESS_OUTSIDE_SUBNET,
            SubjectKind.ADDRESS,
            str(ip),
            wanted="an address in a known subnet",
            found="in none",
            column=label.column,
        )
    problems = [(subnet, book.problem(ip, subnet)) for subnet in subnets]
    good = [subnet for subnet, problem in problems if problem is None]
    first = problems[0][1]
    if not good and first is not None:
        code, found = first
        raise refuse(
            "address_is_free",
            code,
            SubjectKind.ADDRESS,
            str(ip),
            wanted=f"a free address of {problems[0][0].cidr}",
            found=found,
            column=label.column,
        )
    subnets[:] = good
