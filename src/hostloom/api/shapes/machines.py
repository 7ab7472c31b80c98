"""The forms of machines: what is wanted, and what is there."""

from dataclasses import asdict, replace
from typing import Annotated, Self

from pydantic import Field, field_validator

from hostloom.api.forms import Count, Flag, In, Mac, Out, Text
from hostloom.api.names import Names
from hostloom.api.routers.operations import OperationOut
from hostloom.api.shapes.commissioning import CommissioningOut, NetworkBootOut
from hostloom.api.shapes.proofs import NicProofOut
from hostloom.decide.explain.drift import render_change
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.drift import Change
from hostloom.model.machine import (
    Disk,
    DiskFormat,
    Machine,
    MachineInterface,
    MachineOrigin,
    MachineState,
    PowerState,
)
from hostloom.model.operation import Operation
from hostloom.model.proof import NicProof
from hostloom.model.request import MAX_BATCH, AddressMode, ComposeBatch, ComposeRequest, Strategy
from hostloom.services import batches
from hostloom.services.commissioning import Found

HostTags = Annotated[list[Text], Field(max_length=100)]


class ComposeIn(In):
    """A machine that is wanted; host, zone, resource pool and domain by name or id, an absent host is any.

    Without a host, `zone` and `resource_pool` say which hosts come into question; with one they are the
    machine's own. Its host has every tag of `host_tags` and none of `not_host_tags`.
    """

    host: Text | None = None
    interfaces: Text = ""
    storage: Text = ""
    cores: Count = 1
    memory_mib: Count = 2048
    architecture: Text | None = None
    netboot: Flag = True
    hostname: Text | None = None
    zone: Text | None = None
    resource_pool: Text | None = None
    domain: Text | None = None
    tags: list[Text] = Field(default_factory=list)
    host_tags: HostTags = Field(default_factory=list)
    not_host_tags: HostTags = Field(default_factory=list)
    qcow2: Flag = False
    start: Flag = True
    autostart: Flag = True

    def to_model(self) -> ComposeRequest:
        """The model's request."""
        fields = {name: getattr(self, name) for name in ComposeIn.model_fields}
        lists = ("tags", "host_tags", "not_host_tags")
        return ComposeRequest(**fields | {name: tuple(fields[name]) for name in lists})


class WantedIn(ComposeIn):
    """Machines of a batch: `count` of them, whose name is numbered (web-1, web-2, …).

    Machines of the batch with the same word in `anti_affinity` never share a host.
    """

    count: Annotated[int, Field(strict=True, ge=1, le=MAX_BATCH)] = 1
    anti_affinity: Annotated[Text, Field(min_length=1, max_length=64)] | None = None

    def to_models(self) -> tuple[ComposeRequest, ...]:
        """The model's requests."""
        return batches.copies(replace(self.to_model(), anti_affinity=self.anti_affinity), self.count)


class BatchIn(In):
    """Machines that are wanted together, all or none: at most 1000, counted out.

    `strategy` spreads them over the hosts or packs them on few; without it each goes where it would alone.
    """

    machines: Annotated[list[WantedIn], Field(min_length=1, max_length=MAX_BATCH)]
    strategy: Strategy | None = None

    @field_validator("machines")
    @classmethod
    def bound(cls, wanted: list[WantedIn]) -> list[WantedIn]:
        """Refuse too many before they are counted out."""
        if (total := sum(each.count for each in wanted)) > MAX_BATCH:
            raise ValueError(f"counts {total} machines; at most {MAX_BATCH} go together")
        return wanted

    def to_model(self) -> ComposeBatch:
        """The model's batch."""
        return ComposeBatch(tuple(each for some in self.machines for each in some.to_models()), self.strategy)


class ComposingOut(OperationOut):
    """The operation that composes machines, and their names."""

    machines: list[str]

    @classmethod
    def of(cls, item: Operation) -> Self:
        """Of the model."""
        return cls(
            **dict(OperationOut.of(item)), machines=[each.hostname for each in batches.identities_of(item)]
        )


