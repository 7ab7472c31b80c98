"""`nodes/{system_id}/interfaces/{id}/`: the addresses of an interface, as links to subnets."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.handlers.interfaces import all_of, interface, interfaces, is_of_host, node_of, one
from hostloom.compat.maas2.responses import Fault, MaasResponse, answer, bad_field, refuse
from hostloom.model.annotation import LINKS, NICS, Annotated
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import SystemId
from hostloom.model.network import Address
from hostloom.ports.store import UnitOfWork
from hostloom.services import annotations, nic_links
from hostloom.services.access import require_admin
from hostloom.services.nic_links import LinkInput, LinkMode

#: Links have numbers beyond those that databases hold: they follow from the 48 bits of a MAC.
MAX_LINK_ID = 2**53
#: With what this module offers of them.
RESOURCES = (interfaces, interface)


@interface.op(
    "POST",
    "link_subnet",
    "Give an interface an address of a subnet, or none.",
    Param("mode", "`auto`, `static`, `dhcp` or `link_up`.", required=True),
    Param("subnet", "The subnet, by id, CIDR or name."),
    Param("ip_address", "The address, with mode `static`."),
    Param("force", "Accepted: nothing is in the way.", "Boolean"),
    Param("default_gateway", "Accepted: the gateway is the one of the subnet.", "Boolean"),
)
def link_subnet(call: Call) -> MaasResponse:
    """The interface as it is then; our DHCP knows."""
    form = call.form
    form.flag("force")
    form.flag("default_gateway")
    words = [link_mode.value for link_mode in LinkMode]
    word = form.required("mode").lower()
    if word not in words:
        raise bad_field("mode", f"Expected one of: {', '.join(words)}.")
    mode = LinkMode(word)
    ip = form.address("ip_address")
    if mode is LinkMode.STATIC and ip is None:
        # MAAS then gave the next one.
        mode = LinkMode.AUTO
    return _relink(call, LinkInput(mode, form.text("subnet") or None, ip))


@interface.op(
    "POST",
    "unlink_subnet",
    "Take a link from an interface, and give its address back.",
    Param("id", "The link's id.", required=True),
)
def unlink_subnet(call: Call) -> MaasResponse:
    """The interface as it is then."""
    number = call.form.whole("id", 0, MAX_LINK_ID)
    with call.begin() as uow:
        shown = one(uow, node_of(call, uow), call.places["id"])
    link = next((each for each in shown["links"] if each["id"] == number), None)
    if link is None:
        raise bad_field("id", "Not a link of this interface.")
    return _unlinked(
        call, shown["name"], Form().parse_address("id", link["ip_address"]) if "ip_address" in link else None
    )


@interface.op("POST", "disconnect", "Take every link from an interface.")
def disconnect(call: Call) -> MaasResponse:
    """The interface, without an address."""
    with call.begin() as uow:
        shown = one(uow, node_of(call, uow), call.places["id"])
    return _unlinked(call, shown["name"], None)


@interface.op(
    "POST",
    "set_default_gateway",
    "Choose the gateway of a machine: it is the one of its subnets.",
    Param("link_id", "The link's id. Without it, all links of the interface count.", "Int"),
)
def set_default_gateway(call: Call) -> MaasResponse:
    """The interface, if the machine gets no other gateway; a choice between several is refused."""
    number = call.form.whole("link_id", 0, MAX_LINK_ID)
    with call.begin() as uow:
        node = node_of(call, uow)
        shown = one(uow, node, call.places["id"])
        others = all_of(uow, node)
    require_admin(call.principal, "choose gateways")
    links = [link for link in shown["links"] if number is None or link["id"] == number]
    if number is not None and not links:
        raise bad_field("link_id", "Not a link of this interface.")
    chosen = _gateways(links)
    if not chosen:
        raise bad_field("link_id" if number is not None else "__all__", "Its subnet has no gateway.")
    every = _gateways([link for nic in others for link in nic["links"]])
    if any(len(every[version]) > 1 for version in chosen):
        raise refuse(409, "Our DHCP tells each NIC the gateway of its own subnet: change that of the subnet.")
    return answer(shown)


def _gateways(links: Iterable[Mapping[str, Any]]) -> dict[int, set[str]]:
    """The gateways of the subnets of these links, by IP version."""
    found: dict[int, set[str]] = {}
    for link in links:
        gateway = link.get("subnet", {}).get("gateway_ip")
        if gateway is not None:
            found.setdefault(ip_address(gateway).version, set()).add(gateway)
    return found


def _relink(call: Call, wanted: LinkInput) -> MaasResponse:
    with call.begin() as uow:
        node = node_of(call, uow)
        name = one(uow, node, call.places["id"])["name"]
        of_host = is_of_host(uow, node)
    try:
        if of_host:
            nic_links.link(call.ports, call.principal, node.system_id, name, wanted)
        else:
            with call.begin() as uow:
                nic_links.hold(uow, call.principal, node.system_id, name, wanted)
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
    """The links that an import kept: this change replaces them."""
    kept = annotations.of(uow, call.principal, Annotated.NODE, [system_id]).get(system_id, {}).get(NICS, {})
    if LINKS in kept.get(name, {}):
        rest = {key: value for key, value in kept[name].items() if key != LINKS}
        annotations.merge(uow, call.principal, Annotated.NODE, system_id, {NICS: {**kept, name: rest}})


def _again(call: Call, system_id: SystemId, name: str) -> MaasResponse:
    with call.begin() as uow:
        return answer(one(uow, uow.nodes.get(system_id), name))


def _renamed(error: InvalidValue) -> Fault:
    return bad_field("ip_address" if error.field == "ip" else error.field, str(error))
