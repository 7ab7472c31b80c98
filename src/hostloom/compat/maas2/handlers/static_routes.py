"""`static-routes/`: routes that deployed machines get."""

from dataclasses import replace
from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, bad_field, not_found, uri
from hostloom.compat.maas2.views.network import View
from hostloom.model.annotation import STATIC_ROUTES, Annotated
from hostloom.model.ids import SubnetId
from hostloom.model.network import Subnet
from hostloom.ports.store import UnitOfWork
from hostloom.services import annotations
from hostloom.services.access import require_admin, require_user
from hostloom.services.subnets import SUBNETS

routes = Resource("StaticRoutes", "static-routes/", "Manage static routes, which deployed machines get.")
route = Resource("StaticRoute", "static-routes/{id}/", "Manage a static route.")
RESOURCES = (routes, route)

_METRIC = Param("metric", "Metric of the route; lower values take precedence.", "Int")
_MAX_METRIC = 2**31 - 1
Route = dict[str, Any]


def _ends(*, required: bool) -> tuple[Param, ...]:
    return (
        Param("source", "Source subnet, by id, CIDR or name.", required=required),
        Param("destination", "Destination subnet, by id, CIDR or name.", required=required),
        Param("gateway_ip", "Address of the gateway in the source subnet.", required=required),
        _METRIC,
    )


@routes.crud("read", "List static routes.")
def list_routes(call: Call) -> MaasResponse:
    """List in the order of ids."""
    with call.begin() as uow:
        require_user(call.principal, "see static routes")
        return answer([_shown(View(uow), item) for item in _all(uow, call)])


@routes.crud("create", "Create a static route.", *_ends(required=True))
def create_route(call: Call) -> MaasResponse:
    """Return the new route."""
    form = call.form
    require_admin(call.principal, "create static routes")
    with call.begin() as uow:
        source = SUBNETS.get(uow, call.principal, form.required("source"))
        destination = SUBNETS.get(uow, call.principal, form.required("destination"))
        number = max((item["id"] for item in _all(uow, call)), default=0) + 1
        created = {
            "id": number,
            "source": source.id,
            "destination": destination.id,
            "gateway_ip": form.required("gateway_ip").strip(),
            "metric": form.whole("metric", 0, _MAX_METRIC) or 0,
        }
        return _saved(uow, call, created)


@route.crud("read", "Show a static route.")
def read_route(call: Call) -> MaasResponse:
    """Look up by id."""
    with call.begin() as uow:
        require_user(call.principal, "see static routes")
        return answer(_shown(View(uow), _find(call, uow)))


@route.crud("update", "Change a static route.", *_ends(required=False))
def update_route(call: Call) -> MaasResponse:
    """Apply the fields that the client sent."""
    form = call.form
    require_admin(call.principal, "change static routes")
    with call.begin() as uow:
        current = _find(call, uow)
        changed = dict(current)
        for name in ("source", "destination"):
            if form.text(name):
                changed[name] = SUBNETS.get(uow, call.principal, form.required(name)).id
        changed["gateway_ip"] = (form.text("gateway_ip") or "").strip() or current["gateway_ip"]
        metric = form.whole("metric", 0, _MAX_METRIC)
        changed["metric"] = current["metric"] if metric is None else metric
        _remove(uow, call, current)
        return _saved(uow, call, changed)


@route.crud("delete", "Delete a static route.")
def delete_route(call: Call) -> MaasResponse:
    """Delete by id."""
    require_admin(call.principal, "delete static routes")
    with call.begin() as uow:
        _remove(uow, call, _find(call, uow))
        uow.commit()
    return GONE


def _saved(uow: UnitOfWork, call: Call, item: Route) -> MaasResponse:
    source = uow.subnets.get(SubnetId(item["source"]))
    gateway = call.form.parse_address("gateway_ip", item["gateway_ip"])
    if gateway not in source.cidr:
        raise bad_field("gateway_ip", f"Enter an address of {source.cidr}.")
    if item["source"] == item["destination"]:
        raise bad_field("destination", "Choose another subnet than the source.")
    item["gateway_ip"] = str(gateway)
    siblings = _of(uow, call, source)
    annotations.merge(uow, call.principal, Annotated.SUBNET, source.id, {STATIC_ROUTES: [*siblings, item]})
    for key in (item["source"], item["destination"]):
        _keep_id(uow, SubnetId(key))
    document = _shown(View(uow), item)
    uow.commit()
    return answer(document)


def _keep_id(uow: UnitOfWork, key: SubnetId) -> None:
    """Keep an automatic subnet permanently, because a route refers to its id."""
    subnet = uow.subnets.get(key)
    if subnet.automatic:
        uow.subnets.update(replace(subnet, automatic=False))


def _remove(uow: UnitOfWork, call: Call, removed: Route) -> None:
    source = uow.subnets.get(SubnetId(removed["source"]))
    remaining = [item for item in _of(uow, call, source) if item["id"] != removed["id"]]
    annotations.merge(uow, call.principal, Annotated.SUBNET, source.id, {STATIC_ROUTES: remaining})


def _of(uow: UnitOfWork, call: Call, source: Subnet) -> list[Route]:
    notes = annotations.of(uow, call.principal, Annotated.SUBNET, [source.id]).get(source.id, {})
    items: list[Route] = notes.get(STATIC_ROUTES, [])
    return items


def _all(uow: UnitOfWork, call: Call) -> list[Route]:
    """List the routes with an existing destination in the order of ids."""
    subnets_by_id = uow.snapshot().subnet_by_id
    annotations_by_subnet = annotations.of(uow, call.principal, Annotated.SUBNET)
    items = [item for notes in annotations_by_subnet.values() for item in notes.get(STATIC_ROUTES, [])]
    return sorted(
        (item for item in items if item["destination"] in subnets_by_id), key=lambda item: item["id"]
    )


def _find(call: Call, uow: UnitOfWork) -> Route:
    number = call.number("id", "StaticRoute")
    for item in _all(uow, call):
        if item["id"] == number:
            return item
    raise not_found("StaticRoute")


def _shown(view: View, item: Route) -> dict[str, Any]:
    world = view.world
    return {
        "id": item["id"],
        "source": view.subnet(world.subnet_by_id[item["source"]]),
        "destination": view.subnet(world.subnet_by_id[item["destination"]]),
        "gateway_ip": item["gateway_ip"],
        "metric": item["metric"],
        "resource_uri": uri(f"static-routes/{item['id']}/"),
    }
