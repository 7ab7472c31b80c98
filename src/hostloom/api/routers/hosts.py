"""KVM hosts over HTTP; a host's key is its name or id."""

from typing import Any, Self

from fastapi import APIRouter, Response
from pydantic import Field

from hostloom.api.calls import Call, Changing, Reading
from hostloom.api.forms import ABSENT, Count, Flag, In, Out, Patch, Ratio, Text
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.api.routers.operations import OperationOut
from hostloom.model.attachment import MacvlanMode
from hostloom.model.host import (
    CorrelationEvidence,
    CorrelationState,
    Forward,
    Host,
    InstalledBy,
    cores_offered,
    memory_offered_mib,
)
from hostloom.model.ids import HostId
from hostloom.services import hosts
from hostloom.services.hosts import HostChanges, HostInput

router = APIRouter(prefix="/hosts", tags=["hosts"])


class HostIn(In):
    """A host to add; `accept_key`: the fingerprint of its SSH key, as `HostKeyUnknown` showed it.

    `id`: the one that it had in another system, where nothing else has it; any, if none is given.
    """

    name: Text
    uri: Text
    accept_key: Text | None = None
    adopt: Flag = True
    installed_by: InstalledBy | None = None
    default_macvlan_mode: MacvlanMode | None = None
    cpu_over_commit_ratio: Ratio = 1.0
    memory_over_commit_ratio: Ratio = 1.0
    zone: Text | None = None
    resource_pool: Text | None = None
    tags: list[Text] = Field(default_factory=list)
    id: Count | None = None


class HostPatch(Patch):
    """What to change of a host; `node` by system id; `accept_key` pins the SSH key of that fingerprint."""

    name: Text = ABSENT
    uri: Text = ABSENT
    installed_by: InstalledBy = ABSENT
    default_macvlan_mode: MacvlanMode | None = ABSENT
    cpu_over_commit_ratio: Ratio = ABSENT
    memory_over_commit_ratio: Ratio = ABSENT
    zone: Text = ABSENT
    resource_pool: Text = ABSENT
    tags: list[Text] = ABSENT
    node: Text = ABSENT
    forget_key: Flag = ABSENT
    accept_key: Text = ABSENT
    default_pool: Text = ABSENT


class CorrelationOut(Out):
    """Which node the host is, and how we know."""

    state: CorrelationState
    node: str | None
    system_id: str | None
    evidence: CorrelationEvidence
    matched: str
    candidates: list[str]


class StoragePoolOut(Out):
    """Disk space of a host, in bytes; `trouble`: why libvirt's pool cannot be used now."""

    name: str
    kind: str
    total_bytes: int
    free_bytes: int
    is_default: bool
    tags: list[str]
    path: str
    active: bool
    trouble: str


class FindingOut(Out):
    """A part of the host that could not be read as expected."""

    part: str
    expected: str
    found: str


class LibvirtNetworkOut(Out):
    """A libvirt network; `dhcp`: libvirt's own DHCP is on."""

    name: str
    active: bool
    bridge: str | None
    dhcp: bool
    forward: Forward | None


class HostOut(Out):
    """A KVM host, with what it offers to machines (over-commit counted) and what they take of that.

    `uri`, `host_key`, `unreachable_cause` and `findings` are empty for ordinary users.
    """

    id: int
    name: str
    uri: str
    correlation: CorrelationOut
    installed_by: InstalledBy
    default_macvlan_mode: MacvlanMode | None
    architectures: list[str]
    cores: int
    cores_offered: int
    cores_used: int
    memory_mib: int
    memory_mib_offered: int
    memory_mib_used: int
    huge_pages_mib: int
    machines: int
    cpu_over_commit_ratio: float
    memory_over_commit_ratio: float
    storage_pools: list[StoragePoolOut]
    libvirt_networks: list[LibvirtNetworkOut]
    reachable: bool
    unreachable_cause: str
    facts_at: float | None
    uuid: str
    findings: list[FindingOut]
    zone: str
    resource_pool: str
    tags: list[str]
    host_key: str
    generation: int

    @classmethod
    def of(cls, item: Host, names: Names) -> Self:
        """Of the model."""
        state = names.world.host_by_id.get(item.id)
        machines = () if state is None else state.machines
        return cls(
            **_plain(item),
            correlation=_correlation(item, names),
            architectures=list(item.architectures),
            cores_offered=int(cores_offered(item)),
            cores_used=sum(each.cores for each in machines),
            memory_mib_offered=int(memory_offered_mib(item)),
            memory_mib_used=sum(each.memory_mib for each in machines),
            machines=len(machines),
            storage_pools=[_part(StoragePoolOut, each) for each in item.storage_pools],
            libvirt_networks=[_part(LibvirtNetworkOut, each) for each in item.libvirt_networks],
            findings=[_part(FindingOut, each) for each in item.findings],
            zone=names.zone(item.zone_id),
            resource_pool=names.resource_pool(item.resource_pool_id),
            tags=list(item.tags),
        )


