"""Chooses the smallest existing machine that meets an allocation request."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_interface

from hostloom.decide.deadline import tick
from hostloom.decide.refuse import RefuseRequest
from hostloom.decide.request import constraints, storage
from hostloom.decide.request.resolve_constraints import ResolvedConstraint, resolve
from hostloom.decide.snapshot import Snapshot
from hostloom.model.allocation import Allocation, AllocationRequest, Misfit
from hostloom.model.ids import InterfaceId, natural_key
from hostloom.model.machine import Disk, Machine, MachineInterface, MachineState
from hostloom.model.node import InterfaceKind, NodeInterface
from hostloom.model.request import DiskRequest, LabelConstraints

#: The label of terms that any NIC may meet.
_ANY = "any"


@dataclass(frozen=True)
class _Nic:
    """A NIC for constraints, with the data that only NICs of machines have."""

    seen: NodeInterface
    machine_nic: MachineInterface | None = None


@dataclass(frozen=True)
class _Wanted:
    """A request with parsed texts and resolved names."""

    request: AllocationRequest
    labels: tuple[tuple[LabelConstraints, tuple[ResolvedConstraint, ...]], ...]
    disks: tuple[DiskRequest, ...]
    nics: tuple[ResolvedConstraint, ...]


def allocate(snapshot: Snapshot, machines: Sequence[Machine], request: AllocationRequest) -> Allocation:
    """The smallest machine that fits: fewest cores, least memory, then natural name order.

    ConstraintError for a text that does not parse. An unknown name is a refusal.
    """
    try:
        constraints = _read(snapshot, request)
    except RefuseRequest as no:
        return Allocation(None, refusal=no.refusal)
    misfits: Counter[Misfit] = Counter()
    for machine in sorted(
        machines,
        key=lambda candidate: (candidate.cores, candidate.memory_mib, natural_key(candidate.hostname)),
    ):
        tick()
        misfit = next((reason for reason, fits in _RULES if not fits(machine, request)), None)
        match = misfit or _fit(snapshot, machine, constraints)
        if isinstance(match, Allocation):
            return match
        misfits[match] += 1
    return Allocation(None, misfits=misfits)


_RULES: tuple[tuple[Misfit, Callable[[Machine, AllocationRequest], bool]], ...] = (
    (
        Misfit.NAME,
        lambda m, r: r.hostname in ("", m.hostname) and r.system_id in ("", m.system_id),
    ),
    (Misfit.LOCKED, lambda m, _: not m.locked),
    (Misfit.NOT_READY, lambda m, _: m.state is MachineState.READY),
    (Misfit.ARCHITECTURE, lambda m, r: r.architecture in ("", m.architecture)),
    (Misfit.CORES, lambda m, r: m.cores >= r.cores),
    (Misfit.MEMORY, lambda m, r: m.memory_mib >= r.memory_mib),
    (Misfit.TAGS, lambda m, r: set(r.tags) <= set(m.tags) and not set(r.not_tags) & set(m.tags)),
    (Misfit.ZONE, lambda m, r: r.zone in (None, m.zone_id) and m.zone_id not in r.not_zones),
    (
        Misfit.RESOURCE_POOL,
        lambda m, r: (
            r.resource_pool in (None, m.resource_pool_id) and m.resource_pool_id not in r.not_resource_pools
        ),
    ),
    (
        Misfit.HOST,
        lambda m, r: (
            r.host in (None, m.host_id)
            and (r.not_host is None or m.host_id != r.not_host)
            and r.on_host in (None, m.host_id is not None)
        ),
    ),
)


def _read(snapshot: Snapshot, request: AllocationRequest) -> _Wanted:
    labels = constraints.parse(request.interfaces)
    disks = storage.parse(request.storage) if request.storage.strip() else ()
    terms = constraints.parse(f"{_ANY}:{','.join(request.nics)}") if request.nics else ()
    # Every term is a separate constraint, which any NIC may meet.
    alone = [replace(label, terms=(term,)) for label in terms for term in label.terms]
    return _Wanted(
        request,
        tuple((label, resolve(snapshot, label)) for label in labels),
        disks,
        tuple(group for label in alone for group in resolve(snapshot, label)),
    )


def _fit(snapshot: Snapshot, machine: Machine, constraints: _Wanted) -> Allocation | Misfit:
    nics = list(_nics(snapshot, machine))
    if not all(_is_met_by_nics(group, nics, machine.hostname) for group in constraints.nics):
        return Misfit.NICS
    options = {
        label.label: [n for n, nic in enumerate(nics) if _meets(nic, label, groups, machine.hostname)]
        for label, groups in constraints.labels
    }
    pairs = _pair(options)
    if pairs is None:
        return Misfit.INTERFACES
    stored = _pair(_disk_options(snapshot, machine, constraints))
    if stored is None:
        return Misfit.DISKS
    return Allocation(
        machine.system_id,
        {label: (pairs[label], *(n for n in options[label] if n != pairs[label])) for label in options},
        {label: (place,) for label, place in stored.items()},
    )


def _is_met_by_nics(group: ResolvedConstraint, nics: list[_Nic], hostname: str) -> bool:
    """Whether a NIC meets the constraint; for a negated one, whether every NIC does."""
    met = [group.admits(nic.seen, hostname) for nic in nics]
    return all(met) if group.negated else any(met)


def _disk_options(snapshot: Snapshot, machine: Machine, constraints: _Wanted) -> dict[str, list[int]]:
    """The possible disks by label; the first label gets the boot disk."""
    words = [_words_of(snapshot, machine, disk) for disk in machine.disks]
    options = {}
    for index, disk_request in enumerate(constraints.disks):
        candidates = machine.disks[:1] if index == 0 else machine.disks
        options[disk_request.label] = [
            n for n, disk in enumerate(candidates) if _holds(disk, words[n], disk_request)
        ]
    return options


def _nics(snapshot: Snapshot, machine: Machine) -> Iterator[_Nic]:
    if not machine.interfaces:
        for interface in snapshot.node_by_system_id[machine.system_id].interfaces:
            if interface.mac is not None:
                yield _Nic(interface)
        return
    for nic in machine.interfaces:
        node_interface = NodeInterface(
            InterfaceId(nic.mac.number),
            nic.name,
            InterfaceKind.PHYSICAL,
            nic.mac,
            nic.vlan_id,
            addresses=tuple(ip_interface(ip) for ip in nic.ips),
        )
        yield _Nic(node_interface, nic)


def _meets(nic: _Nic, label: LabelConstraints, groups: tuple[ResolvedConstraint, ...], hostname: str) -> bool:
    if not all(group.admits(nic.seen, hostname) for group in groups):
        return False
    if not set(label.ips) <= set(nic.seen.ips):
        return False
    said = {term.key for term in label.terms}
    if nic.machine_nic is None:
        return label.mac in (None, nic.seen.mac) and not said & {"attach", "macvlan_mode", "network", "model"}
    return _is_attached_as(nic.machine_nic, label, says_mode="mode" in said)


def _is_attached_as(nic: MachineInterface, label: LabelConstraints, *, says_mode: bool) -> bool:
    return (
        (not says_mode or label.mode is nic.mode)
        and label.attach in (None, nic.attachment.kind)
        and label.macvlan_mode in (None, nic.attachment.mode)
        and label.network in (None, nic.attachment.source)
        and label.mac in (None, nic.mac)
        and label.model in (None, nic.model)
    )


def _words_of(snapshot: Snapshot, machine: Machine, disk: Disk) -> frozenset[str]:
    """The words that match a disk: those of its pool, and `local`."""
    state = None if machine.host_id is None else snapshot.host_by_id.get(machine.host_id)
    pools = () if state is None else state.host.storage_pools
    tags = next((pool.tags for pool in pools if pool.name == disk.pool), ())
    return frozenset({disk.pool, "local", *tags})


def _holds(disk: Disk, words: frozenset[str], request: DiskRequest) -> bool:
    return disk.size_bytes >= request.size_bytes and set(request.words) <= words


def _pair(options: Mapping[str, Sequence[int]]) -> dict[str, int] | None:
    """Assign a different item to every label, preferably the first one; None if there are too few."""
    label_by_index: dict[int, str] = {}

    def place(label: str, visited: set[int]) -> bool:
        for n in options[label]:
            if n not in visited:
                visited.add(n)
                if n not in label_by_index or place(label_by_index[n], visited):
                    label_by_index[n] = label
                    return True
        return False

    if not all(place(label, set()) for label in options):
        return None
    pairs = {label: n for n, label in label_by_index.items()}
    return {label: pairs[label] for label in options}
