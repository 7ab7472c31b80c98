"""The MTU of each interface of a machine. The interfaces below it can carry its frames.

See docs/explanation/rules.md#the-network-of-a-deployed-machine.
"""

from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors.values import InvalidValue
from hostloom.model.interface_config import ConfiguredInterface, InterfaceConfig
from hostloom.model.node import InterfaceKind


def interface_mtus(config: InterfaceConfig, snapshot: Snapshot) -> dict[str, int]:
    """The MTUs by interface name; an interface without a known MTU is left out.

    An interface has the MTU of its VLAN unless the user set one. The interfaces below it have at least that
    MTU, and the members of a bond have the MTU of the bond. InvalidValue if an MTU of the user is too small.
    """
    names = config.by_name
    mtus = _needed(config, snapshot)
    for name, mtu in mtus.items():
        own_mtu = names[name].mtu
        if own_mtu is not None and own_mtu < mtu:
            problem = f"of {name} is too small for the interfaces on it"
            raise InvalidValue("mtu", own_mtu, problem, f"use at least {mtu}")
    bonds = [interface for interface in config.interfaces if interface.kind is InterfaceKind.BOND]
    for bond in bonds:
        if bond.name in mtus:
            mtu = mtus[bond.name]
            mtus |= {member: _member_mtu(names[member], bond.name, mtu) for member in bond.parents}
    return mtus


def _needed(config: InterfaceConfig, snapshot: Snapshot) -> dict[str, int]:
    """The largest required MTU of each interface and the interfaces on it, by name."""
    needs: dict[str, int] = {}
    for interface in config.interfaces:
        mtu = _wanted(interface, config, snapshot)
        if mtu is not None:
            for carrier in (interface, *config.ancestors(interface)):
                needs[carrier.name] = max(mtu, needs.get(carrier.name, 0))
    return {name: needs[name] for name in config.by_name if name in needs}


def _member_mtu(member: ConfiguredInterface, bond: str, mtu: int) -> int:
    if member.mtu is not None and member.mtu != mtu:
        raise InvalidValue(
            "mtu", member.mtu, f"of {member.name} is not that of {bond}", f"leave it out, or use {mtu}"
        )
    return mtu


def _wanted(interface: ConfiguredInterface, config: InterfaceConfig, snapshot: Snapshot) -> int | None:
    """The MTU of the interface or of its VLAN. A bond or bridge without a VLAN is on that of its members."""
    if interface.mtu is not None:
        return interface.mtu
    if interface.vlan_id is not None:
        return snapshot.vlan_by_id[interface.vlan_id].mtu
    if interface.kind in (InterfaceKind.BOND, InterfaceKind.BRIDGE):
        names = config.by_name
        needs = [_wanted(names[member], config, snapshot) for member in interface.parents]
        return max((need for need in needs if need is not None), default=None)
    return None
