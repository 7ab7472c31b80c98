"""Plans new ids for automatic records, so that imported records can keep their ids."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hostloom.decide.snapshot import Snapshot
from hostloom.migration.import_state import FIRST_ID, MAX_ID, ImportState
from hostloom.model.grouping import FIRST_NAME, MAAS_DOMAIN, Domain
from hostloom.model.import_plan import (
    ImportAction,
    ImportChange,
    ImportCode,
    ImportNoun,
    Remark,
    Renumbering,
)
from hostloom.model.network import UNTAGGED, Subnet, Vlan

#: The attribute of `Present` with the groups of a kind.
_GROUPS = {
    ImportNoun.ZONE: "zones",
    ImportNoun.RESOURCE_POOL: "resource_pools",
    ImportNoun.DOMAIN: "domains",
}


@dataclass(frozen=True)
class _Records:
    """The records of one kind."""

    noun: ImportNoun
    #: Our records by id.
    ours: Mapping[Any, Any]
    #: Their ids to ours, or to the id of a new record.
    matches: Mapping[Any, Any]
    is_automatic: Callable[[Any], bool]
    #: The lowest id that an import may keep.
    lowest: int = 1


def plan_renumberings(trial: ImportState) -> list[Renumbering]:
    """Plan new ids after a trial import, so that imported records keep their ids.

    Only automatic records that no operator changed get new ids.
    """
    present = trial.present
    snapshot = present.snapshot

    def is_network(item: Any) -> bool:
        return is_automatic(snapshot, item)

    nouns = (
        _Records(ImportNoun.ZONE, _by_id(present.zones), trial.zones, is_untouched_default, lowest=0),
        _Records(
            ImportNoun.RESOURCE_POOL,
            _by_id(present.resource_pools),
            trial.resource_pools,
            is_untouched_default,
            lowest=0,
        ),
        _Records(ImportNoun.DOMAIN, _by_id(present.domains), trial.domains, is_untouched_default, lowest=0),
        _Records(ImportNoun.FABRIC, snapshot.fabric_by_id, trial.fabrics, is_network, lowest=0),
        _Records(ImportNoun.VLAN, snapshot.vlan_by_id, trial.vlans, is_network),
        _Records(ImportNoun.SUBNET, snapshot.subnet_by_id, trial.subnets, is_network),
    )
    return [move for noun in nouns for move in _moves_of(noun)]


def _by_id(items: Iterable[Any]) -> Mapping[int, Any]:
    return {item.id: item for item in items}


def _moves_of(records: _Records) -> list[Renumbering]:
    automatic = {key for key, item in records.ours.items() if records.is_automatic(item)}
    targets = _targets(records, automatic)
    new_ids = {their_id for their_id, our_id in records.matches.items() if our_id not in records.ours}
    required = new_ids | set(targets.values())
    displaced = [key for key in sorted(automatic) if key in required and key not in targets]
    next_id = max([0, *records.ours, *(key for key in records.matches if key < MAX_ID)]) + 1
    takes = (
        Renumbering(records.noun, before, after, gives_way=False) for before, after in sorted(targets.items())
    )
    moves = (Renumbering(records.noun, key, next_id + n, gives_way=True) for n, key in enumerate(displaced))
    return [*takes, *moves]


def _targets(records: _Records, automatic: set[int]) -> dict[int, int]:
    """Their ids for our automatic records, as far as no record with a fixed id has them."""
    targets: dict[int, int] = {}
    for their_id, our_id in sorted(records.matches.items()):
        if our_id in automatic and our_id != their_id and records.lowest <= their_id <= MAX_ID:
            targets.setdefault(our_id, their_id)
    fixed = records.ours.keys() - automatic
    return {key: target for key, target in targets.items() if target not in fixed}


def is_untouched_default(group: Any) -> bool:
    """Whether a group is the default group of a new server, which no operator changed.

    A default group with another id got it from an import and keeps it. The façade renames the domain when the
    first MAAS client gets a key, which does not count as a change.
    """
    is_maas = isinstance(group, Domain) and group.name == MAAS_DOMAIN
    name, changes = (MAAS_DOMAIN, 1) if is_maas else (FIRST_NAME, 0)
    return bool(group.id == FIRST_ID and group.name == name and group.generation <= 1 + changes)


def is_automatic(snapshot: Snapshot, item: Any) -> bool:
    """Whether a record is automatic and unchanged. VLANs with DHCP and their subnets keep their ids."""
    if not item.automatic:
        return False
    if isinstance(item, Vlan):
        # The generation is no criterion, because hostloom itself updates the MTU.
        default_name = "untagged" if item.vid == UNTAGGED else f"vlan-{item.vid}"
        settings = (item.space_id, item.primary_rack_id, item.secondary_rack_id, item.description or None)
        return item.name == default_name and not _is_served(item) and settings == (None,) * len(settings)
    if isinstance(item, Subnet) and _is_served(snapshot.vlan_by_id[item.vlan_id]):
        return False
    return bool(item.generation == 1)


def _is_served(vlan: Vlan) -> bool:
    return vlan.dhcp_on or vlan.relay_vlan_id is not None


def describe(state: ImportState, moves: list[Renumbering]) -> list[ImportChange]:
    """Make a change for each new id, with the name of the record before the import."""
    return [_change(state, move) for move in moves]


def _change(state: ImportState, move: Renumbering) -> ImportChange:
    code = ImportCode.GIVES_WAY if move.gives_way else ImportCode.TAKES_ID
    theirs = "" if move.gives_way else str(move.after)
    remarks = (Remark(code, str(move.before)),)
    name = _name(state, move)
    return ImportChange(ImportAction.CHANGE, move.noun, name, theirs, str(move.after), (), remarks, move)


def _name(state: ImportState, move: Renumbering) -> str:
    key: Any = move.after
    if move.noun is ImportNoun.FABRIC:
        return state.fabric_by_id[key].name
    if move.noun in _GROUPS:
        groups = getattr(state.present, _GROUPS[move.noun])
        return str(next(group.name for group in groups if group.id == key))
    return state.vlan_name(key) if move.noun is ImportNoun.VLAN else str(state.subnet_by_id[key].cidr)
