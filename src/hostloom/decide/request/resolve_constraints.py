"""Resolves the terms of a label in a snapshot, once for all hosts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from hostloom.decide.refuse import RefuseRequest, refuse
from hostloom.decide.request.constraints import NEGATABLE, POSITIVE, is_cidr, parse_integer
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import SubnetId, VlanId
from hostloom.model.network import Fabric, Space, Subnet, Vlan
from hostloom.model.node import NodeInterface
from hostloom.model.reasons import RequestCode, SubjectKind
from hostloom.model.request import LabelConstraints, Term

#: Terms with these keys select by VLAN; the others by the interface itself.
VLAN_KEYS = frozenset({"fabric", "fabric_class", "vlan", "vid", "space", "subnet", "subnet_cidr"})


@dataclass(frozen=True)
class ResolvedConstraint:
    """The terms of a label with the same key and sign: any must be met for `key`, none for `not_key`."""

    key: str
    negated: bool
    terms: tuple[Term, ...]
    #: The VLANs of the terms; None for a key about the interface itself.
    vlans: frozenset[VlanId] | None
    #: The subnets of the terms; None unless the key is about subnets.
    subnets: frozenset[SubnetId] | None = None

    def admits(self, interface: NodeInterface, hostname: str) -> bool:
        """Whether the host interface meets the constraint."""
        return (
            self.admits_vlan(interface.vlan_id)
            if self.vlans is not None
            else self._selects(interface, hostname)
        )

    def admits_vlan(self, vlan_id: VlanId | None) -> bool:
        """Whether an interface on this VLAN meets the constraint; only for keys about VLANs."""
        if self.vlans is None:
            raise AssertionError(f"{self.key} is not about VLANs")
        return (vlan_id in self.vlans) is not self.negated

    def _selects(self, interface: NodeInterface, hostname: str) -> bool:
        test = _INTERFACE_TESTS[self.key]
        return any(test(term.value, interface, hostname) for term in self.terms) is not self.negated

    def __str__(self) -> str:
        """The constraint in the syntax of users."""
        return ",".join(f"{'not_' * term.negated}{term.key}={term.value}" for term in self.terms)


_INTERFACE_TESTS: dict[str, Callable[[str, NodeInterface, str], bool]] = {
    "id": lambda value, interface, _: interface.id == int(value),
    "name": lambda value, interface, _: interface.name == value,
    "hostname": lambda value, _, hostname: hostname == value,
    "type": lambda value, interface, _: interface.kind == value,
    "tag": lambda value, interface, _: {tag.strip() for tag in value.split("&&")} <= set(interface.tags),
    "link_speed": lambda value, interface, _: interface.link_speed >= max(int(value), 1),
    "ip": lambda value, interface, _: ip_address(value) in interface.ips,
}


def resolve(snapshot: Snapshot, label: LabelConstraints) -> tuple[ResolvedConstraint, ...]:
    """Look up the names of a label, in the order written; RefuseRequest for the first unknown one."""
    groups: dict[tuple[str, bool], ResolvedConstraint] = {}
    for term in label.terms:
        is_requested_address = term.key == "ip" and not term.negated
        if term.key in NEGATABLE | POSITIVE and not is_requested_address:
            group = _group(snapshot, term)
            resolved_constraint = groups.get((term.key, term.negated))
            groups[term.key, term.negated] = (
                group if resolved_constraint is None else _joined(resolved_constraint, group)
            )
    return tuple(groups.values())


def _group(snapshot: Snapshot, term: Term) -> ResolvedConstraint:
    """Resolve one term."""
    if term.key not in VLAN_KEYS:
        return ResolvedConstraint(term.key, term.negated, (term,), None)
    if term.key in ("subnet", "subnet_cidr"):
        subnets = _subnets(snapshot, term)
        vlans = frozenset(snapshot.subnet_by_id[subnet_id].vlan_id for subnet_id in subnets)
        return ResolvedConstraint(term.key, term.negated, (term,), vlans, subnets)
    return ResolvedConstraint(term.key, term.negated, (term,), _LOOKUPS[term.key](snapshot, term, term.value))


def _joined(first: ResolvedConstraint, second: ResolvedConstraint) -> ResolvedConstraint:
    """Merge two constraints with the same key and sign."""
    vlans, subnets = first.vlans, first.subnets
    return ResolvedConstraint(
        first.key,
        first.negated,
        (*first.terms, *second.terms),
        None if vlans is None else vlans | (second.vlans or frozenset()),
        None if subnets is None else subnets | (second.subnets or frozenset()),
    )


def _some(snapshot: Snapshot, is_meant: Callable[[Vlan], bool]) -> frozenset[VlanId]:
    return frozenset(vlan.id for vlan in snapshot.vlans if is_meant(vlan))


def _vid(value: str) -> int | None:
    return 0 if value == "untagged" else parse_integer(value)


def _by_vid(snapshot: Snapshot, _: Term, value: str) -> frozenset[VlanId]:
    vid = _vid(value)
    return _some(snapshot, lambda vlan: vlan.vid == vid)


def _by_vlan(snapshot: Snapshot, term: Term, value: str) -> frozenset[VlanId]:
    form, colon, rest = value.partition(":")
    if colon and form == "id":
        return _some(snapshot, lambda vlan: vlan.id == int(rest))
    if colon and form == "name":
        return _some(snapshot, lambda vlan: vlan.name == rest)
    if colon and form in ("vid", "fabric", "subnet", "space"):
        return _LOOKUPS[form](snapshot, term, rest)
    if _vid(value) is not None:
        return _by_vid(snapshot, term, value)
    return _some(snapshot, lambda vlan: vlan.name == value)


def _by_fabric(snapshot: Snapshot, term: Term, value: str) -> frozenset[VlanId]:
    form, colon, rest = value.partition(":")
    if colon and form == "class":
        return _by_class(snapshot, term, rest)
    fabric_ids = _meant(snapshot.fabrics, value, "fabric")
    if not fabric_ids:
        names = [fabric.name for fabric in snapshot.fabrics]
        raise _unknown(RequestCode.UNKNOWN_FABRIC, "fabric", term, names)
    return _some(snapshot, lambda vlan: vlan.fabric_id in fabric_ids)


def _by_class(snapshot: Snapshot, _: Term, value: str) -> frozenset[VlanId]:
    fabrics = {fabric.id for fabric in snapshot.fabrics if fabric.class_type == value}
    return _some(snapshot, lambda vlan: vlan.fabric_id in fabrics)


def _by_space(snapshot: Snapshot, term: Term, value: str) -> frozenset[VlanId]:
    if value == "undefined":
        return _some(snapshot, lambda vlan: vlan.space_id is None)
    space_ids = _meant(snapshot.spaces, value, "space")
    if not space_ids:
        raise _unknown(RequestCode.UNKNOWN_SPACE, "space", term, [space.name for space in snapshot.spaces])
    return _some(snapshot, lambda vlan: vlan.space_id in space_ids)


def _by_subnet(snapshot: Snapshot, term: Term, value: str) -> frozenset[VlanId]:
    return frozenset(
        snapshot.subnet_by_id[subnet_id].vlan_id for subnet_id in _subnets_of(snapshot, term, value)
    )


_LOOKUPS: dict[str, Callable[[Snapshot, Term, str], frozenset[VlanId]]] = {
    "vid": _by_vid,
    "vlan": _by_vlan,
    "fabric": _by_fabric,
    "fabric_class": _by_class,
    "space": _by_space,
    "subnet": _by_subnet,
}


def _meant(objects: Iterable[Fabric | Space], value: str, kind: str) -> frozenset[int]:
    """The ids of records with the name in `NAME` or `name:NAME`; otherwise of the record with that id."""
    name = value.removeprefix("name:")
    number = _object_number(value, kind)
    named = frozenset(candidate.id for candidate in objects if candidate.name == name)
    return named or frozenset(candidate.id for candidate in objects if candidate.id == number)


def _object_number(value: str, kind: str) -> int | None:
    """The id in `5`, `id:5` or `fabric-5`."""
    for prefix in ("id:", f"{kind}-", ""):
        rest = value.removeprefix(prefix)
        if value.startswith(prefix) and rest.isascii() and rest.isdigit():
            return int(rest)
    return None


# -- subnets -----------------------------------------------------------------------------------------


def _subnets(snapshot: Snapshot, term: Term) -> frozenset[SubnetId]:
    return _subnets_of(snapshot, term, term.value)


def _subnets_of(snapshot: Snapshot, term: Term, value: str) -> frozenset[SubnetId]:
    form, colon, rest = value.partition(":")
    if colon and form in ("vid", "vlan", "space", "fabric"):
        vlans = _LOOKUPS[form](snapshot, term, rest)
        return frozenset(subnet.id for subnet in snapshot.subnets if subnet.vlan_id in vlans)
    if colon and form == "ip":
        address = ip_address(rest)
        subnets = [subnet for subnet in snapshot.subnets if address in subnet.cidr]
    else:
        subnets = _named_subnets(snapshot, value)
    if not subnets:
        raise _unknown(
            RequestCode.UNKNOWN_SUBNET, "subnet", term, [str(subnet.cidr) for subnet in snapshot.subnets]
        )
    return frozenset(subnet.id for subnet in subnets)


def _named_subnets(snapshot: Snapshot, value: str) -> list[Subnet]:
    """Subnets by CIDR (ignoring host bits; several fabrics may have the same one), name, or number."""
    text = value.removeprefix("cidr:").removeprefix("name:")
    if is_cidr(text) and not value.startswith("name:"):
        cidr = ip_network(text, strict=False)
        return [subnet for subnet in snapshot.subnets if subnet.cidr == cidr]
    if subnets := [subnet for subnet in snapshot.subnets if subnet.name == text]:
        return subnets
    number = _object_number(value, "subnet")
    return [subnet for subnet in snapshot.subnets if number is not None and subnet.id == number]


def _unknown(code: RequestCode, kind: str, term: Term, names: list[str]) -> RefuseRequest:
    listed = ", ".join(sorted(names)[:10]) or "none"
    return refuse(
        "names_are_known",
        code,
        SubjectKind.REQUEST,
        term.value,
        wanted=f"a {kind} that exists ({listed})",
        found=term.value,
        column=term.column,
    )
