"""The live state as a world file, over HTTP."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from hostloom.api.calls import Reading
from hostloom.services import world_files

router = APIRouter(prefix="/world", tags=["world"])


@router.get("", response_class=JSONResponse)
def export_world(call: Reading) -> Response:
    """Export the network, hosts and nodes as a world file for `hostloom simulate`."""
    with call.begin() as uow:
        return JSONResponse(world_files.export(uow, call.principal))
