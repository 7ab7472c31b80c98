"""Imports over HTTP: what another system managed, shown first and then made ours."""

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing
from hostloom.api.shapes.imports import ImportIn, ImportOut
from hostloom.model.import_plan import ImportPlan
from hostloom.services import imports

router = APIRouter(prefix="/imports", tags=["imports"])


@router.post("", response_model=ImportOut)
def import_estate(call: Changing, body: ImportIn) -> Response:
    """Import what another system managed, or with `dry_run` say what that would do.

    Nothing of ours is removed, and repeating it changes nothing more. `hosts` are left to be added.
    """

    def do() -> ImportPlan:
        if body.dry_run:
            with call.begin() as uow:
                return imports.preview(uow, call.principal, body.estate, prefer_theirs=body.theirs)
        return imports.apply(call.ports, call.principal, body.estate, prefer_theirs=body.theirs)

    return call.perform(200, lambda: ImportOut.of(do(), dry_run=body.dry_run))
