"""Imports another system's inventory in one transaction; its hosts are added afterwards."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from hostloom.migration.plan_import import Defaults, Present, plan_import
from hostloom.model.access import Principal
from hostloom.model.annotation import Annotated
from hostloom.model.errors.resources import InUse
from hostloom.model.event import Event, EventSubject, EventSubjectKind
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import VlanId
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
from hostloom.model.network import UNTAGGED, Fabric, HeldAddress, IPRange, Subnet, Vlan
from hostloom.model.node import Node
from hostloom.model.source_inventory import SourceInventory
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.reassign_vlans import rederive_vlans
from hostloom.services import annotations
from hostloom.services.access import require_admin
from hostloom.services.publishing import commit_and_publish, served

#: Reverts one change.
Undo = Callable[[UnitOfWork], None]


def preview(
    uow: UnitOfWork, principal: Principal, estate: SourceInventory, *, prefer_theirs: bool = False
) -> ImportPlan:
    """The changes that an import would make."""
    require_admin(principal, "import")
    return plan_import(_present(uow), estate, prefer_theirs=prefer_theirs)


def apply(
    ports: Ports, principal: Principal, estate: SourceInventory, *, prefer_theirs: bool = False
) -> ImportPlan:
    """Import, and return the changes; hosts remain to be added.

    Changes of VLANs that our DHCP serves are published; if a DHCP server refuses, the import is reverted.
    """
    require_admin(principal, "import")

    def change(uow: UnitOfWork) -> tuple[tuple[ImportPlan, list[Undo]], Collection[VlanId]]:
        plan = plan_import(_present(uow), estate, prefer_theirs=prefer_theirs)
        undo = _write(uow, principal, plan)
        if plan.wanted:
            text = f"{len(plan.wanted)} things imported from {plan.source}"
            subject = EventSubject(EventSubjectKind.WORLD)
            uow.events.add(Event(EventKind.IMPORTED, subject, text, ports.clock.now()))
        return (plan, undo), served(uow, *_touched(uow, plan))

    def take_back(uow: UnitOfWork, result: tuple[ImportPlan, list[Undo]]) -> None:
        for step in reversed(result[1]):
            step(uow)

    return commit_and_publish(ports, change, take_back)[0]


def _present(uow: UnitOfWork) -> Present:
    return Present(
        uow.snapshot(),
        tuple(uow.zones.list()),
        tuple(uow.resource_pools.list()),
        tuple(uow.domains.list()),
        tuple(uow.tags.list()),
        tuple(uow.machines.list()),
        {kind: uow.annotations.of(kind) for kind in (Annotated.NODE, Annotated.DOMAIN)},
        Defaults(uow.zones.default().id, uow.resource_pools.default().id, uow.domains.default().id),
    )


#: Records to which subnets and interfaces refer.
_FIRST = (
    ImportNoun.ZONE,
    ImportNoun.RESOURCE_POOL,
    ImportNoun.DOMAIN,
    ImportNoun.TAG,
    ImportNoun.SPACE,
    ImportNoun.FABRIC,
    ImportNoun.VLAN,
)


def _write(uow: UnitOfWork, principal: Principal, plan: ImportPlan) -> list[Undo]:
    """Import everything in order of dependency; returns what reverts each change."""
    undo = [_renumber(uow, plan.renumberings)]
    changes = [change for change in plan.wanted if not isinstance(change.item, Renumbering | Kept)]
    undo += [_write_one(uow, change) for change in changes if change.noun in _FIRST]
    # reverted after the subnets and before the VLANs, to which interfaces refer
    undo.append(rederive_vlans)
    undo += [_write_one(uow, change) for change in changes if change.noun not in _FIRST]
    rederive_vlans(uow)
    missing = [change.item for change in plan.wanted if isinstance(change.item, Kept)]
    undo += [_keep(uow, principal, kept) for kept in (*plan.kept, *missing)]
    return undo


def _keep(uow: UnitOfWork, principal: Principal, kept: Kept) -> Undo:
    before = uow.annotations.of(kept.kind, [kept.key]).get(kept.key, {})
    annotations.merge(uow, principal, kept.kind, kept.key, kept.values)
    return lambda uow: uow.annotations.put(kept.kind, kept.key, before)


def _write_one(uow: UnitOfWork, change: ImportChange) -> Undo:
    item = change.item
    if isinstance(item, NewFabric):
        fabric = _add_fabric(uow, item)
        return lambda uow: uow.fabrics.delete(fabric.id)
    if isinstance(item, NewMachine):
        return _add_machine(uow, item)
    if isinstance(item, HeldAddress):
        uow.addresses.hold(item)
        return lambda uow: uow.addresses.release(item.ip, item.subnet_id)
    if change.action is ImportAction.CREATE and isinstance(item, Vlan) and item.vid == UNTAGGED:
        # it is created and deleted with its fabric
        uow.vlans.update(replace(item, generation=uow.vlans.get(item.id).generation))
        return lambda _: None
    return _write_row(uow, change, item)


def _add_fabric(uow: UnitOfWork, new: NewFabric) -> Fabric:
    """Add a fabric. Other systems count from 0, so id 0 is assigned by renumbering afterwards."""
    fabric = uow.fabrics.add(new.fabric, new.untagged)
    if fabric.id == new.fabric.id:
        return fabric
    uow.renumber([Renumbering(ImportNoun.FABRIC, fabric.id, new.fabric.id, gives_way=False)])
    return new.fabric


def _renumber(uow: UnitOfWork, moves: Sequence[Renumbering]) -> Undo:
    """Renumber automatic networks and groups; InUse while an operation refers to the old ids."""
    if not moves:
        return lambda _: None
    running = [f"operation {one.id}" for one in uow.operations.list(unfinished=True) if one.saga in _KEEP_IDS]
    if running:
        raise InUse(moves[0].noun.value, moves[0].before, running)
    uow.renumber(moves)
    back = [replace(move, before=move.after, after=move.before, gives_way=True) for move in moves]
    return lambda uow: uow.renumber(back)


#: Operations that store ids of networks or groups between steps.
_KEEP_IDS = ("add-host", "compose", "decompose", "fix-network")


def _write_row(uow: UnitOfWork, change: ImportChange, item: Any) -> Undo:
    key = item.system_id if isinstance(item, Node) else item.id
    repository = _repository(uow, change.noun)
    if change.action is ImportAction.CREATE:
        repository.add(item)
        return lambda uow: _repository(uow, change.noun).delete(key)
    before = repository.get(key)
    after = repository.update(item)
    return lambda uow: _put_back(uow, change.noun, replace(before, generation=after.generation))


def _put_back(uow: UnitOfWork, noun: ImportNoun, before: Any) -> None:
    _repository(uow, noun).update(before)


def _add_machine(uow: UnitOfWork, new: NewMachine) -> Undo:
    """Add a machine; its domain, description and interfaces are stored with its node."""
    uow.machines.add(new.machine)
    node = uow.nodes.get(new.machine.system_id)
    planned_node = replace(node, domain_id=new.node.domain_id, description=new.node.description)
    if planned_node != node:
        uow.nodes.update(planned_node)
    uow.nodes.replace_interfaces(new.machine.system_id, new.node.interfaces)
    return lambda uow: uow.release([new.machine.system_id])


def _repository(uow: UnitOfWork, noun: ImportNoun) -> Any:
    return {
        ImportNoun.ZONE: uow.zones,
        ImportNoun.RESOURCE_POOL: uow.resource_pools,
        ImportNoun.DOMAIN: uow.domains,
        ImportNoun.TAG: uow.tags,
        ImportNoun.SPACE: uow.spaces,
        ImportNoun.FABRIC: uow.fabrics,
        ImportNoun.VLAN: uow.vlans,
        ImportNoun.SUBNET: uow.subnets,
        ImportNoun.RANGE: uow.ranges,
        ImportNoun.NODE: uow.nodes,
        ImportNoun.MACHINE: uow.nodes,
        ImportNoun.HOST: uow.hosts,
    }[noun]


def _touched(uow: UnitOfWork, plan: ImportPlan) -> list[Vlan]:
    """VLANs with a change that affects a DHCP server."""
    vlan_ids: set[VlanId] = set()
    for import_change in plan.wanted:
        if isinstance(import_change.item, Vlan):
            vlan_ids.add(import_change.item.id)
        elif isinstance(import_change.item, Subnet):
            vlan_ids.add(import_change.item.vlan_id)
        elif isinstance(import_change.item, IPRange):
            vlan_ids.add(uow.subnets.get(import_change.item.subnet_id).vlan_id)
    return [uow.vlans.get(vlan_id) for vlan_id in sorted(vlan_ids)]
