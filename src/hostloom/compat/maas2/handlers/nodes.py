"""`nodes/`: machines, devices and controllers together."""

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import MaasResponse, answer, not_found
from hostloom.compat.maas2.views.network import View
from hostloom.compat.maas2.views.nodes import NodeView
from hostloom.model.ids import MacAddress
from hostloom.model.node import Node
from hostloom.services import machines
from hostloom.services import nodes as service

nodes = Resource("Nodes", "nodes/", "Read nodes of all kinds.")
node = Resource("Node", "nodes/{system_id}/", "Read a node of any kind.")
RESOURCES = (nodes, node)


@nodes.crud(
    "read",
    "List nodes.",
    Param("hostname", "Hostnames to match; may be repeated."),
    Param("mac_address", "MACs to match; may be repeated."),
    Param("id", "System ids to match; may be repeated."),
)
def list_nodes(call: Call) -> MaasResponse:
    """List in the order of system ids, each node in the format of its kind."""
    form = call.form
    hostnames, ids = form.texts("hostname"), form.texts("id")
    macs = {str(MacAddress.parse(text, "mac_address")) for text in form.texts("mac_address")}
    with call.begin() as uow:
        matching = [item for item in service.list_(uow, call.principal) if _matches(item, hostnames, ids)]
        documents = NodeView(View(uow)).documents(matching, machines.list_(uow, call.principal))
    return answer(
        [
            document
            for document in documents
            if not macs or macs & {nic["mac_address"] for nic in document["interface_set"]}
        ]
    )


def _matches(item: Node, hostnames: list[str], ids: list[str]) -> bool:
    return (not hostnames or item.hostname in hostnames) and (not ids or item.system_id in ids)


@node.crud("read", "Show a node.")
def read_node(call: Call) -> MaasResponse:
    """Look up by system id."""
    key = call.places["system_id"]
    with call.begin() as uow:
        item = service.get(uow, call.principal, key)
        if item.system_id != key:
            raise not_found("Node")
        return answer(NodeView(View(uow)).documents([item], uow.machines.some([item.system_id]))[0])
