"""Texts for all codes, one line per reason. All texts about decisions are here and in explain.py."""

from shlex import quote

from hostloom.model.errors.refusals import HostFull, Refused
from hostloom.model.reasons import (
    PlanWarning,
    Refusal,
    Rejection,
    RejectionCode,
    RequestCode,
    SubjectKind,
    WarningCode,
)
from hostloom.model.stored_plan import PlanDifference

#: Why the winner was preferred to the others.
REASONS = {
    "bridge": "a bridge",
    "bond": "a bond",
    "nic": "a NIC",
    "network": "a libvirt network",
    "only-candidate": "the only one that fits",
    "network-before-interface": "a usable libvirt network comes first",
    "network-order": "maas comes before default",
    "connected-before-isolated": "connected, while the next one is isolated",
    "bridge-before-bond": "a bridge comes before a bond",
    "bridge-before-nic": "a bridge comes before a NIC",
    "bond-before-nic": "a bond comes before a NIC",
    "bootable-vlan": "its VLAN is served by our DHCP",
    "unused": "no other NIC of the request uses it",
    "name-order": "first by name among equals",
}

#: Why the chosen host was preferred to the runner-up.
HOST_REASONS = {
    "boot-on-bootable-vlan": "the machine boots from a VLAN that our DHCP serves",
    "macvtap-nics": "fewer NICs by macvtap",
    "memory-left-mib": "more memory left",
    "cores-left": "more cores left",
    "machines": "fewer machines",
    "spread": "fewer machines of this batch",
    "pack": "it already has machines of this batch",
    "batch": "only with it do all machines of the batch fit",
    "name-order": "first by name among equals",
}

REJECTIONS = {
    RejectionCode.POOL_INACTIVE: "cannot hold disks: {found}",
    RejectionCode.POOL_HOLDS_NO_DISKS: "cannot hold such disks: {found}",
    RejectionCode.LOOPBACK: "is the loopback",
    RejectionCode.INTERFACE_DISABLED: "is disabled",
    RejectionCode.INTERFACE_LINK_DOWN: "has no link",
    RejectionCode.INTERFACE_IS_MEMBER: "is {found}",
    RejectionCode.DSA_CONDUIT: "is the conduit of a switch: use the ports of the switch",
    RejectionCode.WIRELESS: "is a Wi-Fi NIC, and access points drop the frames of machines",
    RejectionCode.INFINIBAND: "is InfiniBand, which carries no Ethernet frames",
    RejectionCode.OVS_UNREADABLE: (
        "belongs to Open vSwitch, whose database cannot be read: "
        "let the login of hostloom on the host run `ovs-vsctl`"
    ),
    RejectionCode.BRIDGE_WITHOUT_PVID: (
        "has no VLAN for machines: it has vlan_filtering on and no vlan_default_pvid"
    ),
    RejectionCode.VLAN_NOT_CARRIED: "needs {found}, which none of its NICs carries",
    RejectionCode.CONTAINER_BRIDGE: "is a bridge for containers: to use it, name it with name={subject}",
    RejectionCode.PASSTHRU_IN_USE: "is in use: {found}",
    RejectionCode.CONSTRAINT_NOT_MET: "does not meet {wanted}: it has {found}",
    RejectionCode.ATTACH_KIND: "would be attach={found}, but {wanted} was requested",
    RejectionCode.NO_VLAN: "is on an unknown VLAN",
    RejectionCode.VLAN_NOT_BOOTABLE: "is on a VLAN that our DHCP does not serve",
    RejectionCode.LOWER_PREFERENCE: "an alternative; {wanted} is preferred: {reason}",
    RejectionCode.WOULD_NOT_COMPLETE: "is preferred, but with it the request would not fit: {found}",
    RejectionCode.NETWORK_MISSING: "does not exist",
    RejectionCode.NETWORK_INACTIVE: "is not active",
    RejectionCode.LIBVIRT_DHCP_ON: (
        "has libvirt's own DHCP on: `hostloom host fix-network {host} {subject}` turns it off and serves the "
        "VLAN, or shows how to create a network maas on a served VLAN"
    ),
    RejectionCode.NETWORK_WITHOUT_BRIDGE: "has no bridge",
    RejectionCode.BRIDGE_NOT_KNOWN: "is on an unknown bridge: {found}",
    RejectionCode.NETWORK_IS_TRUNK: "gives machines a trunk without a VLAN for untagged frames",
    RejectionCode.TAG_NOT_SUPPORTED: "requires the VLAN tag {wanted}, which {found} does not support",
}

