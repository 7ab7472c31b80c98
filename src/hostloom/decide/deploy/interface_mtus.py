"""The MTU of each interface of a machine, so that no frame is larger than what is below it can carry.

See docs/explanation/rules.md#the-network-of-a-deployed-machine.
"""

from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors.values import InvalidValue
from hostloom.model.interface_config import ConfiguredInterface, InterfaceConfig
from hostloom.model.node import InterfaceKind


def interface_mtus(config: InterfaceConfig, snapshot: Snapshot) -> dict[str, int]:
    """The MTUs by interface name; an interface without a known MTU is left out.

    An interface has the MTU of its VLAN unless it has one of its own. What is below it has at least that MTU;
    the members of a bond have the MTU of the bond. InvalidValue if an MTU that was set is too small.
    """
    names = config.by_name
    needs: dict[str, list[int]] = {name: [] for name in names}
    for interface in config.interfaces:
        mtu = _wanted(interface, config, snapshot)
        if mtu is not None:
            for name in (interface.name, *(below.name for below in config.ancestors(interface))):
                needs[name].append(mtu)
    mtus = {}
    for interface in config.interfaces:
        mtu = max(needs[interface.name], default=None)
        if mtu is None:
            continue
        if interface.mtu is not None and interface.mtu < mtu:
            problem = f"of {interface.name} is too small for the interfaces on it"
            raise InvalidValue("mtu", interface.mtu, problem, f"use at least {mtu}")
        mtus[interface.name] = mtu
    for bond in config.interfaces:
        if bond.kind is InterfaceKind.BOND and bond.name in mtus:
            mtus |= {
                member: _member_mtu(names[member], bond.name, mtus[bond.name]) for member in bond.parents
            }
    return mtus


def _member_mtu(member: ConfiguredInterface, bond: str, mtu: int) -> int:
    if member.mtu is not None and member.mtu != mtu:
        raise InvalidValue(
            "mtu", member.mtu, f"of {member.name} is not that of {bond}", f"leave it out, or use {mtu}"
        )
    return mtu


def _wanted(interface: ConfiguredInterface, config: InterfaceConfig, snapshot: Snapshot) -> int | None:
    """Its own MTU, or that of its VLAN; a bond or bridge without a VLAN is on that of its members."""
    if interface.mtu is not None:
        return interface.mtu
    if interface.vlan_id is not None:
        return snapshot.vlan_by_id[interface.vlan_id].mtu
    if interface.kind in (InterfaceKind.BOND, InterfaceKind.BRIDGE):
        names = config.by_name
        needs = [_wanted(names[member], config, snapshot) for member in interface.parents]
        return max((need for need in needs if need is not None), default=None)
    return None
