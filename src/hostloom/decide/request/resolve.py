"""Resolves the parts of a request that do not depend on a host: names, contradictions, addresses."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cache

from hostloom.decide.placement.addresses import AddressIndex, check_requested
from hostloom.decide.placement.matching import NicRequirement
from hostloom.decide.refuse import RefuseRequest, refuse
from hostloom.decide.request import constraints, storage
from hostloom.decide.request.resolve_constraints import ResolvedConstraint, resolve
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind
from hostloom.model.deployment import SEED_DISK, SEED_SIZE_BYTES
from hostloom.model.errors.values import ConstraintError
from hostloom.model.ids import MacAddress, VlanId
from hostloom.model.network import Address, Subnet
from hostloom.model.reasons import RequestCode, SubjectKind
from hostloom.model.request import (
    AddressMode,
    ComposeBatch,
    ComposeRequest,
    DiskRequest,
    LabelConstraints,
    ParsedBatch,
    ParsedRequest,
    UnreadableText,
)


@dataclass(frozen=True)
class ResolvedRequest:
    """A valid request with its names looked up in the snapshot."""

    request: ParsedRequest
    #: Empty: no interface constraints.
    requirements: tuple[NicRequirement, ...]
    disks: tuple[DiskRequest, ...]


_TEXT_FIELDS = tuple(text_field.name for text_field in fields(ComposeRequest))


def parse_request(request: ComposeRequest) -> ParsedRequest:
    """Parse the texts of a request once; later code uses the texts only for display."""
    return parse_batch(ComposeBatch((request,))).machines[0]


def parse_batch(batch: ComposeBatch) -> ParsedBatch:
    """Parse the texts of all requests; a shared text is parsed once."""
    parse_once = cache(_parse_texts)

    def parse(request: ComposeRequest) -> ParsedRequest:
        labels, disks, unreadable = parse_once(request.interfaces, request.storage)
        if request.deploy is not None:
            disks = _with_seed(disks)
        written = {name: getattr(request, name) for name in _TEXT_FIELDS}
        return ParsedRequest(**written, labels=labels, disks=disks, unreadable=unreadable)

    return ParsedBatch(tuple(parse(request) for request in batch.machines), batch.strategy)


def with_texts(
    request: ParsedRequest, *, interfaces: str | None = None, storage: str | None = None
) -> ParsedRequest:
    """The request with another text; None leaves a text as it is."""
    interfaces = request.interfaces if interfaces is None else interfaces
    disks_text = request.storage if storage is None else storage
    labels, disks, unreadable = _parse_texts(interfaces, disks_text)
    if request.deploy is not None:
        disks = _with_seed(disks)
    return replace(
        request,
        interfaces=interfaces,
        storage=disks_text,
        labels=labels,
        disks=disks,
        unreadable=unreadable,
    )


def _parse_texts(
    interfaces: str, disks: str
) -> tuple[tuple[LabelConstraints, ...], tuple[DiskRequest, ...], UnreadableText | None]:
    try:
        return constraints.parse(interfaces), storage.parse(disks), None
    except ConstraintError as error:
        mistake = UnreadableText(error.code, error.field, error.column, error.value, error.expected)
        return (), (), mistake


def _with_seed(disks: tuple[DiskRequest, ...]) -> tuple[DiskRequest, ...]:
    """The disks and the seed of a machine that is deployed, which goes to the pool of its first disk."""
    return (*disks, DiskRequest(SEED_DISK, SEED_SIZE_BYTES, disks[0].words)) if disks else ()


def resolve_request(
    snapshot: Snapshot, address_index: AddressIndex, request: ParsedRequest
) -> ResolvedRequest:
    """Look up the names of a request in the snapshot; RefuseRequest for the first violated rule."""
    if (mistake := request.unreadable) is not None:
        raise refuse(
            "text_is_well_formed",
            RequestCode(mistake.code),
            SubjectKind.REQUEST,
            mistake.field,
            wanted=mistake.expected,
            found=mistake.value,
            column=mistake.column,
        )
    labels = request.labels
    groups = {label.name: resolve(snapshot, label) for label in labels}
    choices: dict[tuple[str, Address], list[Subnet]] = {}
    contradictions = [
        *(
            no
            for label in labels
            for no in _contradictions(address_index, label, groups[label.name], choices)
        ),
        *_repeated_macs(labels),
    ]
    if contradictions:
        raise min(contradictions, key=lambda no: no.refusal.column)
    check_requested(address_index, labels, choices)
    nic_requirements = tuple(
        NicRequirement(
            label,
            groups[label.name],
            tuple((ip, tuple(choices[label.name, ip])) for ip in label.ips),
        )
        for label in labels
    )
    return ResolvedRequest(request, nic_requirements, request.disks)


def _contradictions(
    address_index: AddressIndex,
    label: LabelConstraints,
    groups: tuple[ResolvedConstraint, ...],
    choices: dict[tuple[str, Address], list[Subnet]],
) -> Iterator[RefuseRequest]:
    """Every contradiction within a label, each reported at the later of the two terms."""
    yield from _settings(label)
    yield from _named_subnets(label, groups)
    yield from _addresses(address_index, label, groups, choices)


def _settings(label: LabelConstraints) -> Iterator[RefuseRequest]:
    """Contradictions of settings: a key has one value, and dependent keys fit together."""
    said: dict[str, str] = {}
    for term in label.terms:
        if term.key in constraints.SETTING and said.setdefault(term.key, term.value) != term.value:
            found = f"{term.key}={said[term.key]} and {term.value}"
            yield _contradiction(label, f"one {term.key}", found, term.column)
    if label.network is not None and label.attach is not AttachKind.NETWORK:
        found = f"network={label.network} without it"
        yield _contradiction(label, "attach=network beside network=", found, _column(label, "network"))
    if label.macvlan_mode is not None and label.attach is not AttachKind.MACVLAN:
        found = f"macvlan_mode={label.macvlan_mode} with attach={label.attach}"
        column = _column(label, "macvlan_mode", "attach")
        yield _contradiction(label, "attach=macvlan beside macvlan_mode=", found, column)
    if label.ips and label.mode is not AddressMode.AUTO:
        found = f"ip={label.ips[0]} with mode={label.mode}"
        yield _contradiction(label, "ip= only with mode=auto", found, _column(label, "ip", "mode"))


def _named_subnets(
    label: LabelConstraints, groups: tuple[ResolvedConstraint, ...]
) -> Iterator[RefuseRequest]:
    """If `subnet` and `subnet_cidr` both name subnets, they must have one in common."""
    resolved_constraints = [group for group in groups if group.subnets is not None and not group.negated]
    if len(resolved_constraints) > 1 and not frozenset.intersection(
        *(group.subnets or frozenset() for group in resolved_constraints)
    ):
        found = " and ".join(map(str, resolved_constraints))
        column = _column(label, "subnet", "subnet_cidr")
        yield _contradiction(label, "a subnet that both subnet= and subnet_cidr= name", found, column)


def _addresses(
    address_index: AddressIndex,
    label: LabelConstraints,
    groups: tuple[ResolvedConstraint, ...],
    choices: dict[tuple[str, Address], list[Subnet]],
) -> Iterator[RefuseRequest]:
    """The possible subnets of each `ip=`: those that the label's other keys allow, all on one VLAN."""
    common: frozenset[VlanId] | None = None
    for ip, column in label.ip_columns:
        subnets = address_index.subnets_of(ip)
        allowed = [subnet for subnet in subnets if _allows(groups, subnet)]
        choices[label.name, ip] = allowed
        if not subnets:
            continue
        if not allowed:
            yield _excluded_address(label, ip, column, subnets[0], groups)
            continue
        vlans = frozenset(subnet.vlan_id for subnet in allowed)
        before, common = common, vlans if common is None else common & vlans
        if before and not common:
            addresses = ", ".join(map(str, label.ips))
            yield _contradiction(label, "every ip= of a label on one VLAN", f"{addresses} on several", column)
    if common is not None:
        _narrow(choices, label, common)


