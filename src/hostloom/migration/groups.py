"""Zones, resource pools, domains, tags and spaces: those of the same name are the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hostloom.migration.import_state import Ids, ImportState
from hostloom.migration.names import usable_domain, usable_name, usable_tag
from hostloom.model.grouping import FIRST_NAME
from hostloom.model.import_plan import ImportCode, ImportNoun, Remark


def plan_groups(book: ImportState) -> None:
    """All of them; what is in them refers to ours by the book."""
    estate, here = book.estate, book.present
    described = {"description": ""}
    _plan(book, ImportNoun.ZONE, estate.zones, here.zones, described, book.zones)
    pools = estate.resource_pools, here.resource_pools
    _plan(book, ImportNoun.RESOURCE_POOL, *pools, described, book.resource_pools)
    is_ours = {"authoritative": True}
    _plan(book, ImportNoun.DOMAIN, estate.domains, here.domains, is_ours, book.domains, usable_domain)
    words = {"description": "", "kernel_options": ""}
    _plan(book, ImportNoun.TAG, estate.tags, here.tags, words, {}, usable_tag)
    spaces = _plan(book, ImportNoun.SPACE, estate.spaces, here.snapshot.spaces, described, book.spaces)
    book.space_by_id |= {space.id: space for space in spaces}


def _plan(
    book: ImportState,
    noun: ImportNoun,
    theirs: Sequence[Any],
    ours: Sequence[Any],
    unsaid: Mapping[str, object],
    known: dict[Any, Any],
    usable: Callable[[str], str] | None = None,
) -> list[Any]:
    """Ours as they will be, new ones included."""
    by_name = {our.name: our for our in ours}
    ids = Ids((our.id for our in ours), (their.id for their in theirs))
    for their in sorted(theirs, key=lambda one: int(one.id)):
        name = usable(their.name) if usable else usable_name(noun, their.name)
        remarks = () if name == their.name else (Remark(ImportCode.RENAMED, name),)
        found = by_name.get(name)
        if found is None and noun is not ImportNoun.TAG and noun is not ImportNoun.SPACE:
            found = _default(their, theirs, ours, book.present.defaults.of(noun))
        if found is None:
            made = replace(their, id=ids.take(their.id), name=name, generation=1)
            book.create(noun, name, their.id, made.id, made, *remarks)
        else:
            wanted = replace(found, name=name, **{field: getattr(their, field) for field in unsaid})
            made = book.settle(noun, name, their.id, found, wanted, {"name": FIRST_NAME, **unsaid}, *remarks)
        by_name[made.name] = made
        known[their.id] = made.id
    return list(by_name.values())


def _default(item: Any, theirs: Sequence[Any], ours: Sequence[Any], default_id: int | None) -> Any | None:
    """Ours, if the item is their default one, and ours has the name that it was born with, and they not."""
    oldest = min(theirs, key=lambda one: int(one.id))
    if item is not oldest or any(their.name == FIRST_NAME for their in theirs):
        return None
    return next(
        (our for our in ours if our.id == default_id and our.name == FIRST_NAME and our.generation == 1),
        None,
    )
