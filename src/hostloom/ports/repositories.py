"""Records of the nouns: network, nodes, hosts, machines and plans."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

from hostloom.model.dhcp import PublishedNic
from hostloom.model.disk_image import DiskImage
from hostloom.model.drift import Drift
from hostloom.model.errors.resources import NotFound
from hostloom.model.grouping import Domain
from hostloom.model.host import Host
from hostloom.model.ids import (
    DiskImageId,
    DomainId,
    FabricId,
    HostId,
    MacAddress,
    SubnetId,
    SystemId,
    VlanId,
    is_id,
)
from hostloom.model.machine import Machine, MachineState, PowerState
from hostloom.model.network import Address, Fabric, HeldAddress, Vlan
from hostloom.model.node import Node, NodeInterface
from hostloom.model.plan import Explanation
from hostloom.model.stored_plan import StoredPlan

T = TypeVar("T")


K_contra = TypeVar("K_contra", contravariant=True)


class Repository(Protocol[T, K_contra]):
    """The stored records of one kind."""

    def get(self, key: K_contra) -> T:
        """By id; NotFound."""
        ...

    def find(self, name: str) -> T | None:
        """By name (VLAN: name; subnet: CIDR or name; node: hostname)."""
        ...

    def list(self, after: K_contra | None = None, limit: int | None = None) -> list[T]:
        """Records with ids above `after`, in ascending order."""
        ...

    def add(self, item: T) -> T:
        """Insert; an id of 0 is replaced by a new one. AlreadyExists on a taken name."""
        ...

    def update(self, item: T) -> T:
        """Write a record and increment its generation; StaleGeneration if `item.generation` is stale."""
        ...

    def delete(self, key: K_contra) -> None:
        """Delete a record; InUse names the records that still refer to it."""
        ...


def find_by_key(repository: Repository[T, Any], kind: str, key: str) -> T:
    """By id if the key is a number, else by name; NotFound says what the caller asked for."""
    if is_id(key):
        return repository.get(int(key))
    item = repository.find(key)
    if item is None:
        raise NotFound(kind, key)
    return item


class Groups(Repository[T, K_contra], Protocol):
    """Zones, resource pools or domains, one of which is the default."""

    def default(self) -> T:
        """The group of records that name no other."""
        ...


class Domains(Groups[Domain, DomainId], Protocol):
    """Domains, whose default can change."""

    def set_default(self, key: DomainId) -> None:
        """Make another domain the default; nodes keep their domains."""
        ...


class Fabrics(Repository[Fabric, FabricId], Protocol):
    """Fabrics, each with its untagged VLAN."""

    def add(self, item: Fabric, untagged: VlanId = ...) -> Fabric:
        """Insert a fabric with its untagged VLAN; an id of 0 is replaced by a new one. AlreadyExists."""
        ...


class Vlans(Repository[Vlan, VlanId], Protocol):
    """VLANs, also by fabric and tag."""

    def find_by_vid(self, fabric_id: FabricId, vid: int) -> Vlan | None:
        """The VLAN with this 802.1Q tag in the fabric."""
        ...


class Addresses(Protocol):
    """Held addresses; a reserved one is unique within its subnet."""

    def hold(self, held: HeldAddress) -> None:
        """Reserve an address; AlreadyExists names its holder."""
        ...

    def release(self, ip: Address, subnet_id: SubnetId | None) -> None:
        """Release an address; does nothing if it is free."""
        ...

    def list(self, subnet_id: SubnetId | None = None) -> list[HeldAddress]:
        """All held addresses, or those of a subnet, by address."""
        ...

    def replace_leases(self, leases: Iterable[HeldAddress]) -> None:
        """Replace every held address of kind LEASE."""
        ...

    def mark_on_wire(self, marks: Sequence[HeldAddress]) -> None:
        """Record addresses of kind ON_WIRE, replacing earlier records of the same addresses."""
        ...

    def forget_on_wire(self, now: float) -> Sequence[HeldAddress]:
        """Delete expired records of kind ON_WIRE, and return them."""
        ...


class Nodes(Repository[Node, SystemId], Protocol):
    """Nodes with their interfaces; `update` leaves interfaces alone."""

    def find_by_mac(self, mac: MacAddress) -> Node | None:
        """The node with this interface; of several nodes the first by system id."""
        ...

    def replace_interfaces(
        self, system_id: SystemId, interfaces: Sequence[NodeInterface], scanned_at: float | None = None
    ) -> Node:
        """Store the interfaces of a scan, matched by id, or by name without an id; others are removed.

        The operator's settings are kept, even for removed interfaces (`absent`), so that an interface that
        reappears with its id has them again. Without `scanned_at` the time of the last scan does not change.
        """
        ...

    def absent(self, system_id: SystemId) -> Sequence[NodeInterface]:
        """Interfaces that were missing at the last scan and have settings of the operator, by id."""
        ...

    def update_interface(self, system_id: SystemId, interface: NodeInterface) -> Node:
        """Store the operator's settings for one interface."""
        ...


