"""KVM hosts over HTTP; a host's key is its name or id."""

from typing import Annotated, Self

from fastapi import Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.crud import Changes, Texts, crud_router, with_effects
from hostloom.api.forms import BodyForm, Count, Out, like
from hostloom.api.names import Names
from hostloom.api.routers.operations import OperationOut
from hostloom.decide.hosts.origin import HostOrigin, origin_of
from hostloom.model.attachment import AttachKind
from hostloom.model.finding import Finding
from hostloom.model.host import (
    Correlation,
    Host,
    LibvirtNetwork,
    StoragePool,
    cores_offered,
    memory_offered_mib,
)
from hostloom.services import host_changes, hosts
from hostloom.services.host_changes import HostChanges
from hostloom.services.hosts import SHOWN_HOSTS, Adoption, HostInput

#: The other fields are for MAAS's clients, which cannot verify SSH keys and need an id immediately.
NewHost = Annotated[HostInput, BodyForm(hide=("trust_first_key", "at_once"), types={"id": Count | None})]
ChangedHost = Annotated[HostChanges, BodyForm(hide=("trust_first_key",))]


@like(Correlation)
class CorrelationOut(Out):
    """The node of the host, and the evidence for it."""

    node: str | None


@like(StoragePool)
class StoragePoolOut(Out):
    """A storage pool of a host; sizes in bytes; `trouble`: why the pool cannot be used now."""


@like(HostOrigin)
class HostOriginOut(Out):
    """How the host came to hostloom, and how a machine without interface constraints is attached on it."""


@like(Finding)
class FindingOut(Out):
    """A part of the host that could not be read as expected."""


@like(LibvirtNetwork, hide=("vid", "parents", "passthrough"))
class LibvirtNetworkOut(Out):
    """A libvirt network; `dhcp`: libvirt's own DHCP is on."""


@like(
    Host,
    hide=("emulations", "default_pool", "read_revision", "pool_tags"),
    instead={"zone_id": "zone", "resource_pool_id": "resource_pool"},
)
class HostOut(Out):
    """A KVM host, with its capacity for machines (including over-commit) and their usage.

    `uri`, `host_key`, `unreachable_cause` and `findings` are empty for ordinary users.
    """

    correlation: CorrelationOut
    origin: HostOriginOut
    architectures: list[str]
    cores_offered: int
    cores_used: int
    memory_mib_offered: int
    memory_mib_used: int
    machines: int
    storage_pools: list[StoragePoolOut]
    libvirt_networks: list[LibvirtNetworkOut]
    findings: list[FindingOut]
    zone: str
    resource_pool: str

    @classmethod
    def of(cls, item: Host, names: Names) -> Self:
        """Of the model."""
        state = names.world.host_by_id.get(item.id)
        machines = () if state is None else state.machines
        return cls.made(
            item,
            correlation=CorrelationOut.made(item.correlation, node=names.node(item.correlation.system_id)),
            origin=HostOriginOut.made(origin_of(item, names.world.node_of(item))),
            architectures=list(item.architectures),
            cores_offered=int(cores_offered(item)),
            cores_used=sum(machine.cores for machine in machines),
            memory_mib_offered=int(memory_offered_mib(item)),
            memory_mib_used=sum(machine.memory_mib for machine in machines),
            machines=len(machines),
            zone=names.zone(item.zone_id),
            resource_pool=names.resource_pool(item.resource_pool_id),
        )


class ChangeOut(Out):
    """A difference between the record and the current state."""

    kind: str
    subject: str
    recorded: str
    observed: str


class ScanOut(Out):
    """The changes that a refresh would make to a host's interfaces."""

    host: str
    node: str | None
    changes: list[ChangeOut]


class MappedNicOut(Out):
    """A NIC of a machine that hostloom did not compose, with its VLAN or the reason why it has none."""

    machine: str
    mac: str
    attach: AttachKind
    source: str
    vlan: str | None
    why_not: str


class AdoptionOut(Out):
    """The NICs of the machines on a host that others created; `unmapped`: how many have no known VLAN."""

    host: str
    origin: HostOriginOut
    nics: list[MappedNicOut]
    unmapped: int

    @classmethod
    def of(cls, item: Adoption) -> Self:
        """Of a reading."""
        nics = [
            MappedNicOut(
                machine=nic.machine,
                mac=str(nic.mac),
                attach=nic.attachment.kind,
                source=nic.attachment.source,
                vlan=nic.vlan,
                why_not=nic.why_not,
            )
            for nic in item.nics
        ]
        return cls(
            host=item.host,
            origin=HostOriginOut.made(item.origin),
            nics=nics,
            unmapped=sum(nic.vlan is None for nic in nics),
        )


router = crud_router(
    SHOWN_HOSTS,
    HostOut,
    Changes(ChangedHost, with_effects(host_changes.update), with_effects(hosts.delete)),
    Texts(
        update="Change a host; a new URI or node is followed by a refresh.",
        delete="Delete a host; refused while it has composed machines.",
    ),
    render=HostOut.of,
)


@router.post("", status_code=202, response_model=OperationOut)
def add_host(call: Changing, body: NewHost) -> Response:
    """Add a host: an operation pins its key, reads it and records it."""
    return call.perform(202, lambda: OperationOut.of(hosts.add(call.ports, call.principal, body)))


@router.post("/{key}/refresh", status_code=202, response_model=OperationOut)
def refresh_host(call: Changing, key: str) -> Response:
    """Re-read a host and record what changed."""
    return call.perform(202, lambda: OperationOut.of(hosts.refresh(call.ports, call.principal, key)))


@router.get("/{key}/scan", response_model=ScanOut)
def scan_host(call: Reading, key: str) -> Response:
    """Read a host's links and show what a refresh would change; records nothing."""
    return call.one(ScanOut(**hosts.scan(call.ports, call.principal, key)))


@router.get("/{key}/adoption", response_model=AdoptionOut)
def get_adoption(call: Reading, key: str) -> Response:
    """Read a host's machines and map the NICs of those that others created to VLANs; records nothing."""
    return call.one(AdoptionOut.of(hosts.adoption(call.ports, call.principal, key)))
