"""The snapshot after a plan is carried out, for the next decision."""

from dataclasses import replace

from hostloom.decide.snapshot import Delta, HostState, Snapshot
from hostloom.model.host import PlacedInterface, PlacedMachine
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.model.plan import Plan


def with_plan(snapshot: Snapshot, plan: Plan) -> Snapshot:
    """Add the machine and its addresses to the snapshot, and carry its indexes over."""
    state = snapshot.host_by_id[plan.host_id]
    later = HostState(state.host, (*state.machines, placed_machine(plan)))
    held = held_addresses(plan)
    hosts = tuple(later if host is state else host for host in snapshot.hosts)
    after = replace(snapshot, hosts=hosts, held=(*snapshot.held, *held) if held else snapshot.held)
    return after.carry(snapshot, Delta(hosts={plan.host_id: later}, gained=held))


def placed_machine(plan: Plan) -> PlacedMachine:
    """What the planned machine uses on its host."""
    reserved: dict[str, int] = {}
    for disk in plan.disks:
        reserved[disk.pool] = reserved.get(disk.pool, 0) + disk.size_bytes
    return PlacedMachine(
        plan.spec.name,
        plan.spec.cores,
        plan.spec.memory_mib,
        tuple(
            PlacedInterface(nic.attachment.kind, nic.attachment.source, nic.attachment.mode)
            for nic in plan.interfaces
        ),
        reserved,
    )


def held_addresses(plan: Plan) -> tuple[HeldAddress, ...]:
    """The addresses that the plan reserves."""
    return tuple(
        HeldAddress(ip, AddressKind.AUTO, subnet_id, plan.spec.system_id, nic.name)
        for nic, subnet_ids in zip(plan.interfaces, plan.subnet_ids, strict=True)
        for ip, subnet_id in zip(nic.ips, subnet_ids, strict=True)
    )
