"""The store: one unit of work over all records."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from hostloom.decide.snapshot import Snapshot
from hostloom.model.access import User
from hostloom.model.grouping import ResourcePool, Tag, Zone
from hostloom.model.host import PlacedMachine
from hostloom.model.ids import (
    DomainId,
    HostId,
    RackId,
    RangeId,
    ResourcePoolId,
    SpaceId,
    SubnetId,
    SystemId,
    TagId,
    UserId,
    ZoneId,
)
from hostloom.model.import_plan import Renumbering
from hostloom.model.machine import Machine
from hostloom.model.network import IPRange, Space, Subnet
from hostloom.model.plan import Explanation, Plan
from hostloom.model.rack import Rack
from hostloom.ports.access_records import Annotations, ApiKeys, Passwords, SshKeys, Tokens
from hostloom.ports.operation_records import Answers, Events, Operations
from hostloom.ports.repositories import (
    Addresses,
    DiskImages,
    Domains,
    Fabrics,
    Groups,
    Hosts,
    Machines,
    Nodes,
    Plans,
    Repository,
    Vlans,
)
from hostloom.ports.wire_records import Commissionings, DhcpMessages, Proofs, VlanProbes


@dataclass(frozen=True, slots=True)
class Reservation:
    """A plan to be reserved, why it is so, and what the machine is grouped by."""

    plan: Plan
    explanation: Explanation
    #: None = the host's.
    zone_id: ZoneId | None = None
    resource_pool_id: ResourcePoolId | None = None
    #: None = the default one.
    domain_id: DomainId | None = None
    tags: tuple[str, ...] = ()


class UnitOfWork(Protocol):
    """One transaction: left without `commit`, it is rolled back."""

    fabrics: Fabrics
    vlans: Vlans
    spaces: Repository[Space, SpaceId]
    subnets: Repository[Subnet, SubnetId]
    ranges: Repository[IPRange, RangeId]
    addresses: Addresses
    nodes: Nodes
    hosts: Hosts
    machines: Machines
    zones: Groups[Zone, ZoneId]
    resource_pools: Groups[ResourcePool, ResourcePoolId]
    domains: Domains
    tags: Repository[Tag, TagId]
    users: Repository[User, UserId]
    tokens: Tokens
    api_keys: ApiKeys
    passwords: Passwords
    annotations: Annotations
    operations: Operations
    plans: Plans
    events: Events
    answers: Answers
    racks: Repository[Rack, RackId]
    disk_images: DiskImages
    dhcp_messages: DhcpMessages
    vlan_probes: VlanProbes
    proofs: Proofs
    commissionings: Commissionings
    ssh_keys: SshKeys

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def commit(self) -> None:
        """Make the changes durable and start a new transaction."""
        ...

    def lock_world(self) -> None:
        """Have every other change of the world wait: what is read from here on stays so until the commit."""
        ...

    def snapshot(self) -> Snapshot:
        """The world at one revision, kept in memory and read again only when the revision moved."""
        ...

    def reserve(self, reservations: Sequence[Reservation]) -> Sequence[Machine]:
        """Reserve everything that the plans name, all or nothing, under the world's lock.

        Re-checks the hosts' generations (StaleGeneration), that names, UUIDs, MACs are free (AlreadyExists),
        capacity and passthru parents (Refused) and that addresses are free (AlreadyExists) and in no range
        (Refused), then inserts the machines as *commissioning* with NICs, disks, addresses, explanations.
        Where the world has changed since a plan's revision, capacity, parents and addresses that a parallel
        request took are StaleGeneration instead: decide again. Machines that are there already are returned.
        """
        ...

    def release(self, system_ids: Sequence[SystemId]) -> None:
        """Delete the machines and everything reserved for them; unknown ones are ignored."""
        ...

    def renumber(self, moves: Sequence[Renumbering]) -> None:
        """Give networks other ids, which may be exchanged; everything that refers to them follows.

        NotFound; AlreadyExists for an id that another one keeps. Kept plans are forgotten.
        """
        ...

    def placed(self, host_id: HostId) -> tuple[PlacedMachine, ...]:
        """The machines on a host, including reservations."""
        ...


class Store(Protocol):
    """The database."""

    def begin(self) -> UnitOfWork:
        """A unit of work; use it in a `with`."""
        ...

    def wait_for_operation(self, timeout_s: float) -> None:
        """Return when an operation may have become claimable, or after `timeout_s`."""
        ...

    @property
    def is_private(self) -> bool:
        """Whether this server is the only one that can use it, as with SQLite."""
        ...

    def check(self) -> None:
        """See that it can be read and written now; DatabaseUnavailable."""
        ...

    def close(self) -> None: ...
