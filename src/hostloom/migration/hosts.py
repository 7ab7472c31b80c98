"""Imports libvirt hosts, which the ordinary operation then adds. Other hosts cannot be imported."""

from dataclasses import replace
from decimal import Decimal

from hostloom.decide.hosts.correlation import uri_host
from hostloom.migration.import_state import Ids, ImportState
from hostloom.migration.names import free_name, usable_hostname, usable_tag
from hostloom.model.decimals import exact
from hostloom.model.errors.values import InvalidValue
from hostloom.model.host import MAX_OVER_COMMIT, Host
from hostloom.model.host_uri import UriRules, parse_host_uri
from hostloom.model.ids import HostId
from hostloom.model.import_plan import ImportAction, ImportCode, ImportNoun, Remark
from hostloom.model.source_inventory import SourceHost

#: MAAS's type of KVM hosts with libvirt.
VIRSH = "virsh"
#: A plan does not know the server's settings. The operation that adds the host checks its URI.
_RULES = UriRules(test_hosts=True)


def plan_hosts(state: ImportState) -> None:
    """Plan the hosts in the order of ids. The URI, else the name, identifies a present host."""
    ours = [host.host for host in state.present.snapshot.hosts]
    ids = Ids((our.id for our in ours), (host.id for host in state.source.hosts))
    names = {our.name for our in ours}
    for host in sorted(state.source.hosts, key=lambda host: host.id):
        if (refusal := _refusal(host)) is not None:
            state.refuse(ImportNoun.HOST, host.name, host.id, refusal, action=ImportAction.IMPOSSIBLE)
            continue
        name = usable_hostname(host.name)
        match = _match(ours, host, name)
        if match is not None:
            _settle(state, host, match)
            continue
        planned = _planned(state, host, free_name(name, names), HostId(ids.take(host.id)))
        names.add(planned.name)
        state.create(ImportNoun.HOST, planned.name, host.id, planned.id, planned, *_remarks(host, planned))


def _match(ours: list[Host], theirs: SourceHost, name: str) -> Host | None:
    by_uri = next((our for our in ours if our.uri == theirs.uri), None)
    return by_uri or next((our for our in ours if our.name == name), None)


def _refusal(theirs: SourceHost) -> Remark | None:
    if theirs.kind != VIRSH:
        return Remark(ImportCode.HOST_KIND, theirs.kind)
    try:
        parse_host_uri(theirs.uri, _RULES)
    except InvalidValue:
        return Remark(ImportCode.HOST_URI)
    return None


def _remarks(theirs: SourceHost, ours: Host) -> list[Remark]:
    remarks = [Remark(ImportCode.RENAMED, ours.name)] if ours.name != theirs.name else []
    if theirs.has_password:
        remarks.append(Remark(ImportCode.HOST_PASSWORD))
    if uri_host(theirs.uri) is None and theirs.uri.startswith("qemu"):
        remarks.append(Remark(ImportCode.HOST_LOCAL))
    return remarks


def _planned(state: ImportState, theirs: SourceHost, name: str, key: HostId) -> Host:
    defaults = state.present.defaults
    return Host(
        key,
        name,
        theirs.uri,
        default_macvlan_mode=theirs.default_macvlan_mode,
        cpu_over_commit_ratio=_ratio(theirs.cpu_over_commit_ratio),
        memory_over_commit_ratio=_ratio(theirs.memory_over_commit_ratio),
        zone_id=state.zones.get(theirs.zone_id, defaults.zone),
        resource_pool_id=state.resource_pools.get(theirs.resource_pool_id, defaults.resource_pool),
        tags=tuple(dict.fromkeys(usable_tag(tag) for tag in theirs.tags)),
    )


def _ratio(theirs: float) -> Decimal:
    return min(max(exact(theirs), Decimal(0)), MAX_OVER_COMMIT)


def _settle(state: ImportState, theirs: SourceHost, ours: Host) -> None:
    """Merge the settings into a present host. Its URI stays, and only `prefer_theirs` changes settings."""
    host = _planned(state, theirs, ours.name, ours.id)
    settings = (
        "default_macvlan_mode",
        "cpu_over_commit_ratio",
        "memory_over_commit_ratio",
        "zone_id",
        "resource_pool_id",
        "tags",
    )
    merged = replace(ours, **{name: getattr(host, name) for name in settings})
    moved = () if ours.uri == theirs.uri else (Remark(ImportCode.HOST_URI, ours.uri),)
    state.settle(ImportNoun.HOST, ours.name, theirs.id, ours, merged, dict.fromkeys(settings, _NEVER), *moved)


#: Different from every setting, so that `settle` treats none as a default.
_NEVER = object()
