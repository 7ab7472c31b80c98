"""MAAS's words and numbers, and ours for them."""

from collections.abc import Iterator, Mapping

from hostloom.model.attachment import MacvlanMode
from hostloom.model.ids import SystemId
from hostloom.model.machine import MachineState
from hostloom.model.node import BridgeKind, InterfaceKind, NodeKind
from hostloom.model.source_inventory import EstateLinkMode, EstateParameter

NODE_KINDS: Mapping[int, NodeKind] = {
    0: NodeKind.MACHINE,
    1: NodeKind.DEVICE,
    2: NodeKind.RACK_CONTROLLER,
    3: NodeKind.REGION_CONTROLLER,
    4: NodeKind.REGION_AND_RACK_CONTROLLER,
}

_S = MachineState
#: What MAAS was in the midst of is as far as it came: nothing goes on here by itself.
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

#: Aliases and interfaces without a node are left out.
INTERFACE_KINDS: Mapping[str, InterfaceKind] = {
    "physical": InterfaceKind.PHYSICAL,
    "bond": InterfaceKind.BOND,
    "bridge": InterfaceKind.BRIDGE,
    "vlan": InterfaceKind.VLAN,
}

#: Kinds of addresses: those that a node was given, and those that were only seen there.
AUTO, STICKY, USER_RESERVED, DHCP, DISCOVERED = 0, 1, 4, 5, 6
#: Link modes of the API in which MAAS gave the address itself.
GIVEN_MODES = ("auto", "static")

#: KVM hosts behind libvirt; what else there was is not ours to manage.
VIRSH = "virsh"


def bridge_kind(kind: InterfaceKind, params: object) -> BridgeKind | None:
    """Standard unless the interface's parameters say otherwise; None: not a bridge."""
    if kind is not InterfaceKind.BRIDGE:
        return None
    is_ovs = isinstance(params, Mapping) and params.get("bridge_type") == "ovs"
    return BridgeKind.OVS if is_ovs else BridgeKind.STANDARD


def link_mode(alloc_type: int, *, has_ip: bool) -> EstateLinkMode | None:
    """The API's word for a kind of address; None: it was only seen."""
    if alloc_type == STICKY and not has_ip:
        return EstateLinkMode.LINK_UP
    return _LINK_MODES.get(alloc_type)


_LINK_MODES = {
    AUTO: EstateLinkMode.AUTO,
    STICKY: EstateLinkMode.STATIC,
    USER_RESERVED: EstateLinkMode.STATIC,
    DHCP: EstateLinkMode.DHCP,
}


def parameters(system_id: str, nic: str, params: object) -> Iterator[EstateParameter]:
    """Those of an interface that are one word or number of ordinary size; an empty text means none."""
    if isinstance(params, Mapping):
        for name, value in sorted(params.items()):
            if 1 <= len(name) <= _MAX_PARAMETER_NAME and _is_plain(value):
                yield EstateParameter(SystemId(system_id), nic, str(name), value)


_MAX_PARAMETER_NAME, _MAX_PARAMETER = 64, 255


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _MAX_PARAMETER and "\x00" not in value
    return isinstance(value, int) and abs(value) < 2**31


def macvlan_mode(word: object) -> MacvlanMode | None:
    """None: not set."""
    return MacvlanMode(str(word)) if word in list(MacvlanMode) else None


def architecture(word: object) -> str:
    """Without the subarchitecture."""
    return str(word or "").partition("/")[0] or "amd64"


def has_password(parameters: Mapping[str, object]) -> bool:
    """Whether a host was reached with one; which is never kept."""
    return any(parameters.get(name) for name in ("power_pass", "password"))
