"""`tags/`."""

from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.noun_actions import NounActions
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, bad_field, uri
from hostloom.compat.maas2.views.network import View
from hostloom.compat.maas2.views.nodes import NodeView
from hostloom.model.errors.resources import NotFound
from hostloom.model.grouping import Tag
from hostloom.model.node import NodeKind
from hostloom.ports.store import UnitOfWork
from hostloom.services import groupings, machines, nodes
from hostloom.services.groupings import TAGS, TagChanges, TagInput
from hostloom.services.nodes import NodeChanges

tags = Resource("Tags", "tags/", "Manage tags.")
tag = Resource("Tag", "tags/{name}/", "Manage a tag.")
RESOURCES = (tags, tag)

_NAME = Param("name", "The name.", required=True)
_NEW_NAME = Param("name", "New name.")
_TAG = (
    Param("comment", "Free-text description."),
    Param("definition", "Must be empty: hostloom has no automatic tags."),
    Param("kernel_opts", "Kernel options for machines with the tag."),
)


def _tag_input(form: Form) -> TagInput:
    _refuse_definition(form)
    return TagInput(form.required("name"), form.text("comment") or "", form.text("kernel_opts") or "")


def _tag_changes(form: Form) -> TagChanges:
    _refuse_definition(form)
    return TagChanges(form.changed("name"), form.changed("comment"), form.changed("kernel_opts"))


def _refuse_definition(form: Form) -> None:
    if (form.text("definition") or "").strip():
        raise bad_field("definition", "hostloom has no automatic tags: leave the definition empty.")


def _shown_tag(item: Tag) -> dict[str, Any]:
    return {
        "name": item.name,
        "definition": "",
        "comment": item.description,
        "kernel_opts": item.kernel_options,
        "resource_uri": uri(f"tags/{item.name}/"),
    }


_tags = NounActions(TAGS, "name", lambda _, item: _shown_tag(item), _tag_input, _tag_changes)
tags.crud("read", "List tags.")(_tags.list)
tags.crud("create", "Create a tag.", _NAME, *_TAG)(_tags.create)
tag.crud("read", "Show a tag.")(_tags.read)
tag.crud("update", "Change a tag.", _NEW_NAME, *_TAG)(_tags.update)


@tag.crud("delete", "Delete a tag, and remove it from all nodes and hosts.")
def delete_tag(call: Call) -> MaasResponse:
    """Delete a tag, even one in use, like MAAS."""
    with call.begin() as uow:
        groupings.delete_tag(uow, call.principal, call.places["name"])
        uow.commit()
    return GONE


@tag.op(
    "POST",
    "update_nodes",
    "Add a tag to nodes, and remove it from others.",
    Param("add", "System ids of nodes that get the tag; may be repeated."),
    Param("remove", "System ids of nodes that lose the tag; may be repeated."),
    Param("definition", "Must be empty: hostloom has no automatic tags."),
    Param("rack_controller", "Accepted and ignored: only the server evaluates tags."),
)
def update_nodes(call: Call) -> MaasResponse:
    """Return the counts. An unknown node cancels all changes."""
    _refuse_definition(call.form)
    name = call.places["name"]
    with call.begin() as uow:
        TAGS.get(uow, call.principal, name)
        counts = {}
        for label, field in (("added", "add"), ("removed", "remove")):
            keys = dict.fromkeys(call.form.texts(field))
            for key in keys:
                _tag_node(call, uow, name, key, field)
            counts[label] = len(keys)
        uow.commit()
    return answer(counts)


def _tag_node(call: Call, uow: UnitOfWork, name: str, key: str, field: str) -> None:
    try:
        node = nodes.get(uow, call.principal, key)
    except NotFound:
        raise bad_field(field, f"Node {key[:60]!r} does not exist.") from None
    remaining = tuple(tag for tag in node.tags if tag != name)
    node_tags = (*remaining, name) if field == "add" else remaining
    if set(node_tags) != set(node.tags):
        nodes.update(uow, call.principal, node.system_id, NodeChanges(tags=node_tags))


@tag.op("GET", "nodes", "List the nodes with a tag.")
def tagged_nodes(call: Call) -> MaasResponse:
    """List in the order of system ids, with nodes of all kinds."""
    return _tagged(call, frozenset(NodeKind))


@tag.op("GET", "machines", "List the machines with a tag.")
def tagged_machines(call: Call) -> MaasResponse:
    """List in the order of system ids."""
    return _tagged(call, frozenset({NodeKind.MACHINE}))


@tag.op("GET", "devices", "List the devices with a tag.")
def tagged_devices(call: Call) -> MaasResponse:
    """List in the order of system ids."""
    return _tagged(call, frozenset({NodeKind.DEVICE}))


@tag.op("GET", "rack_controllers", "List the rack controllers with a tag.")
def tagged_racks(call: Call) -> MaasResponse:
    """List in the order of system ids."""
    return _tagged(call, frozenset({NodeKind.RACK_CONTROLLER, NodeKind.REGION_AND_RACK_CONTROLLER}))


@tag.op("GET", "region_controllers", "List the region controllers with a tag.")
def tagged_regions(call: Call) -> MaasResponse:
    """List in the order of system ids."""
    return _tagged(call, frozenset({NodeKind.REGION_CONTROLLER, NodeKind.REGION_AND_RACK_CONTROLLER}))


def _tagged(call: Call, kinds: frozenset[NodeKind]) -> MaasResponse:
    name = call.places["name"]
    with call.begin() as uow:
        TAGS.get(uow, call.principal, name)
        node_view = NodeView(View(uow))
        carriers = [
            node for node in nodes.list_(uow, call.principal) if name in node.tags and node.kind in kinds
        ]
        return answer(node_view.documents(carriers, machines.list_(uow, call.principal)))
