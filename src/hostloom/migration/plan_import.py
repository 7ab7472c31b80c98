"""Import: hold what another system managed against what is here, and say what becomes of each thing."""

from hostloom.migration.addresses import plan_addresses
from hostloom.migration.groups import plan_groups
from hostloom.migration.hosts import plan_hosts
from hostloom.migration.import_state import Defaults, ImportState, Present
from hostloom.migration.kept_fields import plan_kept
from hostloom.migration.network import plan_network
from hostloom.migration.new_ids import renumbered
from hostloom.migration.nodes import plan_nodes
from hostloom.migration.renumbering import describe, plan_renumberings
from hostloom.migration.subnets import plan_ranges, plan_subnets
from hostloom.model.import_plan import ImportPlan
from hostloom.model.source_inventory import SourceInventory

__all__ = ["Defaults", "Present", "plan_import"]


def plan_import(present: Present, estate: SourceInventory, *, prefer_theirs: bool = False) -> ImportPlan:
    """What an import does, in its order; the same question has the same answer.

    Nothing of ours is removed; what hostloom made by itself may get another id, so that imported things keep
    theirs. What both have is left as it is here, unless nobody ever said anything of the
    settings that differ, or `prefer_theirs`. Doing it, and asking again, leaves nothing to do.
    """
    # The first try tells which of ours each of theirs is; then ours make room.
    trial = _network(ImportState(present, estate, prefer_theirs=prefer_theirs))
    moves = plan_renumberings(trial)
    book = ImportState(renumbered(present, moves), estate, prefer_theirs=prefer_theirs)
    book.changes += describe(book, moves)
    _network(book)
    plan_ranges(book)
    plan_nodes(book)
    plan_addresses(book)
    plan_hosts(book)
    plan_kept(book)
    notes = (*estate.notes, *book.notes)
    return ImportPlan(estate.source, tuple(book.changes), _unserved(book), notes, tuple(book.kept))


def _network(book: ImportState) -> ImportState:
    plan_groups(book)
    plan_network(book)
    plan_subnets(book)
    return book


def _unserved(book: ImportState) -> tuple[str, ...]:
    """VLANs that the other system serves and ours does not."""
    vlan_ids = [
        book.vlans[vlan.id]
        for vlan in sorted(book.estate.vlans, key=lambda one: one.id)
        if vlan.dhcp_on and vlan.id in book.vlans and not book.vlan_by_id[book.vlans[vlan.id]].dhcp_on
    ]
    return tuple(book.vlan_name(vlan_id) for vlan_id in vlan_ids)
