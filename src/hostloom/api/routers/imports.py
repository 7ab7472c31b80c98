"""Imports of another system's inventory over HTTP."""

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing
from hostloom.api.shapes.imports import ImportIn, ImportOut
from hostloom.model.import_plan import ImportPlan
from hostloom.services import imports

router = APIRouter(prefix="/imports", tags=["imports"])


@router.post("", response_model=ImportOut)
def import_estate(call: Changing, body: ImportIn) -> Response:
    """Import the inventory of another system, or with `dry_run` show the changes.

    The import deletes nothing, and a repetition changes nothing more. `hosts` remain to be added.
    """

    def do() -> ImportPlan:
        if body.dry_run:
            with call.begin() as uow:
                return imports.preview(uow, call.principal, body.estate, prefer_theirs=body.theirs)
        return imports.apply(call.ports, call.principal, body.estate, prefer_theirs=body.theirs)

    return call.perform(200, lambda: ImportOut.of(do(), dry_run=body.dry_run))
