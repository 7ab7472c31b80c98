"""Machines: their states, NICs and disks, and the specification for the hypervisor."""

from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.attachment import Attachment
from hostloom.model.commissioning import BootAction
from hostloom.model.drift import Drift
from hostloom.model.errors.resources import WrongState
from hostloom.model.host import Emulation
from hostloom.model.ids import (
    DEFAULT_GROUP,
    HostId,
    MacAddress,
    ResourcePoolId,
    SystemId,
    VlanId,
    ZoneId,
)
from hostloom.model.network import Address
from hostloom.model.request import AddressMode


class PowerState(StrEnum):
    """The power state that the hypervisor reports."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


class MachineOrigin(StrEnum):
    """Where the machine comes from."""

    COMPOSED = "composed"
    #: Found on a host and not made by hostloom: read-only.
    ADOPTED = "adopted"
    #: It booted from the network without being known.
    ENLISTED = "enlisted"


class MachineState(StrEnum):
    """The states of a machine (docs/explanation/rules.md#life-of-a-machine)."""

    NEW = "new"
    COMMISSIONING = "commissioning"
    FAILED_COMMISSIONING = "failed-commissioning"
    READY = "ready"
    ALLOCATED = "allocated"
    DEPLOYING = "deploying"
    DEPLOYED = "deployed"
    FAILED_DEPLOYMENT = "failed-deployment"
    RELEASING = "releasing"
    BROKEN = "broken"
    MISSING = "missing"


_S = MachineState
#: The one transition table. BROKEN and MISSING are reached from anywhere and left to READY.
TRANSITIONS: dict[MachineState, frozenset[MachineState]] = {
    _S.NEW: frozenset({_S.COMMISSIONING}),
    _S.COMMISSIONING: frozenset({_S.READY, _S.FAILED_COMMISSIONING, _S.NEW}),
    _S.FAILED_COMMISSIONING: frozenset({_S.COMMISSIONING}),
    _S.READY: frozenset({_S.ALLOCATED, _S.COMMISSIONING}),
    _S.ALLOCATED: frozenset({_S.DEPLOYING, _S.RELEASING, _S.READY}),
    _S.DEPLOYING: frozenset({_S.DEPLOYED, _S.FAILED_DEPLOYMENT, _S.RELEASING}),
    _S.DEPLOYED: frozenset({_S.RELEASING}),
    _S.FAILED_DEPLOYMENT: frozenset({_S.DEPLOYING, _S.RELEASING}),
    _S.RELEASING: frozenset({_S.READY, _S.ALLOCATED}),
    _S.BROKEN: frozenset({_S.READY}),
    _S.MISSING: frozenset({_S.READY, _S.DEPLOYED, _S.ALLOCATED, _S.FAILED_DEPLOYMENT}),
}


def check_transition(machine: str, current: MachineState, target: MachineState) -> None:
    """Raise WrongState unless the table allows it; staying is allowed."""
    if target in (current, _S.BROKEN, _S.MISSING) or target in TRANSITIONS[current]:
        return
    allowed = ", ".join(sorted(state for state in TRANSITIONS[current]))
    raise WrongState("machine", machine, current, f"it cannot become {target} from there, only {allowed}")


class DiskFormat(StrEnum):
    """Format of a disk's volume."""

    RAW = "raw"
    QCOW2 = "qcow2"


@dataclass(frozen=True, slots=True)
class MachineInterface:
    """A NIC of a machine."""

    name: str
    mac: MacAddress
    attachment: Attachment
    #: The VLAN of the attachment, if known.
    vlan_id: VlanId | None = None
    mode: AddressMode = AddressMode.AUTO
    ips: tuple[Address, ...] = ()
    #: Whether the firmware boots from the network with this NIC.
    boot: bool = False
    #: libvirt NIC model.
    model: str = "virtio"


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk of a machine and the volume behind it; the volume's name holds the machine's UUID prefix."""

    name: str
    pool: str
    volume: str
    size_bytes: int
    format: DiskFormat = DiskFormat.RAW


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that hostloom composed, adopted or enlisted. It is also a node of kind `machine`."""

    system_id: SystemId
    hostname: str
    uuid: str
    origin: MachineOrigin
    state: MachineState
    host_id: HostId | None
    architecture: str
    cores: int
    memory_mib: int
    power: PowerState = PowerState.UNKNOWN
    interfaces: tuple[MachineInterface, ...] = ()
    disks: tuple[Disk, ...] = ()
    netboot: bool = True
    #: Whether our DHCP should have its addresses. This is the intent; publishing rebuilds from it.
    dhcp_published: bool = False
    zone_id: ZoneId = ZoneId(DEFAULT_GROUP)
    resource_pool_id: ResourcePoolId = ResourcePoolId(DEFAULT_GROUP)
    tags: tuple[str, ...] = ()
    #: The user who allocated it; blank: none.
    owner: str = ""
    #: A locked machine cannot be switched off, changed or decomposed.
    locked: bool = False
    #: Its host starts it whenever the host itself starts.
    autostart: bool = False
    #: Composed on demand by an allocation, and decomposed when it is released.
    on_demand: bool = False
    #: The user's choice of what it boots from the network; None: its state decides (decide/machines/boot.py).
    next_boot: BootAction | None = None
    #: The deadline for its report, in seconds since the epoch; None: no report is expected.
    commission_by: float | None = None
    #: Its name in libvirt as last read; empty: not read yet.
    domain_name: str = ""
    #: Its differences from the record at the last reading.
    drift: tuple[Drift, ...] = ()
    generation: int = 1


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """The specification for the hypervisor, fixed in the plan, so that creating it twice is harmless."""

    uuid: str
    name: str
    cores: int
    memory_mib: int
    emulation: Emulation
    interfaces: tuple[MachineInterface, ...]
    disks: tuple[Disk, ...]
    #: Boot from the network first, then (or only) from the first disk; with a seed disk, in reverse.
    netboot: bool
    #: Marks the machine as ours in the domain's metadata.
    system_id: SystemId
    #: Its host starts it whenever the host itself starts.
    autostart: bool = False


class Check(StrEnum):
    """The checks of a NIC, in this order."""

    #: Its tap is a port of the planned bridge, its macvtap on the planned parent in the planned mode.
    ATTACHMENT = "attachment"
    #: The tap, and what it is attached to, have carrier.
    CARRIER = "carrier"
    #: The lease, or the device that answers for the address, is as planned.
    ADDRESS = "address"
    #: No other device answers for the address.
    DUPLICATE = "duplicate"
    #: The gateway answers ARP or neighbour discovery.
    GATEWAY = "gateway"
    #: Frames as long as the VLAN's MTU pass to the gateway.
    MTU = "mtu"


class Verdict(StrEnum):
    """The result of a check, from best to worst; a badge shows the worst one."""

    PASSED = "passed"
    #: There was nothing to check, for example no gateway or no address.
    NOT_APPLICABLE = "not-applicable"
    #: The check was not possible; `found` has the reason.
    UNKNOWN = "unknown"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One check of one NIC; decide/explain/ renders it as text."""

    check: Check
    verdict: Verdict
    wanted: str = ""
    found: str = ""
    #: The source: `host` (its links), `lease`, `probe` (a temporary one beside the NIC) or `guest`.
    how: str = ""


@dataclass(frozen=True, slots=True)
class NicProof:
    """All checks of one NIC at one time."""

    nic: str
    #: Seconds since the epoch.
    at: float
    evidence: tuple[Evidence, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict; PASSED if no check applies."""
        verdicts = {evidence.verdict for evidence in self.evidence}
        for worst in (Verdict.FAILED, Verdict.UNKNOWN, Verdict.PASSED):
            if worst in verdicts:
                return worst
        return Verdict.NOT_APPLICABLE
