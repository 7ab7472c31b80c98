"""Finds conflicts between a plan and the database in one statement, under the lock of the revision."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Select,
    String,
    and_,
    bindparam,
    case,
    exists,
    literal,
    not_,
    or_,
    select,
    type_coerce,
    union_all,
)

from hostloom.decide.explain.reason_texts import refused
from hostloom.decide.placement.capacity import lacking
from hostloom.decide.snapshot import HostState
from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.errors.base import HostloomError
from hostloom.model.errors.resources import AlreadyExists
from hostloom.model.host import Host, PlacedMachine
from hostloom.model.machine import MachineOrigin
from hostloom.model.network import AddressKind, HeldAddress, RangeKind
from hostloom.model.plan import Plan
from hostloom.model.reasons import Refusal, RequestCode, SubjectKind
from hostloom.store import tables as t
from hostloom.store.addresses import has_ip
from hostloom.store.hosts import bytes_by_pool, host_of
from hostloom.store.transaction import Transaction
from hostloom.store.types import DISKS, AddressText

#: Kinds of rows; the values of the first three appear in messages.
NODE, UUID, MAC = "node", "machine UUID", "MAC address"
HOST, THERE = "host", "there"
PLACED, PARENT, ADDRESS, RANGE = "placed", "parent", "address", "range"
_NAMES = (NODE, UUID, MAC)


@dataclass(frozen=True)
class Against:
    """Rows about conflicting machines, addresses and ranges."""

    #: The plan's host; None if it was deleted.
    host: Host | None
    #: Whether the plan's machine has already been reserved.
    is_there: bool
    #: (kind, key, by): names, parents, addresses.
    taken: Sequence[tuple[str, str, str]]
    #: Machines on the host, without NICs.
    machines: Sequence[PlacedMachine]

    def check_names(self) -> None:
        """Raise AlreadyExists for a used name, UUID or MAC, which deciding again would not change."""
        for kind, key, by in self.taken:
            if kind in _NAMES:
                raise AlreadyExists(kind, key, f"belongs to {by!r}" if by else "")

    def problem(self, host: Host, plan: Plan) -> HostloomError | None:
        """The first requirement of the plan that cannot be met."""
        refusal = lacking(HostState(host, tuple(self.machines)), plan)
        return self._taken(plan) if refusal is None else refused(refusal)

    def _taken(self, plan: Plan) -> HostloomError | None:
        for kind, key, by in self.taken:
            if kind == PARENT:
                return refused(_parent_taken(plan, key, by))
            ip = AddressText.read(key)
            if kind == ADDRESS:
                return AlreadyExists("address", ip, by)
            if kind == RANGE:
                return refused(_in_kept_range(str(ip), by))
        return None


def _parent_taken(plan: Plan, interface: str, holder: str) -> Refusal:
    nic = next(nic for nic in plan.interfaces if nic.attachment.source == interface)
    mode = nic.attachment.mode
    return Refusal(
        "is_not_taken",
        RequestCode.PASSTHRU_IN_USE,
        SubjectKind.LABEL,
        nic.name,
        wanted=nic.attachment.kind.value if mode is None else f"mode={mode.value}",
        found=f"{interface} of {plan.host_name} (used by {holder})",
    )


def _in_kept_range(ip: str, cidr: str) -> Refusal:
    description = f"part of {cidr} that is not given to machines"
    return Refusal(
        "address_is_free", RequestCode.ADDRESS_IN_RANGE, SubjectKind.ADDRESS, ip, found=description
    )


def find_against(
    tx: Transaction,
    plan: Plan,
    held: Sequence[HeldAddress],
    known_machines: Sequence[PlacedMachine] | None = None,
) -> Against:
    """Read all conflicts; `known` are the host's machines if they were read under the same lock."""
    attachments = [interface.attachment for interface in plan.interfaces]
    on_interfaces = [item for item in attachments if item.kind is not AttachKind.NETWORK]
    statement = _statement(len(held), is_known=known_machines is not None, has_parents=bool(on_interfaces))
    rows: Sequence[Any] = tx.read(statement, _parameters(plan, held, on_interfaces)).all()
    machines = known_machines or [_placed_machine(row) for row in rows if row[0] == PLACED]
    return _against(rows, machines)


