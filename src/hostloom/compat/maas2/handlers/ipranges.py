"""`ipranges/`."""

from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, bad_field, uri
from hostloom.compat.maas2.views.network import View
from hostloom.model.keep import KEEP
from hostloom.model.network import Address, IPRange, RangeKind
from hostloom.ports.store import UnitOfWork
from hostloom.services.ranges import RANGES, RangeChanges, RangeInput

ipranges = Resource("IPRanges", "ipranges/", "Manage address ranges.")
iprange = Resource("IPRange", "ipranges/{id}/", "Manage an address range.")
RESOURCES = (ipranges, iprange)

_COMMENT = Param("comment", "Free-text description.")
_SUBNET = Param("subnet", "The subnet, by id, CIDR or name; by default the subnet of the addresses.")


@ipranges.crud("read", "List address ranges.")
def list_ranges(call: Call) -> MaasResponse:
    """List in the order of ids."""
    with call.begin() as uow:
        view = View(uow)
        return answer([_shown(view, ip_range) for ip_range in RANGES.list(uow, call.principal)])


@ipranges.crud(
    "create",
    "Create a range: `dynamic` for DHCP leases, or `reserved`, which hostloom does not assign.",
    Param("type", "`dynamic` or `reserved`.", required=True),
    Param("start_ip", "The first address.", required=True),
    Param("end_ip", "The last address.", required=True),
    _SUBNET,
    _COMMENT,
)
def create_range(call: Call) -> MaasResponse:
    """Return the new range."""
    form = call.form
    kind = RangeKind(
        form.choice("type", [range_kind.value for range_kind in RangeKind]) or form.required("type")
    )
    start = form.parse_address("start_ip", form.required("start_ip"))
    end = form.parse_address("end_ip", form.required("end_ip"))
    with call.begin() as uow:
        subnet = form.text("subnet") or _around(uow, start)
    ip_range = RANGES.publish_new(
        call.ports, call.principal, RangeInput(subnet, kind, start, end, form.text("comment") or "")
    )
    with call.begin() as uow:
        return answer(_shown(View(uow), ip_range))


@iprange.crud("read", "Show a range.")
def read_range(call: Call) -> MaasResponse:
    """Look up by id."""
    with call.begin() as uow:
        return answer(_shown(View(uow), _find(call, uow)))


@iprange.crud(
    "update",
    "Change a range, except its type and subnet.",
    Param("type", "Type; cannot be changed."),
    Param("start_ip", "New first address."),
    Param("end_ip", "New last address."),
    _SUBNET,
    _COMMENT,
)
def update_range(call: Call) -> MaasResponse:
    """Apply the fields that the client sent."""
    form = call.form
    with call.begin() as uow:
        ip_range = _find(call, uow)
        subnet = uow.subnets.get(ip_range.subnet_id)
    if form.text("type") not in (None, "", ip_range.kind.value):
        raise bad_field("type", f"The type {ip_range.kind.value} cannot be changed.")
    if form.text("subnet") not in (None, "", str(subnet.id), str(subnet.cidr), subnet.name):
        raise bad_field("subnet", f"The subnet {subnet.cidr} of a range cannot be changed.")
    start, end = form.address("start_ip"), form.address("end_ip")
    changes = RangeChanges(
        KEEP if start is None else start, KEEP if end is None else end, form.changed("comment")
    )
    changed = RANGES.publish_changes(call.ports, call.principal, str(ip_range.id), changes)
    with call.begin() as uow:
        return answer(_shown(View(uow), changed))


@iprange.crud("delete", "Delete a range; its leases remain valid until they expire.")
def delete_range(call: Call) -> MaasResponse:
    """Delete by id."""
    RANGES.publish_deletion(call.ports, call.principal, str(call.number("id", "IPRange")))
    return GONE


def _find(call: Call, uow: UnitOfWork) -> IPRange:
    return RANGES.get(uow, call.principal, str(call.number("id", "IPRange")))


def _around(uow: UnitOfWork, address: Address) -> str:
    subnets = uow.snapshot().subnets_around(address)
    if not subnets:
        raise bad_field("start_ip", f"{address} is in no known subnet.")
    return str(subnets[0].id)


def _shown(view: View, item: IPRange) -> dict[str, Any]:
    return {
        "subnet": view.subnet(view.world.subnet_by_id[item.subnet_id]),
        "type": item.kind.value,
        "start_ip": str(item.start),
        "end_ip": str(item.end),
        "user": None,
        "comment": item.comment,
        "id": item.id,
        "resource_uri": uri(f"ipranges/{item.id}/"),
    }
