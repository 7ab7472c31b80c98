"""Compares the interfaces that a machine was deployed with and those that a scan of the host found."""

from collections.abc import Iterable, Iterator

from hostloom.decide.deploy.addressing import AddressedInterface, addressed_interfaces
from hostloom.decide.deploy.interface_mtus import interface_mtus
from hostloom.decide.hosts.drift import value_text
from hostloom.decide.snapshot import Snapshot
from hostloom.model.drift import Drift
from hostloom.model.ids import natural_key
from hostloom.model.interface_config import ConfiguredInterface, InterfaceConfig
from hostloom.model.node import BridgeKind, InterfaceKind, NodeInterface


def disagreements(
    config: InterfaceConfig, snapshot: Snapshot, scanned: Iterable[NodeInterface]
) -> tuple[Drift, ...]:
    """The differences by interface name; none: the configuration and the scan agree in every field.

    `recorded` is the configuration. Compared are kind, MAC, VLAN, tag, MTU, members, addresses, the kind of
    bridge, and whether the interface is up. A VLAN or MTU that the configuration leaves open agrees with any.
    """
    interfaces = {nic.name: nic for nic in scanned if nic.kind is not InterfaceKind.LOOPBACK}
    addressed = {item.interface.name: item for item in addressed_interfaces(config, snapshot)}
    mtus = interface_mtus(config, snapshot)
    changes: list[Drift] = []
    for name in sorted({*interfaces, *config.by_name}, key=natural_key):
        nic, item = interfaces.get(name), addressed.get(name)
        if item is None:
            changes.append(Drift("interface-appeared", name, "", str(interfaces[name].kind)))
        elif nic is None:
            changes.append(Drift("interface-vanished", name, str(item.interface.kind), ""))
        else:
            fields = (*_fields(config, item.interface, nic, mtus.get(name)), *_addresses(item, nic))
            changes += [
                Drift(f"interface-{field}", name, value_text(before), value_text(now))
                for field, before, now in fields
                if before != now
            ]
    return tuple(changes)


_Field = tuple[str, object, object]


def _fields(
    config: InterfaceConfig, interface: ConfiguredInterface, nic: NodeInterface, mtu: int | None
) -> Iterator[_Field]:
    """Each field with its configured and its scanned value."""
    yield "kind", interface.kind, nic.kind
    yield "mac", config.mac_of(interface), nic.mac
    yield "enabled", True, nic.enabled
    yield "tag-vid", interface.tag_vid, nic.tag_vid
    yield "parents", sorted(interface.parents), sorted(nic.parents)
    yield "bridge-kind", _bridge_kind(interface), nic.bridge_kind
    if interface.vlan_id is not None:
        yield "vlan", interface.vlan_id, nic.vlan_id
    if mtu is not None:
        yield "mtu", mtu, nic.mtu


def _bridge_kind(interface: ConfiguredInterface) -> BridgeKind | None:
    if interface.kind is not InterfaceKind.BRIDGE:
        return None
    return BridgeKind.STANDARD if interface.bridge is None else interface.bridge.kind


def _addresses(item: AddressedInterface, nic: NodeInterface) -> Iterator[_Field]:
    """The fixed addresses with their prefix lengths, and for each IP version whether a lease arrived."""
    fixed = {f"{ip}/{subnet.cidr.prefixlen}" for ip, subnet in item.addresses}
    scanned = [address for address in nic.addresses if not address.ip.is_link_local]
    other = [address for address in scanned if str(address) not in fixed]
    leased = {address.version for address in other} & item.lease_versions
    unexpected = [str(address) for address in other if address.version not in item.lease_versions]
    present = [str(address) for address in scanned if str(address) in fixed]
    yield "addresses", sorted(fixed), sorted({*present, *unexpected})
    yield "leases", _versions(item.lease_versions), _versions(leased)


def _versions(versions: Iterable[int]) -> list[str]:
    return [f"IPv{version}" for version in sorted(versions)]
