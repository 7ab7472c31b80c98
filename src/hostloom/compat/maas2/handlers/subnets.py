"""`subnets/`."""

from collections.abc import Mapping
from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.references import key_of
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, bad_field
from hostloom.compat.maas2.views.network import SUBNET_DEFAULTS, View
from hostloom.compat.maas2.views.subnet_usage import addresses_of, free_of, statistics_of, taken_of
from hostloom.model.annotation import Annotated
from hostloom.model.keep import KEEP, Keep
from hostloom.model.network import Address, Subnet
from hostloom.ports.store import UnitOfWork
from hostloom.services import annotations
from hostloom.services.naming import is_id
from hostloom.services.subnets import SUBNETS, SubnetChanges, SubnetInput, parse_cidr
from hostloom.services.vlans import VLANS

subnets = Resource("Subnets", "subnets/", "Manage subnets.")
subnet = Resource("Subnet", "subnets/{id}/", "Manage a subnet.")
RESOURCES = (subnets, subnet)

_KEPT = "Stored for clients; hostloom does not use it."
_PARAMS = (
    Param("name", "The name."),
    Param("description", "Free-text description."),
    Param("vlan", "Id of the VLAN."),
    Param("fabric", "The fabric, by name or id; used with `vid`."),
    Param("vid", "Tag of the VLAN on the fabric; the untagged VLAN by default.", "Int"),
    Param("gateway_ip", "The gateway; an empty value removes it."),
    Param("dns_servers", "DNS servers, separated by commas or spaces."),
    Param("managed", "Whether hostloom assigns addresses outside the reserved ranges.", "Boolean"),
    Param("allow_dns", _KEPT, "Boolean"),
    Param("allow_proxy", _KEPT, "Boolean"),
    Param("active_discovery", _KEPT, "Boolean"),
    Param("rdns_mode", _KEPT, "Int"),
    Param("disabled_boot_architectures", _KEPT),
)


@subnets.crud("read", "List subnets.")
def list_subnets(call: Call) -> MaasResponse:
    """List in the order of ids."""
    with call.begin() as uow:
        view = View(uow)
        return answer([view.subnet(subnet) for subnet in SUBNETS.list(uow, call.principal)])


@subnets.crud("create", "Create a subnet.", Param("cidr", "The CIDR.", required=True), *_PARAMS)
def create_subnet(call: Call) -> MaasResponse:
    """Create a subnet, by default on the untagged VLAN of the oldest fabric, like MAAS."""
    form = call.form
    notes = _notes(form)
    managed = form.flag("managed")
    with call.begin() as uow:
        vlan = _vlan(call, uow)
    subnet_input = SubnetInput(
        form.required("cidr").strip(),
        vlan,
        form.text("name") or None,
        _gateway(form),
        _dns_servers(form),
        managed=True if managed is None else managed,
        description=form.text("description") or "",
    )
    created = SUBNETS.publish_new(call.ports, call.principal, subnet_input)
    return _shown(call, created, notes)


@subnet.crud("read", "Show a subnet.")
def read_subnet(call: Call) -> MaasResponse:
    """Look up by id, CIDR or name."""
    with call.begin() as uow:
        return answer(View(uow).subnet(_find(call, uow)))


@subnet.crud("update", "Change a subnet.", Param("cidr", "CIDR; cannot be changed."), *_PARAMS)
def update_subnet(call: Call) -> MaasResponse:
    """Apply the fields that the client sent."""
    form = call.form
    notes = _notes(form)
    managed = form.flag("managed")
    with call.begin() as uow:
        item = _find(call, uow)
        vlan = _vlan(call, uow)
    if "cidr" in form and parse_cidr(form.required("cidr").strip()) != item.cidr:
        raise bad_field("cidr", f"The prefix {item.cidr} cannot be changed: create another subnet.")
    gateway: Address | Keep | None = _gateway(form) if "gateway_ip" in form else KEEP
    changes = SubnetChanges(
        KEEP if vlan is None else vlan,
        form.changed("name") or KEEP,
        gateway,
        _dns_servers(form) if "dns_servers" in form else KEEP,
        managed=KEEP if managed is None else managed,
        description=form.changed("description"),
    )
    changed = item
    if changes != SubnetChanges():
        changed = SUBNETS.publish_changes(call.ports, call.principal, str(item.id), changes)
    return _shown(call, changed, notes)


