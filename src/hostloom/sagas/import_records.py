"""Writes the records of an import, and reverts them record by record."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from ipaddress import ip_address
from typing import Any

from hostloom.model.annotation import merged_annotations
from hostloom.model.errors.resources import InUse, NotFound
from hostloom.model.grouping import Domain, ResourcePool, Tag, Zone
from hostloom.model.host import Host
from hostloom.model.ids import SystemId
from hostloom.model.import_plan import (
    ImportAction,
    ImportChange,
    ImportNoun,
    ImportPlan,
    Kept,
    NewFabric,
    NewMachine,
    Renumbering,
)
from hostloom.model.network import UNTAGGED, Fabric, HeldAddress, IPRange, Space, Subnet, Vlan
from hostloom.model.node import Node
from hostloom.ports.store import UnitOfWork
from hostloom.recording.reassign_vlans import rederive_vlans
from hostloom.serialization import from_json, to_json


@dataclass(frozen=True)
class Reversal:
    """How one written record is reverted.

    A created record is deleted. A changed record gets back the fields that the import changed, except those
    that were changed again since.
    """

    noun: ImportNoun
    key: int | str
    #: The record before and after the change, as JSON; None for a created record.
    before: Any = None
    after: Any = None


@dataclass(frozen=True)
class WrittenRecords:
    """Everything that an import wrote, in the order of writing."""

    renumberings: tuple[Renumbering, ...] = ()
    reversals: tuple[Reversal, ...] = ()
    #: The annotations that were written, and those that were there before.
    annotations: tuple[Kept, ...] = ()
    annotations_before: tuple[Kept, ...] = ()


#: Records that subnets and interfaces refer to.
_FIRST = (
    ImportNoun.ZONE,
    ImportNoun.RESOURCE_POOL,
    ImportNoun.DOMAIN,
    ImportNoun.TAG,
    ImportNoun.SPACE,
    ImportNoun.FABRIC,
    ImportNoun.VLAN,
)
#: Sagas with operations that store ids of networks or groups between steps.
_STORES_IDS = (
    "add-host",
    "compose",
    "compose-with-image",
    "decompose",
    "deploy",
    "release",
    "fix-network",
    "import-inventory",
)


def require_free_ids(uow: UnitOfWork, renumberings: Sequence[Renumbering], own_operation: str = "") -> None:
    """Raise InUse if an unfinished operation stores ids while some are to change."""
    if not renumberings:
        return
    running = [
        f"operation {operation.id}"
        for operation in uow.operations.list(unfinished=True, with_data=False)
        if operation.saga in _STORES_IDS and operation.id != own_operation
    ]
    if running:
        raise InUse(renumberings[0].noun.value, renumberings[0].before, running)


# -- writing ---------------------------------------------------------------------------------------------


def write_records(uow: UnitOfWork, plan: ImportPlan) -> WrittenRecords:
    """Write everything except the hosts, in the order of dependency."""
    uow.renumber(plan.renumberings)
    changes = [change for change in plan.wanted if not isinstance(change.item, Renumbering | Kept)]
    reversals = [_write(uow, change) for change in changes if change.noun in _FIRST]
    reversals += [_write(uow, change) for change in changes if change.noun not in _FIRST]
    rederive_vlans(uow)
    missing = [change.item for change in plan.wanted if isinstance(change.item, Kept)]
    annotations = (*plan.kept, *missing)
    return WrittenRecords(
        plan.renumberings,
        tuple(reversal for reversal in reversals if reversal is not None),
        annotations,
        tuple(_annotate(uow, kept) for kept in annotations),
    )


def _annotate(uow: UnitOfWork, kept: Kept) -> Kept:
    """Write annotations; returns all that the record had before."""
    before = uow.annotations.of(kept.kind, [kept.key]).get(kept.key, {})
    uow.annotations.put(kept.kind, kept.key, merged_annotations(kept.kind, before, kept.values))
    return replace(kept, values=before)


def _write(uow: UnitOfWork, change: ImportChange) -> Reversal | None:
    """Write one record. None if it is reverted together with another one."""
    item = change.item
    if isinstance(item, NewFabric):
        return Reversal(change.noun, _add_fabric(uow, item).id)
    if isinstance(item, NewMachine):
        _add_machine(uow, item)
        return Reversal(change.noun, item.machine.system_id)
    if isinstance(item, HeldAddress):
        uow.addresses.hold(item)
        return Reversal(change.noun, str(item.ip), after=item.subnet_id)
    if change.action is ImportAction.CREATE and isinstance(item, Vlan) and item.vid == UNTAGGED:
        # It was created with its fabric, and is deleted with it.
        uow.vlans.update(replace(item, generation=uow.vlans.get(item.id).generation))
        return None
    return _write_row(uow, change, item)


def _write_row(uow: UnitOfWork, change: ImportChange, item: Any) -> Reversal:
    key = item.system_id if isinstance(item, Node) else item.id
    repository = _TABLES[change.noun].repository(uow)
    if change.action is ImportAction.CREATE:
        repository.add(item)
        return Reversal(change.noun, key)
    before = repository.get(key)
    return Reversal(change.noun, key, to_json(before), to_json(repository.update(item)))


def _add_fabric(uow: UnitOfWork, new: NewFabric) -> Fabric:
    """Other systems count from 0: a fabric with the id 0 is added with a new id and then renumbered."""
    fabric = uow.fabrics.add(new.fabric, new.untagged)
    if fabric.id == new.fabric.id:
        return fabric
    uow.renumber([Renumbering(ImportNoun.FABRIC, fabric.id, new.fabric.id, gives_way=False)])
    return new.fabric


def _add_machine(uow: UnitOfWork, new: NewMachine) -> None:
    """Domain, description and interfaces are in the node's row, not in the machine's."""
    uow.machines.add(new.machine)
    node = uow.nodes.get(new.machine.system_id)
    planned_node = replace(node, domain_id=new.node.domain_id, description=new.node.description)
    if planned_node != node:
        uow.nodes.update(planned_node)
    uow.nodes.replace_interfaces(new.machine.system_id, new.node.interfaces)


# -- reverting -------------------------------------------------------------------------------------------


def revert_records(uow: UnitOfWork, written: WrittenRecords) -> None:
    """Revert everything; records that were deleted since stay so. InUse for one that is needed by now."""
    for kept, before in zip(written.annotations, written.annotations_before, strict=True):
        _revert_annotations(uow, kept, before)
    first = [reversal for reversal in written.reversals if reversal.noun in _FIRST]
    others = [reversal for reversal in written.reversals if reversal.noun not in _FIRST]
    _revert_all(uow, others)
    # Interfaces refer to the VLANs that are deleted next.
    rederive_vlans(uow)
    _revert_all(uow, first)
    _renumber_back(uow, written.renumberings)


def revert_change(uow: UnitOfWork, reversal: Reversal) -> None:
    """Revert one record; does nothing if the record does not exist."""
    table = _TABLES[reversal.noun]
    if reversal.noun is ImportNoun.ADDRESS:
        uow.addresses.release(ip_address(str(reversal.key)), reversal.after)
        return
    if reversal.noun is ImportNoun.MACHINE and reversal.before is None:
        uow.release([SystemId(str(reversal.key))])
        return
    repository = table.repository(uow)
    try:
        if reversal.before is None:
            repository.delete(reversal.key)
            return
        current = repository.get(reversal.key)
    except NotFound:
        return
    before, after = (from_json(data, table.record) for data in (reversal.before, reversal.after))
    restored = {name: getattr(before, name) for name in _unchanged_since(before, after, current)}
    if restored:
        repository.update(replace(current, **restored))


def _unchanged_since(before: Any, after: Any, current: Any) -> Iterator[str]:
    """The fields that the import changed, and that still have the import's value."""
    for field in fields(before):
        name = field.name
        is_imported = getattr(before, name) != getattr(after, name)
        if name != "generation" and is_imported and getattr(current, name) == getattr(after, name):
            yield name


