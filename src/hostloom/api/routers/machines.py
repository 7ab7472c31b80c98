"""Machines over HTTP: plan, compose, look at, switch, take apart; by hostname or system id."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Response
from pydantic import Field

from hostloom.api.calls import Call, Changing, Reading
from hostloom.api.forms import ABSENT, Count, Flag, In, Mac, Out, Patch, Text
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.api.routers.operations import OperationOut
from hostloom.decide.explain import render
from hostloom.decide.explain_data import as_data, from_data
from hostloom.decide.explain_words import render_warning
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.ids import SystemId
from hostloom.model.machine import (
    Disk,
    DiskFormat,
    Machine,
    MachineInterface,
    MachineOrigin,
    MachineState,
    PowerState,
)
from hostloom.model.plan import Plan, PlannedInterface
from hostloom.model.request import AddressMode, ComposeBatch, ComposeRequest
from hostloom.services import machines, plans
from hostloom.services.machines import MachineChanges
from hostloom.services.plans import Planned

router = APIRouter(prefix="/machines", tags=["machines"])


class ComposeIn(In):
    """A machine that is wanted; `host`, `zone` and `resource_pool` by name or id, an absent host is any."""

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
    tags: list[Text] = Field(default_factory=list)
    qcow2: Flag = False
    start: Flag = True

    def to_model(self) -> ComposeRequest:
        """The model's request."""
        fields = {name: getattr(self, name) for name in ComposeIn.model_fields}
        return ComposeRequest(**fields | {"tags": tuple(self.tags)})


class MachinePatch(Patch):
    """What to change of a machine."""

    zone: Text = ABSENT
    resource_pool: Text = ABSENT
    tags: list[Text] = ABSENT


class StopIn(In):
    """How to stop: ask the machine, or with `force` cut its power."""

    force: Flag = False


class NicOut(Out):
    """A NIC: `attach` and `source` say how it meets the host, `vlan` is FABRIC/VID where it is known."""

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

    @classmethod
    def of(cls, item: MachineInterface | PlannedInterface, names: Names) -> Self:
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


class MachineOut(Out):
    """A machine."""

    system_id: str
    hostname: str
    uuid: str
    origin: MachineOrigin
    state: MachineState
    power: PowerState
    host: str | None
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
    generation: int

    @classmethod
    def of(cls, item: Machine, names: Names) -> Self:
        """Of the model."""
        plain = (
            "system_id hostname uuid origin state power architecture cores memory_mib netboot "
            "owner generation"
        )
        return cls(
            **{name: getattr(item, name) for name in plain.split()},
            host=names.host(item.host_id),
            interfaces=[NicOut.of(each, names) for each in item.interfaces],
            disks=[DiskOut.of(each) for each in item.disks],
            zone=names.zone(item.zone_id),
            resource_pool=names.resource_pool(item.resource_pool_id),
            tags=list(item.tags),
        )


class WarningOut(Out):
    """Something to know before acting, as code and in words."""

    code: str
    subject: str
    found: str
    text: str


class PlanOut(Out):
    """A machine on a host, down to the last address."""

    host: str
    hostname: str
    architecture: str
    cores: int
    memory_mib: int
    interfaces: list[NicOut]
    disks: list[DiskOut]
    netboot: bool
    start: bool
    warnings: list[WarningOut]

    @classmethod
    def of(cls, item: Plan, names: Names) -> Self:
        """Of the model."""
        return cls(
            host=item.host_name,
            hostname=item.spec.name,
            architecture=item.spec.emulation.architecture,
            cores=item.spec.cores,
            memory_mib=item.spec.memory_mib,
            interfaces=[NicOut.of(each, names) for each in item.interfaces],
            disks=[DiskOut.of(each) for each in item.disks],
            netboot=item.netboot,
            start=item.start,
            warnings=[
                WarningOut(code=each.code, subject=each.subject, found=each.found, text=render_warning(each))
                for each in item.warnings
            ],
        )


