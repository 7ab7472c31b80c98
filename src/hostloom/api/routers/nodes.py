"""Nodes and their interfaces over HTTP; a node's key is its hostname or system id."""

from typing import Self

from fastapi import APIRouter, Response
from pydantic import Field

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import ABSENT, Flag, In, Int, Mac, Out, Patch, Text
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.model.ids import SystemId
from hostloom.model.node import (
    BridgeKind,
    InterfaceKind,
    InterfaceRole,
    Node,
    NodeInterface,
    NodeKind,
    VlanSource,
)
from hostloom.services import nodes
from hostloom.services.nodes import DeviceInput, InterfaceChanges, NodeChanges

router = APIRouter(prefix="/nodes", tags=["nodes"])


class DeviceIn(In):
    """A device to create; zone, resource pool, domain and VLAN by name or id."""

    hostname: Text
    macs: list[Mac]
    vlan: Text | None = None
    zone: Text | None = None
    resource_pool: Text | None = None
    domain: Text | None = None
    tags: list[Text] = Field(default_factory=list)
    description: Text = ""


class NodePatch(Patch):
    """What to change of a node."""

    hostname: Text = ABSENT
    zone: Text = ABSENT
    resource_pool: Text = ABSENT
    domain: Text = ABSENT
    tags: list[Text] = ABSENT
    description: Text = ABSENT


class InterfacePatch(Patch):
    """The operator's word on an interface; a `vlan` of null: on none that we know. `link_speed` in Mbit/s."""

    vlan: Text | None = ABSENT
    tags: list[Text] = ABSENT
    enabled: Flag = ABSENT
    link_speed: Int = ABSENT


class InterfaceOut(Out):
    """An interface of a node.

    `role` says what it is for, where that bars machines from it; `master` what it is a member of, where that
    is no bridge or bond of the node; `child_addresses` are the node's addresses on links above it, which are
    not listed.
    """

    id: int
    name: str
    kind: InterfaceKind
    mac: Mac | None
    vlan: str | None
    vlan_source: VlanSource
    addresses: list[str]
    parents: list[str]
    bridge_kind: BridgeKind | None
    tag_vid: int | None
    enabled: bool
    link: bool
    mtu: int
    link_speed: int
    tags: list[str]
    role: InterfaceRole
    master: str
    child_addresses: list[str]

    @classmethod
    def of(cls, item: NodeInterface, names: Names) -> Self:
        """Of the model."""
        return cls(
            id=item.id,
            name=item.name,
            kind=item.kind,
            mac=item.mac,
            vlan=names.vlan(item.vlan_id),
            vlan_source=item.vlan_source,
            addresses=[str(each) for each in item.addresses],
            parents=list(item.parents),
            bridge_kind=item.bridge_kind,
            tag_vid=item.tag_vid,
            enabled=item.enabled,
            link=item.link,
            mtu=item.mtu,
            link_speed=item.link_speed,
            tags=list(item.tags),
            role=item.role,
            master=item.master,
            child_addresses=[str(address) for address in item.child_addresses],
        )


class NodeOut(Out):
    """A node; `hosts`: the KVM hosts that it is."""

    system_id: str
    hostname: str
    kind: NodeKind
    hosts: list[str]
    interfaces: list[InterfaceOut]
    zone: str
    resource_pool: str
    domain: str
    tags: list[str]
    description: str
    scanned_at: float | None
    generation: int

    @classmethod
    def of(cls, item: Node, names: Names) -> Self:
        """Of the model."""
        return cls(
            system_id=item.system_id,
            hostname=item.hostname,
            kind=item.kind,
            hosts=names.hosts_of.get(item.system_id, []),
            interfaces=[InterfaceOut.of(each, names) for each in item.interfaces],
            zone=names.zone(item.zone_id),
            resource_pool=names.resource_pool(item.resource_pool_id),
            domain=names.domain(item.domain_id),
            tags=list(item.tags),
            description=item.description,
            scanned_at=item.scanned_at,
            generation=item.generation,
        )


@router.get("", response_model=PageOut[NodeOut])
def list_nodes(call: Reading, page: Paging) -> Response:
    """List nodes by system id."""
    after = None if page.after is None else SystemId(page.after)
    with call.begin() as uow:
        names = Names(uow)
        found = [NodeOut.of(each, names) for each in nodes.list_(uow, call.principal, after, page.more)]
    return call.page(page, found, lambda each: each.system_id)


@router.post("", status_code=201, response_model=NodeOut)
def create_device(call: Changing, body: DeviceIn) -> Response:
    """Create a device: something with NICs that hostloom does not manage."""
    fields = {name: getattr(body, name) for name in DeviceIn.model_fields}
    wanted = DeviceInput(**fields | {"macs": tuple(body.macs), "tags": tuple(body.tags)})
    return call.commit(
        201,
        lambda uow: NodeOut.of(nodes.create_device(uow, call.principal, call.ports.ids, wanted), Names(uow)),
    )


@router.get("/{key}", response_model=NodeOut)
def get_node(call: Reading, key: str) -> Response:
    """Show a node with its interfaces."""
    with call.begin() as uow:
        return call.one(NodeOut.of(nodes.get(uow, call.principal, key), Names(uow)))


@router.patch("/{key}", response_model=NodeOut)
def update_node(call: Changing, key: str, body: NodePatch) -> Response:
    """Change a node's name and groups."""
    changes = NodeChanges(**body.sent(tags=tuple))
    return call.commit(
        200,
        lambda uow: NodeOut.of(nodes.update(uow, call.principal, key, changes, call.generation), Names(uow)),
    )


@router.delete("/{key}", status_code=204)
def delete_node(call: Changing, key: str) -> Response:
    """Delete a node that is neither machine nor host."""
    return call.commit(204, lambda uow: nodes.delete(uow, call.principal, key, call.generation))


@router.patch("/{key}/interfaces/{interface}", response_model=NodeOut)
def update_node_interface(call: Changing, key: str, interface: str, body: InterfacePatch) -> Response:
    """Say what cannot be seen of an interface; answers with its node."""
    changes = InterfaceChanges(**body.sent(tags=tuple))
    return call.commit(
        200,
        lambda uow: NodeOut.of(
            nodes.update_interface(uow, call.principal, key, interface, changes, call.generation),
            Names(uow),
        ),
    )