WARNINGS = {
    WarningCode.LIBVIRT_DHCP_ON: "libvirt's own DHCP answers on network {subject}",
    WarningCode.DHCP_NOT_VERIFIED: "the VLAN of network {subject} and its DHCP server are unknown",
    WarningCode.NO_DHCP_DETECTED: "our DHCP does not serve the VLAN of network {subject}: boot from disk",
    WarningCode.ISOLATED_NETWORK: "network {subject} is isolated: no physical port, no NAT, no route",
    WarningCode.BOOT_NIC_NOT_FIRST: "the machine boots from {subject}, not from its first NIC {found}",
    WarningCode.HOST_CANNOT_REACH_GUEST: "{subject} is a macvtap on {found}: its host cannot reach it",
    WarningCode.MODE_NOT_SUPPORTED_BY_SWITCH: (
        "{subject} uses vepa on {found}: machines there reach each other only if the switch reflects "
        "their traffic"
    ),
    WarningCode.FOREIGN_DHCP: "{subject} is on a VLAN with foreign DHCP servers: {found}",
    WarningCode.OUR_DHCP_SILENT: (
        "our DHCP serves VLAN {found} of {subject}, but did not answer the last probe there"
    ),
    WarningCode.NETBOOT_NOT_SUPPORTED: (
        "{found} machines cannot boot from the network yet: this machine boots from its disk, not from "
        "{subject}"
    ),
    WarningCode.CANNOT_REPORT: (
        "the machine cannot report that its system runs, because none of its NICs has an address on a VLAN "
        "with our DHCP: it counts as deployed as soon as it is started, and its SSH host keys are unknown"
    ),
    WarningCode.VLAN_NOT_VERIFIED: (
        "{subject} is on {found}, which is VLAN-aware, but the VLAN settings of its ports could not be read"
    ),
    WarningCode.STALE_HOST_MODEL: "the facts of {subject} are old: {found}",
}

REFUSALS = {
    RequestCode.CONSTRAINT_SYNTAX: "{subject}{at}: expected {wanted}, found {found!r}",
    RequestCode.UNKNOWN_KEY: "{subject}{at}: {found!r} is not {wanted}",
    RequestCode.DUPLICATE_LABEL: "{subject}{at}: the label {found!r} appears twice",
    RequestCode.INVALID_LABEL: "{subject}{at}: {found!r} is not {wanted}",
    RequestCode.INVALID_VALUE: "{subject}{at}: {found!r} is not {wanted}",
    RequestCode.CONTRADICTION: "{noun}{subject}{at} contradicts itself: {found}; expected {wanted}",
    RequestCode.UNKNOWN_SPACE: "space {found!r}{at} does not exist; expected {wanted}",
    RequestCode.UNKNOWN_FABRIC: "fabric {found!r}{at} does not exist; expected {wanted}",
    RequestCode.UNKNOWN_SUBNET: "subnet {found!r}{at} does not exist; expected {wanted}",
    RequestCode.ADDRESS_OUTSIDE_SUBNET: "{subject} is in no known subnet",
    RequestCode.ADDRESS_IN_USE: "{subject} is in use: {found}",
    RequestCode.ADDRESS_IN_RANGE: "{subject} is in the {found}",
    RequestCode.ADDRESS_RESERVED: "{subject} cannot be assigned: it is {found}",
    RequestCode.DUPLICATE_ADDRESS: "{subject} is requested twice",
    RequestCode.UNKNOWN_HOST: "host {subject!r} does not exist",
    RequestCode.ANTI_AFFINITY: "host {subject} has {found}, which must not share a host with this machine",
    RequestCode.OTHER_ZONE: "host {subject} is not in {wanted}",
    RequestCode.OTHER_RESOURCE_POOL: "host {subject} is not in {wanted}",
    RequestCode.HOST_TAGS: "host {subject} has {found}, wanted: {wanted}",
    RequestCode.HOST_UNREACHABLE: "host {subject} cannot be reached: {found}",
    RequestCode.UNSUPPORTED_ARCHITECTURE: "host {subject} does not run {wanted}, only {found}",
    RequestCode.HOST_AMBIGUOUS: (
        "host {subject} could be any of {found}: choose with `hostloom host update --node`"
    ),
    RequestCode.HOST_NOT_KNOWN: (
        "host {subject} is not correlated with a node ({found}), so interface constraints cannot be met: "
        "refresh it, or set its node with `hostloom host update --node`"
    ),
    RequestCode.NOT_ENOUGH_CORES: "host {subject} has {found}, wanted: {wanted}",
    RequestCode.NOT_ENOUGH_MEMORY: "host {subject} has {found}, wanted: {wanted}",
    RequestCode.UNKNOWN_POOL: "disk {subject} needs {wanted}, but there is {found}",
    RequestCode.POOL_UNUSABLE: "disk {subject} needs {wanted}, but none can hold it: {found}",
    RequestCode.POOL_FULL: "disk {subject} needs {wanted}, but there are {found}",
    RequestCode.NO_MATCHING_INTERFACE: "no interface or network meets {subject}:{wanted}",
    RequestCode.PASSTHRU_IN_USE: "{subject}:{wanted} needs {found}, which is in use by passthru",
    RequestCode.UNKNOWN_NETWORK: "{subject}:{wanted}: the libvirt network does not exist",
    RequestCode.NETWORK_INACTIVE: "{subject}:{wanted}: the libvirt network is not active",
    RequestCode.NO_USABLE_NETWORK: "no usable network exists for {subject}",
    RequestCode.NO_BOOTABLE_VLAN: "no NIC would be on a VLAN that our DHCP serves ({found})",
    RequestCode.SUBNET_FULL: "{subject} gets no address: {found}",
    RequestCode.IMAGE_ARCHITECTURE: "image {subject} is built for {found}, wanted: {wanted}",
    RequestCode.IMAGE_BOOT_MODE: "image {subject} boots by {found}, wanted: {wanted}",
    RequestCode.IMAGE_TOO_LARGE: "image {subject} needs {wanted}, there are {found}",
    RequestCode.IMAGE_WITHOUT_CLOUD_INIT: (
        "image {subject} has no cloud-init, so no one could log in to a machine that is deployed with it"
    ),
    RequestCode.IMAGE_WITHOUT_KVM: (
        "image {subject} lacks {wanted}: `hostloom image build debian-12 --kvm` builds one that has them"
    ),
    RequestCode.IMAGE_MEMORY: "image {subject} needs {wanted} of memory, there are {found}",
    RequestCode.UNKNOWN_DISK: "{subject!r} is not {wanted}; the machine has {found}",
    RequestCode.NO_DISK_FITS: "image {subject} needs {wanted}, which no disk of the machine has: {found}",
    RequestCode.NO_HOST_FITS: "no host fits",
}


