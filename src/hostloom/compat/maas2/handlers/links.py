"""`nodes/{system_id}/interfaces/{id}/`: the addresses of an interface as links to subnets."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.handlers.interfaces import (
    interface,
    interface_document,
    interface_documents,
    interfaces,
    is_of_host,
    node_of,
)
from hostloom.compat.maas2.responses import Fault, MaasResponse, answer, bad_field, refuse
from hostloom.model.annotation import LINKS, NICS, Annotated
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import SystemId
from hostloom.model.network import Address
from hostloom.model.node import LinkMode
from hostloom.ports.store import UnitOfWork
from hostloom.services import annotations, nic_links
from hostloom.services.access import require_admin
from hostloom.services.nic_links import LinkInput

#: The limit for link ids, which derive from the 48 bits of a MAC and exceed the integers of the database.
MAX_LINK_ID = 2**53
#: With what this module offers of them.
RESOURCES = (interfaces, interface)


@interface.op(
    "POST",
    "link_subnet",
    "Link an interface to a subnet, with or without an address.",
    Param("mode", "`auto`, `static`, `dhcp` or `link_up`.", required=True),
    Param("subnet", "The subnet, by id, CIDR or name."),
    Param("ip_address", "The address, with mode `static`."),
    Param("force", "Accepted and ignored: nothing prevents a link.", "Boolean"),
    Param("default_gateway", "Accepted and ignored: the gateway is a setting of the subnet.", "Boolean"),
)
def link_subnet(call: Call) -> MaasResponse:
    """Return the changed interface. The DHCP servers of hostloom follow the change."""
    form = call.form
    form.flag("force")
    form.flag("default_gateway")
    modes = [link_mode.value for link_mode in LinkMode]
    text = form.required("mode").lower()
    if text not in modes:
        raise bad_field("mode", f"Expected one of: {', '.join(modes)}.")
    mode = LinkMode(text)
    ip = form.address("ip_address")
    if mode is LinkMode.STATIC and ip is None:
        # MAAS assigns the next free address in this case.
        mode = LinkMode.AUTO
    return _relink(call, LinkInput(mode, form.text("subnet") or None, ip))


@interface.op(
    "POST",
    "unlink_subnet",
    "Remove a link from an interface and release its address.",
    Param("id", "Id of the link.", required=True),
)
def unlink_subnet(call: Call) -> MaasResponse:
    """Return the changed interface."""
    number = call.form.whole("id", 0, MAX_LINK_ID)
    with call.begin() as uow:
        document = interface_document(uow, node_of(call, uow), call.places["id"])
    link = next((candidate for candidate in document["links"] if candidate["id"] == number), None)
    if link is None:
        raise bad_field("id", "Not a link of this interface.")
    return _unlinked(
        call,
        document["name"],
        Form().parse_address("id", link["ip_address"]) if "ip_address" in link else None,
    )


@interface.op("POST", "disconnect", "Remove all links from an interface.")
def disconnect(call: Call) -> MaasResponse:
    """Return the interface without links."""
    with call.begin() as uow:
        document = interface_document(uow, node_of(call, uow), call.places["id"])
    return _unlinked(call, document["name"], None)


@interface.op(
    "POST",
    "set_default_gateway",
    "Choose a machine's gateway; it is always the gateway of its subnets.",
    Param("link_id", "Id of the link; by default, all links of the interface.", "Int"),
)
def set_default_gateway(call: Call) -> MaasResponse:
    """Return the interface. Raises 409 if the machine also has other gateways."""
    number = call.form.whole("link_id", 0, MAX_LINK_ID)
    with call.begin() as uow:
        node = node_of(call, uow)
        document = interface_document(uow, node, call.places["id"])
        documents = interface_documents(uow, node)
    require_admin(call.principal, "choose gateways")
    gateways = _link_gateways(document, number)
    all_gateways = _gateways([link for nic in documents for link in nic["links"]])
    if any(len(all_gateways[version]) > 1 for version in gateways):
        raise refuse(
            409,
            "hostloom's DHCP gives each NIC the gateway of its own subnet: change the gateway of the subnet.",
        )
    return answer(document)


def _link_gateways(document: Mapping[str, Any], number: int | None) -> dict[int, set[str]]:
    """Return the gateways of a link, or of all links of an interface. Raises 400 if there are none."""
    links = [link for link in document["links"] if number is None or link["id"] == number]
    if number is not None and not links:
        raise bad_field("link_id", "Not a link of this interface.")
    gateways = _gateways(links)
    if not gateways:
        raise bad_field("link_id" if number is not None else "__all__", "Its subnet has no gateway.")
    return gateways


def _gateways(links: Iterable[Mapping[str, Any]]) -> dict[int, set[str]]:
    """Collect the gateways of the links' subnets by IP version."""
    gateways: dict[int, set[str]] = {}
    for link in links:
        gateway = link.get("subnet", {}).get("gateway_ip")
        if gateway is not None:
            gateways.setdefault(ip_address(gateway).version, set()).add(gateway)
    return gateways


def _relink(call: Call, link_input: LinkInput) -> MaasResponse:
    with call.begin() as uow:
        node = node_of(call, uow)
        name = interface_document(uow, node, call.places["id"])["name"]
        has_domain = is_of_host(uow, node)
    try:
        if has_domain:
            nic_links.link(call.ports, call.principal, node.system_id, name, link_input)
        else:
            with call.begin() as uow:
                nic_links.hold(uow, call.principal, node.system_id, name, link_input)
                _forget(call, uow, node.system_id, name)
                uow.commit()
    except InvalidValue as error:
        raise _renamed(error) from error
    return _again(call, node.system_id, name)


def _unlinked(call: Call, name: str, ip: Address | None) -> MaasResponse:
    with call.begin() as uow:
        node = node_of(call, uow)
        if not is_of_host(uow, node):
            nic_links.let_go(uow, call.principal, node.system_id, name, ip)
            _forget(call, uow, node.system_id, name)
            uow.commit()
            return _again(call, node.system_id, name)
    nic_links.unlink(call.ports, call.principal, node.system_id, name, ip)
    return _again(call, node.system_id, name)


def _forget(call: Call, uow: UnitOfWork, system_id: SystemId, name: str) -> None:
    """Remove the imported links, which the change replaces."""
    annotations_by_nic = (
        annotations.of(uow, call.principal, Annotated.NODE, [system_id]).get(system_id, {}).get(NICS, {})
    )
    if LINKS in annotations_by_nic.get(name, {}):
        remaining = {key: value for key, value in annotations_by_nic[name].items() if key != LINKS}
        annotations.merge(
            uow, call.principal, Annotated.NODE, system_id, {NICS: {**annotations_by_nic, name: remaining}}
        )


def _again(call: Call, system_id: SystemId, name: str) -> MaasResponse:
    with call.begin() as uow:
        return answer(interface_document(uow, uow.nodes.get(system_id), name))


def _renamed(error: InvalidValue) -> Fault:
    return bad_field("ip_address" if error.field == "ip" else error.field, str(error))
