"""Hosts: those behind libvirt are added by the ordinary operation, which reads them; others cannot be."""

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
from hostloom.model.source_inventory import EstateHost

#: MAAS's word for KVM hosts that are reached through libvirt.
VIRSH = "virsh"
#: An import is decided without the server's settings; adding the host holds its URI against them.
_RULES = UriRules(test_hosts=True)


def plan_hosts(book: ImportState) -> None:
    """By id; one that we have is found by its URI, else by its name."""
    ours = [host.host for host in book.present.snapshot.hosts]
    ids = Ids((our.id for our in ours), (host.id for host in book.estate.hosts))
    taken = {our.name for our in ours}
    for host in sorted(book.estate.hosts, key=lambda one: one.id):
        if (refusal := _refusal(host)) is not None:
            book.refuse(ImportNoun.HOST, host.name, host.id, refusal, action=ImportAction.IMPOSSIBLE)
            continue
        name = usable_hostname(host.name)
        found = next((one for one in ours if one.uri == host.uri), None)
        found = found or next((one for one in ours if one.name == name), None)
        if found is not None:
            _settle(book, host, found)
            continue
        wanted = _wanted(book, host, free_name(name, taken), HostId(ids.take(host.id)))
        taken.add(wanted.name)
        book.create(ImportNoun.HOST, wanted.name, host.id, wanted.id, wanted, *_remarks(host, wanted))


def _refusal(theirs: EstateHost) -> Remark | None:
    if theirs.kind != VIRSH:
        return Remark(ImportCode.HOST_KIND, theirs.kind)
    try:
        parse_host_uri(theirs.uri, _RULES)
    except InvalidValue:
        return Remark(ImportCode.HOST_URI)
    return None


def _remarks(theirs: EstateHost, ours: Host) -> list[Remark]:
    remarks = [Remark(ImportCode.RENAMED, ours.name)] if ours.name != theirs.name else []
    if theirs.has_password:
        remarks.append(Remark(ImportCode.HOST_PASSWORD))
    if uri_host(theirs.uri) is None and theirs.uri.startswith("qemu"):
        remarks.append(Remark(ImportCode.HOST_LOCAL))
    return remarks


def _wanted(book: ImportState, theirs: EstateHost, name: str, key: HostId) -> Host:
    defaults = book.present.defaults
    return Host(
        key,
        name,
        theirs.uri,
        default_macvlan_mode=theirs.default_macvlan_mode,
        cpu_over_commit_ratio=_ratio(theirs.cpu_over_commit_ratio),
        memory_over_commit_ratio=_ratio(theirs.memory_over_commit_ratio),
        zone_id=book.zones.get(theirs.zone_id, defaults.zone),
        resource_pool_id=book.resource_pools.get(theirs.resource_pool_id, defaults.resource_pool),
        tags=tuple(dict.fromkeys(usable_tag(tag) for tag in theirs.tags)),
    )


def _ratio(theirs: float) -> Decimal:
    return min(max(exact(theirs), Decimal(0)), MAX_OVER_COMMIT)


def _settle(book: ImportState, theirs: EstateHost, ours: Host) -> None:
    """Where it is stays; a host is never as it was made, so that only `prefer_theirs` changes one."""
    host = _wanted(book, theirs, ours.name, ours.id)
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
    book.settle(ImportNoun.HOST, ours.name, theirs.id, ours, merged, dict.fromkeys(settings, _NEVER), *moved)


#: No setting has this value: nothing is filled in.
_NEVER = object()
