"""Documents of requested and existing machines."""

from dataclasses import replace
from typing import Annotated, Self

from pydantic import Field, field_validator

from hostloom.api.forms import Count, In, Out, Text, like, made
from hostloom.api.names import Names
from hostloom.api.routers.operations import OperationOut
from hostloom.api.shapes.commissioning import CommissioningOut, NetworkBootOut
from hostloom.api.shapes.proofs import NicProofOut
from hostloom.decide.deploy.user_data import MAX_USER_DATA_BYTES
from hostloom.decide.explain.drift import render_change
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.deployment import MAX_SSH_KEYS, Deployment, DeployRequest
from hostloom.model.drift import Drift
from hostloom.model.machine import (
    Disk,
    Machine,
    MachineInterface,
    NicProof,
)
from hostloom.model.operation import Operation
from hostloom.model.request import MAX_BATCH, ComposeBatch, ComposeRequest, Strategy
from hostloom.model.ssh_public_key import MAX_LENGTH
from hostloom.services.commissioning import Found
from hostloom.services.machines import copies, identities_of

KeyText = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
HostTags = Annotated[list[Text], Field(max_length=100)]


@like(DeployRequest, hide=("kvm",))
class DeployIn(In):
    """The system of a machine: a disk image by name, and how one logs in.

    `user` is the account that the SSH keys give access to; blank: the default user of the image. Without
    `ssh_keys`, the keys of the requesting user are installed. `user_data` configures cloud-init in addition
    to what hostloom configures. `disk` is the disk of a bare machine that is wiped, by name or serial; blank:
    the smallest that fits.
    """

    ssh_keys: Annotated[list[KeyText], Field(max_length=MAX_SSH_KEYS)] = Field(default_factory=list)
    user_data: Annotated[str, Field(max_length=MAX_USER_DATA_BYTES, repr=False)] = ""

    def to_model(self) -> DeployRequest:
        """The model's request."""
        return made(DeployRequest, self, DeployIn)


@like(ComposeRequest, hide=("owner", "anti_affinity"))
class ComposeIn(In):
    """A requested machine; host, zone, resource pool and domain by name or id; without a host any host fits.

    Without a host, `zone` and `resource_pool` restrict the choice of hosts; with a host they are the
    machine's own. The host must have every tag of `host_tags` and none of `not_host_tags`.
    """

    cores: Count = 1
    memory_mib: Count = 2048
    host_tags: HostTags = Field(default_factory=list)
    not_host_tags: HostTags = Field(default_factory=list)
    #: null: the machine's disks stay empty.
    deploy: DeployIn | None = None

    def to_model(self) -> ComposeRequest:
        """The model's request."""
        request = made(ComposeRequest, self, ComposeIn)
        return replace(request, deploy=None if self.deploy is None else self.deploy.to_model())


class WantedIn(ComposeIn):
    """`count` identical machines of a batch, with numbered names (web-1, web-2, …).

    Machines of the batch with the same value of `anti_affinity` never share a host.
    """

    count: Annotated[int, Field(strict=True, ge=1, le=MAX_BATCH)] = 1
    anti_affinity: Annotated[Text, Field(min_length=1, max_length=64)] | None = None

    def to_models(self) -> tuple[ComposeRequest, ...]:
        """The model's requests."""
        return copies(replace(self.to_model(), anti_affinity=self.anti_affinity), self.count)


class BatchIn(In):
    """Machines to compose together, all or none: at most 1000 in total.

    `strategy` spreads them over the hosts or packs them on few; without it each is placed as if alone.
    """

    machines: Annotated[list[WantedIn], Field(min_length=1, max_length=MAX_BATCH)]
    strategy: Strategy | None = None

    @field_validator("machines")
    @classmethod
    def bound(cls, constraints: list[WantedIn]) -> list[WantedIn]:
        """Refuse too many machines before they are expanded."""
        if (total := sum(wanted_in.count for wanted_in in constraints)) > MAX_BATCH:
            raise ValueError(f"ask for {total} machines; give at most {MAX_BATCH}")
        return constraints

    def to_model(self) -> ComposeBatch:
        """The model's batch."""
        return ComposeBatch(
            tuple(to_model for machine in self.machines for to_model in machine.to_models()), self.strategy
        )


