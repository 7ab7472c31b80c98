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
    """The stored things of one kind."""

    def get(self, key: K_contra) -> T:
        """By id; NotFound."""
        ...

    def find(self, name: str) -> T | None:
        """By name (VLAN: name; subnet: CIDR or name; node: hostname)."""
        ...

    def list(self, after: K_contra | None = None, limit: int | None = None) -> list[T]:
        """By id, ascending, from after `after`."""
        ...

    def add(self, item: T) -> T:
        """Insert; an id of 0 is replaced by a new one. AlreadyExists on a taken name."""
        ...

    def update(self, item: T) -> T:
        """Write if `item.generation` is still the stored one (StaleGeneration), and count it up."""
        ...

    def delete(self, key: K_contra) -> None:
        """Remove; InUse names what still refers to it."""
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
        """The group of what names no other."""
        ...


class Domains(Groups[Domain, DomainId], Protocol):
    """Domains: which of them is the default can change."""

    def set_default(self, key: DomainId) -> None:
        """Make another one the default; the nodes stay where they are."""
        ...


class Fabrics(Repository[Fabric, FabricId], Protocol):
    """Fabrics, each with its untagged VLAN."""

    def add(self, item: Fabric, untagged: VlanId = ...) -> Fabric:
        """Insert both; an id of 0 is replaced by a new one. AlreadyExists on a taken name."""
        ...


class Vlans(Repository[Vlan, VlanId], Protocol):
    """VLANs, also by fabric and tag."""

    def find_by_vid(self, fabric_id: FabricId, vid: int) -> Vlan | None:
        """The VLAN with this 802.1Q tag in the fabric."""
        ...


class Addresses(Protocol):
    """Held addresses; a reserved one is unique within its subnet."""

    def hold(self, held: HeldAddress) -> None:
        """Reserve; AlreadyExists names who has it."""
        ...

    def release(self, ip: Address, subnet_id: SubnetId | None) -> None:
        """Give one back; nothing happens if it is free."""
        ...

    def list(self, subnet_id: SubnetId | None = None) -> list[HeldAddress]:
        """All, or those of a subnet, by address."""
        ...

    def replace_leases(self, leases: Iterable[HeldAddress]) -> None:
        """Replace every held address of kind LEASE."""
        ...

    def mark_on_wire(self, marks: Sequence[HeldAddress]) -> None:
        """Record addresses of kind ON_WIRE, in place of earlier marks of the same addresses."""
        ...

    def forget_on_wire(self, now: float) -> Sequence[HeldAddress]:
        """Remove the marks that count no longer; the answer lists them."""
        ...


class Nodes(Repository[Node, SystemId], Protocol):
    """Nodes with their interfaces; `update` leaves interfaces alone."""

    def find_by_mac(self, mac: MacAddress) -> Node | None:
        """The node with this interface; of several the first by system id."""
        ...

    def replace_interfaces(
        self, system_id: SystemId, interfaces: Sequence[NodeInterface], scanned_at: float | None = None
    ) -> Node:
        """Store what a scan found, matched by id, and by name where it has none; the others are removed.

        The operator's settings are kept, also of those that are removed (`absent`): an interface with the id
        of one of these has them again. Without `scanned_at` the time of the last scan stays.
        """
        ...

    def absent(self, system_id: SystemId) -> Sequence[NodeInterface]:
        """Interfaces that were away at the last scan, and on which the operator has had a word; by id."""
        ...

    def update_interface(self, system_id: SystemId, interface: NodeInterface) -> Node:
        """Store the operator's word on one interface."""
        ...


class Hosts(Repository[Host, HostId], Protocol):
    """Hosts."""

    def record_facts(self, before: Host, host: Host) -> Host:
        """Write what a reading made of a host, as `update` does, but for the generation.

        It counts up only where more changed than what always does: when it was read, and pools' free space.
        """
        ...


class Machines(Repository[Machine, SystemId], Protocol):
    """Machines with NICs and disks."""

    def find_by_uuid(self, host_id: HostId, uuid: str) -> Machine | None:
        """A machine on a host by its UUID."""
        ...

    def find_by_smbios(self, uuid: str) -> Machine | None:
        """The machine that calls itself this, on whatever host or bare."""
        ...

    def find_by_mac(self, mac: MacAddress) -> Machine | None:
        """The machine with this NIC, planned or found by commissioning; one statement.

        Ours before an adopted one: others may have given two machines one MAC.
        """
        ...

    def published_nics(self) -> Sequence[PublishedNic]:
        """What DHCP is to know of all machines: one statement."""
        ...

    def overdue(self, now: float) -> list[Machine]:
        """Those whose report was due (`commission_by`) by now, by system id."""
        ...

    def of_host(self, host_id: HostId) -> list[Machine]:
        """All on one host, by name."""
        ...

    def generations(self, host_id: HostId) -> dict[SystemId, tuple[int, tuple[Drift, ...]]]:
        """The generation and drift of every machine on a host; one statement."""
        ...

    def elsewhere(self, host_id: HostId | None, uuids: Sequence[str]) -> list[Machine]:
        """Those with one of these UUIDs on other hosts (None: on any), by system id."""
        ...

    def removed_since(self, revision: int, keys: Sequence[SystemId]) -> set[SystemId]:
        """Those of these that were removed after a revision of the world, or may have been."""
        ...

    def holders(self, macs: Sequence[MacAddress]) -> dict[MacAddress, set[SystemId]]:
        """The machines that have each of these MACs, adopted ones too; one statement."""
        ...

    def enlisted_keys(
        self, uuids: Sequence[str], macs: Sequence[MacAddress]
    ) -> dict[str | MacAddress, SystemId]:
        """Enlisted machines by each of these UUIDs and MACs that they have; one statement."""
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
        """Write what is given of machines that are in state `before`, whatever else of them has changed.

        One statement, for sagas, whose machines others may touch meanwhile. NotFound, WrongState.
        """
        ...

    def explanation(self, system_id: SystemId) -> Explanation | None:
        """The explanation that it was placed by, shortened; None: hostloom did not place it."""
        ...

    def some(self, keys: Sequence[SystemId]) -> Sequence[Machine]:
        """Those of these that there are, in this order; as many statements as for one."""
        ...


class DiskImages(Repository[DiskImage, DiskImageId], Protocol):
    """Disk images, also by their content."""

    def find_by_content(self, sha256: str) -> DiskImage | None:
        """The image whose raw disk has this hash."""
        ...


class Plans(Protocol):
    """Plans that were kept; those that are over, or too many, go when a new one comes."""

    def add(self, plan: StoredPlan, content: dict[str, Any]) -> None:
        """Keep it; forget the expired ones and, of more than MAX_PLANS, the oldest.

        One whose operation has not ended stays until it has.
        """
        ...

    def get(self, plan_id: str, now: float) -> StoredPlan:
        """By id; PlanGone for one that is not there or has expired (and no operation uses it)."""
        ...

    def content(self, plan_id: str) -> dict[str, Any]:
        """What `add` was given (JSON of model.stored_plan.PlanContent), expired or not; PlanGone."""
        ...

    def list(self, now: float, after: str | None = None, limit: int | None = None) -> list[StoredPlan]:
        """Those that have not expired, newest first."""
        ...

    def use(self, plan: StoredPlan, operation_id: str) -> None:
        """Note the operation that applies it; StaleGeneration when a parallel request was first."""
        ...

    def delete(self, plan_id: str, now: float) -> None:
        """Forget it; PlanGone, or InUse by an operation that has not ended."""
        ...
