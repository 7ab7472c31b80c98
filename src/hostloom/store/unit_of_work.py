"""One transaction over all nouns, through which services and sagas write."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine

from hostloom.decide.snapshot import Snapshot
from hostloom.model.access import User
from hostloom.model.disk_image import DiskImage
from hostloom.model.grouping import ResourcePool, Tag, Zone
from hostloom.model.host import Host, PlacedMachine
from hostloom.model.ids import (
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
from hostloom.model.network import Fabric, IPRange, Space, Subnet, Vlan
from hostloom.model.rack import Rack
from hostloom.ports import access_records, operation_records, power, repositories, wire_records
from hostloom.ports.store import Reservation
from hostloom.store import groupings, image_tables, renumber, reserve, tables, wire_tables
from hostloom.store.access import ApiKeys, Passwords, Tokens, Users, UserSshKeys
from hostloom.store.addresses import Addresses
from hostloom.store.annotations import Annotations
from hostloom.store.commissionings import Commissionings
from hostloom.store.database_errors import connect
from hostloom.store.deployments import Deployments, ImageCopies
from hostloom.store.disk_images import DiskImages
from hostloom.store.events import Events
from hostloom.store.fabrics import Fabrics
from hostloom.store.hosts import Hosts
from hostloom.store.machines import Machines
from hostloom.store.nodes import Nodes
from hostloom.store.operations import Answers, Operations
from hostloom.store.plans import Plans
from hostloom.store.power_settings import PowerRecords
from hostloom.store.racks import Racks
from hostloom.store.ranges import Ranges
from hostloom.store.snapshot import SnapshotCache
from hostloom.store.spaces import Spaces
from hostloom.store.ssh_keys import SshKeys
from hostloom.store.subnets import Subnets
from hostloom.store.transaction import Transaction
from hostloom.store.vlans import Vlans
from hostloom.store.wire import DhcpMessages, Proofs, VlanProbes


class DatabaseUnitOfWork:
    """A transaction over one connection, which it holds for the whole `with` block. Not thread-safe."""

    fabrics: repositories.Fabrics
    vlans: repositories.Vlans
    spaces: repositories.Repository[Space, SpaceId]
    subnets: repositories.Repository[Subnet, SubnetId]
    ranges: repositories.Repository[IPRange, RangeId]
    addresses: repositories.Addresses
    nodes: repositories.Nodes
    hosts: repositories.Hosts
    machines: repositories.Machines
    zones: repositories.Groups[Zone, ZoneId]
    resource_pools: repositories.Groups[ResourcePool, ResourcePoolId]
    domains: repositories.Domains
    tags: repositories.Repository[Tag, TagId]
    users: repositories.Repository[User, UserId]
    tokens: access_records.Tokens
    api_keys: access_records.ApiKeys
    passwords: access_records.Passwords
    annotations: access_records.Annotations
    operations: operation_records.Operations
    plans: repositories.Plans
    events: operation_records.Events
    answers: operation_records.Answers
    racks: repositories.Repository[Rack, RackId]
    disk_images: repositories.DiskImages
    deployments: wire_records.Deployments
    image_copies: wire_records.ImageCopies
    dhcp_messages: wire_records.DhcpMessages
    vlan_probes: wire_records.VlanProbes
    proofs: wire_records.Proofs
    commissionings: wire_records.Commissionings
    ssh_keys: access_records.SshKeys
    user_ssh_keys: access_records.UserSshKeys
    power_settings: power.PowerRecords

    def __init__(self, engine: Engine, cache: SnapshotCache, wake: Callable[[], None]) -> None:
        self._engine, self._cache, self.wake = engine, cache, wake

    def __enter__(self) -> Self:
        self.tx = Transaction(connect(self._engine))
        return self

    def __getattr__(self, name: str) -> Any:
        """The repository of a noun, created at its first use in the transaction."""
        if name not in _REPOSITORIES:
            raise AttributeError(name)
        repository = _REPOSITORIES[name](self)
        setattr(self, name, repository)
        return repository

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.tx.rollback()
        finally:
            self.tx.connection.close()

    def commit(self) -> None:
        """Make the changes durable and start a new transaction."""
        revision, placements = self.tx.revision, self.tx.placements if self.tx.is_noted else []
        self.tx.commit()
        if revision is not None and placements:
            self._cache.place(revision, placements)

    def lock_world(self) -> None:
        """Take the lock of the revision (store/transaction.py)."""
        self.tx.lock_world()

    def snapshot(self) -> Snapshot:
        """The state at one revision, including this transaction's changes."""
        return self._cache.snapshot(self.tx)

    def reserve(self, reservations: Sequence[Reservation]) -> Sequence[Machine]:
        """Reserve everything that the plans contain (store/reserve.py)."""
        return reserve.reserve(self.tx, reservations)

    def release(self, system_ids: Sequence[SystemId]) -> None:
        """Delete the machines and all their reservations."""
        reserve.release(self.tx, system_ids)

    def renumber(self, moves: Sequence[Renumbering]) -> None:
        """Give networks new ids, and update all references (store/renumber.py)."""
        renumber.renumber(self.tx, moves)

    def placed(self, host_id: HostId) -> tuple[PlacedMachine, ...]:
        """The machines on a host, including reservations."""
        return reserve.placed(self.tx, host_id)