def _revert_all(uow: UnitOfWork, reversals: Sequence[Reversal]) -> None:
    for reversal in reversed(reversals):
        revert_change(uow, reversal)


def _revert_annotations(uow: UnitOfWork, kept: Kept, before: Kept) -> None:
    current = uow.annotations.of(kept.kind, [kept.key]).get(kept.key)
    if current is None:
        return
    restored = dict(current)
    for name, value in kept.values.items():
        if current.get(name) != value:
            continue
        del restored[name]
        if name in before.values:
            restored[name] = before.values[name]
    if restored != current:
        uow.annotations.put(kept.kind, kept.key, restored)


def _renumber_back(uow: UnitOfWork, renumberings: Sequence[Renumbering]) -> None:
    """Give records their former ids again, except those that were deleted since."""
    uow.renumber(
        [
            replace(move, before=move.after, after=move.before, gives_way=True)
            for move in renumberings
            if _exists(uow, move.noun, move.after)
        ]
    )


def _exists(uow: UnitOfWork, noun: ImportNoun, key: int) -> bool:
    try:
        _TABLES[noun].repository(uow).get(key)
    except NotFound:
        return False
    return True


@dataclass(frozen=True)
class _Table:
    """The records of one kind."""

    record: Any
    repository: Callable[[UnitOfWork], Any]


_TABLES = {
    ImportNoun.ZONE: _Table(Zone, lambda uow: uow.zones),
    ImportNoun.RESOURCE_POOL: _Table(ResourcePool, lambda uow: uow.resource_pools),
    ImportNoun.DOMAIN: _Table(Domain, lambda uow: uow.domains),
    ImportNoun.TAG: _Table(Tag, lambda uow: uow.tags),
    ImportNoun.SPACE: _Table(Space, lambda uow: uow.spaces),
    ImportNoun.FABRIC: _Table(Fabric, lambda uow: uow.fabrics),
    ImportNoun.VLAN: _Table(Vlan, lambda uow: uow.vlans),
    ImportNoun.SUBNET: _Table(Subnet, lambda uow: uow.subnets),
    ImportNoun.RANGE: _Table(IPRange, lambda uow: uow.ranges),
    ImportNoun.NODE: _Table(Node, lambda uow: uow.nodes),
    ImportNoun.MACHINE: _Table(Node, lambda uow: uow.nodes),
    ImportNoun.ADDRESS: _Table(HeldAddress, lambda uow: uow.addresses),
    ImportNoun.HOST: _Table(Host, lambda uow: uow.hosts),
}
