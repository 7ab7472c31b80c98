"""`ipaddresses/`: addresses that were set aside, and who has the others."""

from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import MaasResponse, answer, bad_field, refuse, uri
from hostloom.compat.maas2.views.network import View
from hostloom.compat.maas2.views.subnet_usage import ALLOC_TYPES
from hostloom.model.errors.resources import NotFound
from hostloom.model.ids import SystemId
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.services import addresses

ipaddresses = Resource("IPAddresses", "ipaddresses/", "Manage addresses.")
RESOURCES = (ipaddresses,)

_NAMES = {
    AddressKind.AUTO: "Automatic",
    AddressKind.STATIC: "Sticky",
    AddressKind.RESERVED: "User reserved",
    AddressKind.LEASE: "DHCP",
    AddressKind.OBSERVED: "Observed",
    AddressKind.ON_WIRE: "Observed",
}


@ipaddresses.crud(
    "read",
    "List addresses that were set aside.",
    Param("ip", "Only this one."),
    Param("all", "Those of nodes too.", "Boolean"),
    Param("owner", "Empty: addresses have no owner."),
)
def list_addresses(call: Call) -> MaasResponse:
    """By address."""
    form = call.form
    ip, every = form.address("ip"), form.flag("all")
    if form.text("owner"):
        raise bad_field("owner", "Addresses have no owner in hostloom: leave it out.")
    with call.begin() as uow:
        view = View(uow)
        helds = addresses.list_(uow, call.principal)
        return answer(
            [
                _shown(view, held)
                for held in helds
                if (every or held.kind is AddressKind.RESERVED) and ip in (None, held.ip)
            ]
        )


@ipaddresses.op(
    "POST",
    "reserve",
    "Set an address aside.",
    Param("subnet", "Its subnet, by CIDR; with neither address its next free one."),
    Param("ip", "The address."),
    Param("ip_address", "The same under its older name."),
    Param("hostname", "Empty: hostloom serves no DNS."),
    Param("mac", "Empty: make a device of that MAC."),
    Param("domain", "Empty: hostloom serves no DNS."),
)
def reserve(call: Call) -> MaasResponse:
    """The address."""
    form = call.form
    for name, why in (
        ("hostname", "hostloom serves no DNS: leave it out."),
        ("domain", "hostloom serves no DNS: leave it out."),
        ("mac", "Make a device with this MAC, and link its interface to the subnet."),
    ):
        if form.text(name):
            raise bad_field(name, why)
    ip = form.address("ip") or form.address("ip_address")
    subnet = (form.text("subnet") or "").strip() or None
    with call.begin() as uow:
        if subnet is not None and "/" in subnet:
            # A name may not hold a slash, so this is a prefix.
            subnet = next((str(each.id) for each in uow.subnets.list() if str(each.cidr) == subnet), subnet)
        if ip is not None:
            held = addresses.reserve(uow, call.principal, ip, subnet)
        elif subnet is not None:
            held = addresses.reserve_next(uow, call.principal, subnet)
        else:
            raise bad_field("ip", "An address, or a subnet to take its next free one.")
        shown = _shown(View(uow), held)
        uow.commit()
    return answer(shown)


@ipaddresses.op(
    "POST",
    "release",
    "Give an address back that was set aside.",
    Param("ip", "The address.", required=True),
    Param("force", "False: those of nodes go with their nodes.", "Boolean"),
    Param("discovered", "False: what is seen is there.", "Boolean"),
)
def release(call: Call) -> MaasResponse:
    """Nothing: it is free."""
    form = call.form
    ip = form.parse_address("ip", form.required("ip"))
    for name in ("force", "discovered"):
        if form.flag(name):
            raise bad_field(name, "Only addresses that were set aside can be given back by hand.")
    with call.begin() as uow:
        try:
            addresses.release(uow, call.principal, ip)
        except NotFound:
            raise refuse(404, f"{ip} is not set aside.") from None
        uow.commit()
    return answer(None)


def _shown(view: View, held: HeldAddress) -> dict[str, Any]:
    subnet = None if held.subnet_id is None else view.world.subnet_by_id.get(held.subnet_id)
    node = None if held.system_id is None else view.world.node_by_system_id.get(SystemId(held.system_id))
    return {
        "alloc_type": ALLOC_TYPES[held.kind],
        "alloc_type_name": _NAMES[held.kind],
        "created": "",
        "ip": str(held.ip),
        "subnet": None if subnet is None else view.subnet(subnet),
        "interface_set": [],
        "node_summary": None
        if node is None
        else {"system_id": node.system_id, "hostname": node.hostname, "via": held.interface_name},
        "owner": None,
        "comment": held.comment,
        "resource_uri": uri("ipaddresses/"),
    }
