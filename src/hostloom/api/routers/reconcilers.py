"""Reconcilers over HTTP."""

from fastapi import APIRouter, Request, Response

from hostloom.api.calls import Reading
from hostloom.api.forms import Out, like
from hostloom.api.paging import PageOut, Paging
from hostloom.model.reconciler import Reconciler
from hostloom.services import reconcilers

router = APIRouter(prefix="/reconcilers", tags=["reconcilers"])


@like(Reconciler)
class ReconcilerOut(Out):
    """A periodic task of this server, with the result of its last run."""


@router.get("", response_model=PageOut[ReconcilerOut])
def list_reconcilers(call: Reading, page: Paging, request: Request) -> Response:
    """List the reconcilers of the server that answers, by name."""
    reconciler_list = reconcilers.list_(call.principal, request.app.state.reconcilers())
    rest = [
        reconciler for reconciler in reconciler_list if page.after is None or reconciler.name > page.after
    ]
    outs = [ReconcilerOut.made(reconciler) for reconciler in rest[: page.more]]
    return call.page(page, outs, lambda reconciler: reconciler.name)
