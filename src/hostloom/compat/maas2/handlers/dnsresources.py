"""`dnsresources/`: the names of machines and devices. hostloom serves no DNS."""

import zlib
from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import MaasResponse, answer, not_found, refuse, uri
from hostloom.compat.maas2.views.network import View
from hostloom.model.node import Node, NodeKind
from hostloom.services import nodes

resources = Resource("DNSResources", "dnsresources/", "Read the DNS names of machines and devices.")
resource = Resource("DNSResource", "dnsresources/{id}/", "Read the DNS name of a machine or device.")
RESOURCES = (resources, resource)

_FIELDS = (
    Param("fqdn", "Fully qualified domain name."),
    Param("name", "Name within the domain."),
    Param("domain", "The domain."),
    Param("address_ttl", "TTL in seconds.", "Int"),
    Param("ip_addresses", "IP addresses of the name."),
)
_WHY = (
    "hostloom serves no DNS: a name is that of a machine or device, and goes with it. "
    "Make records where the domain is served."
)


@resources.crud(
    "read",
    "List names.",
    Param("fqdn", "The value to match."),
    Param("domain", "Domain to match."),
    Param("name", "Name within the domain to match."),
    Param("rrtype", "Must be empty: all records are address records."),
    Param("all", "Accepted and ignored: the list is always complete.", "Boolean"),
)
def list_names(call: Call) -> MaasResponse:
    """List in the order of names."""
    form = call.form
    form.flag("all")
    with call.begin() as uow:
        documents = sorted(_all(call, View(uow)), key=lambda document: str(document["fqdn"]))
    if form.text("rrtype") not in (None, "", "A", "AAAA"):
        documents = []
    name, domain = form.text("name"), form.text("domain")
    fqdn = form.text("fqdn") or (f"{name}.{domain}" if name and domain else "")
    return answer(
        [document for document in documents if _matches(document["fqdn"], fqdn, name or "", domain or "")]
    )


def _matches(name: str, fqdn: str, host_part: str, domain_part: str) -> bool:
    """Whether a name matches the filters. An empty filter matches every name."""
    head, _, tail = name.partition(".")
    return fqdn in ("", name) and host_part in ("", head) and domain_part in ("", tail)


@resources.crud("create", "Create a name: hostloom does not support this.", *_FIELDS)
def create_name(_: Call) -> MaasResponse:
    """Always refuse, with the reason."""
    raise refuse(409, _WHY)


@resource.crud("read", "Show a name.")
def read_name(call: Call) -> MaasResponse:
    """Look up by id."""
    return answer(_find(call))


@resource.crud("update", "Change a name: hostloom does not support this.", *_FIELDS)
def update_name(call: Call) -> MaasResponse:
    """Always refuse, with the reason."""
    _find(call)
    raise refuse(409, _WHY)


@resource.crud("delete", "Delete a name: hostloom does not support this.")
def delete_name(call: Call) -> MaasResponse:
    """Always refuse, with the reason."""
    _find(call)
    raise refuse(409, _WHY)


def _all(call: Call, view: View) -> list[dict[str, Any]]:
    with call.begin() as uow:
        visible = nodes.list_(uow, call.principal)
    named_nodes = [node for node in visible if node.kind in (NodeKind.MACHINE, NodeKind.DEVICE)]
    ips: dict[str, list[str]] = {}
    for address in view.world.held:
        if address.system_id is not None:
            ips.setdefault(address.system_id, []).append(str(address.ip))
    return [_shown(view, node, ips.get(node.system_id, [])) for node in named_nodes]


def _find(call: Call) -> dict[str, Any]:
    number = call.number("id", "DNSResource")
    with call.begin() as uow:
        for document in _all(call, View(uow)):
            if document["id"] == number:
                return document
    raise not_found("DNSResource")


def _shown(view: View, node: Node, ips: list[str]) -> dict[str, Any]:
    # A stable id, because names have no numeric id.
    number = zlib.crc32(node.system_id.encode()) % 10**9
    return {
        "id": number,
        "fqdn": f"{node.hostname}.{view.domain(node.domain_id)['name']}",
        "address_ttl": None,
        "ip_addresses": [{"ip": ip} for ip in ips],
        "resource_records": [],
        "resource_uri": uri(f"dnsresources/{number}/"),
    }
