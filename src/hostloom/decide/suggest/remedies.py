"""Single changes that may help after a refusal, the least invasive first. The caller tries every change."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal

from hostloom.decide.changes.network import held_to_give
from hostloom.decide.placement.addresses import address_index_of
from hostloom.decide.placement.candidates import view_of
from hostloom.decide.placement.capacity import pools_of
from hostloom.decide.request.storage import format_storage
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.decide.suggest.request_remedies import give_back, request_remedies, rewritten
from hostloom.decide.suggest.vlan_remedies import carry_vlans, place_strays, serve_vlans
from hostloom.model.decimals import Number, decimal_text
from hostloom.model.host import cores_left, cores_offered, memory_left_mib, memory_offered_mib
from hostloom.model.hypothetical import ChangeKind, HypotheticalChange
from hostloom.model.ids import VlanId, natural_key
from hostloom.model.network import Subnet
from hostloom.model.plan import HostExplanation, LabelExplanation
from hostloom.model.reasons import Refusal, Rejection, RejectionCode, RequestCode, SubjectKind
from hostloom.model.request import DiskRequest, LabelConstraints, ParsedRequest, Term

#: Step size of suggested over-commit ratios.
RATIO_STEP = Decimal("0.05")


@dataclass(frozen=True)
class RefusedCompose:
    """A refused request, for one host or for all hosts."""

    snapshot: Snapshot
    request: ParsedRequest
    refusal: Refusal
    #: None if the request failed before any host was evaluated.
    state: HostState | None = None
    explanation: HostExplanation | None = None

    @property
    def labels(self) -> tuple[LabelExplanation, ...]:
        """The explanations of the labels; the failed one is the last."""
        return self.explanation.labels if self.explanation is not None else ()


def remedies(no: RefusedCompose) -> list[HypotheticalChange]:
    """Changes of the host, the network or the request that address the cause of the refusal."""
    hypothetical_changes: list[HypotheticalChange] = []
    if no.state is not None and (remedy := _OF_HOST.get(no.refusal.code)) is not None:
        hypothetical_changes += remedy(no, no.state)
    hypothetical_changes += request_remedies(no.snapshot, no.request, no.refusal)
    return list(dict.fromkeys(hypothetical_changes))


def _cores(no: RefusedCompose, state: HostState) -> Iterator[HypotheticalChange]:
    host = state.host
    used = cores_offered(host) - cores_left(host, state.machines)
    yield from _ratio(
        ChangeKind.RAISE_CPU_RATIO, state, used + no.request.cores, host.cores, host.cpu_over_commit_ratio
    )


def _memory(no: RefusedCompose, state: HostState) -> Iterator[HypotheticalChange]:
    host = state.host
    used = memory_offered_mib(host) - memory_left_mib(host, state.machines)
    needed, ratio = used + no.request.memory_mib, host.memory_over_commit_ratio
    yield from _ratio(ChangeKind.RAISE_MEMORY_RATIO, state, needed, host.memory_mib, ratio)


def _ratio(
    kind: ChangeKind, state: HostState, needed: Number, total: int, ratio: Decimal
) -> Iterator[HypotheticalChange]:
    if total > 0:
        steps = (needed / (total * RATIO_STEP)).to_integral_value(ROUND_CEILING)
        yield HypotheticalChange(
            kind, "", state.host.name, decimal_text(steps * RATIO_STEP), decimal_text(ratio)
        )


def _pools(no: RefusedCompose, state: HostState) -> Iterator[HypotheticalChange]:
    """Grow any of the disk's possible pools by the missing amount."""
    layout, left = pools_of(state)
    room = list(left)
    for disk in no.request.disks:
        places = layout.fitting(disk, qcow2=no.request.qcow2)
        fitting = [place for place in places if room[place] >= disk.size_bytes]
        if fitting:
            room[fitting[0]] -= disk.size_bytes
            continue
        for place in places:
            missing = disk.size_bytes - room[place]
            yield HypotheticalChange(
                ChangeKind.GROW_POOL, layout.pools[place].name, state.host.name, str(missing)
            )
        usable = layout.usable(qcow2=no.request.qcow2)
        others = [place for place in sorted(usable) if room[place] >= disk.size_bytes]
        yield from _on_pools(no, disk, [layout.pools[place].name for place in others])
        return


