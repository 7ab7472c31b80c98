"""Plans over HTTP: make, show, delete, and apply them."""

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.api.shapes.machines import BatchIn, ComposingOut
from hostloom.api.shapes.plans import KeptPlanOut, PlanDetailOut
from hostloom.services import plans

router = APIRouter(prefix="/plans", tags=["plans"])


@router.get("", response_model=PageOut[KeptPlanOut])
def list_plans(call: Reading, page: Paging) -> Response:
    """List the plans that have not expired, newest first."""
    with call.begin() as uow:
        stored_plans = plans.list_(uow, call.principal, call.ports.clock.now(), page.after, page.more)
    return call.page(
        page, [KeptPlanOut.of(stored_plan) for stored_plan in stored_plans], lambda answer: answer.id
    )


@router.post("", status_code=201, response_model=PlanDetailOut)
def make_plan(call: Reading, body: BatchIn) -> Response:
    """Plan machines together; nothing is reserved. A refusal names the machine that does not fit."""
    stored, content = plans.make_or_refuse(call.ports, call.principal, body.to_model())
    with call.begin() as uow:
        return call.one(PlanDetailOut.of_content(stored, content, Names(uow)), 201)


@router.get("/{key}", response_model=PlanDetailOut)
def get_plan(call: Reading, key: str) -> Response:
    """Show a plan in full."""
    with call.begin() as uow:
        plan = plans.get(uow, call.principal, call.ports.clock.now(), key)
        return call.one(PlanDetailOut.of_content(*plan, Names(uow)))


@router.delete("/{key}", status_code=204)
def delete_plan(call: Changing, key: str) -> Response:
    """Delete a plan; refused while an operation applies it."""
    return call.commit(204, lambda uow: plans.delete(uow, call.principal, call.ports.clock.now(), key))


@router.post("/{key}/compose", status_code=202, response_model=ComposingOut)
def compose_plan(call: Changing, key: str) -> Response:
    """Compose exactly what was planned; a stale plan is refused with every difference."""
    return call.perform(202, lambda: ComposingOut.of(plans.compose(call.ports, call.principal, key)))
