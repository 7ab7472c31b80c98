"""The state of an import: the mapping of their records to ours, and the planned changes in order."""

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

#: The largest id in the database.
MAX_ID = 2**31 - 1


#: Records that clients refer to by id. A remark states a different id.
_NUMBERED = (
    ImportNoun.ZONE,
    ImportNoun.RESOURCE_POOL,
    ImportNoun.DOMAIN,
    ImportNoun.SPACE,
    ImportNoun.FABRIC,
    ImportNoun.VLAN,
    ImportNoun.SUBNET,
)
#: The id of the default zone, resource pool and domain on a new server.
FIRST_ID = 1


@dataclass(frozen=True)
class Defaults:
    """The default groups."""

    zone: ZoneId = ZoneId(FIRST_ID)
    resource_pool: ResourcePoolId = ResourcePoolId(FIRST_ID)
    domain: DomainId = DomainId(FIRST_ID)

    def of(self, noun: ImportNoun) -> int | None:
        """Return the id of the default group of a kind; None for a kind without one."""
        ids = {
            ImportNoun.ZONE: self.zone,
            ImportNoun.RESOURCE_POOL: self.resource_pool,
            ImportNoun.DOMAIN: self.domain,
        }
        return ids.get(noun)


@dataclass(frozen=True)
class Present:
    """All records of this server."""

    snapshot: Snapshot
    zones: tuple[Zone, ...]
    resource_pools: tuple[ResourcePool, ...]
    domains: tuple[Domain, ...]
    tags: tuple[Tag, ...]
    machines: tuple[Machine, ...]
    #: The annotations of records.
    annotations: Mapping[Annotated, Mapping[str | int, Mapping[str, Any]]] = field(default_factory=dict)
    defaults: Defaults = Defaults()


class Ids:
    """Assigns ids: the preferred id if it is free, else one that is neither used nor preferred."""

    def __init__(self, used: Iterable[int], preferred: Iterable[int], *, lowest: int = 1) -> None:
        self._lowest = lowest
        self._taken = set(used)
        self._next = max([0, *self._taken, *(number for number in preferred if number < MAX_ID)]) + 1

    def take(self, preferred: int) -> int:
        """Assign an id."""
        if self._lowest <= preferred <= MAX_ID and preferred not in self._taken:
            self._taken.add(preferred)
            return preferred
        self._next += 1
        return self._next - 1


class ImportState:
    """The state of one import. The planners fill it, from the groups to the hosts."""

    def __init__(self, present: Present, source: SourceInventory, *, prefer_theirs: bool) -> None:
        self.present, self.source, self.prefer_theirs = present, source, prefer_theirs
        self.changes: list[ImportChange] = []
        self.kept: list[Kept] = []
        self.notes: list[str] = []
        # Their ids to ours. A missing id means that the record is not imported.
        self.zones: dict[ZoneId, ZoneId] = {}
        self.resource_pools: dict[ResourcePoolId, ResourcePoolId] = {}
        self.domains: dict[DomainId, DomainId] = {}
        self.spaces: dict[SpaceId, SpaceId] = {}
        self.fabrics: dict[FabricId, FabricId] = {}
        self.vlans: dict[VlanId, VlanId] = {}
        self.subnets: dict[SubnetId, SubnetId] = {}
        self.nodes: dict[SystemId, SystemId] = {}
        # Our records after the import.
        snapshot = present.snapshot
        self.fabric_by_id = dict(snapshot.fabric_by_id)
        self.vlan_by_id = dict(snapshot.vlan_by_id)
        self.subnet_by_id = dict(snapshot.subnet_by_id)
        self.range_by_id = {range_.id: range_ for range_ in snapshot.ranges}
        self.space_by_id = dict(snapshot.space_by_id)

    def vlan_name(self, key: VlanId | None) -> str:
        """Return the FABRIC/VID of one of our VLANs; empty for None."""
        if key is None:
            return ""
        vlan = self.vlan_by_id[key]
        return vlan_name(self.fabric_by_id[vlan.fabric_id].name, vlan.vid)

    def create(
        self, noun: ImportNoun, name: str, theirs: object, ours: object, item: ImportItem, *remarks: Remark
    ) -> None:
        """Add the creation of a record with its new id."""
        is_renumbered = isinstance(theirs, int) and theirs > 0 and theirs != ours
        all_remarks = (*remarks, *([Remark(ImportCode.OTHER_ID, str(ours))] if is_renumbered else []))
        self.changes.append(
            ImportChange(ImportAction.CREATE, noun, name, str(theirs), str(ours), (), all_remarks, item)
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
        """Add a record that is not imported, or that stays as it is here."""
        self.changes.append(ImportChange(action, noun, name, str(theirs), str(ours), (), remarks))

    def settle(
        self,
        noun: ImportNoun,
        name: str,
        theirs: object,
        ours: Any,
        merged: Any,
        defaults: Mapping[str, object],
        *remarks: Remark,
        words: Callable[[str, Any], str] | None = None,
    ) -> Any:
        """Add a record that is present here. Returns it as it is after the import.

        `merged` is our record with their settings. Only the settings in `defaults` count. An import changes
        them if our record was never changed and has the defaults, or if `prefer_theirs` is set.
        """
        differing = [field for field in defaults if getattr(ours, field) != getattr(merged, field)]
        setting_differences = tuple(_difference(field, words or _text, ours, merged) for field in differing)
        action = self._action(ours, defaults, differing)
        item = merged if action is ImportAction.CHANGE else None
        if action is ImportAction.CONFLICT:
            remarks = (*remarks, Remark(ImportCode.DIFFERS))
        key = str(getattr(ours, "system_id", None) or ours.id)
        if noun in _NUMBERED and str(theirs) != key:
            remarks = (*remarks, Remark(ImportCode.KEEPS_ID, key))
        self.changes.append(
            ImportChange(action, noun, name, str(theirs), key, setting_differences, remarks, item)
        )
        return ours if item is None else merged

    def _action(self, ours: Any, defaults: Mapping[str, object], differing: list[str]) -> ImportAction:
        if not differing:
            return ImportAction.SAME
        is_default = ours.generation == 1 and all(
            getattr(ours, field) == defaults[field] for field in differing
        )
        return ImportAction.CHANGE if is_default or self.prefer_theirs else ImportAction.CONFLICT


def _difference(field: str, render: Callable[[str, Any], str], ours: Any, merged: Any) -> SettingDifference:
    name = field.removesuffix("_id")
    return SettingDifference(name, render(field, getattr(ours, field)), render(field, getattr(merged, field)))


def _text(field: str, value: Any) -> str:  # noqa: ARG001  (the signature of `words`)
    if value is None or value == () or value == "":
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
