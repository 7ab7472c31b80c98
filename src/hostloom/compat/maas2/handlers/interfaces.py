"""`nodes/{system_id}/interfaces/`: NICs of machines, devices and controllers."""

from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, bad_field, not_found, refuse
from hostloom.compat.maas2.views.interfaces import NIC_TAGS
from hostloom.compat.maas2.views.machines import MachineView
from hostloom.compat.maas2.views.network import View
from hostloom.model.annotation import Annotated
from hostloom.model.ids import MacAddress
from hostloom.model.keep import KEEP
from hostloom.model.machine import MachineOrigin
from hostloom.model.node import Node, NodeKind
from hostloom.ports.store import UnitOfWork
from hostloom.services import annotations, nics, nodes
from hostloom.services.nics import NicInput
from hostloom.services.nodes import InterfaceChanges

interfaces = Resource("Interfaces", "nodes/{system_id}/interfaces/", "Manage the interfaces of a node.")
interface = Resource(
    "Interface", "nodes/{system_id}/interfaces/{id}/", "Manage an interface of a node.",
    ("nodes/{system_id}/interfaces/{id}",),
)  # fmt: skip

_VLAN = Param("vlan", "Id of the VLAN.")
_TAGS = Param("tags", "Tags, separated by commas.")
_UNUSED = (
    Param("mtu", "MTU; must be the MTU of the VLAN.", "Int"),
    Param("accept_ra", "Must be empty: hostloom does not configure the systems inside machines."),
    Param("autoconf", "Must be empty: hostloom does not configure the systems inside machines."),
    Param("interface_speed", "Speed in Mbit/s.", "Int"),
    Param("link_speed", "Speed in Mbit/s.", "Int"),
    Param("link_connected", "Whether the link has a carrier; read-only.", "Boolean"),
    Param("enabled", "Whether the interface is up.", "Boolean"),
)
#: Interfaces inside a machine, which only a deployment could create.
_INSIDE = {"bond": "a bond", "bridge": "a bridge", "vlan": "a VLAN interface"}


@interfaces.crud("read", "List the interfaces of a node.")
def list_interfaces(call: Call) -> MaasResponse:
    """List in the order of the node."""
    with call.begin() as uow:
        return answer(interface_documents(uow, node_of(call, uow)))


@interfaces.op(
    "POST",
    "create_physical",
    "Add a NIC to a device, or to a machine without a VM host.",
    Param("mac_address", "MAC of the NIC.", required=True),
    Param("name", "Name of the NIC; the next free `ethN` by default."),
    _VLAN,
    _TAGS,
    *_UNUSED,
)
def create_physical(call: Call) -> MaasResponse:
    """Return the new NIC."""
    form = call.form
    _refuse_unused(form)
    mac = MacAddress.parse(form.required("mac_address"), "mac_address")
    nic_input = NicInput(mac, form.text("name") or None, form.text("vlan") or None, tuple(form.texts("tags")))
    with call.begin() as uow:
        node = node_of(call, uow)
        nic = nics.add(uow, call.principal, node.system_id, nic_input)
        document = interface_document(uow, uow.nodes.get(node.system_id), nic.id)
        uow.commit()
    return answer(document)


def _offer_inside(kind: str, label: str) -> None:
    @interfaces.op(
        "POST",
        f"create_{kind}",
        f"Create {label} inside a machine: hostloom does not support this.",
        Param("name", "Name of the interface."),
        Param("mac_address", "MAC of the NIC."),
        Param("parents", "Ids of the parent interfaces."),
        Param("parent", "Id of the parent interface."),
        Param("bond_mode", "The mode of a bond."),
        Param("bridge_type", "The type of a bridge."),
        Param("bridge_stp", "Whether the bridge uses STP.", "Boolean"),
        Param("bridge_fd", "Forward delay of the bridge in seconds.", "Int"),
        _VLAN,
        _TAGS,
        *_UNUSED,
    )
    def create(call: Call) -> MaasResponse:
        """Always refuse, with the reason."""
        with call.begin() as uow:
            node = node_of(call, uow)
        raise refuse(
            409,
            f"{label.capitalize()} of {node.hostname} can be created only by its own system.",
        )


for _kind, _label in _INSIDE.items():
    _offer_inside(_kind, _label)


@interface.crud("read", "Show an interface.")
def read_interface(call: Call) -> MaasResponse:
    """Look up by id or name."""
    with call.begin() as uow:
        node = node_of(call, uow)
        return answer(interface_document(uow, node, call.places["id"]))


@interface.crud(
    "update",
    "Change the tags of an interface; for a device or bare machine also its VLAN and speed.",
    Param("name", "Name; cannot be changed."),
    Param("mac_address", "MAC; cannot be changed."),
    _VLAN,
    _TAGS,
    *_UNUSED,
)
def update_interface(call: Call) -> MaasResponse:
    """Apply the fields that the client sent."""
    form = call.form
    with call.begin() as uow:
        node = node_of(call, uow)
        document = interface_document(uow, node, call.places["id"])
        _refuse_other(form, document)
        if is_of_host(uow, node):
            _refuse_vlan(form, document)
            _keep_tags(call, uow, node, document, form)
        else:
            changes = InterfaceChanges(
                form.text("vlan") or None if "vlan" in form else KEEP,
                tuple(form.texts("tags")) if "tags" in form else KEEP,
                _flag(form, "enabled"),
                _speed(form),
            )
            key = str(document["id"])
            node = nodes.update_interface(uow, call.principal, node.system_id, key, changes)
        document = interface_document(uow, node, str(document["id"]))
        uow.commit()
    return answer(document)