def _narrow(
    choices: dict[tuple[str, Address], list[Subnet]], label: LabelConstraints, vlans: frozenset[VlanId]
) -> None:
    """Leave only the subnets on these VLANs."""
    for ip in label.ips:
        subnets = choices[label.name, ip]
        choices[label.name, ip] = [subnet for subnet in subnets if subnet.vlan_id in vlans]


def _excluded_address(
    label: LabelConstraints, ip: Address, column: int, subnet: Subnet, groups: tuple[ResolvedConstraint, ...]
) -> RefuseRequest:
    excluding = next(group for group in groups if not _group_allows(group, subnet))
    found = f"{ip} lies in {subnet.cidr}, which {excluding} excludes"
    later = max(column, excluding.terms[0].column)
    return _contradiction(label, "an ip= that the other keys allow", found, later)


def _repeated_macs(labels: tuple[LabelConstraints, ...]) -> Iterator[RefuseRequest]:
    label_of: dict[MacAddress, str] = {}
    for label in labels:
        if label.mac is not None and label_of.setdefault(label.mac, label.label) != label.label:
            found = f"mac={label.mac} as in {label_of[label.mac]}"
            yield _contradiction(label, "a mac= of its own", found, _column(label, "mac"))


def _column(label: LabelConstraints, *keys: str) -> int:
    """The column at which the last of these keys first occurs."""
    columns: dict[str, int] = {}
    for term in label.terms:
        if term.key in keys and not term.negated:
            columns.setdefault(term.key, term.column)
    return max(columns.values(), default=label.column)


def _allows(groups: tuple[ResolvedConstraint, ...], subnet: Subnet) -> bool:
    return all(_group_allows(group, subnet) for group in groups)


def _group_allows(group: ResolvedConstraint, subnet: Subnet) -> bool:
    if group.vlans is None:
        return True
    if group.subnets is not None and not group.negated:
        return subnet.id in group.subnets
    return group.admits_vlan(subnet.vlan_id)


def _contradiction(label: LabelConstraints, wanted: str, found: str, column: int) -> RefuseRequest:
    return refuse(
        "label_agrees_with_itself",
        RequestCode.CONTRADICTION,
        SubjectKind.LABEL,
        label.label,
        wanted=wanted,
        found=found,
        column=column,
    )
