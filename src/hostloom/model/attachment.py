"""How a machine interface meets its host: a bridge, a macvtap on a parent, or a libvirt network."""

from dataclasses import dataclass
from enum import StrEnum


class AttachKind(StrEnum):
    """The three ways, and what is none of them."""

    BRIDGE = "bridge"
    MACVLAN = "macvlan"
    NETWORK = "network"
    #: Any other way of libvirt (user, hostdev, vhostuser, …): machines that others made have such NICs.
    OTHER = "other"


class MacvlanMode(StrEnum):
    """What machines on one parent may do (libvirt spells the last `passthrough`; mapped in hypervisor/)."""

    #: Machines on one parent cannot talk to each other but reach what lies beyond the parent.
    PRIVATE = "private"
    #: Their traffic leaves through the parent and comes back only where the switch reflects it (VEPA).
    VEPA = "vepa"
    #: They talk to each other locally, behind the parent.
    BRIDGE = "bridge"
    #: One machine owns the parent and may change its MAC and other settings.
    PASSTHRU = "passthru"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One NIC's way into the host."""

    kind: AttachKind
    #: The bridge, the parent of the macvtap, or the libvirt network's name; of OTHER, libvirt's word and what
    #: it names: `hostdev 0000:3b:02.1`.
    source: str
    #: Only with kind MACVLAN.
    mode: MacvlanMode | None = None
    #: The bridge is Open vSwitch: libvirt needs a virtualport element.
    ovs: bool = False
