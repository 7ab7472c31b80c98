"""Plans, refusals and explanations: what the decision engine answers, as data."""

from dataclasses import dataclass, replace
from enum import StrEnum

from hostloom.model.hypothetical import Suggestion
from hostloom.model.ids import HostId, SubnetId
from hostloom.model.machine import Disk, MachineInterface, MachineSpec

#: Names that a stored explanation keeps of a group of hosts.
STORED_NAMES = 20


class RequestCode(StrEnum):
    """Why a request is refused."""

    CONSTRAINT_SYNTAX = "constraint-syntax"
    UNKNOWN_KEY = "unknown-key"
    DUPLICATE_LABEL = "duplicate-label"
    INVALID_LABEL = "invalid-label"
    INVALID_VALUE = "invalid-value"
    UNKNOWN_SPACE = "unknown-space"
    UNKNOWN_FABRIC = "unknown-fabric"
    UNKNOWN_SUBNET = "unknown-subnet"
    CONTRADICTION = "contradiction"
    ADDRESS_OUTSIDE_SUBNET = "address-outside-subnet"
    ADDRESS_IN_USE = "address-in-use"
    ADDRESS_IN_RANGE = "address-in-range"
    ADDRESS_RESERVED = "address-reserved"
    DUPLICATE_ADDRESS = "duplicate-address"
    UNKNOWN_HOST = "unknown-host"
    #: Of a batch: a machine that it may not share a host with is there.
    ANTI_AFFINITY = "anti-affinity"
    OTHER_ZONE = "other-zone"
    OTHER_RESOURCE_POOL = "other-resource-pool"
    HOST_TAGS = "host-tags"
    HOST_UNREACHABLE = "host-unreachable"
    UNSUPPORTED_ARCHITECTURE = "unsupported-architecture"
    HOST_AMBIGUOUS = "host-ambiguous"
    HOST_NOT_KNOWN = "host-not-known"
    NOT_ENOUGH_CORES = "not-enough-cores"
    NOT_ENOUGH_MEMORY = "not-enough-memory"
    UNKNOWN_POOL = "unknown-pool"
    #: Of the storage pools that a disk may go to none can hold it, whatever room there is.
    POOL_UNUSABLE = "pool-unusable"
    POOL_FULL = "pool-full"
    NO_MATCHING_INTERFACE = "no-matching-interface"
    PASSTHRU_IN_USE = "passthru-in-use"
    UNKNOWN_NETWORK = "unknown-network"
    NETWORK_INACTIVE = "network-inactive"
    NO_USABLE_NETWORK = "no-usable-network"
    NO_BOOTABLE_VLAN = "no-bootable-vlan"
    SUBNET_FULL = "subnet-full"
    #: Of a disk image and the machine that it is for.
    IMAGE_ARCHITECTURE = "image-architecture"
    IMAGE_BOOT_MODE = "image-boot-mode"
    IMAGE_TOO_LARGE = "image-too-large"
    IMAGE_WITHOUT_CLOUD_INIT = "image-without-cloud-init"
    IMAGE_WITHOUT_KVM = "image-without-kvm"
    IMAGE_MEMORY = "image-memory"
    #: Of the disks of a bare machine.
    UNKNOWN_DISK = "unknown-disk"
    NO_DISK_FITS = "no-disk-fits"
    NO_HOST_FITS = "no-host-fits"


