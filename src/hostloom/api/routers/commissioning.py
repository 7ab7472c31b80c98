"""Network boot and commissioning of machines over HTTP; by hostname or system id."""

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing
from hostloom.api.names import Names
from hostloom.api.routers.operations import OperationOut
from hostloom.api.shapes.commissioning import NextBootIn
from hostloom.api.shapes.machines import MachineOut
from hostloom.services import commissioning

router = APIRouter(prefix="/machines", tags=["machines"])


@router.put("/{key}/next-boot", response_model=MachineOut)
def set_next_boot(call: Changing, key: str, body: NextBootIn) -> Response:
    """Set what a machine boots from the network next; `default`: depends on its state."""
    return call.commit(
        200,
        lambda uow: MachineOut.of(
            commissioning.set_next_boot(uow, call.principal, key, body.next, call.generation), Names(uow)
        ),
    )


@router.post("/{key}/commission", status_code=202, response_model=OperationOut)
def commission_machine(call: Changing, key: str) -> Response:
    """Let a machine boot the commissioning environment and report its hardware.

    A composed machine, and a bare one with power settings, is restarted; others must be switched on by hand.
    """
    return call.perform(
        202,
        lambda: OperationOut.of(commissioning.commission(call.ports, call.principal, key, call.generation)),
    )


@router.delete("/{key}/commission", response_model=MachineOut)
def abort_commission(call: Changing, key: str) -> Response:
    """Stop waiting for a report: an enlisted machine becomes new again, a composed one ready."""
    return call.commit(
        200,
        lambda uow: MachineOut.of(commissioning.abort(uow, call.principal, key, call.generation), Names(uow)),
    )


@router.post("/{key}/forget", status_code=204)
def forget_machine(call: Changing, key: str) -> Response:
    """Remove the record of an enlisted machine, or of an adopted one that is gone from its host."""
    return call.perform(204, lambda: commissioning.forget(call.ports, call.principal, key, call.generation))