class ComposingOut(OperationOut):
    """The operation that composes machines, and their names."""

    machines: list[str]

    @classmethod
    def of(cls, item: Operation) -> Self:
        """Of the model."""
        return cls(
            **dict(OperationOut.of(item)),
            machines=[identities.hostname for identities in identities_of(item)],
        )


@like(MachineInterface, hide=("attachment",), instead={"vlan_id": "vlan"})
class NicOut(Out):
    """A NIC: `attach` and `source` are its attachment to the host, `vlan` is FABRIC/VID if known.

    `proof` is the last verification on the wire; null: it was never verified.
    """

    attach: AttachKind
    source: str
    macvlan_mode: MacvlanMode | None
    ovs: bool
    vlan: str | None
    ips: list[str]
    proof: NicProofOut | None = None

    @classmethod
    def of(cls, item: MachineInterface, names: Names, proof: NicProof | None = None) -> Self:
        """Of the model."""
        return cls.made(
            item,
            attach=item.attachment.kind,
            source=item.attachment.source,
            macvlan_mode=item.attachment.mode,
            ovs=item.attachment.ovs,
            vlan=names.vlan(item.vlan_id),
            ips=[str(ip) for ip in item.ips],
            proof=None if proof is None else NicProofOut.of(proof),
        )


@like(Disk)
class DiskOut(Out):
    """A disk and the volume behind it; size in bytes."""


@like(Drift)
class DriftOut(Out):
    """A difference between the record and the host; `text` describes it."""

    text: str

    @classmethod
    def of(cls, item: Drift) -> Self:
        """Of the model."""
        return cls.made(item, text=render_change(item))


@like(
    Machine,
    hide=("dhcp_published", "next_boot", "commission_by", "domain_name"),
    instead={"host_id": "host", "zone_id": "zone", "resource_pool_id": "resource_pool"},
)
class MachineOut(Out):
    """A machine."""

    host: str | None
    #: False: the host does not answer, and all values are those of its last answer.
    host_reachable: bool
    interfaces: list[NicOut]
    disks: list[DiskOut]
    zone: str
    resource_pool: str
    network_boot: NetworkBootOut
    #: Seconds since the epoch; null: the machine has never reported its hardware.
    commissioned_at: float | None
    #: The disk image of its system; null: hostloom has installed none.
    image: str | None
    #: Differences between the machine's record and its host, as last read.
    drift: list[DriftOut]

    @classmethod
    def of(cls, item: Machine, names: Names) -> Self:
        """Of the model."""
        commissioned_at = names.commissioned_at(item.system_id)
        proofs = names.proofs(item.system_id)
        return cls.made(
            item,
            host=names.host(item.host_id),
            host_reachable=names.is_reachable(item.host_id),
            interfaces=[NicOut.of(nic, names, proofs.get(nic.name)) for nic in item.interfaces],
            zone=names.zone(item.zone_id),
            resource_pool=names.resource_pool(item.resource_pool_id),
            network_boot=NetworkBootOut.of(item, commissioned=commissioned_at is not None),
            commissioned_at=commissioned_at,
            image=names.image(item.system_id),
            drift=[DriftOut.of(change) for change in item.drift],
        )


@like(Deployment, hide=("system_id", "instance_id", "user_data", "kvm", "token_sha256"))
class DeploymentOut(Out):
    """The system of a machine: its image, the account that the SSH keys open, and how far it has come.

    `step` is the current or last step; times are in seconds since the epoch. `host_keys` are the SSH host
    keys that the machine reported. `failure` says why it failed, and `boot_output` is the end of its console
    at that time.
    """

    ssh_keys: list[str]
    host_keys: list[str]


class MachineDetailOut(MachineOut):
    """A machine with its hardware report and its system.

    `commissioning` is null before the first report, and `deployment` for a machine without a system.
    """

    commissioning: CommissioningOut | None = None
    deployment: DeploymentOut | None = None

    @classmethod
    def with_found(
        cls, item: Machine, names: Names, commissioning: Found | None, deployment: Deployment | None
    ) -> Self:
        """Of the model."""
        document = cls.of(item, names)
        document.commissioning = None if commissioning is None else CommissioningOut.of(commissioning)
        document.deployment = None if deployment is None else DeploymentOut.made(deployment)
        return document