def _against(rows: Sequence[Any], machines: Sequence[PlacedMachine]) -> Against:
    hosts = [row for row in rows if row[0] == HOST]
    return Against(
        next((host_of(row) for row in hosts if row.generation is not None), None),
        any(row[0] == THERE for row in rows),
        [(kind, key, by) for kind, key, by, *_ in rows if kind not in (HOST, THERE, PLACED)],
        machines,
    )


def _placed_machine(row: Any) -> PlacedMachine:
    _, name, _, cores, memory_mib, disks, *_ = row
    return PlacedMachine(name, cores, memory_mib, reserved_bytes=bytes_by_pool(disks))


# -- the statement, built once per kind of plan, because building takes longer than running it --------------


def _parameters(
    plan: Plan, held: Sequence[HeldAddress], on_interfaces: Sequence[Attachment]
) -> dict[str, object]:
    """The parameters that differ between plans."""
    parameters: dict[str, object] = {
        "host_id": plan.host_id,
        "system_id": plan.spec.system_id,
        "hostname": plan.spec.name,
        "uuid": plan.spec.uuid,
        "macs": [interface.mac for interface in plan.interfaces],
        "sources": [on_interface.source for on_interface in on_interfaces],
        "alone": [
            on_interface.source for on_interface in on_interfaces if on_interface.mode is MacvlanMode.PASSTHRU
        ],
    }
    if not on_interfaces:
        del parameters["sources"], parameters["alone"]
    for index, address in enumerate(held):
        parameters |= {f"ip_{index}": address.ip, f"text_{index}": AddressText.write(address.ip)}
        parameters[f"subnet_id_{index}"] = address.subnet_id
    return parameters


@lru_cache(maxsize=64)
def _statement(addresses: int, *, is_known: bool, has_parents: bool) -> Select[Any]:
    """The query for a plan, with kind, key, by, cores, memory and disks, and the columns of its host."""
    queries = [_there(), _same_node(), _same_uuid(), _same_macs()]
    if has_parents:
        queries.append(_parents())
    if not is_known:
        queries.append(_placed())
    for index in range(addresses):
        queries += [_held(index), _seen(index), _in_range(index)]
    subquery = union_all(*queries, _row(HOST, literal(""), literal(""))).subquery("found")
    its_host = and_(t.hosts.c.id == bindparam("host_id"), subquery.c.kind == HOST)
    return select(subquery, t.hosts).select_from(subquery.outerjoin(t.hosts, its_host))


def _row(kind: str, key: Any, by: Any) -> Select[Any]:
    return select(
        literal(kind).label("kind"),
        key.label("key"),
        by.label("by"),
        literal(0).label("taken_cores"),
        literal(0).label("taken_memory_mib"),
        literal((), DISKS).label("disks"),
    )


def _placed() -> Select[Any]:
    """Machines on the host; disks of adopted machines appear only in libvirt's figure (see bytes_left)."""
    machines = t.machines
    column_element = machines.c.origin != MachineOrigin.ADOPTED
    disks = case((column_element, machines.c.disks), else_=literal((), DISKS))
    return (
        select(
            literal(PLACED), t.nodes.c.hostname, literal(""), machines.c.cores, machines.c.memory_mib, disks
        )
        .select_from(machines.join(t.nodes))
        .where(machines.c.host_id == bindparam("host_id"))
    )


def _there() -> Select[Any]:
    machines = t.machines
    return _row(THERE, machines.c.system_id, literal("")).where(
        machines.c.system_id == bindparam("system_id")
    )


def _same_node() -> Select[Any]:
    nodes = t.nodes
    same = or_(nodes.c.hostname == bindparam("hostname"), nodes.c.system_id == bindparam("system_id"))
    return _row(NODE, nodes.c.hostname, literal("")).where(same)