@subnet.crud("delete", "Delete a subnet without addresses in use.")
def delete_subnet(call: Call) -> MaasResponse:
    """Delete a subnet with its ranges."""
    with call.begin() as uow:
        item = _find(call, uow)
    SUBNETS.publish_deletion(call.ports, call.principal, str(item.id))
    return GONE


@subnet.op("GET", "reserved_ip_ranges", "List the used and reserved ranges of the subnet.")
def reserved(call: Call) -> MaasResponse:
    """List the used spans with their purposes."""
    with call.begin() as uow:
        item = _find(call, uow)
        return answer([span.shown(purpose=True) for span in taken_of(uow.snapshot(), item)])


@subnet.op("GET", "unreserved_ip_ranges", "List the free ranges of the subnet.")
def unreserved(call: Call) -> MaasResponse:
    """List in the order of addresses."""
    with call.begin() as uow:
        item = _find(call, uow)
        return answer([span.shown(purpose=False) for span in free_of(uow.snapshot(), item)])


@subnet.op(
    "GET",
    "statistics",
    "Show the utilization of the subnet.",
    Param("include_ranges", "Whether to include the ranges.", "Boolean"),
    Param("include_suggestions", "Accepted and ignored: hostloom suggests no gateways.", "Boolean"),
)
def statistics(call: Call) -> MaasResponse:
    """Return counts, and shares as numbers and as text."""
    ranges = call.form.flag("include_ranges")
    call.form.flag("include_suggestions")
    with call.begin() as uow:
        return answer(statistics_of(uow.snapshot(), _find(call, uow), ranges=bool(ranges)))


@subnet.op(
    "GET",
    "ip_addresses",
    "List the used addresses of the subnet.",
    Param("with_username", "Whether to include the user.", "Boolean"),
    Param("with_summary", "Whether to include the node.", "Boolean"),
)
def ip_addresses(call: Call) -> MaasResponse:
    """List in the order of addresses."""
    users, summaries = call.form.flag("with_username"), call.form.flag("with_summary")
    with call.begin() as uow:
        item = _find(call, uow)
        documents = addresses_of(uow, item, users=users is not False, summaries=summaries is not False)
        return answer(documents)


def _find(call: Call, uow: UnitOfWork) -> Subnet:
    return SUBNETS.get(uow, call.principal, call.places["id"])


def _shown(call: Call, item: Subnet, notes: Mapping[str, Any]) -> MaasResponse:
    with call.begin() as uow:
        if notes:
            annotations.merge(uow, call.principal, Annotated.SUBNET, item.id, notes)
            uow.commit()
        return answer(View(uow).subnet(item))


def _notes(form: Form) -> dict[str, Any]:
    """Read the fields that hostloom only stores for clients."""
    notes: dict[str, Any] = {}
    for name, default in SUBNET_DEFAULTS.items():
        value: Any = None
        if isinstance(default, bool):
            value = form.flag(name)
        elif isinstance(default, int):
            value = form.whole(name, 0, 2)
        elif name in form:
            value = form.texts(name)
        if value is not None:
            notes[name] = value
    return notes


def _gateway(form: Form) -> Address | None:
    return form.address("gateway_ip")


def _dns_servers(form: Form) -> tuple[Address, ...]:
    texts = " ".join(form.texts("dns_servers")).split()
    return tuple(form.parse_address("dns_servers", text) for text in texts)


def _vlan(call: Call, uow: UnitOfWork) -> str | None:
    """Return the key of the VLAN, which a client names by id or by fabric and tag."""
    form = call.form
    vlan_key = (form.text("vlan") or "").strip()
    if vlan_key:
        if not is_id(vlan_key):
            raise bad_field("vlan", f"{vlan_key!r} is not the id of a VLAN.")
        return str(VLANS.get(uow, call.principal, vlan_key).id)
    fabric, vid = form.text("fabric"), form.whole("vid", 0)
    if not fabric and vid is None:
        return None
    return f"{key_of(uow.fabrics, fabric or '0')}/{vid or 0}"
