"""Reasons for refusals, rejections and warnings, as data."""

from dataclasses import dataclass
from enum import StrEnum


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
    #: The host has a machine of the batch that may not share it.
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
    #: No suitable storage pool can hold the disk, regardless of free space.
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
    """Why a host interface, libvirt network or storage pool was rejected, in the order of the checks."""

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
    """The warnings of plans."""

    LIBVIRT_DHCP_ON = "libvirt-dhcp-on"
    #: The network's VLAN is not known.
    DHCP_NOT_VERIFIED = "dhcp-not-verified"
    #: The VLAN is known and not served.
    NO_DHCP_DETECTED = "no-dhcp-detected"
    ISOLATED_NETWORK = "isolated-network"
    BOOT_NIC_NOT_FIRST = "boot-nic-not-first"
    #: macvtap: the host itself cannot talk to the machine.
    HOST_CANNOT_REACH_GUEST = "host-cannot-reach-guest"
    #: vepa, but no switch is known to reflect frames.
    MODE_NOT_SUPPORTED_BY_SWITCH = "mode-not-supported-by-switch"
    #: A foreign server answers on the VLAN of a NIC that gets its address by DHCP.
    FOREIGN_DHCP = "foreign-dhcp"
    #: Our DHCP serves the NIC's VLAN, but did not answer the last probe of it.
    OUR_DHCP_SILENT = "our-dhcp-silent"
    STALE_HOST_MODEL = "stale-host-model"
    #: The VLANs of a bridge's ports could not be read.
    VLAN_NOT_VERIFIED = "vlan-not-verified"
    #: No boot image exists for the machine's architecture.
    NETBOOT_NOT_SUPPORTED = "netboot-not-supported"
    #: No NIC of a machine that gets an image has an address on a VLAN that hostloom serves.
    CANNOT_REPORT = "cannot-report"


class SubjectKind(StrEnum):
    """The subject of a reason."""

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
    """One reason against one subject; decide/explain/ renders it as text."""

    #: The name of the rule, which is that of its function.
    rule: str
    code: RejectionCode
    subject_kind: SubjectKind
    subject: str
    wanted: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one host or the whole request is refused."""

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
    """A warning for the user."""

    code: WarningCode
    subject: str
    found: str = ""
