"""Fixes of a host's libvirt networks: the steps, the affected leases, or the refusals."""

from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.ids import MacAddress
from hostloom.model.network import Address


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A libvirt network that hostloom creates on an existing bridge, without libvirt's DHCP or NAT."""

    uuid: str
    name: str
    bridge: str
    #: Whether it is an Open vSwitch bridge; libvirt needs a virtualport element then.
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
    """The kinds of steps of a fix, with the meaning of `subject` and `value`."""

    #: libvirt's own DHCP on network `subject` is turned off.
    LIBVIRT_DHCP_OFF = "libvirt-dhcp-off"
    #: Our DHCP serves VLAN `subject` (FABRIC/VID) from now on.
    SERVE_VLAN = "serve-vlan"
    #: libvirt network `subject` is created on bridge `value` and started, now and whenever the host starts.
    MAKE_NETWORK = "make-network"


@dataclass(frozen=True, slots=True)
class FixStep:
    """One step of a fix."""

    kind: FixStepKind
    subject: str
    value: str = ""


class FixCode(StrEnum):
    """Why a fix is not possible."""

    #: The host is not correlated, or ambiguous.
    HOST_NOT_KNOWN = "host-not-known"
    HOST_AMBIGUOUS = "host-ambiguous"
    NETWORK_MISSING = "network-missing"
    NETWORK_INACTIVE = "network-inactive"
    NETWORK_WITHOUT_BRIDGE = "network-without-bridge"
    BRIDGE_NOT_KNOWN = "bridge-not-known"
    #: The bridge is disabled, without link, or a member of another.
    BRIDGE_UNFIT = "bridge-unfit"
    #: It is not a bridge, or a private bridge of libvirt.
    NOT_A_BRIDGE = "not-a-bridge"
    BRIDGE_OF_LIBVIRT = "bridge-of-libvirt"
    NO_VLAN = "no-vlan"
    #: The bridge has no physical port, and no rack on the host can receive its requests.
    NO_RACK_ON_HOST = "no-rack-on-host"
    #: No rack has an interface with an IPv4 address on the VLAN.
    NO_RACK_ON_VLAN = "no-rack-on-vlan"
    NETWORK_EXISTS = "network-exists"
    NO_SERVED_BRIDGE = "no-served-bridge"
    #: Nothing on the host could be fixed.
    NOTHING_TO_FIX = "nothing-to-fix"


@dataclass(frozen=True, slots=True)
class FixRefusal:
    """Why one way to fix the networks does not work."""

    code: FixCode
    #: The network or bridge.
    subject: str
    found: str = ""


@dataclass(frozen=True, slots=True)
class FixPlan:
    """The planned fix or its refusals. A plan changes nothing."""

    host: str
    #: The network to fix or create.
    network: str
    steps: tuple[FixStep, ...] = ()
    #: Set if and only if there are no steps.
    refusals: tuple[FixRefusal, ...] = ()
    #: Machines on the network that loses libvirt's DHCP, by name.
    machines: tuple[str, ...] = ()
    #: With a refusal: a bridge on which `--make-maas` would work instead.
    offer: str = ""
