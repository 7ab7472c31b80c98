"""Mending a host's libvirt networks: what is made or turned off, who loses a lease, or why it cannot be."""

from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.ids import MacAddress
from hostloom.model.network import Address


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A libvirt network that hostloom makes: on a bridge that is there, without anything of libvirt's own."""

    uuid: str
    name: str
    bridge: str
    #: The bridge is an Open vSwitch bridge, which libvirt must be told.
    ovs: bool = False


@dataclass(frozen=True, slots=True)
class LibvirtDhcp:
    """libvirt's own DHCP of a network, exactly as it was; what the texts say only the adapter knows.

    One text for each address of the network, empty where it has no DHCP; all the same whichever way libvirt
    keeps them: as it runs now, and as it will start the next time.
    """

    running: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LibvirtLease:
    """An address that libvirt's own DHCP has handed out."""

    mac: MacAddress
    ip: Address
    hostname: str = ""
    #: Seconds since the epoch; None: it does not expire.
    expires_at: float | None = None


class FixStepKind(StrEnum):
    """What a fix does; `subject` and `value` of a FixStep mean what is said here."""

    #: libvirt's own DHCP on network `subject` is turned off.
    LIBVIRT_DHCP_OFF = "libvirt-dhcp-off"
    #: Our DHCP serves VLAN `subject` (FABRIC/VID) from now on.
    SERVE_VLAN = "serve-vlan"
    #: A libvirt network `subject` is made on bridge `value`, started, and starts with the host.
    MAKE_NETWORK = "make-network"


@dataclass(frozen=True, slots=True)
class FixStep:
    """One step of a fix."""

    kind: FixStepKind
    subject: str
    value: str = ""


class FixCode(StrEnum):
    """Why a fix is not to be had."""

    #: The host is no known node, or could be several.
    HOST_NOT_KNOWN = "host-not-known"
    HOST_AMBIGUOUS = "host-ambiguous"
    NETWORK_MISSING = "network-missing"
    NETWORK_INACTIVE = "network-inactive"
    NETWORK_WITHOUT_BRIDGE = "network-without-bridge"
    BRIDGE_NOT_KNOWN = "bridge-not-known"
    #: The bridge is disabled, without link, or a member of another.
    BRIDGE_UNFIT = "bridge-unfit"
    #: It is no bridge, or one that libvirt keeps to itself.
    NOT_A_BRIDGE = "not-a-bridge"
    BRIDGE_OF_LIBVIRT = "bridge-of-libvirt"
    NO_VLAN = "no-vlan"
    #: The bridge has no physical port, and no rack of ours is on the host to hear what is asked there.
    NO_RACK_ON_HOST = "no-rack-on-host"
    #: No rack has an interface with an IPv4 address on the VLAN.
    NO_RACK_ON_VLAN = "no-rack-on-vlan"
    NETWORK_EXISTS = "network-exists"
    NO_SERVED_BRIDGE = "no-served-bridge"
    #: There is nothing that it could mend.
    NOTHING_TO_FIX = "nothing-to-fix"


@dataclass(frozen=True, slots=True)
class FixRefusal:
    """Why one way of mending does not work."""

    code: FixCode
    #: The network or bridge that it is about.
    subject: str
    found: str = ""


@dataclass(frozen=True, slots=True)
class FixPlan:
    """What mending does, or why it cannot; nothing is done by it."""

    host: str
    #: The network that is mended, or made.
    network: str
    steps: tuple[FixStep, ...] = ()
    #: Set if and only if there are no steps.
    refusals: tuple[FixRefusal, ...] = ()
    #: Machines of the host on the network whose DHCP goes, by name.
    machines: tuple[str, ...] = ()
    #: A bridge on which `--make-maas` would work instead; with a refusal.
    offer: str = ""
