"""Changes of the world that are thought of, not made: what a suggestion proposes and a what-if supposes."""

from dataclasses import dataclass, field
from enum import StrEnum


class ChangeKind(StrEnum):
    """What is changed. `subject`, `host` and `value` of a Change mean what is said here."""

    # -- what suggestions propose
    #: VLAN `subject` (FABRIC/VID) is served by our DHCP.
    SERVE_VLAN = "serve-vlan"
    #: libvirt's own DHCP on network `subject` of `host` is turned off.
    LIBVIRT_DHCP_OFF = "libvirt-dhcp-off"
    #: libvirt network `subject` of `host` is started.
    START_NETWORK = "start-network"
    #: Interface `subject` of `host`, whose VLAN is not known, is said to be on VLAN `value` (FABRIC/VID).
    SET_INTERFACE_VLAN = "set-interface-vlan"
    #: `host` gets a VLAN interface for VLAN `value` (FABRIC/VID) on its interface `subject`.
    ADD_VLAN_INTERFACE = "add-vlan-interface"
    #: Interface `subject` of `host` is enabled; gets its link back.
    ENABLE_INTERFACE = "enable-interface"
    LINK_UP = "link-up"
    #: One address of subnet `subject` (CIDR) is given back: `value`, or the lowest that could be.
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
    """A smallest set of changes with which a refused request fits."""

    changes: tuple[HypotheticalChange, ...]
    #: The host that the machine would be on.
    host: str = ""
