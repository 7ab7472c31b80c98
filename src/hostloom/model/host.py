"""KVM hosts: their URI, the node that they are correlated with, and their resources."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.decimals import Number
from hostloom.model.finding import Finding
from hostloom.model.ids import DEFAULT_GROUP, HostId, ResourcePoolId, SystemId, ZoneId

#: The cause recorded for a new host, which counts as unreachable until its first reading.
BEING_READ = "it is being read for the first time"
#: The greatest over-commit ratio of cores or memory, as MAAS's form allows.
MAX_OVER_COMMIT = Decimal(10)


class InstalledBy(StrEnum):
    """How KVM got onto the host (docs/explanation/rules.md#how-kvm-was-installed)."""

    #: hostloom deployed it, and configured its bridges.
    HOSTLOOM = "hostloom"
    #: The operator installed KVM on a machine that we know.
    MANUAL = "manual"
    #: Unknown; treated as manual.
    UNKNOWN = "unknown"


class CorrelationState(StrEnum):
    """The result of correlating a host with the known nodes.

    See docs/explanation/rules.md#which-node-a-host-is.
    """

    CORRELATED = "correlated"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"


class CorrelationEvidence(StrEnum):
    """The evidence for the match, strongest first."""

    #: The operator chose one of several nodes.
    OPERATOR = "operator"
    #: An address of the host's URI is an address of the node.
    ADDRESS = "address"
    #: The NICs of the host are NICs of the node, by their MACs.
    MAC = "mac"
    #: libvirt's UUID of the host is the same as at the last reading; no other evidence determines the node.
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
    #: Disks of machines can be created in it now.
    active: bool = True
    #: Why it is not active, unless the operator stopped it: it does not answer, or cannot be read.
    trouble: str = ""


def holds_disks(kind: str, *, qcow2: bool = False) -> bool:
    """Whether hostloom can create disks of machines in pools of this type; qcow2 disks need files."""
    return kind in FILE_POOLS or (kind in BLOCK_POOLS and not qcow2)


def with_default(pools: tuple[StoragePool, ...], name: str) -> tuple[StoragePool, ...]:
    """The pools with this one as the default; unchanged if no active pool has the name."""
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
    #: The VLAN of the bridge for a machine without a portgroup: the tag of the network or of its default
    #: portgroup. 0: no tag. None: machines get a trunk without a VLAN for untagged frames.
    vid: int | None = 0
    #: Host interfaces on which it makes macvtaps.
    parents: tuple[str, ...] = ()
    #: A machine owns its parent, which nothing else may use.
    passthrough: bool = False


@dataclass(frozen=True, slots=True)
class Emulation:
    """How machines of one architecture run on the host, according to a probe."""

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
    #: Memory for ordinary machines, and its used part; unused huge pages are not included.
    memory_mib: int = 0
    cpu_over_commit_ratio: Decimal = Decimal(1)
    memory_over_commit_ratio: Decimal = Decimal(1)
    emulations: tuple[Emulation, ...] = ()
    storage_pools: tuple[StoragePool, ...] = ()
    libvirt_networks: tuple[LibvirtNetwork, ...] = ()
    #: Whether it answered at the last contact.
    reachable: bool = True
    #: The driver's error if it did not answer.
    unreachable_cause: str = ""
    #: When the facts above were read, in seconds since the epoch; None = never.
    facts_at: float | None = None
    #: Parts that the last reading could not read.
    findings: tuple[Finding, ...] = ()
    zone_id: ZoneId = ZoneId(DEFAULT_GROUP)
    resource_pool_id: ResourcePoolId = ResourcePoolId(DEFAULT_GROUP)
    tags: tuple[str, ...] = ()
    #: SHA256 fingerprint of the pinned SSH host key; empty for local and TLS URIs.
    host_key: str = ""
    #: The pool for disks without words, as the operator set it; empty: as read.
    default_pool: str = ""
    #: Memory in huge pages, which only machines that request them from libvirt get.
    huge_pages_mib: int = 0
    #: libvirt's UUID of the host as last read; empty: it has none that identifies it.
    uuid: str = ""
    #: The world's revision when the recorded reading began. A reading with an older revision is discarded.
    read_revision: int = 0
    #: Tags that the operator gave to storage pools: pairs of a pool's name and its tags, by name.
    pool_tags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    generation: int = 1

    @property
    def is_being_read(self) -> bool:
        """Whether the first reading of the new host has not ended yet."""
        return self.facts_at is None and self.unreachable_cause == BEING_READ

    def find_network(self, name: str) -> LibvirtNetwork | None:
        """A libvirt network by name."""
        return next((network for network in self.libvirt_networks if network.name == name), None)

    @property
    def architectures(self) -> tuple[str, ...]:
        """The architectures that run here, the host's own first."""
        return tuple(emulation.architecture for emulation in self.emulations)


def tags_by_pool(host: Host) -> dict[str, tuple[str, ...]]:
    """The tags of storage pools, including pools that are gone."""
    return dict(host.pool_tags)


@dataclass(frozen=True, slots=True)
class PlacedInterface:
    """A NIC of a machine on the host, with the fields that placement needs."""

    kind: AttachKind
    source: str
    mode: MacvlanMode | None = None


@dataclass(frozen=True, slots=True)
class PlacedMachine:
    """The resources that a machine or a running compose uses on a host."""

    name: str
    cores: int
    memory_mib: int
    interfaces: tuple[PlacedInterface, ...] = ()
    #: Sizes of its disks by storage pool, because libvirt's figure omits sparse ones. Empty if it is adopted.
    reserved_bytes: dict[str, int] = field(default_factory=dict, hash=False)


def cores_offered(host: Host) -> Number:
    """All cores that machines may use: `total × ratio`, exactly."""
    return _whole(host.cores * host.cpu_over_commit_ratio)


def memory_offered_mib(host: Host) -> Number:
    """All memory that machines may use: `total × ratio`, exactly."""
    return _whole(host.memory_mib * host.memory_over_commit_ratio)


def cores_left(host: Host, machines: Iterable[PlacedMachine]) -> Number:
    """Cores that further machines may use: `total × ratio − used − reserved`.

    See docs/explanation/rules.md#choosing-a-host.
    """
    return cores_offered(host) - sum(machine.cores for machine in machines)


def memory_left_mib(host: Host, machines: Iterable[PlacedMachine]) -> Number:
    """Memory that further machines may use: `total × ratio − used − reserved`.

    See docs/explanation/rules.md#choosing-a-host.
    """
    return memory_offered_mib(host) - sum(machine.memory_mib for machine in machines)


def _whole(number: Decimal) -> Number:
    """Whole numbers as integers, because comparing integers is faster in a large fleet."""
    whole = int(number)
    return whole if whole == number else number


def bytes_left(pool: StoragePool, machines: Iterable[PlacedMachine]) -> int:
    """Bytes of the storage pool that further disks may use.

    Every recorded disk counts in full, because raw volumes are sparse and libvirt's free figure omits what
    ours will use. For volumes that hostloom did not create, libvirt's figure counts; the smaller value wins.
    The result is too high if others' sparse volumes grow: their full sizes would need one call and a round
    trip for each volume, which takes too long for a refresh of a full pool.
    """
    reserved = sum(machine.reserved_bytes.get(pool.name, 0) for machine in machines)
    return min(pool.free_bytes, pool.total_bytes - reserved)
