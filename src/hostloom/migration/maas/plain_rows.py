"""Conversion of table rows of MAAS that depend on no other rows."""

from ipaddress import ip_address, ip_network

from hostloom.migration.maas import vocabulary
from hostloom.migration.maas.columns import (
    Row,
    flag_of,
    ip_of,
    key_of,
    list_of,
    named,
    number_of,
    optional_of,
    text_of,
)
from hostloom.model.grouping import Domain, ResourcePool, Tag, Zone
from hostloom.model.ids import (
    DomainId,
    FabricId,
    RangeId,
    ResourcePoolId,
    SpaceId,
    SubnetId,
    TagId,
    VlanId,
    ZoneId,
)
from hostloom.model.network import (
    DEFAULT_MTU,
    UNTAGGED,
    AddressKind,
    Fabric,
    HeldAddress,
    IPRange,
    RangeKind,
    Space,
    Subnet,
    Vlan,
)
from hostloom.model.node import NodeKind


def zone(row: Row) -> Zone:
    """Make a zone."""
    return Zone(ZoneId(key_of(row)), *named(row))


def resource_pool(row: Row) -> ResourcePool:
    """Make a resource pool."""
    return ResourcePool(ResourcePoolId(key_of(row)), *named(row))


def domain(row: Row) -> Domain:
    """Make a domain."""
    return Domain(DomainId(key_of(row)), text_of(row, "name"), flag_of(row, "authoritative"))


def tag(row: Row) -> Tag:
    """Make a tag without its definition."""
    return Tag(
        TagId(key_of(row)), text_of(row, "name"), row.get("comment") or "", row.get("kernel_opts") or ""
    )


def space(row: Row) -> Space:
    """Make a space. The default name contains the id."""
    key = key_of(row)
    return Space(SpaceId(key), row.get("name") or f"space-{key}", row.get("description") or "")


def fabric(row: Row) -> Fabric:
    """Make a fabric. The default name contains the id."""
    key = key_of(row)
    name, kind = row.get("name") or f"fabric-{key}", row.get("class_type") or None
    return Fabric(FabricId(key), name, kind, row.get("description") or "")


def vlan(row: Row) -> Vlan:
    """Make a VLAN."""
    relay, space, vid = optional_of(row, "relay_vlan_id"), optional_of(row, "space_id"), number_of(row, "vid")
    unnamed = "untagged" if vid == UNTAGGED else ""
    return Vlan(
        VlanId(key_of(row)),
        FabricId(number_of(row, "fabric_id")),
        vid,
        # MAAS shows this name for the untagged VLAN, whatever the VLAN is called.
        unnamed or row.get("name") or "",
        mtu=number_of(row, "mtu") or DEFAULT_MTU,
        dhcp_on=row.get("dhcp_on") == "t",
        relay_vlan_id=None if relay is None else VlanId(relay),
        space_id=None if space is None else SpaceId(space),
        description=row.get("description") or "",
    )


def subnet(row: Row) -> Subnet:
    """Make a subnet."""
    gateway = row.get("gateway_ip")
    return Subnet(
        SubnetId(key_of(row)),
        ip_network(text_of(row, "cidr")),
        VlanId(number_of(row, "vlan_id")),
        row.get("name") or "",
        gateway=ip_of(gateway) if gateway else None,
        dns_servers=tuple(ip_address(server) for server in list_of(row, "dns_servers")),
        managed=flag_of(row, "managed"),
        description=row.get("description") or "",
    )


def ip_range(row: Row) -> IPRange:
    """Make a range."""
    return IPRange(
        RangeId(key_of(row)),
        SubnetId(number_of(row, "subnet_id")),
        RangeKind(text_of(row, "type")),
        ip_of(text_of(row, "start_ip")),
        ip_of(text_of(row, "end_ip")),
        row.get("comment") or "",
    )


def set_aside(row: Row, comment: str) -> HeldAddress:
    """Make a reserved address without a node."""
    subnet = optional_of(row, "subnet_id")
    key = None if subnet is None else SubnetId(subnet)
    return HeldAddress(ip_of(text_of(row, "ip")), AddressKind.RESERVED, key, comment=comment)


def node_kind(row: Row) -> NodeKind:
    """Return the kind of a node."""
    return vocabulary.NODE_KINDS[number_of(row, "node_type")]
