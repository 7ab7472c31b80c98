"""Checks a host before its capacity and interfaces: placement, reachability, architecture, node."""

from hostloom.decide.hosts.correlation import uri_host
from hostloom.decide.refuse import RefuseRequest, refuse
from hostloom.decide.request.resolve import ResolvedRequest
from hostloom.decide.snapshot import HostState
from hostloom.model.host import CorrelationState, Emulation
from hostloom.model.plan import RequestCode, SubjectKind
from hostloom.model.request import ParsedRequest


def check_host(state: HostState, asked: ResolvedRequest) -> Emulation:
    """Check placement, reachability, architecture and correlation; the emulation that is used."""
    host = state.host
    _check_placement(state, asked.request)
    if not host.reachable:
        found = host.unreachable_cause or "it did not answer"
        raise _no(RequestCode.HOST_UNREACHABLE, "host_is_reachable", state, "a host that answers", found)
    wanted = asked.request.architecture
    emulation = next((e for e in host.emulations if wanted in (None, e.architecture)), None)
    if emulation is None:
        found = ", ".join(host.architectures) or "none"
        code = RequestCode.UNSUPPORTED_ARCHITECTURE
        raise _no(code, "architecture_is_supported", state, wanted or "any architecture", found)
    if host.correlation.state is CorrelationState.AMBIGUOUS:
        found = ", ".join(host.correlation.candidates) or "several nodes"
        raise _no(RequestCode.HOST_AMBIGUOUS, "host_is_one_node", state, "one node that it is", found)
    if asked.wanted and host.correlation.state is not CorrelationState.CORRELATED:
        wanted_node = "a host whose address is known on a node"
        raise _no(
            RequestCode.HOST_NOT_KNOWN,
            "host_is_known",
            state,
            wanted_node,
            f"no node has {uri_host(host.uri) or host.uri}",
        )
    return emulation


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
