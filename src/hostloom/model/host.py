"""KVM hosts: where they are, who they are, what they have."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.decimals import Number
from hostloom.model.finding import Finding
from hostloom.model.ids import DEFAULT_GROUP, HostId, ResourcePoolId, SystemId, ZoneId

#: Why a host that was just recorded cannot be used yet: the cause of its being unreachable.
BEING_READ = "it is being read for the first time"
#: The greatest over-commit ratio of cores or memory, as MAAS's form allows.
MAX_OVER_COMMIT = Decimal(10)


class InstalledBy(StrEnum):
    """How KVM got onto the host (docs/explanation/rules.md#how-kvm-was-installed)."""

    #: We deployed it: its bridges come from our model.
    HOSTLOOM = "hostloom"
    #: The operator installed KVM on a machine that we know.
    MANUAL = "manual"
    #: Not told; treated as manual.
    UNKNOWN = "unknown"


class CorrelationState(StrEnum):
    """What the match of the host's address to the known nodes found.

    See docs/explanation/rules.md#which-node-a-host-is.
    """

    CORRELATED = "correlated"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"


class CorrelationEvidence(StrEnum):
    """What the match rests on, strongest first."""

    #: The operator chose among several.
    OPERATOR = "operator"
    #: An address of the host's URI is an address of the node.
    ADDRESS = "address"
    #: The NICs of the host are NICs of the node, by their MACs.
    MAC = "mac"
    #: libvirt's UUID of the host is the same as at the last reading, and nothing else sets the node.
    UUID = "uuid"
    #: The node was made from the host's own interfaces.
    ADOPTED = "adopted"
    #: hostloom runs on this machine (`qemu:///system`).
    LOCAL = "local"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Correlation:
    """The match of a host to a node, with its evidence."""

    state: CorrelationState = CorrelationState.UNKNOWN
    #: The node; set if and only if `state` is CORRELATED.
    system_id: SystemId | None = None
    evidence: CorrelationEvidence = CorrelationEvidence.NONE
    #: The address or MAC that matched, as text.
    matched: str = ""
    #: The nodes that matched, when several did.
    candidates: tuple[SystemId, ...] = ()


#: libvirt's pool types whose volumes are files, and those whose volumes are block devices with a path.
#: In pools of other types a volume cannot have a name of our choice, or a disk cannot name it by a path.
FILE_POOLS = frozenset({"dir", "fs", "netfs"})
BLOCK_POOLS = frozenset({"logical", "zfs"})


@dataclass(frozen=True, slots=True)
class StoragePool:
    """Disk space of a host (libvirt storage pool)."""

    name: str
    #: libvirt's pool type: dir, logical, …
    kind: str
    #: Bytes.
    total_bytes: int
    #: Bytes that libvirt reports free; sparse volumes are not deducted (see bytes_left).
    free_bytes: int
    is_default: bool = False
    tags: tuple[str, ...] = ()
    path: str = ""
    #: Machines can be given disks in it now.
    active: bool = True
    #: Why it is not active, if that was not the operator's choice: it does not answer, or cannot be read.
    trouble: str = ""


def holds_disks(kind: str, *, qcow2: bool = False) -> bool:
    """Whether hostloom can make disks of machines in pools of this type; qcow2 ones are files."""
    return kind in FILE_POOLS or (kind in BLOCK_POOLS and not qcow2)


def with_default(pools: tuple[StoragePool, ...], name: str) -> tuple[StoragePool, ...]:
    """The pools with this one as the default; as they were where none of this name is active."""
    if not any(pool.name == name and pool.active for pool in pools):
        return pools
    return tuple(replace(pool, is_default=pool.name == name) for pool in pools)


def with_tags(
    pools: tuple[StoragePool, ...], pool_tags: tuple[tuple[str, tuple[str, ...]], ...]
) -> tuple[StoragePool, ...]:
    """The pools with the tags that the operator gave them."""
    tags = dict(pool_tags)
    return tuple(replace(pool, tags=tags.get(pool.name, ())) for pool in pools)


class Forward(StrEnum):
    """Where a libvirt network forwards to; isolated networks have none."""

    NAT = "nat"
    ROUTE = "route"
    BRIDGE = "bridge"
    #: Any other mode of libvirt (open, private, vepa, passthrough, hostdev).
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LibvirtNetwork:
    """A libvirt network of a host."""

    name: str
    active: bool
    #: None for networks that have no bridge of their own.
    bridge: str | None
    #: libvirt's own DHCP (its dnsmasq) is on.
    dhcp: bool
    forward: Forward | None = None
    #: The VLAN of its bridge that a machine without a portgroup is put on: a tag of the network or of its
    #: default portgroup. 0: it has none. None: it gives machines a trunk without a VLAN for untagged frames.
    vid: int | None = 0
    #: Host interfaces on which it makes macvtaps.
    parents: tuple[str, ...] = ()
    #: A machine owns the parent that it gets, so that nothing else may use it.
    passthrough: bool = False


@dataclass(frozen=True, slots=True)
class Emulation:
    """How machines of one architecture run on the host, as found by a probe."""

    #: hostloom's word: amd64, arm64, …
    architecture: str
    #: libvirt domain type: kvm or qemu.
    domain_type: str
    machine_type: str
    emulator: str
    #: libvirt `<cpu>` mode or model: host-passthrough, host-model, maximum, or a model name.
    cpu_model: str


@dataclass(frozen=True, slots=True)
class Host:
    """A KVM host that hostloom manages."""

    id: HostId
    name: str
    #: libvirt URI, without secrets.
    uri: str
    correlation: Correlation = Correlation()
    installed_by: InstalledBy = InstalledBy.UNKNOWN
    default_macvlan_mode: MacvlanMode | None = None
    cores: int = 0
    #: Without the huge pages that no machine has: what ordinary machines may take, and what is taken.
    memory_mib: int = 0
    cpu_over_commit_ratio: Decimal = Decimal(1)
    memory_over_commit_ratio: Decimal = Decimal(1)
    emulations: tuple[Emulation, ...] = ()
    storage_pools: tuple[StoragePool, ...] = ()
    libvirt_networks: tuple[LibvirtNetwork, ...] = ()
    #: Answered at the last contact.
    reachable: bool = True
    #: Why not, in the driver's words.
    unreachable_cause: str = ""
    #: Seconds since the epoch at which the facts above were read; None = never.
    facts_at: float | None = None
    #: Parts that the last reading could not make out; everything else was read.
    findings: tuple[Finding, ...] = ()
    zone_id: ZoneId = ZoneId(DEFAULT_GROUP)
    resource_pool_id: ResourcePoolId = ResourcePoolId(DEFAULT_GROUP)
    tags: tuple[str, ...] = ()
    #: SHA256 fingerprint of the pinned SSH host key; empty for local and TLS URIs.
    host_key: str = ""
    #: The pool for disks that name none, by the operator's word; empty: as read.
    default_pool: str = ""
    #: Kept as huge pages, which only machines get that ask libvirt for them.
    huge_pages_mib: int = 0
    #: libvirt's UUID of the host as last read; empty: it has none that identifies it.
    uuid: str = ""
    #: The world's revision when the last reading began that is recorded: an older one changes nothing.
    read_revision: int = 0
    #: Tags of storage pools by the operator's word: pairs of a pool's name and its tags, by name.
    pool_tags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    generation: int = 1

    @property
    def is_being_read(self) -> bool:
        """Recorded before its first reading, which is not over yet."""
        return self.facts_at is None and self.unreachable_cause == BEING_READ

    @property
    def architectures(self) -> tuple[str, ...]:
        """hostloom's words for what runs here, the host's own first."""
        return tuple(emulation.architecture for emulation in self.emulations)


def tags_by_pool(host: Host) -> dict[str, tuple[str, ...]]:
    """The tags of storage pools, those that are away included."""
    return dict(host.pool_tags)


@dataclass(frozen=True, slots=True)
class PlacedInterface:
    """A NIC of a machine already on the host, as far as placing another one needs it."""

    kind: AttachKind
    source: str
    mode: MacvlanMode | None = None


@dataclass(frozen=True, slots=True)
class PlacedMachine:
    """A machine on a host: what it takes. Reservations of running composes count too."""

    name: str
    cores: int
    memory_mib: int
    interfaces: tuple[PlacedInterface, ...] = ()
    #: Sizes of its disks per storage pool, unless it is adopted: libvirt's figure does not show sparse ones.
    reserved_bytes: dict[str, int] = field(default_factory=dict, hash=False)


def cores_offered(host: Host) -> Number:
    """Cores that the host gives out in all: `total × ratio`, exactly."""
    return _whole(host.cores * host.cpu_over_commit_ratio)


def memory_offered_mib(host: Host) -> Number:
    """Memory that the host gives out in all: `total × ratio`, exactly."""
    return _whole(host.memory_mib * host.memory_over_commit_ratio)


def cores_left(host: Host, machines: Iterable[PlacedMachine]) -> Number:
    """Cores that may still be given out: `total × ratio − used − reserved`.

    See docs/explanation/rules.md#choosing-a-host.
    """
    return cores_offered(host) - sum(machine.cores for machine in machines)


def memory_left_mib(host: Host, machines: Iterable[PlacedMachine]) -> Number:
    """Memory that may still be given out: `total × ratio − used − reserved`.

    See docs/explanation/rules.md#choosing-a-host.
    """
    return memory_offered_mib(host) - sum(machine.memory_mib for machine in machines)


def _whole(number: Decimal) -> Number:
    """As an integer where it is one, with which a large fleet is compared faster."""
    whole = int(number)
    return whole if whole == number else number


def bytes_left(pool: StoragePool, machines: Iterable[PlacedMachine]) -> int:
    """Bytes of the storage pool that may still be given out.

    Raw volumes are sparse, so libvirt's free figure does not show what ours will take: of the pool's size,
    every recorded disk counts in full. Of what others put there only libvirt's figure tells; the less holds.
    So beside others' sparse volumes, which may grow into it, this promises too much: what they may still take
    is known by one call a volume, 0.1 ms and a round trip each, which a refresh of a full pool cannot spend.
    """
    reserved = sum(machine.reserved_bytes.get(pool.name, 0) for machine in machines)
    return min(pool.free_bytes, pool.total_bytes - reserved)
