"""Machines over HTTP: plan, compose, show, start, stop, decompose; by hostname or system id."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from hostloom.api.calls import ApiCall, Changing, Reading
from hostloom.api.forms import Flag, In, Out, Sent
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.api.routers.operations import OperationOut
from hostloom.api.shapes.machines import BatchIn, ComposeIn, ComposingOut, MachineDetailOut, MachineOut
from hostloom.api.shapes.plans import DecisionOut
from hostloom.api.shapes.proofs import VerifyIn
from hostloom.decide.explain.explain import render
from hostloom.model.errors.values import NotTogether
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine, PowerState
from hostloom.model.request import ComposeBatch
from hostloom.serialization import to_json
from hostloom.services import machines, plans, power, verifying
from hostloom.services.commissioning import found_in
from hostloom.services.machines import MachineChanges

router = APIRouter(prefix="/machines", tags=["machines"])


class PowerOut(Out):
    """The power state of a machine."""

    power: PowerState


class AutostartIn(In):
    """Whether a machine starts with its host."""

    enabled: Flag


class StopIn(In):
    """How to stop a machine: ask it to shut down, or with `force` cut its power."""

    force: Flag = False


class WhyOut(Out):
    """The explanation of a machine's placement, as data and as text."""

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
        machine_list = machines.list_(uow, call.principal, after, page.more, host)
        names.foresee([machine.system_id for machine in machine_list])
        machine_outs = [MachineOut.of(machine, names) for machine in machine_list]
    return call.page(page, machine_outs, lambda answer: answer.system_id)


@router.post("/plan", response_model=DecisionOut)
def plan_machine(call: Reading, body: ComposeIn) -> Response:
    """Plan a compose and explain it; the plan is stored for 15 minutes and reserves nothing."""
    planned = plans.make(call.ports, call.principal, ComposeBatch((body.to_model(),)))
    with call.begin() as uow:
        return call.one(DecisionOut.of(planned, Names(uow), call.ports.clock.now()))


@router.post("", status_code=202, response_model=ComposingOut)
def compose_machine(call: Changing, body: ComposeIn) -> Response:
    """Compose a machine; refused, with the explanation, if no host fits."""
    request = body.to_model()
    return call.perform(202, lambda: ComposingOut.of(machines.compose(call.ports, call.principal, request)))


@router.post("/batch", status_code=202, response_model=ComposingOut)
def compose_machines(call: Changing, body: BatchIn) -> Response:
    """Compose machines together, all or none; a refusal names the machine that does not fit."""
    batch = body.to_model()
    return call.perform(
        202, lambda: ComposingOut.of(machines.compose_batch(call.ports, call.principal, batch))
    )


@router.post("/verify", status_code=202, response_model=OperationOut)
def verify_machines(call: Changing, body: VerifyIn) -> Response:
    """Verify machines on the wire: the named ones, those of a host, or all; updates the NICs' `proof`."""
    if body.machines and body.host is not None:
        raise NotTogether("host", "machines", "name either the machines or their host")
    return call.perform(
        202,
        lambda: OperationOut.of(verifying.verify(call.ports, call.principal, body.machines, body.host)),
    )


@router.get("/{key}", response_model=MachineDetailOut)
def get_machine(call: Reading, key: str) -> Response:
    """Show a machine with its commissioning results."""
    with call.begin() as uow:
        machine = machines.get(uow, call.principal, key)
        return call.one(
            MachineDetailOut.with_found(
                machine, Names(uow), found_in(uow, machine), uow.deployments.find(machine.system_id)
            )
        )


@router.patch("/{key}", response_model=MachineOut)
def update_machine(call: Changing, key: str, body: Sent[MachineChanges]) -> Response:
    """Change a machine's groups, domain and tags."""
    return call.commit(
        200,
        lambda uow: MachineOut.of(
            machines.update(uow, call.principal, key, body, call.generation), Names(uow)
        ),
    )


@router.delete("/{key}", status_code=202, response_model=OperationOut)
def decompose_machine(call: Changing, key: str) -> Response:
    """Decompose a machine and delete its disks."""
    return call.perform(
        202,
        lambda: OperationOut.of(machines.decompose(call.ports, call.principal, key, call.generation)),
    )


@router.post("/{key}/verify", status_code=202, response_model=OperationOut)
def verify_machine(call: Changing, key: str) -> Response:
    """Verify a machine on the wire; updates the NICs' `proof`."""
    return call.perform(202, lambda: OperationOut.of(verifying.verify(call.ports, call.principal, [key])))


@router.post("/{key}/start", response_model=MachineOut)
def start_machine(call: Changing, key: str) -> Response:
    """Power a machine on."""
    return call.perform(200, lambda: _shown(call, power.start(call.ports, call.principal, key)))


@router.post("/{key}/stop", response_model=MachineOut)
def stop_machine(call: Changing, key: str, body: StopIn) -> Response:
    """Ask a machine to shut down, or cut its power."""
    return call.perform(
        200, lambda: _shown(call, power.stop(call.ports, call.principal, key, force=body.force))
    )


@router.get("/{key}/power", response_model=PowerOut)
def ask_power(call: Reading, key: str) -> Response:
    """Query the machine's current power state from its host."""
    return call.one(PowerOut(power=power.ask(call.ports, call.principal, key)))


@router.put("/{key}/autostart", response_model=MachineOut)
def set_autostart(call: Changing, key: str, body: AutostartIn) -> Response:
    """Set whether a machine starts with its host."""
    return call.perform(
        200,
        lambda: _shown(call, power.set_autostart(call.ports, call.principal, key, enabled=body.enabled)),
    )


@router.get("/{key}/console-log", response_model=ConsoleOut)
def show_console_log(call: Reading, key: str) -> Response:
    """Show the end of the serial console's log."""
    return call.one(ConsoleOut(log=machines.console_log(call.ports, call.principal, key)))


@router.get("/{key}/why", response_model=WhyOut)
def explain_machine(call: Reading, key: str) -> Response:
    """Show the explanation of a machine's placement."""
    with call.begin() as uow:
        explanation = machines.why(uow, call.principal, key)
    return call.one(WhyOut(explanation=to_json(explanation), text=render(explanation)))


def _shown(call: ApiCall, machine: Machine) -> MachineOut:
    with call.begin() as uow:
        return MachineOut.of(machine, Names(uow))
