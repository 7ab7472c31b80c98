"""One transaction with all nouns: what services and workflows write through."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from hostloom import ports
from hostloom.decide.snapshot import Snapshot
from hostloom.model.access import User
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
from hostloom.model.importing import Renumbering
from hostloom.model.machine import Machine
from hostloom.model.network import Fabric, IPRange, Space, Subnet, Vlan
from hostloom.model.rack import Rack
from hostloom.ports import Reservation
from hostloom.store import groupings, renumber, reserve, tables, wire_tables
from hostloom.store.access import ApiKeys, Passwords, Tokens, Users
from hostloom.store.addresses import Addresses
from hostloom.store.annotations import Annotations
from hostloom.store.answers import Answers
from hostloom.store.commissionings import Commissionings
from hostloom.store.events import Events
from hostloom.store.fabrics import Fabrics
from hostloom.store.hosts import Hosts
from hostloom.store.machines import Machines
from hostloom.store.nodes import Nodes
from hostloom.store.operations import Operations
from hostloom.store.plans import Plans
from hostloom.store.racks import Racks
from hostloom.store.ranges import Ranges
from hostloom.store.snapshot import SnapshotCache
from hostloom.store.spaces import Spaces
from hostloom.store.ssh_keys import SshKeys
from hostloom.store.subnets import Subnets
from hostloom.store.transaction import Transaction
from hostloom.store.trouble import connect
from hostloom.store.vlans import Vlans
from hostloom.store.wire import DhcpMessages, Proofs, VlanProbes


class DatabaseUnitOfWork:
    """A transaction over one connection, held from `with` to its end. For one thread."""

    fabrics: ports.Fabrics
    vlans: ports.Vlans
    spaces: ports.Repository[Space, SpaceId]
    subnets: ports.Repository[Subnet, SubnetId]
    ranges: ports.Repository[IPRange, RangeId]
    addresses: ports.Addresses
    nodes: ports.Nodes
    hosts: ports.Hosts
    machines: ports.Machines
    zones: ports.Groups[Zone, ZoneId]
    resource_pools: ports.Groups[ResourcePool, ResourcePoolId]
    domains: ports.Domains
    tags: ports.Repository[Tag, TagId]
    users: ports.Repository[User, UserId]
    tokens: ports.Tokens
    api_keys: ports.ApiKeys
    passwords: ports.Passwords
    annotations: ports.Annotations
    operations: ports.Operations
    plans: ports.Plans
    events: ports.Events
    answers: ports.Answers
    racks: ports.Repository[Rack, RackId]
    dhcp_messages: ports.DhcpMessages
    vlan_probes: ports.VlanProbes
    proofs: ports.Proofs
    commissionings: ports.Commissionings
    ssh_keys: ports.SshKeys

    def __init__(self, engine: Engine, cache: SnapshotCache, wake: Callable[[], None]) -> None:
        self._engine, self._cache, self._wake = engine, cache, wake

    def __enter__(self) -> Self:
        tx = self._tx = Transaction(connect(self._engine))
        self.fabrics = Fabrics(tx, tables.fabrics, Fabric)
        self.vlans = Vlans(tx, tables.vlans, Vlan)
        self.spaces = Spaces(tx, tables.spaces, Space)
        self.subnets = Subnets(tx, tables.subnets, Subnet)
        self.ranges = Ranges(tx, tables.ip_ranges, IPRange)
        self.addresses = Addresses(tx, self.snapshot)
        self.nodes = Nodes(tx)
        self.hosts = Hosts(tx, tables.hosts, Host)
        self.machines = Machines(tx)
        self.zones = groupings.zones(tx)
        self.resource_pools = groupings.resource_pools(tx)
        self.domains = groupings.domains(tx)
        self.tags = groupings.Tags(tx, tables.tags, Tag)
        self.users = Users(tx, tables.users, User)
        self.tokens = Tokens(tx)
        self.api_keys = ApiKeys(tx)
        self.passwords = Passwords(tx)
        self.annotations = Annotations(tx)
        self.operations = Operations(tx, self._wake)
        self.plans = Plans(tx)
        self.events = Events(tx)
        self.answers = Answers(tx)
        self.racks = Racks(tx, wire_tables.racks, Rack)
        self.dhcp_messages = DhcpMessages(tx)
        self.vlan_probes = VlanProbes(tx)
        self.proofs = Proofs(tx)
        self.commissionings = Commissionings(tx)
        self.ssh_keys = SshKeys(tx)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._tx.rollback()
        finally:
            self._tx.connection.close()

    def commit(self) -> None:
        """Make the changes durable and start a new transaction."""
        revision, placements = self._tx.revision, self._tx.placements if self._tx.is_noted else []
        self._tx.commit()
        if revision is not None and placements:
            self._cache.place(revision, placements)

    def lock_world(self) -> None:
        """Take the world's lock (store/transaction.py)."""
        self._tx.lock_world()

    def snapshot(self) -> Snapshot:
        """The world at one revision, this transaction's own changes included."""
        return self._cache.snapshot(self._tx)

    def reserve(self, reservations: Sequence[Reservation]) -> Sequence[Machine]:
        """Reserve everything that the plans name (store/reserve.py)."""
        return reserve.reserve(self._tx, reservations)

    def release(self, system_ids: Sequence[SystemId]) -> None:
        """Remove the machines and everything reserved for them."""
        reserve.release(self._tx, system_ids)

    def renumber(self, moves: Sequence[Renumbering]) -> None:
        """Give networks other ids; everything that refers to them follows (store/renumber.py)."""
        renumber.renumber(self._tx, moves)

    def placed(self, host_id: HostId) -> tuple[PlacedMachine, ...]:
        """What is on a host, reservations included."""
        return reserve.placed(self._tx, host_id)
