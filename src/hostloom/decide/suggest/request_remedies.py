"""Changes of the request itself that may help: a similar name, or a free address."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from itertools import islice

from hostloom.decide.changes.network import GIVEN_BACK
from hostloom.decide.placement.addresses import address_index_of
from hostloom.decide.request import constraints
from hostloom.decide.request.constraints import is_cidr
from hostloom.decide.snapshot import Snapshot
from hostloom.model.hypothetical import ChangeKind, HypotheticalChange
from hostloom.model.ids import SystemId
from hostloom.model.network import Address, HeldAddress, Subnet
from hostloom.model.reasons import Refusal, RequestCode
from hostloom.model.request import LabelConstraints, ParsedRequest, Term

Remedy = Callable[[Snapshot, ParsedRequest, Refusal], Iterator[HypotheticalChange]]
#: Number of free addresses that are searched for the next one after a given one.
NEAR = 1000
#: Maximum length of names for the search for similar ones, which is slow for long words.
LONGEST = 64
#: Prefixes of names in values: `subnet=space:dmz`.
_FORMS = frozenset({"name", "fabric", "space", "subnet", "vlan", "cidr"})


def give_back(snapshot: Snapshot, subnet: Subnet, address: HeldAddress) -> HypotheticalChange:
    """Release the address; `was` is the node that has it, empty if a user reserved it."""
    holder = snapshot.node_by_system_id.get(SystemId(address.system_id)) if address.system_id else None
    node = " ".join(filter(None, (holder.hostname if holder else address.system_id, address.interface_name)))
    return HypotheticalChange(ChangeKind.FREE_ADDRESS, str(subnet.cidr), "", str(address.ip), node)


def request_remedies(
    snapshot: Snapshot, request: ParsedRequest, refusal: Refusal
) -> Iterator[HypotheticalChange]:
    """Changes of the request that address the cause of the refusal."""
    remedy = _REMEDIES.get(refusal.code)
    if remedy is not None:
        yield from remedy(snapshot, request, refusal)


def _option(name: str, value: str, was: str = "") -> HypotheticalChange:
    return HypotheticalChange(ChangeKind.CHANGE_REQUEST, name, "", value, was)


def _nearest(name: str, names: list[str]) -> list[str]:
    """Similar names, the most similar first; overlapping prefixes come first."""
    if len(name) > LONGEST:
        return []
    lower = {candidate.lower(): candidate for candidate in sorted(names)}
    near = get_close_matches(name.lower(), sorted(lower), n=4, cutoff=0.9 if is_cidr(name) else 0.6)
    return list(dict.fromkeys((*_overlapping(name, names), *(lower[candidate] for candidate in near))))


def _overlapping(text: str, cidrs: list[str]) -> list[str]:
    if not is_cidr(text):
        return []
    cidr = ip_network(text, strict=False)
    others = [ip_network(other) for other in sorted(set(cidrs)) if is_cidr(other)]
    networks = [other for other in others if other.version == cidr.version and other.overlaps(cidr)]
    return [str(network) for network in sorted(networks, key=lambda network: -network.prefixlen)[:2]]


def rewritten(
    request: ParsedRequest, alter: Callable[[LabelConstraints, Term], Term | None]
) -> Iterator[HypotheticalChange]:
    """The constraints with one term changed or removed, once for every term that `alter` changes."""
    labels = request.labels
    for index, label in enumerate(labels):
        for place, term in enumerate(label.terms):
            changed = alter(label, term)
            if changed == term:
                continue
            terms = [*label.terms[:place], *([changed] if changed else []), *label.terms[place + 1 :]]
            if not terms:
                continue
            others = [*labels[:index], replace(label, terms=tuple(terms)), *labels[index + 1 :]]
            yield _option("interfaces", constraints.format_constraints(tuple(others)), request.interfaces)


def _name(
    names_of: Callable[[Snapshot], list[str]],
) -> Callable[[Snapshot, ParsedRequest, Refusal], Iterator[HypotheticalChange]]:
    def remedy(snapshot: Snapshot, request: ParsedRequest, refusal: Refusal) -> Iterator[HypotheticalChange]:
        form, colon, rest = refusal.found.partition(":")
        prefix, wrong_name = (f"{form}:", rest) if colon and form in _FORMS else ("", refusal.found)
        for name in _nearest(wrong_name, names_of(snapshot)):
            yield from rewritten(
                request,
                lambda _label, term, name=name: (  # type: ignore[misc]  # the loop's name, bound early
                    replace(term, value=prefix + name) if term.value == refusal.found else term
                ),
            )

    return remedy


def _host(snapshot: Snapshot, _request: ParsedRequest, refusal: Refusal) -> Iterator[HypotheticalChange]:
    for name in _nearest(refusal.subject, [host.host.name for host in snapshot.hosts]):
        yield _option("host", name, refusal.subject)


def _another_address(
    snapshot: Snapshot, request: ParsedRequest, refusal: Refusal
) -> Iterator[HypotheticalChange]:
    """Use the next free address of the same subnet, or release the address if it is reserved."""
    ip = ip_address(refusal.subject)
    address_index = address_index_of(snapshot)
    addresses = {ip for label in request.labels for ip in label.ips}
    for subnet in address_index.subnets_of(ip)[:1]:
        free = [n for n in islice(address_index.free(subnet), NEAR) if _like(n, ip.version) not in addresses]
        number = next((n for n in free if n > int(ip)), free[0] if free else None)
        if number is not None:
            yield from _readdressed(request, refusal.subject, str(_like(number, ip.version)))
        yield from _given_back(snapshot, subnet, ip)


def _given_back(snapshot: Snapshot, subnet: Subnet, ip: Address) -> Iterator[HypotheticalChange]:
    """Release the address itself, if all its holders can release it."""
    addresses = [
        address for address in snapshot.held_by_ip.get(ip, ()) if address.subnet_id in (None, subnet.id)
    ]
    if addresses and all(address.kind in GIVEN_BACK for address in addresses):
        yield give_back(snapshot, subnet, addresses[0])


def _readdressed(request: ParsedRequest, address: str, free: str) -> Iterator[HypotheticalChange]:
    yield from rewritten(
        request, lambda _label, term: replace(term, value=free) if _is_asked(term, address) else term
    )


def _like(number: int, version: int) -> object:
    return ip_address(number.to_bytes(4 if version == 4 else 16, "big"))


def _is_asked(term: Term, address: str) -> bool:
    return term.key == "ip" and not term.negated and str(ip_address(term.value)) == address


def _without_a_term(
    _snapshot: Snapshot, request: ParsedRequest, refusal: Refusal
) -> Iterator[HypotheticalChange]:
    """Remove one of the contradicting terms, or add the missing `attach=network`."""
    yield from rewritten(request, lambda label, term: None if label.label == refusal.subject else term)
    yield from _extended(request, refusal.subject, Term("attach", "network"), lambda label: label.network)


def _without_the_address(
    _snapshot: Snapshot, request: ParsedRequest, refusal: Refusal
) -> Iterator[HypotheticalChange]:
    yield from rewritten(request, lambda _label, term: None if _is_asked(term, refusal.subject) else term)


def _without_mode(
    _snapshot: Snapshot, request: ParsedRequest, refusal: Refusal
) -> Iterator[HypotheticalChange]:
    yield from rewritten(
        request,
        lambda label, term: None if label.label == refusal.subject and term.key == "macvlan_mode" else term,
    )


def _without_netboot(
    _snapshot: Snapshot, request: ParsedRequest, _refusal: Refusal
) -> Iterator[HypotheticalChange]:
    if request.netboot:
        yield _option("netboot", "false", "true")


def _as_lease(_snapshot: Snapshot, request: ParsedRequest, refusal: Refusal) -> Iterator[HypotheticalChange]:
    """Let a NIC without a free address use a lease."""
    yield from _extended(request, refusal.subject, Term("mode", "dhcp"), lambda label: not label.ips)


def _extended(
    request: ParsedRequest, name: str, term: Term, is_meant: Callable[[LabelConstraints], object]
) -> Iterator[HypotheticalChange]:
    """The label with one more term, if it has none of that key."""
    labels = request.labels
    for index, label in enumerate(labels):
        if label.label == name and is_meant(label) and all(other.key != term.key for other in label.terms):
            changed = replace(label, terms=(*label.terms, term))
            others = (*labels[:index], changed, *labels[index + 1 :])
            yield _option("interfaces", constraints.format_constraints(others), request.interfaces)


def _any_architecture(
    _snapshot: Snapshot, request: ParsedRequest, refusal: Refusal
) -> Iterator[HypotheticalChange]:
    for name in refusal.found.split(", "):
        if name != "none":
            yield _option("architecture", name, request.architecture or "")


_REMEDIES: dict[RequestCode, Remedy] = {
    RequestCode.UNKNOWN_SPACE: _name(lambda snapshot: [space.name for space in snapshot.spaces]),
    RequestCode.UNKNOWN_FABRIC: _name(lambda snapshot: [fabric.name for fabric in snapshot.fabrics]),
    RequestCode.UNKNOWN_SUBNET: _name(
        lambda snapshot: [name for subnet in snapshot.subnets for name in (subnet.name, str(subnet.cidr))]
    ),
    RequestCode.UNKNOWN_HOST: _host,
    RequestCode.CONTRADICTION: _without_a_term,
    RequestCode.ADDRESS_OUTSIDE_SUBNET: _without_the_address,
    RequestCode.ADDRESS_IN_USE: _another_address,
    RequestCode.ADDRESS_IN_RANGE: _another_address,
    RequestCode.ADDRESS_RESERVED: _another_address,
    RequestCode.DUPLICATE_ADDRESS: _another_address,
    RequestCode.UNSUPPORTED_ARCHITECTURE: _any_architecture,
    RequestCode.PASSTHRU_IN_USE: _without_mode,
    RequestCode.NO_BOOTABLE_VLAN: _without_netboot,
    RequestCode.SUBNET_FULL: _as_lease,
}