@interface.crud("delete", "Remove a NIC from a device, a machine without a VM host, or a composed machine.")
def delete_interface(call: Call) -> MaasResponse:
    """Release the addresses and remove the NIC. A running composed machine keeps it until power-off."""
    with call.begin() as uow:
        node = node_of(call, uow)
        name = interface_document(uow, node, call.places["id"])["name"]
        if is_of_host(uow, node):
            nics.remove_composed(call.ports, call.principal, node.system_id, name)
            return GONE
        nics.remove(uow, call.principal, node.system_id, name)
        uow.commit()
    return GONE


@interface.op("POST", "add_tag", "Add a tag to an interface.", Param("tag", "The tag.", required=True))
def add_tag(call: Call) -> MaasResponse:
    """Return the interface. An existing tag is no error."""
    return _tagged(call, add=True)


@interface.op(
    "POST", "remove_tag", "Remove a tag from an interface.", Param("tag", "The tag.", required=True)
)
def remove_tag(call: Call) -> MaasResponse:
    """Return the interface. A missing tag is no error."""
    return _tagged(call, add=False)


def _tagged(call: Call, *, add: bool) -> MaasResponse:
    tag = call.form.required("tag").strip()
    with call.begin() as uow:
        node = node_of(call, uow)
        document = interface_document(uow, node, call.places["id"])
        remaining = [text for text in document["tags"] if text != tag]
        form = Form({"tags": [",".join([*remaining, *([tag] if add else [])])]})
        if is_of_host(uow, node):
            _keep_tags(call, uow, node, document, form)
        else:
            changes = InterfaceChanges(tags=tuple(form.texts("tags")))
            node = nodes.update_interface(uow, call.principal, node.system_id, str(document["id"]), changes)
        document = interface_document(uow, node, str(document["id"]))
        uow.commit()
    return answer(document)


def node_of(call: Call, uow: UnitOfWork) -> Node:
    """Look up a node by system id, not by hostname."""
    key = call.places["system_id"]
    node = nodes.get(uow, call.principal, key)
    if node.system_id != key:
        raise not_found("Node")
    return node


def is_of_host(uow: UnitOfWork, node: Node) -> bool:
    """Whether the NICs belong to a libvirt domain on a host."""
    machines = uow.machines.some([node.system_id]) if node.kind is NodeKind.MACHINE else []
    return bool(machines) and machines[0].origin is not MachineOrigin.ENLISTED


def interface_documents(uow: UnitOfWork, node: Node) -> list[dict[str, Any]]:
    """Make the documents of the interfaces of a node."""
    view = MachineView(View(uow))
    machines = uow.machines.some([node.system_id]) if node.kind is NodeKind.MACHINE else []
    return view.interfaces(machines[0], node) if machines else view.node_interfaces(node)


def interface_document(uow: UnitOfWork, node: Node, key: object) -> dict[str, Any]:
    """Look up the document of an interface by id or name."""
    for document in interface_documents(uow, node):
        if str(key) in (str(document["id"]), document["name"]):
            return document
    raise not_found("Interface")


def _refuse_unused(form: Form) -> None:
    for name in ("mtu", "accept_ra", "autoconf"):
        if form.text(name):
            raise bad_field(name, "An interface has the MTU of its VLAN, and its own system sets the rest.")


def _refuse_other(form: Form, document: dict[str, Any]) -> None:
    """Accept unchanged values of fixed attributes and refuse others."""
    for name, current in (("name", document["name"]), ("mac_address", document["mac_address"])):
        if (form.text(name) or current).lower() != current:
            raise bad_field(name, f"The value {current} cannot be changed.")
    if form.whole("mtu") not in (None, document["effective_mtu"]):
        raise bad_field("mtu", f"An interface has the MTU of its VLAN: {document['effective_mtu']}.")
    for name in ("accept_ra", "autoconf"):
        if form.text(name):
            raise bad_field(name, "Its own system sets this.")


def _refuse_vlan(form: Form, document: dict[str, Any]) -> None:
    vlan = document["vlan"]
    if (form.text("vlan") or "") not in ("", "" if vlan is None else str(vlan["id"])):
        raise bad_field("vlan", "The VLAN of an attached NIC cannot be changed: compose another machine.")


def _keep_tags(call: Call, uow: UnitOfWork, node: Node, document: dict[str, Any], form: Form) -> None:
    if "tags" in form:
        annotation = annotations.of(uow, call.principal, Annotated.NODE, [node.system_id]).get(
            node.system_id, {}
        )
        tags = annotations.checked_tags(form.texts("tags"))
        by_nic = {**annotation.get(NIC_TAGS, {}), document["mac_address"]: tags}
        annotations.merge(uow, call.principal, Annotated.NODE, node.system_id, {NIC_TAGS: by_nic})


def _flag(form: Form, name: str) -> Any:
    value = form.flag(name)
    return KEEP if value is None else value


def _speed(form: Form) -> Any:
    value = form.whole("link_speed", 0)
    return KEEP if value is None else value