#: Constructors of the repositories, by noun.
_REPOSITORIES: dict[str, Callable[[DatabaseUnitOfWork], object]] = {
    "fabrics": lambda uow: Fabrics(uow.tx, tables.fabrics, Fabric),
    "vlans": lambda uow: Vlans(uow.tx, tables.vlans, Vlan),
    "spaces": lambda uow: Spaces(uow.tx, tables.spaces, Space),
    "subnets": lambda uow: Subnets(uow.tx, tables.subnets, Subnet),
    "ranges": lambda uow: Ranges(uow.tx, tables.ip_ranges, IPRange),
    "addresses": lambda uow: Addresses(uow.tx, uow.snapshot),
    "nodes": lambda uow: Nodes(uow.tx),
    "hosts": lambda uow: Hosts(uow.tx, tables.hosts, Host),
    "machines": lambda uow: Machines(uow.tx),
    "zones": lambda uow: groupings.zones(uow.tx),
    "resource_pools": lambda uow: groupings.resource_pools(uow.tx),
    "domains": lambda uow: groupings.domains(uow.tx),
    "tags": lambda uow: groupings.Tags(uow.tx, tables.tags, Tag),
    "users": lambda uow: Users(uow.tx, tables.users, User),
    "tokens": lambda uow: Tokens(uow.tx),
    "api_keys": lambda uow: ApiKeys(uow.tx),
    "passwords": lambda uow: Passwords(uow.tx),
    "annotations": lambda uow: Annotations(uow.tx),
    "operations": lambda uow: Operations(uow.tx, uow.wake),
    "plans": lambda uow: Plans(uow.tx),
    "events": lambda uow: Events(uow.tx),
    "answers": lambda uow: Answers(uow.tx),
    "racks": lambda uow: Racks(uow.tx, wire_tables.racks, Rack),
    "disk_images": lambda uow: DiskImages(uow.tx, image_tables.disk_images, DiskImage),
    "deployments": lambda uow: Deployments(uow.tx),
    "image_copies": lambda uow: ImageCopies(uow.tx),
    "dhcp_messages": lambda uow: DhcpMessages(uow.tx),
    "vlan_probes": lambda uow: VlanProbes(uow.tx),
    "proofs": lambda uow: Proofs(uow.tx),
    "commissionings": lambda uow: Commissionings(uow.tx),
    "ssh_keys": lambda uow: SshKeys(uow.tx),
    "user_ssh_keys": lambda uow: UserSshKeys(uow.tx),
    "power_settings": lambda uow: PowerRecords(uow.tx),
}
