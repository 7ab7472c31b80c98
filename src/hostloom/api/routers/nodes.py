"""Nodes and their interfaces over HTTP; a node's key is its hostname or system id."""

from typing import Self

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import Out, Sent, like
from hostloom.api.names import Names
from hostloom.api.paging import PageOut, Paging
from hostloom.model.ids import SystemId
from hostloom.model.node import (
    Node,
    NodeInterface,
)
from hostloom.services import nodes
from hostloom.services.nodes import DeviceInput, InterfaceChanges, NodeChanges

router = APIRouter(prefix="/nodes", tags=["nodes"])


@like(NodeInterface, hide=("bridge_vlans", "routers"), instead={"vlan_id": "vlan"})
class InterfaceOut(Out):
    """An interface of a node.

    `role` is its purpose if that excludes machines; `master` is the link of which it is a member if that is
    not a bridge or bond of the node; `child_addresses` are the node's addresses on links above it that are
    not listed.
    """

    vlan: str | None
    addresses: list[str]
    child_addresses: list[str]

    @classmethod
    def of(cls, item: NodeInterface, names: Names) -> Self:
        """Of the model."""
        return cls.made(
            item,
            vlan=names.vlan(item.vlan_id),
            addresses=[str(address) for address in item.addresses],
            child_addresses=[str(address) for address in item.child_addresses],
        )


@like(Node, instead={"zone_id": "zone", "resource_pool_id": "resource_pool", "domain_id": "domain"})
class NodeOut(Out):
    """A node; `hosts`: its KVM hosts."""

    hosts: list[str]
    interfaces: list[InterfaceOut]
    zone: str
    resource_pool: str
    domain: str

    @classmethod
    def of(cls, item: Node, names: Names) -> Self:
        """Of the model."""
        return cls.made(
            item,
            hosts=names.hosts_of.get(item.system_id, []),
            interfaces=[InterfaceOut.of(interface, names) for interface in item.interfaces],
            zone=names.zone(item.zone_id),
            resource_pool=names.resource_pool(item.resource_pool_id),
            domain=names.domain(item.domain_id),
        )


@router.get("", response_model=PageOut[NodeOut])
def list_nodes(call: Reading, page: Paging) -> Response:
    """List nodes by system id."""
    after = None if page.after is None else SystemId(page.after)
    with call.begin() as uow:
        names = Names(uow)
        node_outs = [NodeOut.of(node, names) for node in nodes.list_(uow, call.principal, after, page.more)]
    return call.page(page, node_outs, lambda answer: answer.system_id)


@router.post("", status_code=201, response_model=NodeOut)
def create_device(call: Changing, body: Sent[DeviceInput]) -> Response:
    """Create a device: a node with NICs that hostloom does not manage."""
    return call.commit(
        201,
        lambda uow: NodeOut.of(nodes.create_device(uow, call.principal, call.ports.ids, body), Names(uow)),
    )


@router.get("/{key}", response_model=NodeOut)
def get_node(call: Reading, key: str) -> Response:
    """Show a node with its interfaces."""
    with call.begin() as uow:
        return call.one(NodeOut.of(nodes.get(uow, call.principal, key), Names(uow)))


@router.patch("/{key}", response_model=NodeOut)
def update_node(call: Changing, key: str, body: Sent[NodeChanges]) -> Response:
    """Change a node's name and groups."""
    return call.commit(
        200,
        lambda uow: NodeOut.of(nodes.update(uow, call.principal, key, body, call.generation), Names(uow)),
    )


@router.delete("/{key}", status_code=204)
def delete_node(call: Changing, key: str) -> Response:
    """Delete a node that is neither a machine nor a host."""
    return call.commit(204, lambda uow: nodes.delete(uow, call.principal, key, call.generation))


@router.patch("/{key}/interfaces/{interface}", response_model=NodeOut)
def update_node_interface(call: Changing, key: str, interface: str, body: Sent[InterfaceChanges]) -> Response:
    """Set what hostloom cannot detect about an interface; returns its node."""
    return call.commit(
        200,
        lambda uow: NodeOut.of(
            nodes.update_interface(uow, call.principal, key, interface, body, call.generation),
            Names(uow),
        ),
    )
