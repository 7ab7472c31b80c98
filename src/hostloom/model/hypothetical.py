"""Hypothetical changes, which suggestions propose and what-if questions assume."""

from dataclasses import dataclass, field
from enum import StrEnum


class ChangeKind(StrEnum):
    """The kinds of changes, with the meaning of `subject`, `host` and `value`."""

    # -- what suggestions propose
    #: VLAN `subject` (FABRIC/VID) is served by our DHCP.
    SERVE_VLAN = "serve-vlan"
    #: libvirt's own DHCP on network `subject` of `host` is turned off.
    LIBVIRT_DHCP_OFF = "libvirt-dhcp-off"
    #: libvirt network `subject` of `host` is started.
    START_NETWORK = "start-network"
    #: The operator sets the unknown VLAN of interface `subject` of `host` to `value` (FABRIC/VID).
    SET_INTERFACE_VLAN = "set-interface-vlan"
    #: `host` gets a VLAN interface for VLAN `value` (FABRIC/VID) on its interface `subject`.
    ADD_VLAN_INTERFACE = "add-vlan-interface"
    #: Interface `subject` of `host` is enabled; gets its link back.
    ENABLE_INTERFACE = "enable-interface"
    LINK_UP = "link-up"
    #: One address of subnet `subject` (CIDR) is released: `value`, or the lowest releasable one.
    FREE_ADDRESS = "free-address"
    #: Ratio of `host` becomes `value`.
    RAISE_CPU_RATIO = "raise-cpu-ratio"
    RAISE_MEMORY_RATIO = "raise-memory-ratio"
    #: Storage pool `subject` of `host` gets `value` bytes more.
    GROW_POOL = "grow-pool"
    #: `host` answers again; its node is chosen (`value`: system id).
    REACH_HOST = "reach-host"
    CHOOSE_NODE = "choose-node"
    #: The request itself: option `subject` becomes `value`.
    CHANGE_REQUEST = "change-request"

    # -- what a what-if supposes besides
    #: Interface `subject` of `host`, VLAN `subject`, or `host` is gone.
    LOSE_INTERFACE = "lose-interface"
    LOSE_VLAN = "lose-vlan"
    LOSE_HOST = "lose-host"
    #: Our DHCP no longer serves VLAN `subject`.
    STOP_SERVING_VLAN = "stop-serving-vlan"
    #: Default macvlan mode of `host` becomes `value`.
    SET_MACVLAN_MODE = "set-macvlan-mode"
    #: Interfaces named in `value` (comma-separated) become the ports of bridge `subject` of `host`.
    SET_BRIDGE_PORTS = "set-bridge-ports"
    #: Interface `subject` of `host` is on VLAN `value`.
    MOVE_INTERFACE = "move-interface"


@dataclass(frozen=True, slots=True)
class HypotheticalChange:
    """One change; all words are names as the command line writes them."""

    kind: ChangeKind
    subject: str = ""
    host: str = ""
    value: str = ""
    #: The current value, or the node of an interface for the command; not part of the change itself.
    was: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A minimal set of changes that makes a refused request fit."""

    changes: tuple[HypotheticalChange, ...]
    #: The host that would then be chosen.
    host: str = ""