_NOUNS = {SubjectKind.LIBVIRT_NETWORK: "network ", SubjectKind.STORAGE_POOL: "storage pool "}


def render_refusal(refusal: Refusal) -> str:
    """A refusal in one line."""
    position = f", column {refusal.column}" if refusal.column else ""
    noun = "label " if refusal.subject_kind is SubjectKind.LABEL else ""
    text = REFUSALS[refusal.code]
    return text.format(
        noun=noun, subject=refusal.subject, wanted=refusal.wanted, found=refusal.found, at=position
    )


def render_warning(warning: PlanWarning) -> str:
    """A warning in one line."""
    return WARNINGS[warning.code].format(subject=warning.subject, found=warning.found)


def pool_reason(rejection: Rejection) -> str:
    """`ceph (type rbd)`: a storage pool that cannot hold a disk, with the reason."""
    return f"{rejection.subject} ({rejection.found})"


def render_rejection(rejection: Rejection, host: str = "HOST") -> str:
    """A rejection in one line; `host` is inserted into its commands."""
    noun = _NOUNS.get(rejection.subject_kind, "")
    text = REJECTIONS[rejection.code]
    reason = REASONS.get(rejection.found, rejection.found)
    values = {"host": quote(host), "subject": quote(rejection.subject)}
    words = text.format(wanted=rejection.wanted, found=rejection.found, reason=reason, **values)
    return f"{noun}{rejection.subject} {words}"


def render_difference(difference: PlanDifference) -> str:
    """`web1 eth0 ip: 10.0.0.10 -> 10.0.0.11: taken by web2`."""
    reason = f"taken by {difference.taken_by}" if difference.taken_by else ""
    if difference.refusal is not None:
        reason = render_refusal(difference.refusal)
    words = f"{difference.machine} {difference.field}: {difference.planned} -> {difference.now}"
    return f"{words}: {reason}" if reason else words


_FULL = frozenset({RequestCode.NOT_ENOUGH_CORES, RequestCode.NOT_ENOUGH_MEMORY, RequestCode.POOL_FULL})


def refused(refusal: Refusal, text: str = "", explanation: object = None) -> Refused:
    """The error of a refusal; `text` replaces its text in another context, such as a batch."""
    words = text or render_refusal(refusal)
    if refusal.code in _FULL:
        return HostFull(
            refusal.code, words, explanation, refusal.subject, wanted=refusal.wanted, found=refusal.found
        )
    return Refused(refusal.code, words, explanation)
