"""`static-routes/`: kept for clients; what machines route is their own systems' doing."""

from dataclasses import replace
from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, bad_field, not_found, uri
from hostloom.compat.maas2.views.network import View
from hostloom.model.annotation import Annotated
from hostloom.model.ids import SubnetId
from hostloom.model.network import Subnet
from hostloom.ports.store import UnitOfWork
from hostloom.services import annotations, subnets
from hostloom.services.access import require_admin, require_user

routes = Resource("StaticRoutes", "static-routes/", "Manage static routes, which hostloom only keeps.")
route = Resource("StaticRoute", "static-routes/{id}/", "Manage a static route.")
RESOURCES = (routes, route)

#: Of the subnet from which they lead.
_ROUTES = "static_routes"
_METRIC = Param("metric", "From 0, the preferred one.", "Int")
_MAX_METRIC = 2**31 - 1
Route = dict[str, Any]


def _ends(*, required: bool) -> tuple[Param, ...]:
    return (
        Param("source", "The subnet from which it leads, by id, CIDR or name.", required=required),
        Param("destination", "The subnet to which it leads.", required=required),
        Param("gateway_ip", "An address of the source.", required=required),
        _METRIC,
    )


@routes.crud("read", "List static routes.")
def list_routes(call: Call) -> MaasResponse:
    """By id."""
    with call.begin() as uow:
        require_user(call.principal, "see static routes")
        return answer([_shown(View(uow), each) for each in _all(uow, call)])


@routes.crud("create", "Create a static route.", *_ends(required=True))
def create_route(call: Call) -> MaasResponse:
    """The route."""
    form = call.form
    require_admin(call.principal, "create static routes")
    with call.begin() as uow:
        source = subnets.get(uow, call.principal, form.required("source"))
        destination = subnets.get(uow, call.principal, form.required("destination"))
        number = max((each["id"] for each in _all(uow, call)), default=0) + 1
        made = {
            "id": number,
            "source": source.id,
            "destination": destination.id,
            "gateway_ip": form.required("gateway_ip").strip(),
            "metric": form.whole("metric", 0, _MAX_METRIC) or 0,
        }
        return _saved(uow, call, made)


@route.crud("read", "Show a static route.")
def read_route(call: Call) -> MaasResponse:
    """By id."""
    with call.begin() as uow:
        require_user(call.principal, "see static routes")
        return answer(_shown(View(uow), _find(call, uow)))


@route.crud("update", "Change a static route.", *_ends(required=False))
def update_route(call: Call) -> MaasResponse:
    """What is not sent stays."""
    form = call.form
    require_admin(call.principal, "change static routes")
    with call.begin() as uow:
        before = _find(call, uow)
        after = dict(before)
        for name in ("source", "destination"):
            if form.text(name):
                after[name] = subnets.get(uow, call.principal, form.required(name)).id
        after["gateway_ip"] = (form.text("gateway_ip") or "").strip() or before["gateway_ip"]
        metric = form.whole("metric", 0, _MAX_METRIC)
        after["metric"] = before["metric"] if metric is None else metric
        _remove(uow, call, before)
        return _saved(uow, call, after)


@route.crud("delete", "Delete a static route.")
def delete_route(call: Call) -> MaasResponse:
    """By id."""
    require_admin(call.principal, "delete static routes")
    with call.begin() as uow:
        _remove(uow, call, _find(call, uow))
        uow.commit()
    return GONE


def _saved(uow: UnitOfWork, call: Call, made: Route) -> MaasResponse:
    source = uow.subnets.get(SubnetId(made["source"]))
    gateway = call.form.parse_address("gateway_ip", made["gateway_ip"])
    if gateway not in source.cidr:
        raise bad_field("gateway_ip", f"Enter an address of {source.cidr}.")
    if made["source"] == made["destination"]:
        raise bad_field("destination", "Choose another subnet than the source.")
    made["gateway_ip"] = str(gateway)
    mine = _of(uow, call, source)
    annotations.merge(uow, call.principal, Annotated.SUBNET, source.id, {_ROUTES: [*mine, made]})
    for key in (made["source"], made["destination"]):
        _keep_id(uow, SubnetId(key))
    shown = _shown(View(uow), made)
    uow.commit()
    return answer(shown)


def _keep_id(uow: UnitOfWork, key: SubnetId) -> None:
    """A route names its subnets by id: one that hostloom made by itself is the operator's from now on."""
    subnet = uow.subnets.get(key)
    if subnet.automatic:
        uow.subnets.update(replace(subnet, automatic=False))


def _remove(uow: UnitOfWork, call: Call, gone: Route) -> None:
    source = uow.subnets.get(SubnetId(gone["source"]))
    left = [each for each in _of(uow, call, source) if each["id"] != gone["id"]]
    annotations.merge(uow, call.principal, Annotated.SUBNET, source.id, {_ROUTES: left})


def _of(uow: UnitOfWork, call: Call, source: Subnet) -> list[Route]:
    notes = annotations.of(uow, call.principal, Annotated.SUBNET, [source.id]).get(source.id, {})
    found: list[Route] = notes.get(_ROUTES, [])
    return found


def _all(uow: UnitOfWork, call: Call) -> list[Route]:
    """Those whose destination is still there, by id."""
    known = uow.snapshot().subnet_by_id
    kept = annotations.of(uow, call.principal, Annotated.SUBNET)
    found = [each for notes in kept.values() for each in notes.get(_ROUTES, [])]
    return sorted((each for each in found if each["destination"] in known), key=lambda each: each["id"])


def _find(call: Call, uow: UnitOfWork) -> Route:
    number = call.number("id", "StaticRoute")
    for each in _all(uow, call):
        if each["id"] == number:
            return each
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
