"""Conversion of the groups and the network in MAAS's API."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from hostloom.migration.maas.api_fields import Body, nested_id, optional_id
from hostloom.model.grouping import Domain, ResourcePool, Zone
from hostloom.model.ids import DomainId, FabricId, RangeId, ResourcePoolId, SpaceId, SubnetId, VlanId, ZoneId
from hostloom.model.network import DEFAULT_MTU, Fabric, IPRange, RangeKind, Space, Subnet, Vlan


def zone(body: Body) -> Zone:
    """Convert a zone."""
    return Zone(ZoneId(body["id"]), body["name"], body.get("description") or "")


def resource_pool(body: Body) -> ResourcePool:
    """Convert a resource pool."""
    return ResourcePool(ResourcePoolId(body["id"]), body["name"], body.get("description") or "")


def domain(body: Body) -> Domain:
    """Convert a domain."""
    return Domain(DomainId(body["id"]), body["name"], bool(body.get("authoritative", True)))


def space(body: Body) -> Space:
    """Convert a space."""
    return Space(SpaceId(body["id"]), body["name"], body.get("description") or "")


def fabric(body: Body) -> Fabric:
    """Convert a fabric."""
    return Fabric(
        FabricId(body["id"]), body["name"], body.get("class_type") or None, body.get("description") or ""
    )


def vlan(body: Body, spaces_by_name: Mapping[str, Body]) -> Vlan:
    """Convert a VLAN, whose document names its space."""
    relay = optional_id(body, "relay_vlan")
    space_body = spaces_by_name.get(body.get("space") or "")
    return Vlan(
        VlanId(body["id"]),
        FabricId(body["fabric_id"]),
        int(body["vid"]),
        body.get("name") or "",
        mtu=int(body.get("mtu") or DEFAULT_MTU),
        dhcp_on=bool(body.get("dhcp_on")),
        relay_vlan_id=None if relay is None else VlanId(relay),
        space_id=None if space_body is None else SpaceId(space_body["id"]),
        description=body.get("description") or "",
    )


def subnet(body: Body) -> Subnet:
    """Convert a subnet."""
    gateway = body.get("gateway_ip")
    servers = body.get("dns_servers") or []
    addresses = servers.replace(",", " ").split() if isinstance(servers, str) else servers
    return Subnet(
        SubnetId(body["id"]),
        ip_network(body["cidr"]),
        VlanId(nested_id(body, "vlan")),
        body.get("name") or "",
        gateway=ip_address(gateway) if gateway else None,
        dns_servers=tuple(ip_address(server) for server in addresses),
        managed=bool(body.get("managed", True)),
        description=body.get("description") or "",
    )


def ip_range(body: Body) -> IPRange:
    """Convert a range."""
    return IPRange(
        RangeId(body["id"]),
        SubnetId(nested_id(body, "subnet")),
        RangeKind(body["type"]),
        ip_address(body["start_ip"]),
        ip_address(body["end_ip"]),
        body.get("comment") or "",
    )
