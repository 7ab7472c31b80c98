"""`ipaddresses/`: reserved addresses, and the holders of others."""

from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import MaasResponse, answer, bad_field, refuse, uri
from hostloom.compat.maas2.views.network import View
from hostloom.compat.maas2.views.subnet_usage import ALLOC_TYPES
from hostloom.model.errors.resources import NotFound
from hostloom.model.ids import SystemId
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.ports.store import UnitOfWork
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
_UNSUPPORTED = {
    "hostname": "hostloom serves no DNS: omit the field.",
    "domain": "hostloom serves no DNS: omit the field.",
    "mac": "Make a device with this MAC, and link its interface to the subnet.",
}


@ipaddresses.crud(
    "read",
    "List reserved addresses.",
    Param("ip", "The value to match."),
    Param("all", "Whether to include addresses of nodes.", "Boolean"),
    Param("owner", "Must be empty: addresses have no owner."),
)
def list_addresses(call: Call) -> MaasResponse:
    """List in the order of address."""
    form = call.form
    ip, include_all = form.address("ip"), form.flag("all")
    if form.text("owner"):
        raise bad_field("owner", "hostloom records no owners of addresses: omit the field.")
    with call.begin() as uow:
        view = View(uow)
        held_addresses = addresses.list_(uow, call.principal)
        return answer(
            [
                _shown(view, address)
                for address in held_addresses
                if (include_all or address.kind is AddressKind.RESERVED) and ip in (None, address.ip)
            ]
        )


@ipaddresses.op(
    "POST",
    "reserve",
    "Reserve an address.",
    Param("subnet", "CIDR of the subnet; without an address, its next free address is reserved."),
    Param("ip", "The address."),
    Param("ip_address", "The same as `ip`, under its older name."),
    Param("hostname", "Must be empty: hostloom serves no DNS."),
    Param("mac", "Must be empty: create a device with this MAC instead."),
    Param("domain", "Must be empty: hostloom serves no DNS."),
)
def reserve(call: Call) -> MaasResponse:
    """Return the reserved address."""
    form = call.form
    for name, message in _UNSUPPORTED.items():
        if form.text(name):
            raise bad_field(name, message)
    ip = form.address("ip") or form.address("ip_address")
    subnet = (form.text("subnet") or "").strip() or None
    with call.begin() as uow:
        if subnet is not None and "/" in subnet:
            # Names contain no slash, so this is a prefix.
            subnet = _subnet_key(uow, subnet)
        if ip is not None:
            address = addresses.reserve(uow, call.principal, ip, subnet)
        elif subnet is not None:
            address = addresses.reserve_next(uow, call.principal, subnet)
        else:
            raise bad_field(
                "ip", "Enter an address, or a subnet from which the next free address is reserved."
            )
        document = _shown(View(uow), address)
        uow.commit()
    return answer(document)


def _subnet_key(uow: UnitOfWork, cidr: str) -> str:
    return next((str(subnet.id) for subnet in uow.subnets.list() if str(subnet.cidr) == cidr), cidr)


@ipaddresses.op(
    "POST",
    "release",
    "Release a reserved address.",
    Param("ip", "The address.", required=True),
    Param("force", "Must be false: addresses of nodes are released with their nodes.", "Boolean"),
    Param("discovered", "Must be false: discovered addresses cannot be released.", "Boolean"),
)
def release(call: Call) -> MaasResponse:
    """Release a reserved address."""
    form = call.form
    ip = form.parse_address("ip", form.required("ip"))
    for name in ("force", "discovered"):
        if form.flag(name):
            raise bad_field(name, "Only reserved addresses can be released.")
    with call.begin() as uow:
        try:
            addresses.release(uow, call.principal, ip)
        except NotFound:
            raise refuse(404, f"{ip} is not reserved.") from None
        uow.commit()
    return answer(None)


def _shown(view: View, address: HeldAddress) -> dict[str, Any]:
    subnet = None if address.subnet_id is None else view.world.subnet_by_id.get(address.subnet_id)
    node = (
        None if address.system_id is None else view.world.node_by_system_id.get(SystemId(address.system_id))
    )
    return {
        "alloc_type": ALLOC_TYPES[address.kind],
        "alloc_type_name": _NAMES[address.kind],
        "created": "",
        "ip": str(address.ip),
        "subnet": None if subnet is None else view.subnet(subnet),
        "interface_set": [],
        "node_summary": None
        if node is None
        else {"system_id": node.system_id, "hostname": node.hostname, "via": address.interface_name},
        "owner": None,
        "comment": address.comment,
        "resource_uri": uri("ipaddresses/"),
    }
