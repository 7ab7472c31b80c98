"""Read a request as far as it concerns no host: text, names, contradictions, requested addresses."""

from dataclasses import dataclass

from hostloom.decide import constraints, storage
from hostloom.decide.addresses import AddressBook, check_requested
from hostloom.decide.match import Wanted
from hostloom.decide.refuse import RefuseRequest, refuse
from hostloom.decide.snapshot import Snapshot
from hostloom.decide.terms import Group, resolve
from hostloom.model.attachment import AttachKind
from hostloom.model.errors import ConstraintError
from hostloom.model.ids import MacAddress
from hostloom.model.network import Address, Subnet
from hostloom.model.plan import RequestCode, SubjectKind
from hostloom.model.request import AddressMode, ComposeRequest, DiskRequest, LabelConstraints


@dataclass(frozen=True)
class Asked:
    """A request that makes sense in this world."""

    request: ComposeRequest
    #: Empty: no interface constraints.
    wanted: tuple[Wanted, ...]
    disks: tuple[DiskRequest, ...]


def read_request(snapshot: Snapshot, book: AddressBook, request: ComposeRequest) -> Asked:
    """Read it; RefuseRequest with the first rule that it breaks."""
    try:
        labels = constraints.parse(request.interfaces)
        disks = storage.parse(request.storage)
    except ConstraintError as error:
        raise refuse(
            "text_is_well_formed",
            RequestCode(error.code),
            SubjectKind.REQUEST,
            error.field,
            wanted=error.expected,
            found=error.value,
            column=error.column,
        ) from error
    groups = {label.name: resolve(snapshot, label) for label in labels}
    choices: dict[tuple[str, Address], list[Subnet]] = {}
    for label in labels:
        _check_settings(label)
        _check_addresses(book, label, groups[label.name], choices)
    _check_macs(labels)
    check_requested(book, labels, choices)
    wanted = tuple(
        Wanted(
            label,
            groups[label.name],
            tuple((ip, tuple(choices[label.name, ip])) for ip in label.ips),
        )
        for label in labels
    )
    return Asked(request, wanted, disks)


def _check_settings(label: LabelConstraints) -> None:
    """What sets rather than selects may be said once, and what goes together must."""
    said: dict[str, str] = {}
    for term in label.terms:
        if term.key not in constraints.SETTING:
            continue
        if said.setdefault(term.key, term.value) != term.value:
            first = said[term.key]
            raise _contradiction(
                label, f"one {term.key}", f"{term.key}={first} and {term.value}", term.column
            )
    if label.network is not None and label.attach is not AttachKind.NETWORK:
        raise _contradiction(label, "attach=network beside network=", f"network={label.network} without it")
    if label.macvlan_mode is not None and label.attach is not AttachKind.MACVLAN:
        found = f"macvlan_mode={label.macvlan_mode} with attach={label.attach}"
        raise _contradiction(label, "attach=macvlan beside macvlan_mode=", found)
    if label.ips and label.mode is not AddressMode.AUTO:
        raise _contradiction(label, "ip= only with mode=auto", f"ip={label.ips[0]} with mode={label.mode}")


def _check_addresses(
    book: AddressBook,
    label: LabelConstraints,
    groups: tuple[Group, ...],
    choices: dict[tuple[str, Address], list[Subnet]],
) -> None:
    """The subnets for each `ip=`: those of its VLAN that the label's other keys allow, all on one VLAN."""
    common: frozenset[object] | None = None
    for ip in label.ips:
        known = book.subnets_of(ip)
        allowed = [subnet for subnet in known if _allows(groups, subnet)]
        if known and not allowed:
            found = f"{ip} lies in {known[0].cidr}, which {_excluding(groups, known[0])} excludes"
            raise _contradiction(label, "an ip= that the other keys allow", found)
        choices[label.name, ip] = allowed
        if known:
            vlans = frozenset(subnet.vlan_id for subnet in allowed)
            common = vlans if common is None else common & vlans
    if common is not None and not common:
        addresses = ", ".join(map(str, label.ips))
        raise _contradiction(label, "every ip= of a label on one VLAN", f"{addresses} on several")
    for ip in label.ips:
        choices[label.name, ip] = [
            s for s in choices[label.name, ip] if common is None or s.vlan_id in common
        ]


def _check_macs(labels: tuple[LabelConstraints, ...]) -> None:
    seen: dict[MacAddress, str] = {}
    for label in labels:
        if label.mac is not None and seen.setdefault(label.mac, label.label) != label.label:
            raise _contradiction(label, "a mac= of its own", f"mac={label.mac} as in {seen[label.mac]}")


def _allows(groups: tuple[Group, ...], subnet: Subnet) -> bool:
    return all(_group_allows(group, subnet) for group in groups)


def _group_allows(group: Group, subnet: Subnet) -> bool:
    if group.vlans is None:
        return True
    if group.subnets is not None and not group.negated:
        return subnet.id in group.subnets
    return group.admits_vlan(subnet.vlan_id)


def _excluding(groups: tuple[Group, ...], subnet: Subnet) -> str:
    return next(str(group) for group in groups if not _group_allows(group, subnet))


def _contradiction(label: LabelConstraints, wanted: str, found: str, column: int = 0) -> RefuseRequest:
    return refuse(
        "label_agrees_with_itself",
        RequestCode.CONTRADICTION,
        SubjectKind.LABEL,
        label.label,
        wanted=wanted,
        found=found,
        column=column or label.column,
    )
