"""Deploy machines over HTTP; by hostname or system id."""

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.routers.operations import OperationOut
from hostloom.api.shapes.deploy import DeployPlanOut
from hostloom.api.shapes.machines import DeployIn
from hostloom.services import deploy

router = APIRouter(prefix="/machines", tags=["machines"])


@router.post("/{key}/plan-deploy", response_model=DeployPlanOut)
def plan_deploy(call: Reading, key: str, body: DeployIn) -> Response:
    """Show what a deployment would do, above all which disk it wipes; nothing is reserved."""
    return call.one(DeployPlanOut.of(deploy.plan(call.ports, call.principal, key, body.to_model())))


@router.post("/{key}/deploy", status_code=202, response_model=OperationOut)
def deploy_machine(call: Changing, key: str, body: DeployIn) -> Response:
    """Install a disk image on a machine; the previous content of the disk is lost."""
    request = body.to_model()
    return call.perform(202, lambda: OperationOut.of(deploy.start(call.ports, call.principal, key, request)))
