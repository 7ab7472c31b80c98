"""Compares a stored plan with the present decision."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import SubnetId, SystemId
from hostloom.model.machine import Disk, MachineInterface
from hostloom.model.network import Address
from hostloom.model.plan import Plan
from hostloom.model.stored_plan import PlanDifference

#: (field, planned value, present value, who holds the planned value)
_Found = tuple[str, object, object, str]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


def differences(snapshot: Snapshot, planned: Plan, now: Plan) -> tuple[PlanDifference, ...]:
    """Every difference in the machines; revisions and generations may differ.

    A new warning is a difference, because the user has not seen it. A warning that disappeared is none.
    """
    changes = [*_machine(planned, now), *_interfaces(snapshot, planned, now), *_disks(planned, now)]
    known_warnings = set(planned.warnings)
    changes += [
        ("warning", "none", f"{warning.code} {warning.subject} {warning.found}".strip(), "")
        for warning in now.warnings
        if warning not in known_warnings
    ]
    name = planned.spec.name
    plan_differences = [
        PlanDifference(name, field, _text(before), _text(after), taken_by)
        for field, before, after, taken_by in changes
        if before != after
    ]
    if not plan_differences and _without_grounds(planned) != _without_grounds(now):
        plan_differences.append(PlanDifference(name, "details", "as planned", "otherwise"))
    return tuple(plan_differences)


def _without_grounds(plan: Plan) -> Plan:
    """The machines, without the revision and generations."""
    return replace(plan, revision=0, host_generation=0, warnings=())


def _machine(planned: Plan, now: Plan) -> Iterator[_Found]:
    before, after = planned.spec, now.spec
    yield "host", planned.host_name, now.host_name, ""
    if planned.host_name == now.host_name:
        yield "host id", planned.host_id, now.host_id, ""
    for field in ("name", "system_id", "uuid", "cores", "memory_mib"):
        yield field.replace("_", " "), getattr(before, field), getattr(after, field), ""
    for field in ("architecture", "domain_type", "machine_type", "emulator", "cpu_model"):
        yield field.replace("_", " "), getattr(before.emulation, field), getattr(after.emulation, field), ""
    yield "network boot", planned.spec.netboot, now.spec.netboot, ""
    yield "start", planned.start, now.start, ""


def _interfaces(snapshot: Snapshot, planned: Plan, now: Plan) -> Iterator[_Found]:
    old, new = _subnets(snapshot, planned), _subnets(snapshot, now)
    for name, before, after in _paired(planned.interfaces, now.interfaces):
        if before is None or after is None:
            yield name, _presence(before), _presence(after), ""
            continue
        yield f"{name} attachment", _attachment(before), _attachment(after), ""
        yield f"{name} mac", before.mac, after.mac, ""
        yield f"{name} vlan", _vlan(snapshot, before), _vlan(snapshot, after), ""
        yield f"{name} mode", before.mode, after.mode, ""
        yield f"{name} ip", before.ips, after.ips, _taken(snapshot, before.ips, after.ips)
        if before.ips == after.ips:
            yield f"{name} subnet", old.get(name, ()), new.get(name, ()), ""
        yield f"{name} boot", before.boot, after.boot, ""
        yield f"{name} model", before.model, after.model, ""


def _disks(planned: Plan, now: Plan) -> Iterator[_Found]:
    for name, before, after in _paired(planned.disks, now.disks):
        if before is None or after is None:
            yield f"disk {name}", _presence(before), _presence(after), ""
            continue
        for field in ("pool", "volume", "size_bytes", "format"):
            yield f"disk {name} {field.replace('_', ' ')}", getattr(before, field), getattr(after, field), ""


def _paired(before: Sequence[T], after: Sequence[T]) -> list[tuple[str, T | None, T | None]]:
    """Pairs by name, in the order of the plan; new ones last."""
    old, new = ({item.name: item for item in items} for items in (before, after))
    return [(name, old.get(name), new.get(name)) for name in {**old, **new}]


def _presence(item: MachineInterface | Disk | None) -> str:
    return "none" if item is None else "there"


def _attachment(nic: MachineInterface) -> str:
    attachment = nic.attachment
    mode = f" ({attachment.mode})" if attachment.mode is not None else ""
    return f"{'ovs ' if attachment.ovs else ''}{attachment.kind} {attachment.source}{mode}"


def _taken(snapshot: Snapshot, before: tuple[Address, ...], after: tuple[Address, ...]) -> str:
    """The holder of the first planned address that the present decision does not assign."""
    for ip in before:
        if ip in after:
            continue
        for address in snapshot.held_by_ip.get(ip, ()):
            node = (
                None
                if address.system_id is None
                else snapshot.node_by_system_id.get(SystemId(address.system_id))
            )
            if node is not None:
                return node.hostname
            return f"reservation {address.comment!r}" if address.comment else "a reservation"
    return ""


def _vlan(snapshot: Snapshot, nic: MachineInterface) -> str:
    vlan = None if nic.vlan_id is None else snapshot.vlan_by_id.get(nic.vlan_id)
    if vlan is None:
        return "none" if nic.vlan_id is None else "gone"
    return snapshot.vlan_name(vlan.id)


def _subnets(snapshot: Snapshot, plan: Plan) -> dict[str, tuple[str, ...]]:
    """The subnets of each NIC's addresses, by the NIC's name."""

    def cidr(subnet_id: SubnetId) -> str:
        subnet = snapshot.subnet_by_id.get(subnet_id)
        return "gone" if subnet is None else str(subnet.cidr)

    pairs = zip(plan.interfaces, plan.subnet_ids, strict=False)
    return {nic.name: tuple(map(cidr, subnet_ids)) for nic, subnet_ids in pairs}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)
