"""What an import has decided so far: which of ours each of theirs is, and the changes in order."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hostloom.decide.snapshot import Snapshot
from hostloom.model.annotation import Annotated
from hostloom.model.grouping import Domain, ResourcePool, Tag, Zone
from hostloom.model.ids import DomainId, FabricId, ResourcePoolId, SpaceId, SubnetId, SystemId, VlanId, ZoneId
from hostloom.model.import_plan import (
    ImportAction,
    ImportChange,
    ImportCode,
    ImportItem,
    ImportNoun,
    Kept,
    Remark,
    SettingDifference,
)
from hostloom.model.machine import Machine
from hostloom.model.network import vlan_name
from hostloom.model.source_inventory import SourceInventory

#: A database holds ids up to here.
MAX_ID = 2**31 - 1


#: What clients name by id only; a difference says where it has another one.
_NUMBERED = (
    ImportNoun.ZONE,
    ImportNoun.RESOURCE_POOL,
    ImportNoun.DOMAIN,
    ImportNoun.SPACE,
    ImportNoun.FABRIC,
    ImportNoun.VLAN,
    ImportNoun.SUBNET,
)
#: The id with which the default zone, resource pool and domain are made.
FIRST_ID = 1


@dataclass(frozen=True)
class Defaults:
    """The groups of what names no other."""

    zone: ZoneId = ZoneId(FIRST_ID)
    resource_pool: ResourcePoolId = ResourcePoolId(FIRST_ID)
    domain: DomainId = DomainId(FIRST_ID)

    def of(self, noun: ImportNoun) -> int | None:
        """The id of the default group of a kind; None for a noun that has none."""
        ids = {
            ImportNoun.ZONE: self.zone,
            ImportNoun.RESOURCE_POOL: self.resource_pool,
            ImportNoun.DOMAIN: self.domain,
        }
        return ids.get(noun)


@dataclass(frozen=True)
class Present:
    """All that is here."""

    snapshot: Snapshot
    zones: tuple[Zone, ...]
    resource_pools: tuple[ResourcePool, ...]
    domains: tuple[Domain, ...]
    tags: tuple[Tag, ...]
    machines: tuple[Machine, ...]
    #: What is kept with things for clients.
    annotations: Mapping[Annotated, Mapping[str | int, Mapping[str, Any]]] = field(default_factory=dict)
    defaults: Defaults = Defaults()


class Ids:
    """Gives each object the id that it had if that is free, otherwise one that is not used or needed."""

    def __init__(self, taken: Iterable[int], wanted: Iterable[int], *, lowest: int = 1) -> None:
        self._lowest = lowest
        self._taken = set(taken)
        self._next = max([0, *self._taken, *(each for each in wanted if each < MAX_ID)]) + 1

    def take(self, wanted: int) -> int:
        """The id that it gets."""
        if self._lowest <= wanted <= MAX_ID and wanted not in self._taken:
            self._taken.add(wanted)
            return wanted
        self._next += 1
        return self._next - 1


class ImportState:
    """The state of one import; filled from the groups to the hosts."""

    def __init__(self, present: Present, estate: SourceInventory, *, prefer_theirs: bool) -> None:
        self.present, self.estate, self.prefer_theirs = present, estate, prefer_theirs
        self.changes: list[ImportChange] = []
        self.kept: list[Kept] = []
        self.notes: list[str] = []
        # Theirs to ours; what is missing is not imported.
        self.zones: dict[ZoneId, ZoneId] = {}
        self.resource_pools: dict[ResourcePoolId, ResourcePoolId] = {}
        self.domains: dict[DomainId, DomainId] = {}
        self.spaces: dict[SpaceId, SpaceId] = {}
        self.fabrics: dict[FabricId, FabricId] = {}
        self.vlans: dict[VlanId, VlanId] = {}
        self.subnets: dict[SubnetId, SubnetId] = {}
        self.nodes: dict[SystemId, SystemId] = {}
        # Ours as they will be.
        snapshot = present.snapshot
        self.fabric_by_id = dict(snapshot.fabric_by_id)
        self.vlan_by_id = dict(snapshot.vlan_by_id)
        self.subnet_by_id = dict(snapshot.subnet_by_id)
        self.range_by_id = {range_.id: range_ for range_ in snapshot.ranges}
        self.space_by_id = dict(snapshot.space_by_id)

    def vlan_name(self, key: VlanId | None) -> str:
        """FABRIC/VID of one of ours."""
        if key is None:
            return ""
        vlan = self.vlan_by_id[key]
        return vlan_name(self.fabric_by_id[vlan.fabric_id].name, vlan.vid)

    def create(
        self, noun: ImportNoun, name: str, theirs: object, ours: object, item: ImportItem, *remarks: Remark
    ) -> None:
        """Something new, with the id that it gets."""
        moved = isinstance(theirs, int) and theirs > 0 and theirs != ours
        told = (*remarks, *([Remark(ImportCode.OTHER_ID, str(ours))] if moved else []))
        self.changes.append(
            ImportChange(ImportAction.CREATE, noun, name, str(theirs), str(ours), (), told, item)
        )

    def refuse(
        self,
        noun: ImportNoun,
        name: str,
        theirs: object,
        *remarks: Remark,
        ours: object = "",
        action: ImportAction = ImportAction.CONFLICT,
    ) -> None:
        """Something that stays out, or as it is here."""
        self.changes.append(ImportChange(action, noun, name, str(theirs), str(ours), (), remarks))

    def settle(
        self,
        noun: ImportNoun,
        name: str,
        theirs: object,
        ours: Any,
        wanted: Any,
        unsaid: Mapping[str, object],
        *remarks: Remark,
        words: Callable[[str, Any], str] | None = None,
    ) -> Any:
        """Something that is here, as it will be.

        `wanted` is ours with their settings, of which the ones named in `unsaid` count. One that has the
        value given there, in a thing that was never changed, nobody has said anything about: it is filled in.
        """
        say = words or _text
        differing = [field for field in unsaid if getattr(ours, field) != getattr(wanted, field)]
        setting_differences = tuple(_difference(field, say, ours, wanted) for field in differing)
        is_unsaid = ours.generation == 1 and all(getattr(ours, field) == unsaid[field] for field in differing)
        key = str(getattr(ours, "system_id", None) or ours.id)
        if not differing:
            action, item = ImportAction.SAME, None
        elif is_unsaid or self.prefer_theirs:
            action, item = ImportAction.CHANGE, wanted
        else:
            action, item = ImportAction.CONFLICT, None
            remarks = (*remarks, Remark(ImportCode.DIFFERS))
        if noun in _NUMBERED and str(theirs) != key:
            remarks = (*remarks, Remark(ImportCode.KEEPS_ID, key))
        self.changes.append(
            ImportChange(action, noun, name, str(theirs), key, setting_differences, remarks, item)
        )
        return ours if item is None else wanted


def _difference(field: str, say: Callable[[str, Any], str], ours: Any, wanted: Any) -> SettingDifference:
    name = field.removesuffix("_id")
    return SettingDifference(name, say(field, getattr(ours, field)), say(field, getattr(wanted, field)))


def _text(field: str, value: Any) -> str:  # noqa: ARG001  (the form of `words`)
    if value is None or value == () or value == "":
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