class DecisionOut(Out):
    """What compose would do and why: a plan, or null and the refusal in the explanation, also as text."""

    #: Of the plan that was kept; applied as it is until it expires.
    id: str | None
    expires_at: float | None
    plan: PlanOut | None
    explanation: dict[str, Any]
    text: list[str]

    @classmethod
    def of(cls, item: Planned, names: Names, now: float) -> Self:
        """Of the model, told at a time."""
        explanation = item.decision.explanations[0]
        return cls(
            id=None if item.stored is None else item.stored.id,
            expires_at=None if item.stored is None else item.stored.expires_at,
            plan=None if item.stored is None else PlanOut.of(item.decision.plans[0], names),
            explanation=as_data(explanation),
            text=render(explanation, now),
        )


class WhyOut(Out):
    """The explanation that a machine was placed by, as data and for people."""

    explanation: dict[str, Any]
    text: list[str]


class ConsoleOut(Out):
    """The end of a serial console's log."""

    log: str


@router.get("", response_model=PageOut[MachineOut])
def list_machines(
    call: Reading,
    page: Paging,
    host: Annotated[str | None, Query(description="A host by name or id.")] = None,
) -> Response:
    """List machines by system id, or those of a host."""
    after = None if page.after is None else SystemId(page.after)
    with call.begin() as uow:
        names = Names(uow)
        found = machines.list_(uow, call.principal, after, page.more, host)
        shown = [MachineOut.of(each, names) for each in found]
    return call.page(page, shown, lambda each: each.system_id)


@router.post("/plan", response_model=DecisionOut)
def plan_machine(call: Reading, body: ComposeIn) -> Response:
    """Show what compose would do, and why; nothing is held."""
    planned = plans.make(call.ports, call.principal, ComposeBatch((body.to_model(),)))
    with call.begin() as uow:
        return call.one(DecisionOut.of(planned, Names(uow), call.ports.clock.now()))


@router.post("", status_code=202, response_model=OperationOut)
def compose_machine(call: Changing, body: ComposeIn) -> Response:
    """Compose a machine; refused, with the explanation, when no plan fits."""
    request = body.to_model()
    return call.perform(202, lambda: OperationOut.of(machines.compose(call.ports, call.principal, request)))


@router.get("/{key}", response_model=MachineOut)
def get_machine(call: Reading, key: str) -> Response:
    """Show a machine."""
    with call.begin() as uow:
        return call.one(MachineOut.of(machines.get(uow, call.principal, key), Names(uow)))


@router.patch("/{key}", response_model=MachineOut)
def update_machine(call: Changing, key: str, body: MachinePatch) -> Response:
    """Change what a machine is grouped by."""
    changes = MachineChanges(**body.sent(tags=tuple))
    return call.commit(
        200,
        lambda uow: MachineOut.of(
            machines.update(uow, call.principal, key, changes, call.generation), Names(uow)
        ),
    )


@router.delete("/{key}", status_code=202, response_model=OperationOut)
def decompose_machine(call: Changing, key: str) -> Response:
    """Take a composed machine apart, with its disks."""
    return call.perform(
        202,
        lambda: OperationOut.of(machines.decompose(call.ports, call.principal, key, call.generation)),
    )


@router.post("/{key}/start", response_model=MachineOut)
def start_machine(call: Changing, key: str) -> Response:
    """Power a machine on."""
    return call.perform(200, lambda: _shown(call, machines.start(call.ports, call.principal, key)))


@router.post("/{key}/stop", response_model=MachineOut)
def stop_machine(call: Changing, key: str, body: StopIn) -> Response:
    """Ask a machine to shut down, or cut its power."""
    return call.perform(
        200, lambda: _shown(call, machines.stop(call.ports, call.principal, key, force=body.force))
    )


@router.get("/{key}/console-log", response_model=ConsoleOut)
def show_console_log(call: Reading, key: str) -> Response:
    """Show the end of the serial console's log."""
    return call.one(ConsoleOut(log=machines.console_log(call.ports, call.principal, key)))


@router.get("/{key}/why", response_model=WhyOut)
def explain_machine(call: Reading, key: str) -> Response:
    """Show the explanation that a machine was placed by."""
    with call.begin() as uow:
        data = machines.why(uow, call.principal, key)
    return call.one(WhyOut(explanation=data, text=render(from_data(data))))


def _shown(call: Call, machine: Machine) -> MachineOut:
    with call.begin() as uow:
        return MachineOut.of(machine, Names(uow))
