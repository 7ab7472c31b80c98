"""Import: hold what another system managed against what is here, and say what becomes of each thing."""

from hostloom.decide.importing.addresses import plan_addresses
from hostloom.decide.importing.book import Book, Defaults, Present
from hostloom.decide.importing.groups import plan_groups
from hostloom.decide.importing.hosts import plan_hosts
from hostloom.decide.importing.kept import plan_kept
from hostloom.decide.importing.network import plan_network
from hostloom.decide.importing.new_ids import renumbered
from hostloom.decide.importing.nodes import plan_nodes
from hostloom.decide.importing.renumbering import describe, plan_renumberings
from hostloom.decide.importing.subnets import plan_ranges, plan_subnets
from hostloom.model.estate import Estate
from hostloom.model.importing import ImportPlan

__all__ = ["Defaults", "Present", "plan_import"]


def plan_import(present: Present, estate: Estate, *, prefer_theirs: bool = False) -> ImportPlan:
    """What an import does, in its order; the same question has the same answer.

    Nothing of ours is removed; what hostloom made by itself may get another id, so that imported things keep
    theirs. What both have is left as it is here, unless nobody ever said anything of the
    settings that differ, or `prefer_theirs`. Doing it, and asking again, leaves nothing to do.
    """
    # The first try tells which of ours each of theirs is; then ours make room.
    trial = _network(Book(present, estate, prefer_theirs=prefer_theirs))
    moves = plan_renumberings(trial)
    book = Book(renumbered(present, moves), estate, prefer_theirs=prefer_theirs)
    book.changes += describe(book, moves)
    _network(book)
    plan_ranges(book)
    plan_nodes(book)
    plan_addresses(book)
    plan_hosts(book)
    plan_kept(book)
    notes = (*estate.notes, *book.notes)
    return ImportPlan(estate.source, tuple(book.changes), _unserved(book), notes, tuple(book.kept))


def _network(book: Book) -> Book:
    plan_groups(book)
    plan_network(book)
    plan_subnets(book)
    return book


def _unserved(book: Book) -> tuple[str, ...]:
    """VLANs that the other system serves and ours does not."""
    found = [
        book.vlans[each.id]
        for each in sorted(book.estate.vlans, key=lambda one: one.id)
        if each.dhcp_on and each.id in book.vlans and not book.vlan_by_id[book.vlans[each.id]].dhcp_on
    ]
    return tuple(book.vlan_name(each) for each in found)
