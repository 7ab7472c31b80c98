"""`devices/`: nodes with NICs that hostloom does not manage."""

from collections.abc import Callable
from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.handlers.machine_actions import ANY
from hostloom.compat.maas2.merging import without_empty
from hostloom.compat.maas2.references import optional_key
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, bad_field, not_found
from hostloom.compat.maas2.views.machines import OWNER_DATA
from hostloom.compat.maas2.views.network import View
from hostloom.compat.maas2.views.nodes import NodeView
from hostloom.model.annotation import OWNER, PARENT, Annotated
from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.keep import KEEP
from hostloom.model.node import Node, NodeKind
from hostloom.ports.store import UnitOfWork
from hostloom.services import annotations, nic_links, nodes
from hostloom.services.access import require_admin
from hostloom.services.nodes import DeviceInput, NodeChanges

devices = Resource("Devices", "devices/", "Manage devices.")
device = Resource("Device", "devices/{system_id}/", "Manage a device.")
RESOURCES = (devices, device)

_DOMAIN = Param("domain", "Its domain, by name or id.")
_PARENT = Param("parent", "The machine that it is part of, by system id: a container's. Kept for clients.")
_ZONE = Param("zone", "Its zone, by name or id.")


@devices.crud(
    "read",
    "List devices.",
    Param("hostname", "Only those of these names; may be repeated."),
    Param("mac_address", "Only those with a NIC of these MACs; may be repeated."),
    Param("id", "Only those of these system ids; may be repeated."),
    Param("domain", "Only those in this domain, by name."),
    Param("zone", "Only those in this zone, by name."),
    Param("agent_name", "Empty: no agent has devices."),
)
def list_devices(call: Call) -> MaasResponse:
    """List in the order of system ids."""
    form = call.form
    matches = _node_filter(form)
    with call.begin() as uow:
        node_view = NodeView(View(uow))
        documents = [node_view.device(node) for node in nodes.list_(uow, call.principal) if matches(node)]
    if form.text("agent_name"):
        return answer([])
    names = {name: form.text(name) for name in ("domain", "zone") if form.text(name)}
    return answer(
        [document for document in documents if all(document[k]["name"] == v for k, v in names.items())]
    )


def _node_filter(form: Form) -> Callable[[Node], bool]:
    hostnames, ids = form.texts("hostname"), form.texts("id")
    macs = {MacAddress.parse(text, "mac_address") for text in form.texts("mac_address")}

    def matches(node: Node) -> bool:
        return (
            node.kind is NodeKind.DEVICE
            and (not hostnames or node.hostname in hostnames)
            and (not ids or node.system_id in ids)
            and (not macs or bool(macs & {nic.mac for nic in node.interfaces}))
        )

    return matches


@devices.crud(
    "create",
    "Create a device.",
    Param("mac_addresses", "Its MACs; may be repeated.", required=True),
    Param("hostname", "Its name; without one it is made up."),
    Param("description", "A description."),
    _DOMAIN,
    _PARENT,
    _ZONE,
)
def create_device(call: Call) -> MaasResponse:
    """Create a device with a NIC for each MAC, owned by the current user."""
    form = call.form
    macs = tuple(MacAddress.parse(text, "mac_addresses") for text in form.texts("mac_addresses"))
    if not macs:
        raise bad_field("mac_addresses", "This field is required.")
    with call.begin() as uow:
        device_input = DeviceInput(
            form.text("hostname") or call.ports.ids.hostname(),
            macs,
            zone=optional_key(form, "zone", uow.zones),
            domain=optional_key(form, "domain", uow.domains),
            description=form.text("description") or "",
        )
        node = nodes.create_device(uow, call.principal, call.ports.ids, device_input)
        annotations.merge(uow, call.principal, Annotated.NODE, node.system_id, {OWNER: call.principal.name})
        _keep_parent(call, uow, node.system_id)
        document = NodeView(View(uow)).device(uow.nodes.get(node.system_id))
        uow.commit()
    return answer(document)


@device.crud("read", "Show a device.")
def read_device(call: Call) -> MaasResponse:
    """Look up by system id."""
    with call.begin() as uow:
        return answer(NodeView(View(uow)).device(_find(call, uow)))


@device.crud(
    "update",
    "Change a device.",
    Param("hostname", "A new name."),
    Param("description", "A description."),
    _DOMAIN,
    _PARENT,
    _ZONE,
)
def update_device(call: Call) -> MaasResponse:
    """Apply the fields that the client sent."""
    form = call.form
    with call.begin() as uow:
        changes = NodeChanges(
            form.changed("hostname") or KEEP,
            optional_key(form, "zone", uow.zones) or KEEP,
            domain=optional_key(form, "domain", uow.domains) or KEEP,
            description=form.changed("description"),
        )
        changed = nodes.update(uow, call.principal, _find(call, uow).system_id, changes)
        _keep_parent(call, uow, changed.system_id)
        document: dict[str, Any] = NodeView(View(uow)).device(changed)
        uow.commit()
    return answer(document)


@device.crud("delete", "Delete a device; its addresses are given back.")
def delete_device(call: Call) -> MaasResponse:
    """Delete by system id."""
    with call.begin() as uow:
        node = _find(call, uow)
        for nic in node.interfaces:
            nic_links.let_go(uow, call.principal, node.system_id, nic.name)
        nodes.delete(uow, call.principal, node.system_id)
        uow.commit()
    return GONE


@device.op("POST", "set_owner_data", "Keep keys and values with a device.", ANY, prefixes=("",))
@device.op("POST", "set_workload_annotations", "The same under its newer name.", ANY, prefixes=("",))
def set_owner_data(call: Call) -> MaasResponse:
    """Return the device."""
    require_admin(call.principal, "keep data with devices")
    changes = {name: call.form.text(name) or "" for name in call.form.names}
    with call.begin() as uow:
        node = _find(call, uow)
        annotation = annotations.of(uow, call.principal, Annotated.NODE, [node.system_id]).get(
            node.system_id, {}
        )
        owner_data = without_empty(annotation.get(OWNER_DATA, {}), changes)
        annotations.merge(uow, call.principal, Annotated.NODE, node.system_id, {OWNER_DATA: owner_data})
        document = NodeView(View(uow)).device(node)
        uow.commit()
    return answer(document)


def _find(call: Call, uow: UnitOfWork) -> Node:
    key = call.places["system_id"]
    node = nodes.get(uow, call.principal, key)
    if node.system_id != key or node.kind is not NodeKind.DEVICE:
        raise not_found("Device")
    return node


def _keep_parent(call: Call, uow: UnitOfWork, system_id: SystemId) -> None:
    """Store the parent that the client sent. An empty value removes it."""
    parent = call.form.text("parent")
    if parent is None:
        return
    world = uow.snapshot()
    if parent and SystemId(parent) not in world.node_by_system_id:
        raise bad_field("parent", f"There is no machine of system id {parent[:60]!r}.")
    annotations.merge(uow, call.principal, Annotated.NODE, system_id, {PARENT: parent or None})
