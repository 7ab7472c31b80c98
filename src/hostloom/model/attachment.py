"""How a machine interface is attached to its host: a bridge, a macvtap on a parent, or a libvirt network."""

from dataclasses import dataclass
from enum import StrEnum


class AttachKind(StrEnum):
    """The three ways to attach a NIC, and OTHER for the rest."""

    BRIDGE = "bridge"
    MACVLAN = "macvlan"
    NETWORK = "network"
    #: Any other way of libvirt (user, hostdev, vhostuser, …). Only machines that others made have such NICs.
    OTHER = "other"


class MacvlanMode(StrEnum):
    """How machines on one parent communicate (libvirt calls the last mode `passthrough`; see hypervisor/)."""

    #: Machines on one parent reach the network beyond the parent, but not each other.
    PRIVATE = "private"
    #: Their traffic leaves through the parent and comes back only where the switch reflects it (VEPA).
    VEPA = "vepa"
    #: Machines on one parent reach each other locally.
    BRIDGE = "bridge"
    #: One machine owns the parent and may change its MAC and other settings.
    PASSTHRU = "passthru"


@dataclass(frozen=True, slots=True)
class Attachment:
    """The attachment of one NIC to the host."""

    kind: AttachKind
    #: The bridge, the parent of the macvtap, or the libvirt network's name; of OTHER, libvirt's word and what
    #: it names: `hostdev 0000:3b:02.1`.
    source: str
    #: Only with kind MACVLAN.
    mode: MacvlanMode | None = None
    #: The bridge is Open vSwitch: libvirt needs a virtualport element.
    ovs: bool = False
