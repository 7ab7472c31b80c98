"""Builds the complete plan from a decision, and the snapshot after it."""

from dataclasses import replace

from hostloom.decide.placement.host_evaluation import HostEvaluation
from hostloom.decide.placement.place_nics import PlacedNic
from hostloom.decide.request.resolve import ResolvedRequest
from hostloom.decide.snapshot import Delta, HostState, Snapshot
from hostloom.model.attachment import Attachment
from hostloom.model.deployment import SEED_DISK
from hostloom.model.host import PlacedInterface, PlacedMachine
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Disk, DiskFormat, MachineInterface, MachineSpec
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.model.plan import Plan
from hostloom.model.request import AddressMode, Identities

DEFAULT_NIC_MODEL = "virtio"


def make_plan(
    snapshot: Snapshot, resolved_request: ResolvedRequest, trial: HostEvaluation, identities: Identities
) -> Plan:
    """Fill in every field; nothing is decided here."""
    placement, emulation, state = trial.placement, trial.emulation, trial.state
    if placement is None or emulation is None:
        raise AssertionError("a host that was not refused has a placement and an emulation")
    nics = tuple(
        _interface(nic, mac, boot=nic.boot and trial.can_netboot)
        for nic, mac in zip(placement.nics, identities.macs, strict=False)
    )
    request = resolved_request.request
    spec = MachineSpec(
        uuid=identities.uuid,
        name=identities.hostname,
        cores=request.cores,
        memory_mib=request.memory_mib,
        emulation=emulation,
        interfaces=nics,
        disks=_disks(resolved_request, trial.pools, identities),
        netboot=request.netboot and any(nic.boot for nic in nics),
        system_id=identities.system_id,
        autostart=request.autostart,
    )
    return Plan(
        host_id=state.host.id,
        host_name=state.host.name,
        spec=spec,
        subnet_ids=tuple(tuple(subnet_id for _, subnet_id in nic.chosen.addresses) for nic in placement.nics),
        warnings=trial.warnings(resolved_request, identities.at),
        host_generation=state.host.generation,
        revision=snapshot.revision,
        start=request.start,
    )


def _interface(nic: PlacedNic, mac: MacAddress, *, boot: bool) -> MachineInterface:
    candidate = nic.chosen.candidate
    label = nic.label
    mode = label.mode
    if mode is AddressMode.AUTO and not nic.chosen.addresses and candidate.vlan_id is not None:
        mode = AddressMode.DHCP
    return MachineInterface(
        name=label.name,
        mac=label.mac or mac,
        attachment=Attachment(candidate.kind, candidate.source, nic.mode, candidate.is_ovs),
        vlan_id=candidate.vlan_id,
        mode=mode,
        ips=tuple(ip for ip, _ in nic.chosen.addresses),
        boot=boot,
        model=label.model or DEFAULT_NIC_MODEL,
    )


def _disks(
    resolved_request: ResolvedRequest, pools: tuple[str, ...], identities: Identities
) -> tuple[Disk, ...]:
    """Volume names contain the machine's name and UUID, so no two machines share one."""
    prefix, request = f"{identities.hostname}.{identities.uuid[:8]}", resolved_request.request
    disks = []
    for disk, pool in zip(resolved_request.disks, pools, strict=True):
        is_seed = request.deploy is not None and disk.label == SEED_DISK
        kind = DiskFormat.QCOW2 if request.qcow2 and not is_seed else DiskFormat.RAW
        disks.append(Disk(disk.label, pool, f"{prefix}.{disk.label}.{kind}", disk.size_bytes, kind))
    return tuple(disks)


def with_plan(snapshot: Snapshot, plan: Plan) -> Snapshot:
    """Add the machine and its addresses to the snapshot, and carry its indexes over."""
    state = snapshot.host_by_id[plan.host_id]
    later = HostState(state.host, (*state.machines, placed_machine(plan)))
    addresses = held_addresses(plan)
    hosts = tuple(later if host is state else host for host in snapshot.hosts)
    after = replace(snapshot, hosts=hosts, held=(*snapshot.held, *addresses) if addresses else snapshot.held)
    return after.carry(snapshot, Delta(hosts={plan.host_id: later}, gained=addresses))


def placed_machine(plan: Plan) -> PlacedMachine:
    """The resources that the planned machine uses on its host."""
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
