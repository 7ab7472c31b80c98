"""Import: hold what another system managed against what is here, and say what becomes of each thing."""

from hostloom.decide.importing.addresses import plan_addresses
from hostloom.decide.importing.book import Book, Present
from hostloom.decide.importing.groups import plan_groups
from hostloom.decide.importing.hosts import plan_hosts
from hostloom.decide.importing.network import plan_network
from hostloom.decide.importing.nodes import plan_nodes
from hostloom.decide.importing.subnets import plan_ranges, plan_subnets
from hostloom.model.estate import Estate
from hostloom.model.importing import ImportPlan

__all__ = ["Present", "plan_import"]


def plan_import(present: Present, estate: Estate, *, prefer_theirs: bool = False) -> ImportPlan:
    """What an import does, in its order; the same question has the same answer.

    Nothing of ours is removed. What both have is left as it is here, unless nobody ever said anything of the
    settings that differ, or `prefer_theirs`. Doing it, and asking again, leaves nothing to do.
    """
    book = Book(present, estate, prefer_theirs=prefer_theirs)
    plan_groups(book)
    plan_network(book)
    plan_subnets(book)
    plan_ranges(book)
    plan_nodes(book)
    plan_addresses(book)
    plan_hosts(book)
    return ImportPlan(estate.source, tuple(book.changes), _unserved(book), estate.notes)


def _unserved(book: Book) -> tuple[str, ...]:
    """VLANs that the other system serves and ours does not."""
    found = [
        book.vlans[each.id]
        for each in sorted(book.estate.vlans, key=lambda one: one.id)
        if each.dhcp_on and each.id in book.vlans and not book.vlan_by_id[book.vlans[each.id]].dhcp_on
    ]
    return tuple(book.vlan_name(each) for each in found)
