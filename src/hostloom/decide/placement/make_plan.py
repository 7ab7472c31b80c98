"""Builds the plan from a decision, with all names, volumes, MACs, addresses and the boot order."""

from hostloom.decide.placement.host_evaluation import HostEvaluation
from hostloom.decide.placement.place_nics import PlacedNic
from hostloom.decide.request.resolve import ResolvedRequest
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import Attachment
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Disk, DiskFormat, MachineInterface, MachineSpec
from hostloom.model.plan import Plan
from hostloom.model.request import AddressMode, Identities

DEFAULT_NIC_MODEL = "virtio"


def make_plan(
    snapshot: Snapshot, asked: ResolvedRequest, trial: HostEvaluation, identities: Identities
) -> Plan:
    """Fill in every field; nothing is decided here."""
    placement, emulation, state = trial.placement, trial.emulation, trial.state
    if placement is None or emulation is None:
        raise AssertionError("a host that was not refused has a placement and an emulation")
    nics = tuple(
        _interface(nic, mac, boot=nic.boot and trial.can_netboot)
        for nic, mac in zip(placement.nics, identities.macs, strict=False)
    )
    request = asked.request
    spec = MachineSpec(
        uuid=identities.uuid,
        name=identities.hostname,
        cores=request.cores,
        memory_mib=request.memory_mib,
        emulation=emulation,
        interfaces=nics,
        disks=_disks(asked, trial.pools, identities),
        netboot=request.netboot and any(nic.boot for nic in nics),
        system_id=identities.system_id,
        autostart=request.autostart,
    )
    return Plan(
        host_id=state.host.id,
        host_name=state.host.name,
        spec=spec,
        subnet_ids=tuple(tuple(subnet_id for _, subnet_id in nic.chosen.addresses) for nic in placement.nics),
        warnings=trial.warnings(identities.at),
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


def _disks(asked: ResolvedRequest, pools: tuple[str, ...], identities: Identities) -> tuple[Disk, ...]:
    """Volume names contain the machine's name and UUID, so no two machines share one."""
    kind = DiskFormat.QCOW2 if asked.request.qcow2 else DiskFormat.RAW
    return tuple(
        Disk(
            disk.label,
            pool,
            f"{identities.hostname}.{identities.uuid[:8]}.{disk.label}.{kind}",
            disk.size_bytes,
            kind,
        )
        for disk, pool in zip(asked.disks, pools, strict=True)
    )
