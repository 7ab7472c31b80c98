"""Reads the static routes from the annotations of subnets."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from hostloom.decide.snapshot import Snapshot
from hostloom.model.annotation import STATIC_ROUTES
from hostloom.model.ids import SubnetId
from hostloom.model.network import StaticRoute


def static_routes(
    notes_by_subnet: Mapping[str | int, Mapping[str, Any]], snapshot: Snapshot
) -> tuple[StaticRoute, ...]:
    """The routes in the annotations of subnets, ordered by id.

    A route to a subnet that was deleted is left out.
    """
    items = [
        (SubnetId(int(key)), item)
        for key, notes in notes_by_subnet.items()
        for item in notes.get(STATIC_ROUTES, ())
        if item["destination"] in snapshot.subnet_by_id
    ]
    return tuple(
        StaticRoute(
            subnet_id,
            snapshot.subnet_by_id[item["destination"]].cidr,
            ip_address(item["gateway_ip"]),
            item["metric"],
        )
        for subnet_id, item in sorted(items, key=lambda pair: pair[1]["id"])
    )