def _reach(_no: RefusedCompose, state: HostState) -> Iterator[HypotheticalChange]:
    yield HypotheticalChange(ChangeKind.REACH_HOST, "", state.host.name)


def _choose_node(_no: RefusedCompose, state: HostState) -> Iterator[HypotheticalChange]:
    for system_id in state.host.correlation.candidates:
        yield HypotheticalChange(ChangeKind.CHOOSE_NODE, "", state.host.name, system_id)


_BY_REJECTION = {
    RejectionCode.INTERFACE_DISABLED: ChangeKind.ENABLE_INTERFACE,
    RejectionCode.INTERFACE_LINK_DOWN: ChangeKind.LINK_UP,
    RejectionCode.NETWORK_INACTIVE: ChangeKind.START_NETWORK,
    RejectionCode.LIBVIRT_DHCP_ON: ChangeKind.LIBVIRT_DHCP_OFF,
}


def _interfaces(no: RefusedCompose, state: HostState) -> Iterator[HypotheticalChange]:
    """Remove the cause of a rejection, or connect the label's VLAN to an interface that could carry it."""
    for label in no.labels[-1:]:
        for rejection in label.rejections:
            if (kind := _BY_REJECTION.get(rejection.code)) is not None:
                yield HypotheticalChange(kind, _mended(state, rejection, kind), state.host.name)
        unserved = [
            rejection.subject
            for rejection in label.rejections
            if rejection.code is RejectionCode.VLAN_NOT_BOOTABLE
        ]
        yield from serve_vlans(no.snapshot, state, unserved)
        strays = [
            rejection.subject for rejection in label.rejections if rejection.code is RejectionCode.NO_VLAN
        ]
        yield from place_strays(no.snapshot, state, strays)
        yield from carry_vlans(no.snapshot, state, no.request, label.label)
        yield from _renamed(no, state, label.label)


_OF_INTERFACES = frozenset({ChangeKind.ENABLE_INTERFACE, ChangeKind.LINK_UP})


def _mended(state: HostState, rejection: Rejection, kind: ChangeKind) -> str:
    """The interface or network to fix; for a network that is rejected because of its bridge, the bridge."""
    if kind in _OF_INTERFACES and rejection.subject_kind is SubjectKind.LIBVIRT_NETWORK:
        networks = state.host.libvirt_networks
        bridges = [network.bridge for network in networks if network.name == rejection.subject]
        return next(filter(None, bridges), rejection.subject)
    return rejection.subject


def _renamed(no: RefusedCompose, state: HostState, label: str) -> Iterator[HypotheticalChange]:
    """Request the master of a member, or another libvirt network than the named one."""
    masters = view_of(no.snapshot, state).masters
    networks = sorted((network.name for network in state.host.libvirt_networks), key=natural_key)

    def of_master(mine: LabelConstraints, term: Term) -> Term:
        is_meant = mine.label == label and term.key == "name" and not term.negated
        return replace(term, value=masters.get(term.value, term.value)) if is_meant else term

    yield from rewritten(no.request, of_master)
    for name in networks:

        def of_network(mine: LabelConstraints, term: Term, name: str = name) -> Term:
            is_meant = mine.label == label and term.key == "network"
            return replace(term, value=name) if is_meant else term

        yield from rewritten(no.request, of_network)


def _boot(no: RefusedCompose, state: HostState) -> Iterator[HypotheticalChange]:
    """Serve the VLAN of a label's first choice, or that of another choice."""
    firsts = [label.winner for label in no.labels]
    others = [name for label in no.labels for name in label.runners_up]
    yield from serve_vlans(no.snapshot, state, [*firsts, *others])


def _full(no: RefusedCompose, state: HostState) -> Iterator[HypotheticalChange]:
    """Release one address of a full subnet: a reserved one before a machine's, never an observed one."""
    for vlan_id in sorted(_vlans_to_choose(no, state)):
        for subnet in no.snapshot.subnets_by_vlan.get(vlan_id, ()):
            yield from _give_back_one(no.snapshot, subnet)


