"""Nodes, and the operator's settings for what hostloom cannot detect."""

from dataclasses import dataclass, replace

from hostloom.model.access import Principal
from hostloom.model.errors.resources import AlreadyExists, InUse, NotFound
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import InterfaceId, MacAddress, SystemId, check_hostname
from hostloom.model.keep import KEEP, Keep, changed_fields
from hostloom.model.machine import MachineOrigin
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind, VlanSource
from hostloom.ports.context import IdSource
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_admin, require_user
from hostloom.services.groupings import check_tag, with_group_ids
from hostloom.services.machines import require_unlocked, way_out
from hostloom.services.naming import check_generation, is_id
from hostloom.services.nouns import fields_of
from hostloom.services.vlans import VLANS

#: Mbit/s: 1 Tbit/s, above any Ethernet standard.
MAX_LINK_SPEED = 1_000_000
#: The store assigns an id.
NEW_INTERFACE = InterfaceId(0)


@dataclass(frozen=True)
class DeviceInput:
    """A device to create; zone, resource pool, domain and VLAN by name or id."""

    hostname: str
    macs: tuple[MacAddress, ...]
    vlan: str | None = None
    zone: str | None = None
    resource_pool: str | None = None
    domain: str | None = None
    tags: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class NodeChanges:
    """What to change of a node."""

    hostname: str | Keep = KEEP
    zone: str | Keep = KEEP
    resource_pool: str | Keep = KEEP
    domain: str | Keep = KEEP
    tags: tuple[str, ...] | Keep = KEEP
    description: str | Keep = KEEP


@dataclass(frozen=True)
class InterfaceChanges:
    """The operator's settings for an interface; a `vlan` of null: unknown. `link_speed` in Mbit/s."""

    vlan: str | Keep | None = KEEP
    tags: tuple[str, ...] | Keep = KEEP
    enabled: bool | Keep = KEEP
    #: Mbit/s; 0: unknown.
    link_speed: int | Keep = KEEP


def list_(
    uow: UnitOfWork, principal: Principal, after: SystemId | None = None, limit: int | None = None
) -> list[Node]:
    """By system id."""
    require_user(principal, "see nodes")
    return uow.nodes.list(after, limit)


def get(uow: UnitOfWork, principal: Principal, key: str) -> Node:
    """By hostname or system id; NotFound."""
    require_user(principal, "see nodes")
    return uow.nodes.find(key) or uow.nodes.get(SystemId(key))


def create_device(uow: UnitOfWork, principal: Principal, ids: IdSource, fields: DeviceInput) -> Node:
    """Create a device: a node with NICs that hostloom does not manage."""
    require_admin(principal, "create devices")
    check_free_hostname(uow, fields.hostname)
    check_macs(uow, fields.macs)
    vlan = None if fields.vlan is None else VLANS.get(uow, principal, fields.vlan).id
    source = VlanSource.NONE if vlan is None else VlanSource.OPERATOR
    interfaces = tuple(
        NodeInterface(NEW_INTERFACE, f"eth{n}", InterfaceKind.PHYSICAL, mac, vlan, source)
        for n, mac in enumerate(fields.macs)
    )
    device_fields = fields_of(fields, "macs", "vlan", interfaces=interfaces, tags=_tags(fields.tags))
    device = Node(ids.system_id(), kind=NodeKind.DEVICE, **with_group_ids(uow, device_fields))
    return uow.nodes.add(device)


def update(
    uow: UnitOfWork, principal: Principal, key: str, changes: NodeChanges, generation: int | None = None
) -> Node:
    """Change a node's name and groups."""
    require_admin(principal, "change nodes")
    node = get(uow, principal, key)
    check_generation("node", key, node, generation)
    for machine in uow.machines.some([node.system_id]) if node.kind is NodeKind.MACHINE else ():
        require_unlocked(machine)
    changed = replace(node, **with_group_ids(uow, changed_fields(changes)))
    if changed.hostname != node.hostname:
        check_free_hostname(uow, changed.hostname, node.system_id)
    return uow.nodes.update(replace(changed, tags=_tags(changed.tags)))


def delete(uow: UnitOfWork, principal: Principal, key: str, generation: int | None = None) -> None:
    """Delete a node that is neither a machine nor a host; otherwise InUse."""
    require_admin(principal, "delete nodes")
    node = get(uow, principal, key)
    check_generation("node", key, node, generation)
    for machine in uow.machines.some([node.system_id]) if node.kind is NodeKind.MACHINE else ():
        is_ours = machine.origin is MachineOrigin.COMPOSED
        way_out_text = f"`hostloom machine decompose {machine.hostname}` takes it apart"
        hint = way_out_text if is_ours else way_out(uow, machine)
        raise InUse("node", node.hostname, [f"machine {machine.hostname}"], hint)
    uow.nodes.delete(node.system_id)


def get_interface(node: Node, key: str) -> NodeInterface:
    """An interface of a node by name or id; NotFound."""
    for interface in node.interfaces:
        if interface.name == key or (is_id(key) and interface.id == int(key)):
            return interface
    raise NotFound("interface", key, f"node {node.hostname!r}")


def update_interface(
    uow: UnitOfWork,
    principal: Principal,
    key: str,
    interface: str,
    changes: InterfaceChanges,
    generation: int | None = None,
) -> Node:
    """Set what cannot be detected about an interface; refreshes keep the VLAN that is set here."""
    require_admin(principal, "change interfaces")
    node = get(uow, principal, key)
    check_generation("node", key, node, generation)
    current = get_interface(node, interface)
    fields = changed_fields(changes)
    if "vlan" in fields:
        vlan = fields.pop("vlan")
        fields["vlan_id"] = None if vlan is None else VLANS.get(uow, principal, vlan).id
        fields["vlan_source"] = VlanSource.OPERATOR
    changed = replace(current, **fields)
    if not 0 <= changed.link_speed <= MAX_LINK_SPEED:
        raise InvalidValue(
            "link_speed",
            changed.link_speed,
            "is out of range",
            f"give Mbit/s from 0 (unknown) to {MAX_LINK_SPEED}",
        )
    return uow.nodes.update_interface(node.system_id, replace(changed, tags=_tags(changed.tags)))


def _tags(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(check_tag(word, "tags") for word in words))


def check_free_hostname(uow: UnitOfWork, hostname: str, of: SystemId | None = None) -> None:
    """Raise unless it is a hostname that no other node has, ignoring case like DNS."""
    check_hostname(hostname, "hostname")
    for node in uow.nodes.list():
        if node.hostname.lower() == hostname.lower() and node.system_id != of:
            raise AlreadyExists("node", node.hostname)


def check_macs(uow: UnitOfWork, macs: tuple[MacAddress, ...]) -> None:
    """Raise unless these are unicast MACs that no node has."""
    if not macs:
        raise InvalidValue("macs", None, "is empty", "give at least one MAC address")
    holders = {nic.mac: node.hostname for node in uow.nodes.list() for nic in node.interfaces if nic.mac}
    for mac in macs:
        if not mac.is_unicast:
            raise InvalidValue("macs", mac, "is not a unicast address", "give the MAC address of a NIC")
        if mac in holders:
            raise AlreadyExists("MAC address", mac, f"belongs to node {holders[mac]!r}")
    if len(set(macs)) < len(macs):
        raise InvalidValue("macs", macs, "repeat an address", "give each MAC address once")
