"""What an import would do, as data: one change a thing, with what it rests on and why it cannot be."""

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
    """What becomes of one thing of the estate."""

    CREATE = "create"
    #: It exists here, and no operator set what differs (or the other system's values win).
    CHANGE = "change"
    SAME = "same"
    #: It is here otherwise, or something else is in its place: ours stays.
    CONFLICT = "conflict"
    #: hostloom cannot have it.
    IMPOSSIBLE = "impossible"


class ImportNoun(StrEnum):
    """What it is, as the command line calls it; in the order in which an import makes them."""

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
    """Why it is so; `found` of a remark means what is said here."""

    #: It is called `found` here: the name cannot be, or another thing has it.
    RENAMED = "renamed"
    #: Another thing has its id; it gets `found`.
    OTHER_ID = "other-id"
    #: hostloom made it by itself with id `found`, which something imported needs.
    GIVES_WAY = "gives-way"
    #: hostloom made it by itself with id `found`; it takes the other system's id.
    TAKES_ID = "takes-id"
    #: It is here with id `found`, which it keeps: an operator made or changed it, or has the other id.
    KEEPS_ID = "keeps-id"
    #: hostloom keeps `found` for MAAS's clients, which it has no use for itself.
    KEPT = "kept"
    #: Settings differ from ours.
    DIFFERS = "differs"
    #: The subnet comes from VLAN `found`, which hostloom had made for it when it first saw it.
    MOVED = "moved"
    #: We have this subnet on VLAN `found`.
    OTHER_VLAN = "other-vlan"
    #: Subnet or range `found` of ours is in its place.
    OVERLAPS = "overlaps"
    #: Why the range cannot be one of ours.
    RANGE_REFUSED = "range-refused"
    #: What it belongs to, `found`, is not imported.
    WITHOUT_PARENT = "without-parent"
    #: `found` has the address.
    HELD = "held"
    #: The node is here with the same MAC as `found`, which keeps its own system id.
    KNOWN_AS = "known-as"
    #: Another node has the system id: `found`.
    SYSTEM_ID_TAKEN = "system-id-taken"
    #: The gateway `found` is no address of the subnet.
    GATEWAY = "gateway"
    #: A host of kind `found`.
    HOST_KIND = "host-kind"
    #: No libvirt URI.
    HOST_URI = "host-uri"
    #: A libvirt on the machine where the other system runs.
    HOST_LOCAL = "host-local"
    #: It was reached with a password.
    HOST_PASSWORD = "host-password"  # noqa: S105  (a code, not a password)


@dataclass(frozen=True, slots=True)
class Remark:
    """One reason; prose is rendered in decide/explain/ only."""

    code: ImportCode
    found: str = ""


@dataclass(frozen=True, slots=True)
class SettingDifference:
    """One setting that is not the same, as text."""

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
    """Another id for something that hostloom made by itself; everything that refers to it follows."""

    noun: ImportNoun
    before: int
    after: int
    #: It makes room for an imported thing, and stays automatic. Else it is the imported thing from now on.
    gives_way: bool


@dataclass(frozen=True, slots=True)
class NewMachine:
    """A machine that is on no host yet, with its node."""

    machine: Machine
    node: Node


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept with a thing for clients, because hostloom has no place for it."""

    kind: Annotated
    #: Ours.
    key: str | int
    values: Mapping[str, Any]


#: What is to be written, with our ids; a host is read first, and written by the operation that adds it.
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
    """What becomes of one thing."""

    action: ImportAction
    noun: ImportNoun
    #: As the command line names it: a VLAN by FABRIC/VID, a subnet by its CIDR.
    name: str
    #: The other system's id; empty for what has none.
    theirs: str = ""
    #: Ours: of what is here, or what it gets.
    ours: str = ""
    differences: tuple[SettingDifference, ...] = ()
    remarks: tuple[Remark, ...] = ()
    #: With CREATE and CHANGE.
    item: ImportItem | None = None


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """Everything, in the order in which it is done."""

    source: str
    changes: tuple[ImportChange, ...]
    #: VLANs that the other system serves and our DHCP does not, as FABRIC/VID.
    unserved: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    #: What is kept with things that are created.
    kept: tuple[Kept, ...] = ()

    @property
    def wanted(self) -> tuple[ImportChange, ...]:
        """What is to be written; new hosts are not: they are read first."""
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