class Hosts(Repository[Host, HostId], Protocol):
    """Hosts."""

    def record_facts(self, before: Host, host: Host) -> Host:
        """Write the results of a reading like `update`, except for the generation.

        The generation increases only if more changed than the time of the reading and the pools' free space.
        """
        ...


class Machines(Repository[Machine, SystemId], Protocol):
    """Machines with NICs and disks."""

    def find_by_uuid(self, host_id: HostId, uuid: str) -> Machine | None:
        """A machine on a host by its UUID."""
        ...

    def find_by_smbios(self, uuid: str) -> Machine | None:
        """The machine with this SMBIOS UUID, on any host or bare."""
        ...

    def find_by_mac(self, mac: MacAddress) -> Machine | None:
        """The machine with this NIC, planned or found by commissioning, in one statement.

        Composed machines take precedence over adopted ones, because foreign machines may share a MAC.
        """
        ...

    def published_nics(self) -> Sequence[PublishedNic]:
        """The NICs of all machines that are published to DHCP, in one statement."""
        ...

    def overdue(self, now: float) -> list[Machine]:
        """Machines with an overdue report (`commission_by`), by system id."""
        ...

    def of_host(self, host_id: HostId) -> list[Machine]:
        """The machines on one host, by name."""
        ...

    def generations(self, host_id: HostId) -> dict[SystemId, tuple[int, tuple[Drift, ...]]]:
        """The generation and drift of every machine on a host, in one statement."""
        ...

    def elsewhere(self, host_id: HostId | None, uuids: Sequence[str]) -> list[Machine]:
        """Machines with one of these UUIDs on other hosts (None: on any host), by system id."""
        ...

    def removed_since(self, revision: int, keys: Sequence[SystemId]) -> set[SystemId]:
        """The machines among these that were removed after a revision, or may have been."""
        ...

    def holders(self, macs: Sequence[MacAddress]) -> dict[MacAddress, set[SystemId]]:
        """The machines with these MACs, including adopted ones, in one statement."""
        ...

    def enlisted_keys(
        self, uuids: Sequence[str], macs: Sequence[MacAddress]
    ) -> dict[str | MacAddress, SystemId]:
        """Enlisted machines by those of these UUIDs and MACs that they have, in one statement."""
        ...

    def move(
        self,
        keys: Sequence[SystemId],
        before: MachineState,
        *,
        state: MachineState | None = None,
        power: PowerState | None = None,
        dhcp_published: bool | None = None,
        owner: str | None = None,
        on_demand: bool | None = None,
    ) -> None:
        """Write the given fields of machines in state `before`, whatever other fields have changed.

        In one statement, because other requests may change the machines meanwhile. NotFound, WrongState.
        """
        ...

    def explanation(self, system_id: SystemId) -> Explanation | None:
        """The shortened explanation of a machine's placement; None: hostloom did not place it."""
        ...

    def some(self, keys: Sequence[SystemId]) -> Sequence[Machine]:
        """The existing machines among these, in this order, with as many statements as for one."""
        ...


class DiskImages(Repository[DiskImage, DiskImageId], Protocol):
    """Disk images, also by their content."""

    def find_by_content(self, sha256: str) -> DiskImage | None:
        """The image whose raw disk has this hash."""
        ...


class Plans(Protocol):
    """Stored plans; expired and surplus ones are deleted when a new one is added."""

    def add(self, plan: StoredPlan, content: dict[str, Any]) -> None:
        """Store a plan; delete the expired ones and, beyond MAX_PLANS, the oldest.

        A plan with a running operation stays until the operation has ended.
        """
        ...

    def get(self, plan_id: str, now: float) -> StoredPlan:
        """A plan by id; PlanGone if it is missing, or expired and not used by an operation."""
        ...

    def content(self, plan_id: str) -> dict[str, Any]:
        """The stored content (JSON of model.stored_plan.PlanContent), even of an expired plan; PlanGone."""
        ...

    def list(self, now: float, after: str | None = None, limit: int | None = None) -> list[StoredPlan]:
        """Those that have not expired, newest first."""
        ...

    def use(self, plan: StoredPlan, operation_id: str) -> None:
        """Record the operation that applies a plan; StaleGeneration if a parallel request was faster."""
        ...

    def delete(self, plan_id: str, now: float) -> None:
        """Delete a plan; PlanGone, or InUse while an operation runs with it."""
        ...