class RejectionCode(StrEnum):
    """Why a host interface, libvirt network or storage pool was not taken; in the order of the checks."""

    LOOPBACK = "loopback"
    INTERFACE_DISABLED = "interface-disabled"
    INTERFACE_LINK_DOWN = "interface-link-down"
    INTERFACE_IS_MEMBER = "interface-is-member"
    DSA_CONDUIT = "dsa-conduit"
    WIRELESS = "wireless"
    INFINIBAND = "infiniband"
    OVS_UNREADABLE = "ovs-unreadable"
    #: A bridge that drops the untagged frames of machines.
    BRIDGE_WITHOUT_PVID = "bridge-without-pvid"
    #: No port of the bridge carries the VLAN that machines would be on.
    VLAN_NOT_CARRIED = "vlan-not-carried"
    #: A bridge of a container engine that the request does not name.
    CONTAINER_BRIDGE = "container-bridge"
    PASSTHRU_IN_USE = "passthru-in-use"
    CONSTRAINT_NOT_MET = "constraint-not-met"
    ATTACH_KIND = "attach-kind"
    NO_VLAN = "no-vlan"
    VLAN_NOT_BOOTABLE = "vlan-not-bootable"
    LOWER_PREFERENCE = "lower-preference"
    WOULD_NOT_COMPLETE = "would-not-complete"
    NETWORK_MISSING = "network-missing"
    NETWORK_INACTIVE = "network-inactive"
    LIBVIRT_DHCP_ON = "libvirt-dhcp-on"
    NETWORK_WITHOUT_BRIDGE = "network-without-bridge"
    BRIDGE_NOT_KNOWN = "bridge-not-known"
    #: A libvirt network that gives machines a trunk.
    NETWORK_IS_TRUNK = "network-is-trunk"
    #: A libvirt network with a tag on a bridge that knows no VLANs.
    TAG_NOT_SUPPORTED = "tag-not-supported"
    #: Of storage pools.
    POOL_INACTIVE = "pool-inactive"
    POOL_HOLDS_NO_DISKS = "pool-holds-no-disks"


class WarningCode(StrEnum):
    """What a plan warns of."""

    LIBVIRT_DHCP_ON = "libvirt-dhcp-on"
    #: The network's VLAN is not known.
    DHCP_NOT_VERIFIED = "dhcp-not-verified"
    #: The VLAN is known and not served.
    NO_DHCP_DETECTED = "no-dhcp-detected"
    ISOLATED_NETWORK = "isolated-network"
    BOOT_NIC_NOT_FIRST = "boot-nic-not-first"
    #: macvtap: the host itself cannot talk to the machine.
    HOST_CANNOT_REACH_GUEST = "host-cannot-reach-guest"
    #: vepa, and no switch is known to reflect.
    MODE_NOT_SUPPORTED_BY_SWITCH = "mode-not-supported-by-switch"
    #: A server that is none of ours answers on the VLAN of a NIC that gets its address by DHCP.
    FOREIGN_DHCP = "foreign-dhcp"
    #: The last probe of the VLAN that the NIC is served on was left unanswered by our DHCP.
    OUR_DHCP_SILENT = "our-dhcp-silent"
    STALE_HOST_MODEL = "stale-host-model"
    #: The VLANs of a bridge's ports could not be read.
    VLAN_NOT_VERIFIED = "vlan-not-verified"
    #: There is nothing for the machine's architecture to boot from the network.
    NETBOOT_NOT_SUPPORTED = "netboot-not-supported"


class SubjectKind(StrEnum):
    """What a reason speaks of."""

    HOST_INTERFACE = "host-interface"
    LIBVIRT_NETWORK = "libvirt-network"
    HOST = "host"
    LABEL = "label"
    STORAGE_POOL = "storage-pool"
    DISK = "disk"
    ADDRESS = "address"
    REQUEST = "request"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Rejection:
    """One reason against one subject; prose is rendered in decide/explain/ only."""

    #: The rule's name: the function that said no.
    rule: str
    code: RejectionCode
    subject_kind: SubjectKind
    subject: str
    wanted: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one host, or the request as such, is refused."""

    rule: str
    code: RequestCode
    subject_kind: SubjectKind
    subject: str
    wanted: str = ""
    found: str = ""
    #: 1-based column in the text it comes from; 0 = none.
    column: int = 0


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """Something the user should know before acting."""

    code: WarningCode
    subject: str
    found: str = ""


@dataclass(frozen=True, slots=True)
class LabelExplanation:
    """How one NIC's attachment was chosen."""

    label: str
    #: Host interface or libvirt network taken; empty when none was.
    winner: str
    #: Why the winner won over the runner-up: words of a closed set, most important first
    #: ("bridge", "bootable-vlan", "unused", "name-order", "only-candidate", …).
    reasons: tuple[str, ...] = ()
    #: Those that could serve, in order of preference, the winner left out.
    runners_up: tuple[str, ...] = ()
    #: Everything else that the host has, each with its reason.
    rejections: tuple[Rejection, ...] = ()
    #: What the NIC gets by the winner; all empty where the host is refused.
    attach: str = ""
    macvlan_mode: str = ""
    #: FABRIC/VID with its space; empty where it is not known.
    vlan: str = ""
    addresses: tuple[str, ...] = ()
    boot: bool = False


