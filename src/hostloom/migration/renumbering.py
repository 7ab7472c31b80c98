"""Ids that change: what hostloom made by itself takes the imported id, or gives way to what needs its id."""

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

#: Where the groups of a kind are in what is present.
_GROUPS = {
    ImportNoun.ZONE: "zones",
    ImportNoun.RESOURCE_POOL: "resource_pools",
    ImportNoun.DOMAIN: "domains",
}


@dataclass(frozen=True)
class _Noun:
    """Things of one kind."""

    noun: ImportNoun
    #: Ours by id.
    ours: Mapping[Any, Any]
    #: Which of ours each of theirs is, or what id it would get as a new one.
    matches: Mapping[Any, Any]
    is_automatic: Callable[[Any], bool]
    #: The lowest id that one of theirs may keep.
    lowest: int = 1


def plan_renumberings(trial: ImportState) -> list[Renumbering]:
    """What an import that has been tried needs, so that imported things keep their ids.

    Only what hostloom made by itself, and no operator changed, gets another id.
    """
    present = trial.present
    snapshot = present.snapshot

    def is_network(item: Any) -> bool:
        return is_automatic(snapshot, item)

    nouns = (
        _Noun(ImportNoun.ZONE, _by_id(present.zones), trial.zones, is_untouched_default, lowest=0),
        _Noun(
            ImportNoun.RESOURCE_POOL,
            _by_id(present.resource_pools),
            trial.resource_pools,
            is_untouched_default,
            lowest=0,
        ),
        _Noun(ImportNoun.DOMAIN, _by_id(present.domains), trial.domains, is_untouched_default, lowest=0),
        _Noun(ImportNoun.FABRIC, snapshot.fabric_by_id, trial.fabrics, is_network, lowest=0),
        _Noun(ImportNoun.VLAN, snapshot.vlan_by_id, trial.vlans, is_network),
        _Noun(ImportNoun.SUBNET, snapshot.subnet_by_id, trial.subnets, is_network),
    )
    return [move for noun in nouns for move in _moves_of(noun)]


def _by_id(items: Iterable[Any]) -> Mapping[int, Any]:
    return {item.id: item for item in items}


def _moves_of(things: _Noun) -> list[Renumbering]:
    noun, ours, matches = things.noun, things.ours, things.matches
    automatic = {key for key, item in ours.items() if things.is_automatic(item)}
    wanted: dict[int, int] = {}
    for their_id, our_id in sorted(matches.items()):
        if our_id in automatic and our_id != their_id and things.lowest <= their_id <= MAX_ID:
            wanted.setdefault(our_id, their_id)
    while True:
        fixed = {key for key in ours if key not in wanted and key not in automatic}
        blocked = [key for key, target in wanted.items() if target in fixed]
        if not blocked:
            break
        for key in blocked:
            del wanted[key]
    new_ids = {their_id for their_id, our_id in matches.items() if our_id not in ours}
    needed = new_ids | set(wanted.values())
    in_the_way = [key for key in sorted(ours) if key in needed and key not in wanted and key not in fixed]
    free = max([0, *ours, *(key for key in matches if key < MAX_ID)]) + 1
    return [
        *(Renumbering(noun, before, after, gives_way=False) for before, after in sorted(wanted.items())),
        *(Renumbering(noun, key, free + n, gives_way=True) for n, key in enumerate(in_the_way)),
    ]


def is_untouched_default(group: Any) -> bool:
    """Whether it is the zone, resource pool or domain that a new server has, and no operator changed it.

    Once it has another id than the first one, that is the id of an import, which it keeps. The façade renames
    the domain when the first MAAS client gets a key: no operator's change.
    """
    is_maas = isinstance(group, Domain) and group.name == MAAS_DOMAIN
    name, changes = (MAAS_DOMAIN, 1) if is_maas else (FIRST_NAME, 0)
    return bool(group.id == FIRST_ID and group.name == name and group.generation <= 1 + changes)


def is_automatic(snapshot: Snapshot, item: Any) -> bool:
    """Whether it was created automatically and not changed since; what DHCP serves keeps its id."""
    if not item.automatic:
        return False
    if isinstance(item, Vlan):
        # hostloom itself sets the MTU that it reads, which counts as a change
        born = "untagged" if item.vid == UNTAGGED else f"vlan-{item.vid}"
        said = (item.space_id, item.primary_rack_id, item.secondary_rack_id, item.description or None)
        return item.name == born and not _is_served(item) and said == (None,) * len(said)
    if isinstance(item, Subnet) and _is_served(snapshot.vlan_by_id[item.vlan_id]):
        return False
    return bool(item.generation == 1)


def _is_served(vlan: Vlan) -> bool:
    return vlan.dhcp_on or vlan.relay_vlan_id is not None


def describe(book: ImportState, moves: list[Renumbering]) -> list[ImportChange]:
    """Each as a change of its own, by the names that the things have before the import."""
    return [_change(book, move) for move in moves]


def _change(book: ImportState, move: Renumbering) -> ImportChange:
    code = ImportCode.GIVES_WAY if move.gives_way else ImportCode.TAKES_ID
    theirs = "" if move.gives_way else str(move.after)
    remarks = (Remark(code, str(move.before)),)
    name = _name(book, move)
    return ImportChange(ImportAction.CHANGE, move.noun, name, theirs, str(move.after), (), remarks, move)


def _name(book: ImportState, move: Renumbering) -> str:
    key: Any = move.after
    if move.noun is ImportNoun.FABRIC:
        return book.fabric_by_id[key].name
    if move.noun in _GROUPS:
        groups = getattr(book.present, _GROUPS[move.noun])
        return str(next(group.name for group in groups if group.id == key))
    return book.vlan_name(key) if move.noun is ImportNoun.VLAN else str(book.subnet_by_id[key].cidr)
