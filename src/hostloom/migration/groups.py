"""Imports zones, resource pools, domains, tags and spaces. The name identifies a group."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hostloom.migration.import_state import Ids, ImportState
from hostloom.migration.names import usable_domain, usable_name, usable_tag
from hostloom.model.grouping import FIRST_NAME
from hostloom.model.import_plan import ImportCode, ImportNoun, Remark


def plan_groups(state: ImportState) -> None:
    """Plan all groups and record the mapping of their ids."""
    source, present = state.source, state.present
    described = {"description": ""}
    _plan(state, ImportNoun.ZONE, source.zones, present.zones, described, state.zones)
    pools = source.resource_pools, present.resource_pools
    _plan(state, ImportNoun.RESOURCE_POOL, *pools, described, state.resource_pools)
    authority = {"authoritative": True}
    _plan(state, ImportNoun.DOMAIN, source.domains, present.domains, authority, state.domains, usable_domain)
    descriptions = {"description": "", "kernel_options": ""}
    _plan(state, ImportNoun.TAG, source.tags, present.tags, descriptions, {}, usable_tag)
    spaces = _plan(state, ImportNoun.SPACE, source.spaces, present.snapshot.spaces, described, state.spaces)
    state.space_by_id |= {space.id: space for space in spaces}


def _plan(
    state: ImportState,
    noun: ImportNoun,
    theirs: Sequence[Any],
    ours: Sequence[Any],
    defaults: Mapping[str, object],
    id_mapping: dict[Any, Any],
    usable: Callable[[str], str] | None = None,
) -> list[Any]:
    """Plan the groups of one kind. Returns all groups of hostloom after the import."""
    by_name = {our.name: our for our in ours}
    ids = Ids((our.id for our in ours), (their.id for their in theirs))
    for their in sorted(theirs, key=lambda their: int(their.id)):
        name = usable(their.name) if usable else usable_name(noun, their.name)
        remarks = () if name == their.name else (Remark(ImportCode.RENAMED, name),)
        match = by_name.get(name)
        if match is None and noun is not ImportNoun.TAG and noun is not ImportNoun.SPACE:
            match = _default(their, theirs, ours, state.present.defaults.of(noun))
        if match is None:
            item = replace(their, id=ids.take(their.id), name=name, generation=1)
            state.create(noun, name, their.id, item.id, item, *remarks)
        else:
            merged = replace(match, name=name, **{field: getattr(their, field) for field in defaults})
            item = state.settle(
                noun, name, their.id, match, merged, {"name": FIRST_NAME, **defaults}, *remarks
            )
        by_name[item.name] = item
        id_mapping[their.id] = item.id
    return list(by_name.values())


def _default(item: Any, theirs: Sequence[Any], ours: Sequence[Any], default_id: int | None) -> Any | None:
    """Match their default group with hostloom's default group if that was never renamed."""
    oldest = min(theirs, key=lambda their: int(their.id))
    if item is not oldest or any(their.name == FIRST_NAME for their in theirs):
        return None
    return next(
        (our for our in ours if our.id == default_id and our.name == FIRST_NAME and our.generation == 1),
        None,
    )