@dataclass(frozen=True, slots=True)
class HostExplanation:
    """How one host fared."""

    host: str
    #: None = it could take the machine.
    refusal: Refusal | None = None
    labels: tuple[LabelExplanation, ...] = ()
    #: Score, best first, as (name, value) pairs for the reader; empty when refused.
    score: tuple[tuple[str, str], ...] = ()
    #: Seconds since the epoch at which the host's facts were read.
    facts_at: float | None = None
    #: Storage pools that a disk would have gone to, and why they cannot hold it.
    pools: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class HostGroup:
    """Hosts that fared alike, where there are too many to explain each."""

    #: Why they were refused; None = they could take the machine too.
    code: RequestCode | None
    count: int
    #: By natural name; a stored explanation keeps the first few only.
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All the reasons of a decision: the chosen host in full, every other with its code."""

    #: Chosen host, or None when refused.
    chosen: str | None
    #: Set when the request was refused.
    refusal: Refusal | None = None
    #: Hosts in full: the chosen one first; the others too, where they are few.
    hosts: tuple[HostExplanation, ...] = ()
    warnings: tuple[PlanWarning, ...] = ()
    #: Counts of the hosts that are not in `hosts`, by code.
    others: tuple[HostGroup, ...] = ()
    #: Why the chosen host came before the runner-up: the criterion of its score, or `name-order`.
    host_reason: str = ""
    host_runner_up: str = ""
    #: Of a refused request: what would make it fit, the least first.
    suggestions: tuple[Suggestion, ...] = ()

    def shortened(self) -> "Explanation":
        """The explanation as it is stored: its size does not grow with the number of hosts."""
        groups = (replace(group, hosts=group.hosts[:STORED_NAMES]) for group in self.others)
        return replace(self, others=tuple(groups))


@dataclass(frozen=True, slots=True)
class Plan:
    """A machine on a host, down to the last address: nothing is decided after this."""

    host_id: HostId
    host_name: str
    #: The machine with its NICs and disks, as it is rendered to the hypervisor.
    spec: MachineSpec
    #: Of each NIC, the subnet of each of its addresses.
    subnet_ids: tuple[tuple[SubnetId, ...], ...]
    warnings: tuple[PlanWarning, ...]
    #: Host generation that the decision rests on.
    host_generation: int
    #: Snapshot revision that the decision rests on.
    revision: int
    start: bool = True

    @property
    def interfaces(self) -> tuple[MachineInterface, ...]:
        """Its NICs."""
        return self.spec.interfaces

    @property
    def disks(self) -> tuple[Disk, ...]:
        """Its disks."""
        return self.spec.disks


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request: a plan, or a refusal in the explanation; never both."""

    plan: Plan | None
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class JointDecision:
    """The answer to a batch: a plan for every machine of it, or for none."""

    #: In the order of the batch; empty when one machine of it found no place.
    plans: tuple[Plan, ...]
    #: Of the machines in the order of the batch; when refused, of the one that found no place alone.
    explanations: tuple[Explanation, ...]
    #: Position in the batch of the machine that found no place.
    refused_at: int | None = None