def _same_uuid() -> Select[Any]:
    machines = t.machines
    return (
        _row(UUID, machines.c.uuid, t.nodes.c.hostname)
        .select_from(machines.join(t.nodes))
        .where(machines.c.host_id == bindparam("host_id"), machines.c.uuid == bindparam("uuid"))
    )


def _same_macs() -> Select[Any]:
    nics = t.machine_interfaces
    return (
        _row(MAC, type_coerce(nics.c.mac, String), t.nodes.c.hostname)
        .select_from(nics.join(t.nodes, t.nodes.c.system_id == nics.c.system_id))
        .where(nics.c.mac.in_(bindparam("macs", expanding=True)))
    )


def _parents() -> Select[Any]:
    """Conflicts on parents: a passthru NIC conflicts with every other NIC on its parent."""
    nics, machines = t.machine_interfaces, t.machines
    clash = or_(
        nics.c.source.in_(bindparam("alone", expanding=True)),
        and_(
            nics.c.source.in_(bindparam("sources", expanding=True)),
            nics.c.macvlan_mode == MacvlanMode.PASSTHRU,
        ),
    )
    on_host = machines.c.host_id == bindparam("host_id")
    return (
        _row(PARENT, nics.c.source, t.nodes.c.hostname)
        .select_from(nics.join(machines).join(t.nodes))
        .where(on_host, nics.c.attachment_kind == AttachKind.MACVLAN, clash)
    )


def _held(index: int) -> Select[Any]:
    """Reserved and leased addresses."""
    held, nodes = t.addresses, t.nodes
    by = case(
        (nodes.c.hostname.is_not(None), literal("is held by ") + nodes.c.hostname),
        (held.c.kind == AddressKind.ON_WIRE, literal("is in use on the wire: ") + held.c.comment),
        (held.c.comment != "", literal("is set aside: ") + held.c.comment),
        else_=literal("is set aside"),
    )
    return (
        _row(ADDRESS, type_coerce(held.c.ip, String), by)
        .select_from(held.outerjoin(nodes, nodes.c.system_id == held.c.system_id))
        .where(has_ip([bindparam(f"ip_{index}")]), held.c.subnet_id == bindparam(f"subnet_id_{index}"))
    )


def _seen(index: int) -> Select[Any]:
    """Addresses on node interfaces in the same fabric or in an unknown fabric."""
    table, nics, nodes, vlans = t.node_interface_addresses, t.node_interfaces, t.nodes, t.vlans
    its_subnet = t.subnets.c.id == bindparam(f"subnet_id_{index}")
    fabric = select(t.subnets.c.fabric_id).where(its_subnet).scalar_subquery()
    joined = table.join(nics).join(nodes).outerjoin(vlans, vlans.c.id == nics.c.vlan_id)
    return (
        _row(ADDRESS, type_coerce(table.c.ip, String), literal("is held by ") + nodes.c.hostname)
        .select_from(joined)
        .where(
            table.c.ip == bindparam(f"ip_{index}"), or_(nics.c.vlan_id.is_(None), vlans.c.fabric_id == fabric)
        )
    )


def _in_range(index: int) -> Select[Any]:
    """Addresses in a reserved range or, for an unmanaged subnet, outside every allocatable range."""
    ranges, subnets = t.ip_ranges, t.subnets
    starts_before, ends_after = (
        ranges.c.start <= bindparam(f"ip_{index}"),
        ranges.c.end >= bindparam(f"ip_{index}"),
    )
    spans = and_(ranges.c.subnet_id == subnets.c.id, starts_before, ends_after)
    barred = exists().where(spans, or_(subnets.c.managed, ranges.c.kind == RangeKind.DYNAMIC))
    ours = exists().where(spans, ranges.c.kind == RangeKind.RESERVED)
    return _row(RANGE, bindparam(f"text_{index}", type_=String()), type_coerce(subnets.c.cidr, String)).where(
        subnets.c.id == bindparam(f"subnet_id_{index}"),
        or_(barred, and_(not_(subnets.c.managed), not_(ours))),
    )
