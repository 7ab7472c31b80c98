"""Imports assigned and reserved addresses, so that hostloom does not assign them a second time."""

from dataclasses import replace

from hostloom.migration.import_state import ImportState
from hostloom.model.ids import SubnetId, SystemId
from hostloom.model.import_plan import ImportAction, ImportChange, ImportCode, ImportNoun, NewMachine, Remark
from hostloom.model.network import SEEN_KINDS, Address, AddressKind, HeldAddress
from hostloom.model.node import Node

_SEEN = SEEN_KINDS


def plan_addresses(state: ImportState) -> None:
    """Plan addresses in order, except those that an imported or present node already has."""
    observed = _observed(state)
    planned: dict[tuple[Address, SubnetId | None], HeldAddress] = {}
    for source in sorted(
        state.source.held, key=lambda address: (address.ip.version, int(address.ip), address.kind)
    ):
        system_id = None if source.system_id is None else state.nodes.get(SystemId(source.system_id))
        if system_id is None or (source.ip, system_id) not in observed:
            _plan_address(state, source, system_id, planned)


def _observed(state: ImportState) -> set[tuple[Address, str | None]]:
    """Addresses on interfaces, each with the system id of its node."""
    present = state.present.snapshot.held_by_ip.values()
    observed: set[tuple[Address, str | None]] = {
        (address.ip, address.system_id)
        for addresses in present
        for address in addresses
        if address.kind in _SEEN
    }
    for node in _new_nodes(state):
        observed |= {(ip, node.system_id) for nic in node.interfaces for ip in nic.ips}
    return observed


def _plan_address(
    state: ImportState,
    source: HeldAddress,
    system_id: SystemId | None,
    planned: dict[tuple[Address, SubnetId | None], HeldAddress],
) -> None:
    address = replace(
        source,
        kind=AddressKind.RESERVED if system_id is None else _given(source.kind),
        subnet_id=_subnet(state, source),
        system_id=system_id,
    )
    key = address.ip, address.subnet_id
    holder = _present_address(state, address) or planned.get(key)
    if holder is None:
        planned[key] = address
        state.create(ImportNoun.ADDRESS, str(source.ip), "", "", address)
    elif holder.system_id == system_id:
        state.changes.append(ImportChange(ImportAction.SAME, ImportNoun.ADDRESS, str(source.ip)))
    else:
        remark = Remark(ImportCode.HELD, _holder(state, holder))
        state.refuse(ImportNoun.ADDRESS, str(source.ip), "", remark)


def _present_address(state: ImportState, address: HeldAddress) -> HeldAddress | None:
    """The address as hostloom holds it already, in the same subnet or in none."""
    for candidate in state.present.snapshot.held_by_ip.get(address.ip, ()):
        if candidate.kind not in _SEEN and candidate.subnet_id in (None, address.subnet_id):
            return candidate
    return None


def _given(kind: AddressKind) -> AddressKind:
    """Map the kind of an address of a node: assigned by MAAS or by an operator."""
    return kind if kind is AddressKind.AUTO else AddressKind.STATIC


def _subnet(state: ImportState, source: HeldAddress) -> SubnetId | None:
    """Return the imported subnet of an address, else the smallest subnet that contains it."""
    if source.subnet_id is not None and source.subnet_id in state.subnets:
        return state.subnets[source.subnet_id]
    containing = [subnet for subnet in state.subnet_by_id.values() if source.ip in subnet.cidr]
    return max(containing, key=lambda subnet: (subnet.cidr.prefixlen, -subnet.id)).id if containing else None


def _new_nodes(state: ImportState) -> list[Node]:
    items = [change.item for change in state.changes if change.action is ImportAction.CREATE]
    return [
        *(item for item in items if isinstance(item, Node)),
        *(item.node for item in items if isinstance(item, NewMachine)),
    ]


def _holder(state: ImportState, address: HeldAddress) -> str:
    names = {node.system_id: node.hostname for node in (*state.present.snapshot.nodes, *_new_nodes(state))}
    if address.system_id is not None:
        return names.get(SystemId(address.system_id), address.system_id)
    return address.held_by(None)
