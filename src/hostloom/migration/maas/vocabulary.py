"""Mapping of MAAS's constants to ours."""

from collections.abc import Iterator, Mapping

from hostloom.model.attachment import MacvlanMode
from hostloom.model.ids import SystemId
from hostloom.model.machine import MachineState
from hostloom.model.node import BridgeKind, InterfaceKind, LinkMode, NodeKind
from hostloom.model.source_inventory import SourceParameter

NODE_KINDS: Mapping[int, NodeKind] = {
    0: NodeKind.MACHINE,
    1: NodeKind.DEVICE,
    2: NodeKind.RACK_CONTROLLER,
    3: NodeKind.REGION_CONTROLLER,
    4: NodeKind.REGION_AND_RACK_CONTROLLER,
}

_S = MachineState
#: A transitional state of MAAS maps to the state before or after it, because nothing continues here.
STATES: Mapping[int, MachineState] = {
    0: _S.NEW,
    1: _S.NEW,
    2: _S.FAILED_COMMISSIONING,
    3: _S.MISSING,
    4: _S.READY,
    5: _S.ALLOCATED,
    6: _S.DEPLOYED,
    7: _S.BROKEN,
    8: _S.BROKEN,
    9: _S.FAILED_DEPLOYMENT,
    10: _S.ALLOCATED,
    11: _S.FAILED_DEPLOYMENT,
    12: _S.ALLOCATED,
    13: _S.BROKEN,
    14: _S.ALLOCATED,
    15: _S.BROKEN,
    **dict.fromkeys(range(16, 21), _S.DEPLOYED),
    21: _S.READY,
    22: _S.BROKEN,
}

#: An import omits aliases and interfaces without a node.
INTERFACE_KINDS: Mapping[str, InterfaceKind] = {
    "physical": InterfaceKind.PHYSICAL,
    "bond": InterfaceKind.BOND,
    "bridge": InterfaceKind.BRIDGE,
    "vlan": InterfaceKind.VLAN,
}

#: MAAS's numbers for the kinds of addresses. `DISCOVERED` addresses are only observed.
AUTO, STICKY, USER_RESERVED, DHCP, DISCOVERED = 0, 1, 4, 5, 6
#: Link modes of the API with an address that MAAS assigned.
GIVEN_MODES = ("auto", "static")

#: KVM hosts with libvirt, the only hosts that hostloom manages.
VIRSH = "virsh"


def bridge_kind(kind: InterfaceKind, params: object) -> BridgeKind | None:
    """Return the kind of a bridge, standard by default; None for other interfaces."""
    if kind is not InterfaceKind.BRIDGE:
        return None
    is_ovs = isinstance(params, Mapping) and params.get("bridge_type") == "ovs"
    return BridgeKind.OVS if is_ovs else BridgeKind.STANDARD


def link_mode(alloc_type: int, *, has_ip: bool) -> LinkMode | None:
    """Return the API's link mode for a kind of address; None for an observed address."""
    if alloc_type == STICKY and not has_ip:
        return LinkMode.LINK_UP
    return _LINK_MODES.get(alloc_type)


_LINK_MODES = {
    AUTO: LinkMode.AUTO,
    STICKY: LinkMode.STATIC,
    USER_RESERVED: LinkMode.STATIC,
    DHCP: LinkMode.DHCP,
}


def parameters(system_id: str, nic: str, params: object) -> Iterator[SourceParameter]:
    """List the parameters of an interface that are short texts or numbers."""
    if isinstance(params, Mapping):
        for name, value in sorted(params.items()):
            if 1 <= len(name) <= _MAX_PARAMETER_NAME and _is_plain(value):
                yield SourceParameter(SystemId(system_id), nic, str(name), value)


_MAX_PARAMETER_NAME, _MAX_PARAMETER = 64, 255


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _MAX_PARAMETER and "\x00" not in value
    return isinstance(value, int) and abs(value) < 2**31


def macvlan_mode(value: object) -> MacvlanMode | None:
    """Return the mode; None if it is not set."""
    return MacvlanMode(str(value)) if value in list(MacvlanMode) else None


def architecture(value: object) -> str:
    """Return the architecture without the subarchitecture."""
    return str(value or "").partition("/")[0] or "amd64"


def has_password(parameters: Mapping[str, object]) -> bool:
    """Whether MAAS uses a password for a host. hostloom never stores it."""
    return any(parameters.get(name) for name in ("power_pass", "password"))
