"""The plan of an import: one change for each record, with remarks and reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hostloom.model.annotation import Annotated
from hostloom.model.grouping import Domain, ResourcePool, Tag, Zone
from hostloom.model.host import Host
from hostloom.model.ids import VlanId
from hostloom.model.machine import Machine
from hostloom.model.network import Fabric, HeldAddress, IPRange, Space, Subnet, Vlan
from hostloom.model.node import Node


class ImportAction(StrEnum):
    """What an import does with one record."""

    CREATE = "create"
    #: The record exists here; its differing settings are defaults, or `prefer_theirs` is set.
    CHANGE = "change"
    SAME = "same"
    #: The record differs here, or another record conflicts with it; ours stays.
    CONFLICT = "conflict"
    #: hostloom does not support the record.
    IMPOSSIBLE = "impossible"


class ImportNoun(StrEnum):
    """The kinds of records, as the command line calls them, in the order of an import."""

    ZONE = "zone"
    RESOURCE_POOL = "resource-pool"
    DOMAIN = "domain"
    TAG = "tag"
    SPACE = "space"
    FABRIC = "fabric"
    VLAN = "vlan"
    SUBNET = "subnet"
    RANGE = "range"
    NODE = "node"
    MACHINE = "machine"
    ADDRESS = "address"
    HOST = "host"


class ImportCode(StrEnum):
    """The codes of remarks, with the meaning of `found`."""

    #: It gets the name `found`, because its name is invalid or taken.
    RENAMED = "renamed"
    #: Another record has its id; it gets `found`.
    OTHER_ID = "other-id"
    #: Our automatic record has the id `found`, which an imported record needs.
    GIVES_WAY = "gives-way"
    #: Our automatic record has the id `found`; it takes the other system's id.
    TAKES_ID = "takes-id"
    #: It keeps its id `found`, because an operator changed it or another such record has the other id.
    KEEPS_ID = "keeps-id"
    #: hostloom stores `found` only for MAAS's clients.
    KEPT = "kept"
    #: Settings differ from ours.
    DIFFERS = "differs"
    #: The subnet moves from VLAN `found`, which hostloom created for it automatically.
    MOVED = "moved"
    #: This subnet is on VLAN `found` here.
    OTHER_VLAN = "other-vlan"
    #: It overlaps our subnet or range `found`.
    OVERLAPS = "overlaps"
    #: The reason why the range is invalid here.
    RANGE_REFUSED = "range-refused"
    #: It belongs to `found`, which is not imported.
    WITHOUT_PARENT = "without-parent"
    #: The node `found` has the address.
    HELD = "held"
    #: Our node `found` has the same MAC; it keeps its system id.
    KNOWN_AS = "known-as"
    #: Another node, `found`, has the system id.
    SYSTEM_ID_TAKEN = "system-id-taken"
    #: The gateway `found` is no address of the subnet.
    GATEWAY = "gateway"
    #: A host of kind `found`.
    HOST_KIND = "host-kind"
    #: No libvirt URI.
    HOST_URI = "host-uri"
    #: The URI means libvirt on the machine of the other system.
    HOST_LOCAL = "host-local"
    #: It was reached with a password.
    HOST_PASSWORD = "host-password"  # noqa: S105  (a code, not a password)


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark about a change, as data."""

    code: ImportCode
    found: str = ""


@dataclass(frozen=True, slots=True)
class SettingDifference:
    """One setting that differs, as text."""

    field: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class NewFabric:
    """A fabric with the id of the untagged VLAN that comes with it."""

    fabric: Fabric
    untagged: VlanId


@dataclass(frozen=True, slots=True)
class Renumbering:
    """A new id for an automatic record. All references to it change too."""

    noun: ImportNoun
    before: int
    after: int
    #: True: it makes room for an imported record and stays automatic. False: it becomes the imported record.
    gives_way: bool


@dataclass(frozen=True, slots=True)
class NewMachine:
    """A machine without a host, with its node."""

    machine: Machine
    node: Node


@dataclass(frozen=True, slots=True)
class Kept:
    """Annotations of a record."""

    kind: Annotated
    #: Ours.
    key: str | int
    values: Mapping[str, Any]


#: The records to write, with our ids. The operation that adds a host reads it first and then writes it.
ImportItem = (
    Renumbering
    | Zone
    | ResourcePool
    | Domain
    | Tag
    | Space
    | NewFabric
    | Fabric
    | Vlan
    | Subnet
    | IPRange
    | Node
    | NewMachine
    | HeldAddress
    | Kept
    | Host
)


@dataclass(frozen=True, slots=True)
class ImportChange:
    """The change of one record."""

    action: ImportAction
    noun: ImportNoun
    #: As the command line names it: a VLAN by FABRIC/VID, a subnet by its CIDR.
    name: str
    #: The other system's id; empty for what has none.
    theirs: str = ""
    #: Our id, present or new.
    ours: str = ""
    differences: tuple[SettingDifference, ...] = ()
    remarks: tuple[Remark, ...] = ()
    #: With CREATE and CHANGE.
    item: ImportItem | None = None


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """All changes of an import, in their order."""

    source: str
    changes: tuple[ImportChange, ...]
    #: VLANs that only the other system serves with DHCP, as FABRIC/VID.
    unserved: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    #: The annotations of created records.
    kept: tuple[Kept, ...] = ()

    @property
    def wanted(self) -> tuple[ImportChange, ...]:
        """The records to write, without new hosts, because these are read first."""
        return tuple(
            change
            for change in self.changes
            if change.action is ImportAction.CHANGE
            or (change.action is ImportAction.CREATE and change.noun is not ImportNoun.HOST)
        )

    @property
    def renumberings(self) -> tuple[Renumbering, ...]:
        """Ids that change before anything else is written."""
        return tuple(change.item for change in self.changes if isinstance(change.item, Renumbering))

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Hosts to be added; their ids are those of the other system where they are free."""
        return tuple(
            change.item
            for change in self.changes
            if change.action is ImportAction.CREATE and isinstance(change.item, Host)
        )
