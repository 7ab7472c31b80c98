"""Addresses that were given out or reserved: held here too, so that none is given out twice."""

from dataclasses import replace

from hostloom.migration.import_state import ImportState
from hostloom.model.ids import SubnetId, SystemId
from hostloom.model.import_plan import ImportAction, ImportChange, ImportCode, ImportNoun, NewMachine, Remark
from hostloom.model.network import SEEN_KINDS, Address, AddressKind, HeldAddress
from hostloom.model.node import Node

_SEEN = SEEN_KINDS


def plan_addresses(book: ImportState) -> None:
    """By address; those on the interfaces of nodes that hostloom reads are there with the nodes."""
    here = book.present.snapshot.held_by_ip
    seen = {(held.ip, held.system_id) for helds in here.values() for held in helds if held.kind in _SEEN}
    seen |= {(ip, node.system_id) for node in _new_nodes(book) for nic in node.interfaces for ip in nic.ips}
    planned: dict[tuple[Address, SubnetId | None], HeldAddress] = {}
    for each in sorted(book.estate.held, key=lambda one: (one.ip.version, int(one.ip), one.kind)):
        system_id = None if each.system_id is None else book.nodes.get(SystemId(each.system_id))
        if system_id is not None and (each.ip, system_id) in seen:
            continue
        wanted = replace(
            each,
            kind=AddressKind.RESERVED if system_id is None else _given(each.kind),
            subnet_id=_subnet(book, each),
            system_id=system_id,
        )
        key = wanted.ip, wanted.subnet_id
        others = [one for one in here.get(each.ip, ()) if one.kind not in _SEEN]
        held = next((one for one in others if one.subnet_id in (None, wanted.subnet_id)), planned.get(key))
        if held is None:
            planned[key] = wanted
            book.create(ImportNoun.ADDRESS, str(each.ip), "", "", wanted)
        elif held.system_id == system_id:
            book.changes.append(ImportChange(ImportAction.SAME, ImportNoun.ADDRESS, str(each.ip)))
        else:
            holder = Remark(ImportCode.HELD, _holder(book, held))
            book.refuse(ImportNoun.ADDRESS, str(each.ip), "", holder)


def _given(kind: AddressKind) -> AddressKind:
    """A node has it by MAAS's choice or by an operator's."""
    return kind if kind is AddressKind.AUTO else AddressKind.STATIC


def _subnet(book: ImportState, held: HeldAddress) -> SubnetId | None:
    """Ours of the subnet it was in; else the smallest that it lies in."""
    if held.subnet_id is not None and held.subnet_id in book.subnets:
        return book.subnets[held.subnet_id]
    around = [subnet for subnet in book.subnet_by_id.values() if held.ip in subnet.cidr]
    return max(around, key=lambda each: (each.cidr.prefixlen, -each.id)).id if around else None


def _new_nodes(book: ImportState) -> list[Node]:
    items = [change.item for change in book.changes if change.action is ImportAction.CREATE]
    return [
        *(item for item in items if isinstance(item, Node)),
        *(item.node for item in items if isinstance(item, NewMachine)),
    ]


def _holder(book: ImportState, held: HeldAddress) -> str:
    names = {node.system_id: node.hostname for node in (*book.present.snapshot.nodes, *_new_nodes(book))}
    if held.system_id is not None:
        return names.get(SystemId(held.system_id), held.system_id)
    return held.held_by(None)
