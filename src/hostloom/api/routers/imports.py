"""Imports over HTTP: previewed, done as an operation, and looked at afterwards."""

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.routers.operations import OperationOut
from hostloom.api.shapes.imports import ImportIn, ImportOut, ImportPlanIn, ImportResultOut
from hostloom.services import imports

router = APIRouter(prefix="/imports", tags=["imports"])


@router.post("/plan", response_model=ImportOut)
def plan_import(call: Reading, body: ImportPlanIn) -> Response:
    """Show what an import would do, without changing anything."""
    with call.begin() as uow:
        plan = imports.preview(uow, call.principal, body.estate, prefer_theirs=body.theirs)
    return call.one(ImportOut.of(plan))


@router.post("", status_code=202, response_model=OperationOut)
def import_inventory(call: Changing, body: ImportIn) -> Response:
    """Import what another system managed; repeating it imports what is missing.

    An import removes nothing. Its operation writes the records, serves the VLANs if `dhcp` is set, and starts
    an operation for each host that it can reach; `GET /imports/{key}` shows them.
    """
    return call.perform(
        202, lambda: OperationOut.of(imports.start(call.ports, call.principal, body.to_model()))
    )


@router.get("/{key}", response_model=ImportResultOut)
def get_import(call: Reading, key: str) -> Response:
    """Show how far an import is, by the id of its operation."""
    with call.begin() as uow:
        return call.one(ImportResultOut.of(imports.result(uow, call.principal, key)))