class ChangeOut(Out):
    """One difference between what is recorded and what is there."""

    kind: str
    subject: str
    recorded: str
    observed: str


class ScanOut(Out):
    """What a refresh would change of a host's interfaces."""

    host: str
    node: str | None
    changes: list[ChangeOut]


@router.get("", response_model=PageOut[HostOut])
def list_hosts(call: Reading, page: Paging) -> Response:
    """List hosts by id."""
    after = None if page.after_number is None else HostId(page.after_number)
    with call.begin() as uow:
        names = Names(uow)
        found = [
            HostOut.of(hosts.as_seen_by(call.principal, each), names)
            for each in hosts.list_(uow, call.principal, after, page.more)
        ]
    return call.page(page, found, lambda each: each.id)


@router.post("", status_code=202, response_model=OperationOut)
def add_host(call: Changing, body: HostIn) -> Response:
    """Add a host: an operation pins its key, reads it and records it."""
    fields = {name: getattr(body, name) for name in HostIn.model_fields}
    wanted = HostInput(**fields | {"tags": tuple(body.tags)})
    return call.perform(202, lambda: OperationOut.of(hosts.add(call.ports, call.principal, wanted)))


@router.get("/{key}", response_model=HostOut)
def get_host(call: Reading, key: str) -> Response:
    """Show a host."""
    with call.begin() as uow:
        host = hosts.as_seen_by(call.principal, hosts.get(uow, call.principal, key))
        return call.one(HostOut.of(host, Names(uow)))


@router.patch("/{key}", response_model=HostOut)
def update_host(call: Changing, key: str, body: HostPatch) -> Response:
    """Change a host; a new URI or node is followed by a refresh."""
    fields = body.sent(tags=tuple)
    fields["clear_macvlan_mode"] = "default_macvlan_mode" in fields and body.default_macvlan_mode is None
    changes = HostChanges(**fields)

    def do() -> HostOut:
        host = hosts.update(call.ports, call.principal, key, changes, call.generation)
        return _shown(call, host)

    return call.perform(200, do)


@router.delete("/{key}", status_code=204)
def delete_host(call: Changing, key: str) -> Response:
    """Let a host go; refused while machines that hostloom composed are on it."""
    return call.perform(204, lambda: hosts.delete(call.ports, call.principal, key, call.generation))


@router.post("/{key}/refresh", status_code=202, response_model=OperationOut)
def refresh_host(call: Changing, key: str) -> Response:
    """Re-read a host and record what changed."""
    return call.perform(202, lambda: OperationOut.of(hosts.refresh(call.ports, call.principal, key)))


@router.get("/{key}/scan", response_model=ScanOut)
def scan_host(call: Reading, key: str) -> Response:
    """Read a host's links and show what a refresh would change; records nothing."""
    return call.one(ScanOut(**hosts.scan(call.ports, call.principal, key)))


def _shown(call: Call, host: Host) -> HostOut:
    with call.begin() as uow:
        return HostOut.of(host, Names(uow))


def _plain(item: Host) -> dict[str, Any]:
    """The fields that an answer has as the model has them."""
    names = (
        "id name uri installed_by default_macvlan_mode cores memory_mib huge_pages_mib cpu_over_commit_ratio "
        "memory_over_commit_ratio reachable unreachable_cause facts_at uuid host_key generation"
    )
    return {name: getattr(item, name) for name in names.split()}


def _correlation(item: Host, names: Names) -> CorrelationOut:
    found = item.correlation
    return CorrelationOut(
        state=found.state,
        node=names.node(found.system_id),
        system_id=found.system_id,
        evidence=found.evidence,
        matched=found.matched,
        candidates=list(found.candidates),
    )


def _part(form: Any, item: object) -> Any:
    """A part whose fields are the model's, one by one."""
    found = {name: getattr(item, name) for name in form.model_fields}
    return form(**{name: list(value) if isinstance(value, tuple) else value for name, value in found.items()})
