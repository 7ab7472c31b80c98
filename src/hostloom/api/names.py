"""Names of the records to which answers refer: `fabric-0/20` instead of an id."""

from collections.abc import Sequence
from functools import cached_property

from hostloom.decide.deploy.copy_pool import copy_pool
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import (
    DomainId,
    FabricId,
    HostId,
    MacAddress,
    RackId,
    ResourcePoolId,
    SpaceId,
    SubnetId,
    SystemId,
    VlanId,
    ZoneId,
)
from hostloom.model.machine import NicProof
from hostloom.model.rack import Rack
from hostloom.ports.store import UnitOfWork


class Names:
    """Names in one unit of work; every kind is read once, at its first use."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._commissioned: dict[SystemId, float | None] = {}
        self._images: dict[SystemId, str | None] = {}
        self._copies: dict[tuple[HostId, str, str], tuple[str, bool]] = {}
        self._proofs: dict[SystemId, tuple[NicProof, ...]] = {}

    @cached_property
    def world(self) -> Snapshot:
        """The snapshot with the names."""
        return self._uow.snapshot()

    def fabric(self, key: FabricId) -> str:
        """A fabric's name."""
        return self.world.fabric_by_id[key].name

    def vlan(self, key: VlanId | None) -> str | None:
        """FABRIC/VID; None for a deleted VLAN."""
        return self.world.vlan_name(key) if key in self.world.vlan_by_id else None

    def space(self, key: SpaceId | None) -> str | None:
        """A space's name."""
        return None if key is None else self.world.space_by_id[key].name

    def subnet(self, key: SubnetId | None) -> str | None:
        """A subnet's CIDR."""
        return None if key is None else str(self.world.subnet_by_id[key].cidr)

    def node(self, key: SystemId | None) -> str | None:
        """A node's hostname; None for a deleted node."""
        node = None if key is None else self.world.node_by_system_id.get(key)
        return None if node is None else node.hostname

    def host(self, key: HostId | None) -> str | None:
        """A host's name."""
        return None if key is None else self.world.host_by_id[key].host.name

    def is_reachable(self, key: HostId | None) -> bool:
        """Whether the host answers, according to its last check; True for a bare machine."""
        return key is None or self.world.host_by_id[key].host.reachable

    @cached_property
    def hosts_of(self) -> dict[SystemId, list[str]]:
        """The hosts of every node."""
        hostnames: dict[SystemId, list[str]] = {}
        for state in self.world.hosts:
            if (key := state.host.correlation.system_id) is not None:
                hostnames.setdefault(key, []).append(state.host.name)
        return hostnames

    def foresee(self, machines: Sequence[SystemId]) -> None:
        """Read data for all of these machines at once, instead of one by one."""
        self._commissioned |= dict.fromkeys(machines) | self._uow.commissionings.times(machines)
        self._proofs |= dict.fromkeys(machines, ()) | self._uow.proofs.of(machines)
        deployments = self._uow.deployments.of(machines)
        self._images |= {key: deployments[key].image if key in deployments else None for key in machines}

    def proofs(self, key: SystemId) -> dict[str, NicProof]:
        """The last proofs of a machine's NICs, by name."""
        if key not in self._proofs:
            self.foresee([key])
        return {nic_proof.nic: nic_proof for nic_proof in self._proofs[key]}

    def commissioned_at(self, key: SystemId) -> float | None:
        """When a machine was commissioned last."""
        if key not in self._commissioned:
            self.foresee([key])
        return self._commissioned[key]

    def image(self, key: SystemId) -> str | None:
        """The image that a machine is or was last deployed with."""
        if key not in self._images:
            self.foresee([key])
        return self._images[key]

    def image_copy(self, host_id: HostId, pool: str, sha256: str) -> tuple[str, bool]:
        """The pool of a host that keeps an image for disks in a pool, and whether it has it already."""
        key = host_id, pool, sha256
        if key not in self._copies:
            keeper = copy_pool(self._uow.hosts.get(host_id), pool) or pool
            copy = self._uow.image_copies.find(host_id, keeper, sha256)
            self._copies[key] = keeper, copy is not None and copy.complete
        return self._copies[key]

    @cached_property
    def racks(self) -> list[Rack]:
        """All racks, by id."""
        return self._uow.racks.list()

    def rack(self, key: RackId | None) -> str | None:
        """A rack's name; None for a deleted rack."""
        return next((rack.name for rack in self.racks if rack.id == key), None)

    def nic_of(self, mac: MacAddress) -> tuple[SystemId, str] | None:
        """The machine or node with this MAC, and the NIC."""
        return self._nics.get(mac)

    @cached_property
    def _nics(self) -> dict[MacAddress, tuple[SystemId, str]]:
        names = {
            nic.mac: (node.system_id, nic.name)
            for node in self.world.nodes
            for nic in node.interfaces
            if nic.mac is not None
        }
        machines = self._uow.machines.list()
        return names | {
            nic.mac: (machine.system_id, nic.name) for machine in machines for nic in machine.interfaces
        }

    def zone(self, key: ZoneId) -> str:
        """A zone's name."""
        return self._zones[key]

    def resource_pool(self, key: ResourcePoolId) -> str:
        """A resource pool's name."""
        return self._pools[key]

    def domain(self, key: DomainId) -> str:
        """A domain's name."""
        return self._domains[key]

    @cached_property
    def _zones(self) -> dict[ZoneId, str]:
        return {zone.id: zone.name for zone in self._uow.zones.list()}

    @cached_property
    def _pools(self) -> dict[ResourcePoolId, str]:
        return {resource_pool.id: resource_pool.name for resource_pool in self._uow.resource_pools.list()}

    @cached_property
    def _domains(self) -> dict[DomainId, str]:
        return {domain.id: domain.name for domain in self._uow.domains.list()}
