"""The native API: all routers under /api/v1, with common error answers and one OpenAPI document."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from importlib import metadata
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from hostloom.api import monitoring
from hostloom.api.calls import authenticate, refuse_unknown_query
from hostloom.api.middleware import ApiBodyPolicy, BodyPolicy, Incidents, KnownNames, Limits
from hostloom.api.problems import MEDIA_TYPE, install_handlers
from hostloom.api.routers import (
    access,
    addresses,
    commissioning,
    deploy,
    disk_images,
    events,
    fabrics,
    groupings,
    host_networks,
    hosts,
    images,
    imports,
    lifecycle,
    machines,
    nodes,
    operations,
    plans,
    power_settings,
    racks,
    ranges,
    reconcilers,
    spaces,
    storage_pools,
    subnets,
    timelines,
    user_ssh_keys,
    vlan_probes,
    vlans,
    world,
)
from hostloom.model.reconciler import Reconciler
from hostloom.ports.context import Ports

PREFIX = "/api/v1"

ROUTERS = (
    access.about,
    fabrics.router,
    # before the VLANs, because a VLAN's key may contain slashes
    vlan_probes.router,
    vlans.router,
    spaces.router,
    subnets.router,
    ranges.router,
    power_settings.router,
    racks.router,
    reconcilers.router,
    addresses.router,
    nodes.router,
    hosts.router,
    host_networks.router,
    storage_pools.router,
    timelines.router,
    machines.router,
    commissioning.router,
    deploy.router,
    lifecycle.router,
    plans.router,
    operations.router,
    images.router,
    disk_images.router,
    events.router,
    groupings.zones,
    groupings.resource_pools,
    groupings.domains,
    groupings.tags,
    access.users,
    access.tokens,
    access.apikeys,
    user_ssh_keys.router,
    world.router,
    imports.router,
)

_PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457; `code` is stable, `hint` says what to do, `errors` lists every wrong field.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "hint": {"type": "string"},
        "details": {"type": "object"},
        "errors": {"type": "array", "items": {"type": "object"}},
        "explanation": {"type": "object"},
        "differences": {"type": "array", "items": {"type": "object"}},
        "text": {"type": "array", "items": {"type": "string"}},
        "incident": {"type": "string"},
    },
}


def create_api(
    ports: Ports,
    *,
    admin_group: str = "hostloom",
    policies: Mapping[str, BodyPolicy] | None = None,
    names: Iterable[str] | None = None,
    reconcilers: Callable[[], Sequence[Reconciler]] = tuple,
) -> FastAPI:
    """The ASGI application; members of `admin_group` are administrators on the Unix socket.

    `policies`: who may send bodies to further paths, by the beginning of the path. `names`: the names that
    requests over TCP may use besides addresses; None: any. `reconcilers` reports on the server's reconcilers.
    """
    app = FastAPI(
        title="hostloom",
        version=metadata.version("hostloom"),
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.ports, app.state.admin_group, app.state.stopping = ports, admin_group, asyncio.Event()
    app.state.health = monitoring.Health(ports.store)
    app.state.reconcilers = reconcilers
    app.state.figures = monitoring.Figures(ports, reconcilers)
    app.router.routes += _routes()
    app.add_middleware(Limits, policies={f"{PREFIX}/": ApiBodyPolicy(app), **(policies or {})})
    if names is not None:
        app.add_middleware(KnownNames, names=tuple(names))
    install_handlers(app)
    app.add_middleware(Incidents)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]  # FastAPI's own way to change the document
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.stopping = asyncio.Event()
    yield
    app.state.stopping.set()


@cache
def _routes() -> list[BaseRoute]:
    """The routes, built once for all applications, because that takes long; the state is in the request."""
    api = APIRouter(prefix=PREFIX, dependencies=[Depends(authenticate), Depends(refuse_unknown_query)])
    for router in ROUTERS:
        api.include_router(router)
    root = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for router in (api, monitoring.router):
        root.include_router(router)
    return root.routes


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, which describes every error as a problem document."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = document["components"]["schemas"]
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schemas["Problem"] = _PROBLEM_SCHEMA
        problem = {
            "description": "A problem",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
                operation["responses"] |= {"4XX": problem, "5XX": problem}
        app.openapi_schema = document
    return app.openapi_schema
