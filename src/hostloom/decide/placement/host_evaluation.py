"""Evaluates one host for a request: applies every rule in order and keeps the reasons."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from hostloom.decide.deadline import tick
from hostloom.decide.deploy.check_deploy import DeployTarget, check_deploy, composed_boot_modes
from hostloom.decide.deploy.copy_pool import copy_pool
from hostloom.decide.hosts.correlation import uri_host
from hostloom.decide.placement.addresses import AddressIndex
from hostloom.decide.placement.candidates import HostView
from hostloom.decide.placement.capacity import check_room, choose_pools, rejected_pools
from hostloom.decide.placement.place_nics import PlacedNic, Placement, place_nics
from hostloom.decide.refuse import RefuseRequest, refuse
from hostloom.decide.request.resolve import ResolvedRequest
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.attachment import AttachKind
from hostloom.model.decimals import Number, decimal_text
from hostloom.model.host import CorrelationState, Emulation, Host, cores_left, memory_left_mib
from hostloom.model.ids import natural_key
from hostloom.model.plan import HostExplanation
from hostloom.model.reasons import PlanWarning, Refusal, RequestCode, SubjectKind, WarningCode
from hostloom.model.request import AddressMode, ParsedRequest


def check_host(state: HostState, resolved_request: ResolvedRequest) -> Emulation:
    """Check placement, reachability, architecture and correlation. Returns the emulation to use."""
    host = state.host
    _check_placement(state, resolved_request.request)
    if not host.reachable:
        found = host.unreachable_cause or "it did not answer"
        raise _no(RequestCode.HOST_UNREACHABLE, "host_is_reachable", state, "a host that answers", found)
    architecture = resolved_request.request.architecture
    emulation = next((e for e in host.emulations if architecture in (None, e.architecture)), None)
    if emulation is None:
        found = ", ".join(host.architectures) or "none"
        code = RequestCode.UNSUPPORTED_ARCHITECTURE
        raise _no(code, "architecture_is_supported", state, architecture or "any architecture", found)
    _check_correlation(state, resolved_request)
    return emulation


def _check_correlation(state: HostState, resolved_request: ResolvedRequest) -> None:
    host = state.host
    if host.correlation.state is CorrelationState.AMBIGUOUS:
        found = ", ".join(host.correlation.candidates) or "several nodes"
        raise _no(RequestCode.HOST_AMBIGUOUS, "host_is_one_node", state, "one node that it is", found)
    if resolved_request.requirements and host.correlation.state is not CorrelationState.CORRELATED:
        wanted_node = "a host whose address is known on a node"
        raise _no(
            RequestCode.HOST_NOT_KNOWN,
            "host_is_known",
            state,
            wanted_node,
            f"no node has {uri_host(host.uri) or host.uri}",
        )


def _check_placement(state: HostState, request: ParsedRequest) -> None:
    """Check the requested zone, resource pool and host tags."""
    host = state.host
    if request.in_zone not in (None, host.zone_id):
        wanted = f"zone {request.zone}"
        raise _no(RequestCode.OTHER_ZONE, "host_is_in_zone", state, wanted, "another zone")
    if request.in_resource_pool not in (None, host.resource_pool_id):
        wanted, code = f"resource pool {request.resource_pool}", RequestCode.OTHER_RESOURCE_POOL
        raise _no(code, "host_is_in_resource_pool", state, wanted, "another resource pool")
    missing = [tag for tag in request.host_tags if tag not in host.tags]
    unwanted = [tag for tag in request.not_host_tags if tag in host.tags]
    if missing or unwanted:
        wanted = ", ".join((*request.host_tags, *(f"not {tag}" for tag in request.not_host_tags)))
        found = ", ".join((*(f"no tag {tag}" for tag in missing), *(f"tag {tag}" for tag in unwanted)))
        raise _no(RequestCode.HOST_TAGS, "host_has_tags", state, wanted, found)


def _no(code: RequestCode, rule: str, state: HostState, wanted: str, found: str) -> RefuseRequest:
    return refuse(rule, code, SubjectKind.HOST, state.host.name, wanted=wanted, found=found)


#: Architectures for which there are boot loaders and a boot image.
NETBOOT_ARCHITECTURES = frozenset({"amd64"})
#: A plan warns if the facts about a host are older than this; seconds.
STALE_AFTER_S = 900


class NetworkFit(NamedTuple):
    """How well a host's network suits the machine; lower is better.

    See docs/explanation/rules.md#choosing-a-host.
    """

    #: False if the machine boots from a NIC on a bootable VLAN.
    no_boot: bool
    macvtaps: int


def network_fit(nics: tuple[PlacedNic, ...]) -> NetworkFit:
    """The fit of placed NICs."""
    boots = any(nic.boot and nic.chosen.candidate.bootable for nic in nics)
    return NetworkFit(not boots, sum(nic.chosen.candidate.kind is AttachKind.MACVLAN for nic in nics))


@dataclass(frozen=True)
class HostEvaluation:
    """The result for one host: everything that a plan needs, or a refusal."""

    state: HostState
    placement: Placement | None = None
    emulation: Emulation | None = None
    pools: tuple[str, ...] = ()
    refusal: Refusal | None = None

    @property
    def can_netboot(self) -> bool:
        """Whether machines of the architecture can boot from the network."""
        return self.emulation is None or self.emulation.architecture in NETBOOT_ARCHITECTURES

    def score(self, resolved_request: ResolvedRequest) -> tuple[tuple[str, Number], ...]:
        """The criteria in order; lower values are better (docs/explanation/rules.md#choosing-a-host)."""
        fit = network_fit(self.placement.nics if self.placement else ())
        host, machines = self.state.host, self.state.machines
        return (
            ("boot-on-bootable-vlan", fit.no_boot),
            ("macvtap-nics", fit.macvtaps),
            ("memory-left-mib", -(memory_left_mib(host, machines) - resolved_request.request.memory_mib)),
            ("cores-left", -(cores_left(host, machines) - resolved_request.request.cores)),
            ("machines", len(machines)),
        )

    def order(self, resolved_request: ResolvedRequest) -> tuple[object, ...]:
        """A total order that sorts better hosts first."""
        values = tuple(value for _, value in self.score(resolved_request))
        return (*values, natural_key(self.state.host.name), self.state.host.id)

    def _can_report(self) -> bool:
        """Whether a NIC of the machine has an address on a VLAN that hostloom serves."""
        nics = self.placement.nics if self.placement else ()
        return any(
            nic.chosen.candidate.bootable and nic.label.mode is not AddressMode.UNCONFIGURED for nic in nics
        )

    def warnings(self, resolved_request: ResolvedRequest, time: float | None) -> tuple[PlanWarning, ...]:
        """Warnings about its NICs, and one if the facts about the host are old at the time `at`."""
        warnings = self.placement.warnings if self.placement else ()
        if resolved_request.request.deploy is not None and not self._can_report():
            warnings = (*warnings, PlanWarning(WarningCode.CANNOT_REPORT, self.state.host.name))
        boot = next((nic for nic in self.placement.nics if nic.boot), None) if self.placement else None
        if boot is not None and self.emulation is not None and not self.can_netboot:
            code = WarningCode.NETBOOT_NOT_SUPPORTED
            warnings = (*warnings, PlanWarning(code, boot.label.name, self.emulation.architecture))
        return (*warnings, *_age_warnings(self.state.host, time))

    def explain(self, resolved_request: ResolvedRequest) -> HostExplanation:
        """The complete explanation of this host."""
        labels = self.placement.labels if self.placement else ()
        if not self.can_netboot:
            labels = tuple(replace(label, boot=False) for label in labels)
        score = tuple(
            (name, decimal_text(value).removeprefix("-")) for name, value in self.score(resolved_request)
        )
        host = self.state.host
        pools = rejected_pools(self.state, resolved_request.disks, qcow2=resolved_request.request.qcow2)
        if self.refusal is not None:
            score = ()
        return HostExplanation(host.name, self.refusal, labels, score, host.facts_at, pools)


def _age_warnings(host: Host, time: float | None) -> Iterator[PlanWarning]:
    """A warning if the facts about the host are old at this time."""
    if time is None or host.facts_at is None or -STALE_AFTER_S <= time - host.facts_at <= STALE_AFTER_S:
        return
    age = f"read {(time - host.facts_at) / 60:.0f} minutes ago"
    if host.facts_at > time:
        age = "read at a time that is still to come: a clock was put back"
    yield PlanWarning(WarningCode.STALE_HOST_MODEL, host.name, age)


def _check_image(
    state: HostState, resolved_request: ResolvedRequest, emulation: Emulation, pools: tuple[str, ...]
) -> None:
    """Check whether the image suits the machine, and whether the host can keep a copy of it."""
    request, image = resolved_request.request, resolved_request.request.image
    if image is None:
        return
    root, architecture = resolved_request.disks[0], emulation.architecture
    target = DeployTarget(
        request.hostname or "",
        architecture,
        request.memory_mib,
        root.label,
        root.size_bytes,
        composed_boot_modes(architecture),
    )
    refusal = check_deploy(image, target)
    if refusal is not None:
        raise RefuseRequest(refusal)
    if copy_pool(state.host, pools[0]) is None:
        wanted, code = "a storage pool of files for the copy of the image", RequestCode.POOL_UNUSABLE
        raise _no(code, "host_can_keep_image", state, wanted, "none")


def evaluate_host(
    snapshot: Snapshot, address_index: AddressIndex, state: HostState, resolved_request: ResolvedRequest
) -> HostEvaluation:
    """Check the request against one host."""
    tick()
    try:
        emulation = check_host(state, resolved_request)
        check_room(state, resolved_request.request)
        pools = choose_pools(state, resolved_request.disks, qcow2=resolved_request.request.qcow2)
        _check_image(state, resolved_request, emulation, pools)
    except RefuseRequest as no:
        return HostEvaluation(state, refusal=no.refusal)
    node = snapshot.node_of(state.host)
    view = HostView(snapshot, state, node.hostname if node else "", node.interfaces if node else ())
    placement = place_nics(view, address_index, resolved_request)
    return HostEvaluation(state, placement, emulation, pools, placement.refusal)
