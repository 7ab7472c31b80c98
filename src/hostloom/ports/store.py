"""The store: a unit of work over all records."""

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
from hostloom.ports.access_records import Annotations, ApiKeys, Passwords, SshKeys, Tokens, UserSshKeys
from hostloom.ports.operation_records import Answers, Events, Operations
from hostloom.ports.power import PowerRecords
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
from hostloom.ports.wire_records import (
    Commissionings,
    Deployments,
    DhcpMessages,
    ImageCopies,
    Proofs,
    VlanProbes,
)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A plan to reserve, with its explanation and the groups of the machine."""

    plan: Plan
    explanation: Explanation
    #: None: the host's group.
    zone_id: ZoneId | None = None
    resource_pool_id: ResourcePoolId | None = None
    #: None: the default domain.
    domain_id: DomainId | None = None
    tags: tuple[str, ...] = ()


class UnitOfWork(Protocol):
    """One transaction, which is rolled back unless `commit` is called."""

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
    deployments: Deployments
    image_copies: ImageCopies
    dhcp_messages: DhcpMessages
    vlan_probes: VlanProbes
    proofs: Proofs
    commissionings: Commissionings
    ssh_keys: SshKeys
    user_ssh_keys: UserSshKeys
    power_settings: PowerRecords

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def commit(self) -> None:
        """Make the changes durable and start a new transaction."""
        ...

    def lock_world(self) -> None:
        """Lock the revision: other changes wait, so later reads stay valid until the commit."""
        ...

    def snapshot(self) -> Snapshot:
        """The state at one revision, cached in memory and read again only if the revision has changed."""
        ...

    def reserve(self, reservations: Sequence[Reservation]) -> Sequence[Machine]:
        """Reserve everything that the plans contain, all or nothing, under the lock of the revision.

        Re-checks the hosts' generations (StaleGeneration), that names, UUIDs, MACs are free (AlreadyExists),
        capacity and passthru parents (Refused) and that addresses are free (AlreadyExists) and in no range
        (Refused), then inserts the machines as *commissioning* with NICs, disks, addresses, explanations.
        If the revision has changed since the plan, capacity, parents and addresses that a parallel request
        took raise StaleGeneration instead, so that the caller decides again. Existing machines are returned.
        """
        ...

    def release(self, system_ids: Sequence[SystemId]) -> None:
        """Delete the machines and all their reservations; unknown machines are ignored."""
        ...

    def renumber(self, moves: Sequence[Renumbering]) -> None:
        """Give networks new ids, which may be exchanged, and update all references.

        NotFound; AlreadyExists for an id that another network keeps. Stored plans are deleted.
        """
        ...

    def placed(self, host_id: HostId) -> tuple[PlacedMachine, ...]:
        """The machines on a host, including reservations."""
        ...


class Store(Protocol):
    """The database."""

    def begin(self) -> UnitOfWork:
        """A unit of work, for use in a `with` statement."""
        ...

    def wait_for_operation(self, timeout_s: float) -> None:
        """Return when an operation can perhaps be claimed, or after `timeout_s`."""
        ...

    @property
    def is_private(self) -> bool:
        """Whether only this server can use the database, as with SQLite."""
        ...

    def check(self) -> None:
        """Check that the database can be read and written; DatabaseUnavailable."""
        ...

    def close(self) -> None: ...