class NicOut(Out):
    """A NIC: `attach` and `source` say how it meets the host, `vlan` is FABRIC/VID where it is known.

    `proof` is the last one on the wire; null: it was never verified.
    """

    name: str
    mac: Mac
    attach: AttachKind
    source: str
    macvlan_mode: MacvlanMode | None
    ovs: bool
    vlan: str | None
    mode: AddressMode
    ips: list[str]
    boot: bool
    model: str
    proof: NicProofOut | None = None

    @classmethod
    def of(cls, item: MachineInterface, names: Names, proof: NicProof | None = None) -> Self:
        """Of the model."""
        return cls(
            name=item.name,
            mac=item.mac,
            attach=item.attachment.kind,
            source=item.attachment.source,
            macvlan_mode=item.attachment.mode,
            ovs=item.attachment.ovs,
            vlan=names.vlan(item.vlan_id),
            mode=item.mode,
            ips=[str(each) for each in item.ips],
            boot=item.boot,
            model=item.model,
            proof=None if proof is None else NicProofOut.of(proof),
        )


class DiskOut(Out):
    """A disk and the volume behind it; size in bytes."""

    name: str
    pool: str
    volume: str
    size_bytes: int
    format: DiskFormat

    @classmethod
    def of(cls, item: Disk) -> Self:
        """Of the model."""
        return cls(**{name: getattr(item, name) for name in cls.model_fields})


class DriftOut(Out):
    """A difference between what is recorded and what is there; `text` says it in words."""

    kind: str
    subject: str
    recorded: str
    observed: str
    text: str

    @classmethod
    def of(cls, item: Change) -> Self:
        """Of the model."""
        return cls(**asdict(item), text=render_change(item))


class MachineOut(Out):
    """A machine."""

    system_id: str
    hostname: str
    uuid: str
    origin: MachineOrigin
    state: MachineState
    power: PowerState
    host: str | None
    #: False: the host does not answer, and everything here is as it was when it last did.
    host_reachable: bool
    architecture: str
    cores: int
    memory_mib: int
    interfaces: list[NicOut]
    disks: list[DiskOut]
    netboot: bool
    zone: str
    resource_pool: str
    tags: list[str]
    owner: str
    locked: bool
    #: Its host starts it whenever the host itself starts.
    autostart: bool
    on_demand: bool
    network_boot: NetworkBootOut
    #: Seconds since the epoch; null: it has never reported what it is.
    commissioned_at: float | None
    #: How it differs from its record on its host, as last read.
    drift: list[DriftOut]
    generation: int

    @classmethod
    def of(cls, item: Machine, names: Names) -> Self:
        """Of the model."""
        commissioned_at = names.commissioned_at(item.system_id)
        proofs = names.proofs(item.system_id)
        plain = (
            "system_id hostname uuid origin state power architecture cores memory_mib netboot "
            "owner locked autostart on_demand generation"
        )
        return cls(
            **{name: getattr(item, name) for name in plain.split()},
            host=names.host(item.host_id),
            host_reachable=names.is_reachable(item.host_id),
            interfaces=[NicOut.of(each, names, proofs.get(each.name)) for each in item.interfaces],
            disks=[DiskOut.of(each) for each in item.disks],
            zone=names.zone(item.zone_id),
            resource_pool=names.resource_pool(item.resource_pool_id),
            tags=list(item.tags),
            network_boot=NetworkBootOut.of(item, commissioned=commissioned_at is not None),
            commissioned_at=commissioned_at,
            drift=[DriftOut.of(change) for change in item.drift],
        )


class MachineDetailOut(MachineOut):
    """A machine with all that was found in it; `commissioning` is null until it has reported."""

    commissioning: CommissioningOut | None = None

    @classmethod
    def with_found(cls, item: Machine, names: Names, found: Found | None) -> Self:
        """Of the model."""
        shown = cls.of(item, names)
        shown.commissioning = None if found is None else CommissioningOut.of(found)
        return shown
