"""The bridges of a machine that becomes a KVM host: one over each interface that machines are to reach.

See docs/explanation/rules.md#bridges-of-a-deployed-host.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from hashlib import sha256

from hostloom.model.deployment import KvmOptions
from hostloom.model.errors.values import InvalidValue
from hostloom.model.interface_config import BridgeOptions, ConfiguredInterface, InterfaceConfig
from hostloom.model.node import InterfaceKind

#: Linux allows 15 bytes; names of interfaces are ASCII.
_MAX_NAME = 15


def with_bridges(config: InterfaceConfig, options: KvmOptions) -> InterfaceConfig:
    """The configuration with a bridge over each interface that the options choose.

    The bridge follows its interface in the order and takes over the MAC, MTU, VLAN and links. An existing
    bridge stays as it is. InvalidValue for a name that is no interface or cannot be the port of a bridge.
    """
    chosen = _chosen(config, options)
    names = bridge_names(chosen, config.by_name)
    interfaces: list[ConfiguredInterface] = []
    for interface in config.interfaces:
        if interface.name in names:
            interfaces += _bridged(interface, names[interface.name], config, options)
        else:
            interfaces.append(interface)
    return InterfaceConfig(tuple(interfaces))


def _chosen(config: InterfaceConfig, options: KvmOptions) -> list[str]:
    """The interfaces that get a bridge, in the order of the configuration."""
    for name in options.bridges:
        _check_port(config, name)
    chosen = set(options.bridges)
    if options.bridges_every_configured:
        chosen |= {
            interface.name
            for interface in config.interfaces
            if interface.links and interface.kind is not InterfaceKind.BRIDGE
        }
    return [interface.name for interface in config.interfaces if interface.name in chosen]


def _check_port(config: InterfaceConfig, name: str) -> None:
    interface = config.by_name.get(name)
    if interface is None:
        allowed = f"use {', '.join(config.by_name)}" if config.interfaces else "the machine has no interfaces"
        raise InvalidValue("bridge", name, "is no interface of the machine", allowed)
    if interface.kind is InterfaceKind.BRIDGE:
        raise InvalidValue(
            "bridge", name, "is a bridge already", "leave it out: machines can use it as it is"
        )
    master = next(
        (child for child in config.children(interface) if child.kind is not InterfaceKind.VLAN), None
    )
    if master is not None:
        raise InvalidValue("bridge", name, f"is a member of {master.name}", f"name {master.name} instead")


def bridge_names(interfaces: Iterable[str], used_names: Collection[str] = ()) -> dict[str, str]:
    """A bridge name for each interface: `br-<interface>` if it fits into 15 bytes and is not in use.

    Otherwise `br-`, four hexadecimal digits of the interface's SHA-256, `-`, and its last seven characters.
    The result depends on nothing but the names and their order.
    """
    names: dict[str, str] = {}
    taken = set(used_names)
    for interface in interfaces:
        name = f"br-{interface}"
        attempt = 0
        while name in taken or len(name.encode()) > _MAX_NAME:
            digits = sha256(f"{interface}/{attempt}".encode()).hexdigest()[:4]
            name = f"br-{digits}-{interface[-7:]}"
            attempt += 1
        taken.add(name)
        names[interface] = name
    return names


def _bridged(
    interface: ConfiguredInterface, name: str, config: InterfaceConfig, options: KvmOptions
) -> tuple[ConfiguredInterface, ConfiguredInterface]:
    """The interface as a port without links, and its bridge."""
    mtu = interface.mtu if options.mtu is None else options.mtu
    bridge = ConfiguredInterface(
        name,
        InterfaceKind.BRIDGE,
        mac=config.mac_of(interface),
        vlan_id=interface.vlan_id,
        links=interface.links,
        parents=(interface.name,),
        bridge=BridgeOptions(options.bridge_kind, options.stp, options.forward_delay_s),
        mtu=mtu,
    )
    # A port with a smaller MTU would limit the bridge; one with a larger MTU may carry VLANs that need it.
    if interface.mtu is not None and mtu is not None:
        interface = replace(interface, mtu=max(interface.mtu, mtu))
    return replace(interface, links=()), bridge
