"""Ids that change: what hostloom made by itself takes the imported id, or gives way to what needs its id."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from hostloom.decide.importing.book import MAX_ID, Book, Present
from hostloom.decide.snapshot import Snapshot
from hostloom.model.importing import (
    ImportAction,
    ImportChange,
    ImportCode,
    ImportNoun,
    Remark,
    Renumbering,
)
from hostloom.model.machine import Machine
from hostloom.model.network import UNTAGGED, Fabric, Subnet, Vlan
from hostloom.model.node import Node

#: Things of ours by id, and which of them each of theirs is (or what id it would get as a new one).
_Numbered = tuple[ImportNoun, Mapping[Any, Any], Mapping[Any, Any]]


def plan_renumberings(trial: Book) -> list[Renumbering]:
    """What an import that has been tried needs, so that imported things keep their ids.

    Only what hostloom made by itself, and no operator changed, gets another id.
    """
    snapshot = trial.present.snapshot
    nouns: tuple[_Numbered, ...] = (
        (ImportNoun.FABRIC, snapshot.fabric_by_id, trial.fabrics),
        (ImportNoun.VLAN, snapshot.vlan_by_id, trial.vlans),
        (ImportNoun.SUBNET, snapshot.subnet_by_id, trial.subnets),
    )
    return [move for noun in nouns for move in _moves_of(snapshot, *noun)]


def _moves_of(
    snapshot: Snapshot, noun: ImportNoun, ours: Mapping[int, Any], matches: Mapping[int, int]
) -> list[Renumbering]:
    lowest = 0 if noun is ImportNoun.FABRIC else 1
    wanted: dict[int, int] = {}
    for their_id, our_id in sorted(matches.items()):
        is_movable = our_id in ours and is_automatic(snapshot, ours[our_id])
        if is_movable and our_id != their_id and lowest <= their_id <= MAX_ID:
            wanted.setdefault(our_id, their_id)
    while True:
        fixed = {key for key in ours if key not in wanted and not is_automatic(snapshot, ours[key])}
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


def is_automatic(snapshot: Snapshot, item: Any) -> bool:
    """Whether hostloom made it by itself and nobody changed it since; what DHCP serves keeps its id."""
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


def describe(book: Book, moves: list[Renumbering]) -> list[ImportChange]:
    """Each as a change of its own, by the names that the things have before the import."""
    return [_change(book, move) for move in moves]


def _change(book: Book, move: Renumbering) -> ImportChange:
    code = ImportCode.GIVES_WAY if move.gives_way else ImportCode.TAKES_ID
    theirs = "" if move.gives_way else str(move.after)
    remarks = (Remark(code, str(move.before)),)
    name = _name(book, move)
    return ImportChange(ImportAction.CHANGE, move.noun, name, theirs, str(move.after), (), remarks, move)


def _name(book: Book, move: Renumbering) -> str:
    key: Any = move.after
    if move.noun is ImportNoun.FABRIC:
        return book.fabric_by_id[key].name
    return book.vlan_name(key) if move.noun is ImportNoun.VLAN else str(book.subnet_by_id[key].cidr)


# -- the world with the new ids ----------------------------------------------------------------------------


class _New(Protocol):
    def __call__(self, key: Any, /) -> Any: ...


@dataclass(frozen=True)
class _Translation:
    fabric: _New
    vlan: _New
    subnet: _New
    imported: frozenset[tuple[ImportNoun, int]]


def renumbered(present: Present, moves: list[Renumbering]) -> Present:
    """What is here, with the new ids wherever an id stands."""
    if not moves:
        return present
    new = _Translation(
        _by(moves, ImportNoun.FABRIC),
        _by(moves, ImportNoun.VLAN),
        _by(moves, ImportNoun.SUBNET),
        frozenset((move.noun, move.after) for move in moves if not move.gives_way),
    )
    before = present.snapshot
    after = replace(
        before,
        fabrics=tuple(
            _settled(replace(f, id=new.fabric(f.id)), ImportNoun.FABRIC, new) for f in before.fabrics
        ),
        vlans=tuple(_vlan(vlan, new) for vlan in before.vlans),
        subnets=tuple(_subnet(subnet, new) for subnet in before.subnets),
        ranges=tuple(replace(item, subnet_id=new.subnet(item.subnet_id)) for item in before.ranges),
        held=tuple(replace(held, subnet_id=new.subnet(held.subnet_id)) for held in before.held),
        nodes=tuple(_node(node, new) for node in before.nodes),
        foreign_dhcp=tuple(replace(item, vlan_id=new.vlan(item.vlan_id)) for item in before.foreign_dhcp),
        silent_vlans=frozenset(new.vlan(key) for key in before.silent_vlans),
    )
    return replace(
        present, snapshot=after, machines=tuple(_machine(machine, new) for machine in present.machines)
    )


def _by(moves: list[Renumbering], noun: ImportNoun) -> _New:
    ids = {move.before: move.after for move in moves if move.noun is noun}
    return lambda key, /: ids.get(key, key)


def _fabric(fabric: Fabric, new: _Translation) -> Fabric:
    found: Fabric = _settled(replace(fabric, id=new.fabric(fabric.id)), ImportNoun.FABRIC, new)
    return found


def _subnet(subnet: Subnet, new: _Translation) -> Subnet:
    moved = replace(subnet, id=new.subnet(subnet.id), vlan_id=new.vlan(subnet.vlan_id))
    found: Subnet = _settled(moved, ImportNoun.SUBNET, new)
    return found


def _settled(item: Any, noun: ImportNoun, new: _Translation) -> Any:
    return replace(item, automatic=False) if (noun, item.id) in new.imported else item


def _vlan(vlan: Vlan, new: _Translation) -> Vlan:
    moved = replace(
        vlan,
        id=new.vlan(vlan.id),
        fabric_id=new.fabric(vlan.fabric_id),
        relay_vlan_id=new.vlan(vlan.relay_vlan_id),
    )
    found: Vlan = _settled(moved, ImportNoun.VLAN, new)
    return found


def _node(node: Node, new: _Translation) -> Node:
    interfaces = tuple(replace(nic, vlan_id=new.vlan(nic.vlan_id)) for nic in node.interfaces)
    return replace(node, interfaces=interfaces)


def _machine(machine: Machine, new: _Translation) -> Machine:
    interfaces = tuple(replace(nic, vlan_id=new.vlan(nic.vlan_id)) for nic in machine.interfaces)
    return replace(machine, interfaces=interfaces)