def _vlans_to_choose(no: RefusedCompose, state: HostState) -> set[VlanId]:
    """The VLANs of the interfaces and libvirt networks that the labels could take."""
    names = {name for label in no.labels for name in (label.winner, *label.runners_up)}
    networks = [network for network in state.host.libvirt_networks if network.name in names]
    names |= {network.bridge for network in networks if network.bridge}
    interfaces = [
        interface for interface in view_of(no.snapshot, state).interfaces if interface.name in names
    ]
    return {interface.vlan_id for interface in interfaces if interface.vlan_id is not None}


def _give_back_one(snapshot: Snapshot, subnet: Subnet) -> Iterator[HypotheticalChange]:
    if next(address_index_of(snapshot).free(subnet), None) is None:
        yield from (give_back(snapshot, subnet, address) for address in held_to_give(snapshot, subnet)[:1])


def _other_pool(no: RefusedCompose, state: HostState) -> Iterator[HypotheticalChange]:
    """The first disk without a known or usable pool, on each of the pools that can hold it."""
    layout, _ = pools_of(state)
    qcow2 = no.request.qcow2
    lacking = layout.lacking(no.request.disks, qcow2=qcow2)
    if lacking is not None:
        names = [layout.pools[place].name for place in sorted(layout.usable(qcow2=qcow2))]
        yield from _on_pools(no, lacking[1], names)


def _on_pools(no: RefusedCompose, disk: DiskRequest, pools: list[str]) -> Iterator[HypotheticalChange]:
    """The disk on each of the pools, by the pool's name."""
    disks = no.request.disks
    for name in pools:
        if not set(name) & set("(),"):
            moved = tuple(
                replace(disk_request, words=(name,)) if disk_request == disk else disk_request
                for disk_request in disks
            )
            yield HypotheticalChange(
                ChangeKind.CHANGE_REQUEST,
                "storage",
                "",
                format_storage(moved[: len(disks) - (no.request.deploy is not None)]),
                no.request.storage,
            )


def _elsewhere(option: str) -> Callable[[RefusedCompose, HostState], Iterator[HypotheticalChange]]:
    """Remove an option that restricts the choice of hosts."""

    def remedy(no: RefusedCompose, _state: HostState) -> Iterator[HypotheticalChange]:
        value = getattr(no.request, option)
        was = value if isinstance(value, str) else ",".join(value or ())
        if was:
            yield HypotheticalChange(ChangeKind.CHANGE_REQUEST, option, "", "", was)

    return remedy


def _other_tags(no: RefusedCompose, state: HostState) -> Iterator[HypotheticalChange]:
    for option in ("host_tags", "not_host_tags"):
        yield from _elsewhere(option)(no, state)


_OF_HOST: dict[RequestCode, Callable[[RefusedCompose, HostState], Iterator[HypotheticalChange]]] = {
    RequestCode.OTHER_ZONE: _elsewhere("zone"),
    RequestCode.OTHER_RESOURCE_POOL: _elsewhere("resource_pool"),
    RequestCode.HOST_TAGS: _other_tags,
    RequestCode.HOST_UNREACHABLE: _reach,
    RequestCode.HOST_AMBIGUOUS: _choose_node,
    RequestCode.NOT_ENOUGH_CORES: _cores,
    RequestCode.NOT_ENOUGH_MEMORY: _memory,
    RequestCode.POOL_FULL: _pools,
    RequestCode.UNKNOWN_POOL: _other_pool,
    RequestCode.POOL_UNUSABLE: _other_pool,
    RequestCode.NO_MATCHING_INTERFACE: _interfaces,
    RequestCode.PASSTHRU_IN_USE: _interfaces,
    RequestCode.UNKNOWN_NETWORK: _interfaces,
    RequestCode.NETWORK_INACTIVE: _interfaces,
    RequestCode.NO_USABLE_NETWORK: _interfaces,
    RequestCode.NO_BOOTABLE_VLAN: _boot,
    RequestCode.SUBNET_FULL: _full,
}
