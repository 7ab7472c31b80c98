"""Conversion of the nodes in MAAS's API, with their interfaces and addresses."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network

from hostloom.migration.maas import vocabulary
from hostloom.migration.maas.api_fields import Body, optional_id
from hostloom.model.ids import (
    DomainId,
    HostId,
    InterfaceId,
    MacAddress,
    ResourcePoolId,
    SubnetId,
    SystemId,
    VlanId,
    ZoneId,
)
from hostloom.model.network import DEFAULT_MTU, Address, AddressKind, HeldAddress
from hostloom.model.node import InterfaceKind, LinkMode, Node, NodeInterface, NodeKind
from hostloom.model.source_inventory import SourceDevice, SourceLink, SourceMachine


def node_kind(body: Body) -> NodeKind:
    """Return the kind of a node."""
    return vocabulary.NODE_KINDS[int(body["node_type"])]


def node(body: Body) -> Node:
    """Convert a node."""
    return Node(
        SystemId(body["system_id"]),
        body["hostname"],
        node_kind(body),
        tuple(_interfaces(body)),
        zone_id=ZoneId(optional_id(body, "zone") or 0),
        resource_pool_id=ResourcePoolId(optional_id(body, "pool") or 0),
        domain_id=DomainId(optional_id(body, "domain") or 0),
        tags=tuple(body.get("tag_names") or ()),
        description=body.get("description") or "",
    )


def machine(body: Body) -> SourceMachine:
    """Convert the machine of a node."""
    host = optional_id(body, "pod")
    return SourceMachine(
        SystemId(body["system_id"]),
        uuid=body.get("hardware_uuid") or "",
        state=vocabulary.STATES[int(body["status"])],
        architecture=vocabulary.architecture(body.get("architecture")),
        cores=int(body.get("cpu_count") or 0),
        memory_mib=int(body.get("memory") or 0),
        owner=body.get("owner") or "",
        locked=bool(body.get("locked")),
        host_id=None if host is None else HostId(host),
    )


def device(body: Body) -> SourceDevice:
    """Convert the device of a node."""
    parent = body.get("parent")
    return SourceDevice(
        SystemId(body["system_id"]), body.get("owner") or "", SystemId(parent) if parent else None
    )


def nics(body: Body) -> Iterator[Body]:
    """List the interfaces that an import reads."""
    yield from (nic for nic in body.get("interface_set") or () if nic["type"] in vocabulary.INTERFACE_KINDS)


def links_of(body: Body) -> Iterator[SourceLink]:
    """List the links of the interfaces of a node."""
    for nic in nics(body):
        for link in nic.get("links") or ():
            if link.get("mode") in list(LinkMode):
                cidr, ip = (link.get("subnet") or {}).get("cidr"), link.get("ip_address")
                yield SourceLink(
                    SystemId(body["system_id"]),
                    nic["name"],
                    LinkMode(link["mode"]),
                    ip_address(ip) if ip else None,
                    ip_network(cidr) if cidr else None,
                )


def _interfaces(body: Body) -> Iterator[NodeInterface]:
    for nic in body.get("interface_set") or ():
        kind = vocabulary.INTERFACE_KINDS.get(nic["type"])
        if kind is not None:
            yield _interface(nic, kind)


def _interface(nic: Body, kind: InterfaceKind) -> NodeInterface:
    vlan, mac = nic.get("vlan") or None, nic.get("mac_address")
    return NodeInterface(
        InterfaceId(int(nic["id"])),
        nic["name"],
        kind,
        MacAddress.parse(mac) if mac else None,
        None if vlan is None else VlanId(int(vlan["id"])),
        addresses=tuple(_addresses(nic)),
        parents=tuple(nic.get("parents") or ()),
        bridge_kind=vocabulary.bridge_kind(kind, nic.get("params") or {}),
        tag_vid=int(vlan["vid"]) if vlan and kind is InterfaceKind.VLAN else None,
        enabled=bool(nic.get("enabled", True)),
        link=bool(nic.get("link_connected", True)),
        mtu=int(nic.get("effective_mtu") or DEFAULT_MTU),
        link_speed=int(nic.get("link_speed") or 0),
        tags=tuple(nic.get("tags") or ()),
    )


def _addresses(interface: Body) -> Iterator[IPv4Interface | IPv6Interface]:
    """List the assigned and the observed addresses of an interface."""
    links = [*(interface.get("links") or ()), *(interface.get("discovered") or ())]
    addresses: dict[Address, IPv4Interface | IPv6Interface] = {}
    for link in links:
        if link.get("ip_address"):
            ip = ip_address(link["ip_address"])
            subnet = link.get("subnet") or {}
            length = ip_network(subnet["cidr"]).prefixlen if "cidr" in subnet else ip.max_prefixlen
            addresses.setdefault(ip, ip_interface(f"{ip}/{length}"))
    yield from addresses.values()


def assigned_addresses(nodes: Iterable[Body]) -> Iterator[HeldAddress]:
    """List the addresses that MAAS assigned to NICs, each once."""
    texts = set()
    for body in nodes:
        for nic in body.get("interface_set") or ():
            for link in nic.get("links") or ():
                if _is_assigned(link) and link["ip_address"] not in texts:
                    texts.add(link["ip_address"])
                    yield _assigned_address(body, nic, link)


def _is_assigned(link: Body) -> bool:
    return bool(link.get("ip_address")) and link.get("mode") in vocabulary.GIVEN_MODES


def _assigned_address(body: Body, nic: Body, link: Body) -> HeldAddress:
    key = optional_id(link, "subnet")
    return HeldAddress(
        ip_address(link["ip_address"]),
        AddressKind(link["mode"]),
        None if key is None else SubnetId(key),
        body["system_id"],
        nic["name"],
    )
