"""The network and the groups as MAAS's clients read them, also nested in other documents."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from hostloom.compat.maas2.responses import uri
from hostloom.decide.snapshot import Snapshot
from hostloom.model.annotation import Annotated
from hostloom.model.deployment import Deployment
from hostloom.model.disk_image import DiskImage
from hostloom.model.grouping import Domain, ResourcePool, Zone
from hostloom.model.ids import (
    DomainId,
    RackId,
    ResourcePoolId,
    SpaceId,
    SubnetId,
    SystemId,
    VlanId,
    ZoneId,
)
from hostloom.model.machine import Machine
from hostloom.model.network import UNTAGGED, Fabric, HeldAddress, Space, Subnet, Vlan
from hostloom.model.power import PowerKind, PowerSettings
from hostloom.ports.store import UnitOfWork
from hostloom.services import annotations
from hostloom.services.nic_links import GIVEN

#: MAAS's name for no space, in documents and in constraints.
NO_SPACE = "undefined"
#: MAAS's names for the kinds of power.
POWER_TYPES: Mapping[PowerKind, str] = {
    PowerKind.MANUAL: "manual",
    PowerKind.IPMI: "ipmi",
    PowerKind.REDFISH: "redfish",
    PowerKind.LIBVIRT: "virsh",
}
#: MAAS's defaults for a subnet. hostloom stores these fields for clients; they have no effect.
SUBNET_DEFAULTS: Mapping[str, Any] = {
    "rdns_mode": 2,
    "allow_dns": True,
    "allow_proxy": True,
    "active_discovery": False,
    "disabled_boot_architectures": [],
}


class View:
    """Makes documents from one unit of work. It reads all records once, on first use."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._vlans: dict[VlanId, dict[str, Any]] = {}
        self._deployments: dict[SystemId, Deployment | None] = {}
        self._subnets: dict[SubnetId, dict[str, Any]] = {}

    @cached_property
    def world(self) -> Snapshot:
        """The snapshot behind the documents."""
        return self._uow.snapshot()

    def power_type(self, item: Machine) -> str:
        """Return the power type of a bare machine."""
        settings = self._power_settings.get(item.system_id)
        return POWER_TYPES[PowerKind.MANUAL if settings is None else settings.kind]

    @cached_property
    def _power_settings(self) -> Mapping[SystemId, PowerSettings]:
        return self._uow.power_settings.of()

    def deployment_of(self, key: SystemId) -> Deployment | None:
        """The deployment of a machine; None if hostloom has installed nothing on it."""
        if key not in self._deployments:
            self.foresee([key])
        return self._deployments[key]

    def foresee(self, keys: list[SystemId]) -> None:
        """Read the deployments of these machines at once, instead of one by one."""
        self._deployments |= dict.fromkeys(keys) | self._uow.deployments.of(keys)

    @cached_property
    def disk_images(self) -> dict[str, DiskImage]:
        """All disk images, by name."""
        return {image.name: image for image in self._uow.disk_images.list()}

    def fabric(self, item: Fabric) -> dict[str, Any]:
        """Make the document of a fabric with its VLANs."""
        return {
            "class_type": item.class_type,
            "name": item.name,
            "id": item.id,
            "vlans": [self.vlan(vlan) for vlan in self._vlans_of_fabric.get(item.id, ())],
            "resource_uri": uri(f"fabrics/{item.id}/"),
        }

    def vlan(self, item: Vlan) -> dict[str, Any]:
        """Make the document of a VLAN. The nested relay VLAN omits its own relay VLAN."""
        document = self._vlans.get(item.id)
        if document is None:
            document = self._vlans[item.id] = self._vlan(item)
        return document

    def vlan_of(self, key: VlanId | None) -> dict[str, Any] | None:
        """Make the document of a VLAN by id; None for no VLAN."""
        return None if key is None else self.vlan(self.world.vlan_by_id[key])

    def space_name(self, key: SpaceId | None) -> str:
        """Return the name of a space, or MAAS's name for no space."""
        return NO_SPACE if key is None else self.world.space_by_id[key].name

    def space(self, item: Space) -> dict[str, Any]:
        """Make the document of a space with its VLANs and subnets."""
        vlans = self._vlans_of_space.get(item.id, [])
        subnets = [subnet for vlan in vlans for subnet in self.world.subnets_by_vlan.get(vlan.id, ())]
        return {
            "name": item.name,
            "description": item.description,
            "id": item.id,
            "vlans": [self.vlan(vlan) for vlan in vlans],
            "subnets": [self.subnet(subnet) for subnet in sorted(subnets, key=lambda subnet: subnet.id)],
            "resource_uri": uri(f"spaces/{item.id}/"),
        }

    def subnet(self, item: Subnet) -> dict[str, Any]:
        """Make the document of a subnet with its VLAN."""
        document = self._subnets.get(item.id)
        if document is None:
            document = self._subnets[item.id] = self._subnet(item)
        return document

    @cached_property
    def subnets_by_cidr(self) -> Mapping[str | None, list[Subnet]]:
        """Subnets by CIDR. Several fabrics may have the same CIDR."""
        by_cidr: dict[str | None, list[Subnet]] = {}
        for subnet in self.world.subnets:
            by_cidr.setdefault(str(subnet.cidr), []).append(subnet)
        return by_cidr

    def notes_of(self, key: SystemId) -> dict[str, Any]:
        """Return the annotations of a node."""
        return self._node_notes.get(key, {})

    def held_by_nic(self, key: SystemId, nic: str) -> list[HeldAddress]:
        """List the addresses that hostloom assigned to an interface of a node, ordered by address."""
        node_addresses = self.world.held_by_node.get(key, ())
        nic_addresses = [
            address for address in node_addresses if address.interface_name == nic and address.kind in GIVEN
        ]
        return sorted(nic_addresses, key=lambda address: (address.ip.version, int(address.ip)))

    def zone(self, key: ZoneId) -> dict[str, Any]:
        """Make the document of a zone by id. A machine that is not stored yet has the default zone."""
        return shown_zone(self._zones.get(key) or self._uow.zones.default())

    def resource_pool(self, key: ResourcePoolId) -> dict[str, Any]:
        """Make the document of a resource pool by id. An unstored machine has the default pool."""
        return shown_pool(self._pools.get(key) or self._uow.resource_pools.default())

    def domain(self, key: DomainId) -> dict[str, Any]:
        """Make the document of a domain by id. A machine that is not stored yet has the default domain."""
        return self.shown_domain(self._domains.get(key) or self._default_domain)

    def shown_domain(self, item: Domain) -> dict[str, Any]:
        """Make the document of a domain. The record count is the number of its nodes."""
        return {
            "authoritative": item.authoritative,
            "ttl": self._domain_notes.get(item.id, {}).get("ttl"),
            "is_default": item.id == self._default_domain.id,
            "id": item.id,
            "name": item.name,
            "resource_record_count": self._nodes_of_domain.get(item.id, 0),
            "resource_uri": uri(f"domains/{item.id}/"),
        }

    def _vlan(self, item: Vlan) -> dict[str, Any]:
        world = self.world
        relay = world.vlan_by_id.get(item.relay_vlan_id) if item.relay_vlan_id else None
        return {
            "vid": item.vid,
            "mtu": item.mtu,
            "dhcp_on": item.dhcp_on,
            "external_dhcp": next(
                (str(dhcp_server.server) for dhcp_server in world.foreign_by_vlan.get(item.id, ())), None
            ),
            "relay_vlan": None if relay is None else {**self._vlan(relay), "relay_vlan": None},
            "primary_rack": self._rack(item.primary_rack_id),
            "secondary_rack": self._rack(item.secondary_rack_id),
            "space": self.space_name(item.space_id),
            "fabric_id": item.fabric_id,
            "fabric": world.fabric_by_id[item.fabric_id].name,
            # MAAS shows this name whatever the VLAN is called, and clients look for it.
            "name": "untagged" if item.vid == UNTAGGED else item.name,
            "description": item.description,
            "id": item.id,
            "resource_uri": uri(f"vlans/{item.id}/"),
        }

    def _subnet(self, item: Subnet) -> dict[str, Any]:
        vlan = self.world.vlan_by_id[item.vlan_id]
        notes = self._subnet_notes.get(item.id, {})
        return {
            "name": item.name,
            "description": item.description,
            "vlan": self.vlan(vlan),
            "cidr": str(item.cidr),
            "gateway_ip": None if item.gateway is None else str(item.gateway),
            "dns_servers": [str(dns_server) for dns_server in item.dns_servers],
            "managed": item.managed,
            "space": self.space_name(vlan.space_id),
            "id": item.id,
            "resource_uri": uri(f"subnets/{item.id}/"),
            **{name: notes.get(name, value) for name, value in SUBNET_DEFAULTS.items()},
        }

    def _rack(self, key: RackId | None) -> str | None:
        """Return the system id of a rack."""
        return None if key is None else self._racks[key]

    @cached_property
    def _racks(self) -> dict[RackId, str]:
        return {rack.id: rack.system_id for rack in self._uow.racks.list()}

    @cached_property
    def _vlans_of_fabric(self) -> dict[int, list[Vlan]]:
        by_fabric: dict[int, list[Vlan]] = {}
        for vlan in sorted(self.world.vlans, key=lambda vlan: (vlan.vid, vlan.id)):
            by_fabric.setdefault(vlan.fabric_id, []).append(vlan)
        return by_fabric

    @cached_property
    def _vlans_of_space(self) -> dict[int, list[Vlan]]:
        by_space: dict[int, list[Vlan]] = {}
        for vlan in sorted(self.world.vlans, key=lambda vlan: vlan.id):
            if vlan.space_id is not None:
                by_space.setdefault(vlan.space_id, []).append(vlan)
        return by_space

    @cached_property
    def _subnet_notes(self) -> dict[str | int, dict[str, Any]]:
        return annotations.read(self._uow, Annotated.SUBNET)

    @cached_property
    def _domain_notes(self) -> dict[str | int, dict[str, Any]]:
        return annotations.read(self._uow, Annotated.DOMAIN)

    @cached_property
    def _node_notes(self) -> dict[str | int, dict[str, Any]]:
        return annotations.read(self._uow, Annotated.NODE)

    @cached_property
    def _nodes_of_domain(self) -> dict[int, int]:
        counts: dict[int, int] = {}
        for node in self.world.nodes:
            counts[node.domain_id] = counts.get(node.domain_id, 0) + 1
        return counts

    @cached_property
    def _zones(self) -> dict[ZoneId, Zone]:
        return {zone.id: zone for zone in self._uow.zones.list()}

    @cached_property
    def _pools(self) -> dict[ResourcePoolId, ResourcePool]:
        return {resource_pool.id: resource_pool for resource_pool in self._uow.resource_pools.list()}

    @cached_property
    def _default_domain(self) -> Domain:
        return self._uow.domains.default()

    @cached_property
    def _domains(self) -> dict[DomainId, Domain]:
        return {domain.id: domain for domain in self._uow.domains.list()}


def shown_zone(item: Zone) -> dict[str, Any]:
    """Make the document of a zone. Its URI has the name, because clients look it up by name."""
    return {
        "id": item.id,
        "name": item.name,
        "description": item.description,
        "resource_uri": uri(f"zones/{item.name}/"),
    }


def shown_pool(item: ResourcePool) -> dict[str, Any]:
    """Make the document of a resource pool. MAAS's path for one pool is in the singular."""
    return {
        "id": item.id,
        "name": item.name,
        "description": item.description,
        "resource_uri": uri(f"resourcepool/{item.id}/"),
    }
