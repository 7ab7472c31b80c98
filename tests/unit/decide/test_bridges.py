"""The bridges of a machine that becomes a KVM host, and whether the host shows what was configured."""

from dataclasses import replace
from ipaddress import ip_interface

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostloom.decide.deploy.addressing import addressed_interfaces
from hostloom.decide.deploy.bridges import bridge_names, with_bridges
from hostloom.decide.deploy.interface_mtus import interface_mtus
from hostloom.decide.hosts.agreement import disagreements
from hostloom.model.deployment import KvmOptions
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import InterfaceId
from hostloom.model.interface_config import BridgeOptions, InterfaceConfig
from hostloom.model.node import BridgeKind, InterfaceKind, NodeInterface
from support.depth import examples
from support.seeds import (
    BARE,
    DHCP,
    MGMT,
    MGMT_4,
    MODELS,
    NETWORK,
    OVS_MODEL,
    STORAGE,
    STORAGE_4,
    mac,
    nic,
    static,
    tagged,
)

names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,14}", fullmatch=True)
CONFIGS = {name: InterfaceConfig(model) for name, model in {**MODELS, "ovs": OVS_MODEL}.items()}


def bridges_of(config: InterfaceConfig) -> list[str]:
    return [interface.name for interface in config.interfaces if interface.kind is InterfaceKind.BRIDGE]


def seen(config: InterfaceConfig) -> tuple[NodeInterface, ...]:
    """What a scan finds on a machine that was configured like this; leases are from 203.0.113.0/24."""
    mtus = interface_mtus(config, NETWORK)
    nics = []
    for number, item in enumerate(addressed_interfaces(config, NETWORK)):
        interface = item.interface
        leases = [
            f"203.0.113.{number + 1}/24" if v == 4 else f"2001:db8:f::{number + 1}/64"
            for v in item.lease_versions
        ]
        fixed = [f"{ip}/{subnet.cidr.prefixlen}" for ip, subnet in item.addresses]
        is_bridge = interface.kind is InterfaceKind.BRIDGE
        nics.append(
            NodeInterface(
                InterfaceId(number + 1),
                interface.name,
                interface.kind,
                mac=config.mac_of(interface),
                vlan_id=interface.vlan_id,
                addresses=tuple(map(ip_interface, [*leases, *fixed, "fe80::1/64"])),
                parents=interface.parents,
                bridge_kind=(interface.bridge or BridgeOptions()).kind if is_bridge else None,
                tag_vid=interface.tag_vid,
                mtu=mtus.get(interface.name, 1500),
            )
        )
    return tuple(nics)


@settings(max_examples=examples(300))
@given(interfaces=st.lists(names, unique=True), used_names=st.lists(names))
def test_every_bridge_has_a_short_name_of_its_own(interfaces: list[str], used_names: list[str]) -> None:
    chosen = bridge_names(interfaces, used_names)
    assert list(chosen) == interfaces
    assert len(set(chosen.values())) == len(interfaces)
    assert not set(chosen.values()) & set(used_names)
    for interface, name in chosen.items():
        assert name.startswith("br-") and len(name.encode()) <= 15
        if len(interface) <= 12 and f"br-{interface}" not in used_names:
            assert (
                name == f"br-{interface}"
                or name in bridge_names(interfaces[: interfaces.index(interface) + 1]).values()
            )


def test_a_long_name_is_shortened_and_shows_its_end() -> None:
    chosen = bridge_names(["enp0s31f6", "enp0s31f6.1234", "enp0s31f6.1235"])
    assert chosen["enp0s31f6"] == "br-enp0s31f6"
    assert chosen["enp0s31f6.1234"].endswith("-f6.1234") and len(chosen["enp0s31f6.1234"]) == 15
    assert bridge_names(["eth0"], ["br-eth0"])["eth0"] != "br-eth0"


def test_the_bridge_takes_over_what_its_interface_has() -> None:
    config = InterfaceConfig((replace(nic(0, MGMT, static(MGMT_4, "10.0.0.10"), boot=True), mtu=9000),))
    port, bridge = with_bridges(config, KvmOptions(stp=True, forward_delay_s=4)).interfaces
    assert (port.name, port.links, port.mtu, port.boot) == ("eth0", (), 9000, True)
    assert (bridge.name, bridge.mac, bridge.mtu, bridge.vlan_id) == ("br-eth0", mac(0), 9000, MGMT)
    assert bridge.links == config.interfaces[0].links and bridge.parents == ("eth0",)
    assert bridge.bridge == BridgeOptions(BridgeKind.STANDARD, True, 4)


def test_the_bridge_of_a_bond_or_vlan_has_the_mac_of_its_first_member() -> None:
    config = with_bridges(CONFIGS["vlan-on-bond"], KvmOptions())
    assert bridges_of(config) == ["br-bond0.100", "br-bond0.20"]
    assert {config.by_name[name].mac for name in bridges_of(config)} == {mac(0)}


@pytest.mark.parametrize(
    ("options", "bridges"),
    [
        (KvmOptions(), ["br-eth0", "br-eth2"]),
        (KvmOptions(bridge_all=True), ["br-eth0", "br-eth2"]),
        (KvmOptions(bridge_all=False), []),
        (KvmOptions(bridges=("eth1",)), ["br-eth1"]),
        (KvmOptions(bridges=("eth1",), bridge_all=True), ["br-eth0", "br-eth1", "br-eth2"]),
        (KvmOptions(bridges=("eth2", "eth0"), bridge_all=False), ["br-eth0", "br-eth2"]),
    ],
)
def test_the_options_choose_the_interfaces(options: KvmOptions, bridges: list[str]) -> None:
    config = InterfaceConfig((nic(0, MGMT, DHCP), nic(1, BARE), nic(2, MGMT, DHCP)))
    assert bridges_of(with_bridges(config, options)) == bridges


@pytest.mark.parametrize(
    ("model", "name", "message"),
    [
        ("static", "eth7", "bridge 'eth7' is no interface of the machine; use eth0"),
        ("bond", "eth0", "bridge 'eth0' is a member of bond0; name bond0 instead"),
        ("bridge-on-nic", "eth0", "bridge 'eth0' is a member of br-eth0"),
        ("bridge-on-nic", "br-eth0", "bridge 'br-eth0' is a bridge already"),
    ],
)
def test_an_interface_that_cannot_be_a_port_is_refused(model: str, name: str, message: str) -> None:
    with pytest.raises(InvalidValue) as error:
        with_bridges(CONFIGS[model], KvmOptions(bridges=(name,)))
    assert message in str(error.value)


@pytest.mark.parametrize("mtu", [None, 1400, 9000])
@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("kind", BridgeKind)
def test_every_network_keeps_its_addresses_and_can_be_bridged(
    name: str, kind: BridgeKind, mtu: int | None
) -> None:
    config = CONFIGS[name]
    bridged = with_bridges(config, KvmOptions(bridge_kind=kind, mtu=mtu))
    before, after = addressed_interfaces(config, NETWORK), addressed_interfaces(bridged, NETWORK)
    assert [item.addresses for item in before if item.is_addressed] == [
        item.addresses for item in after if item.is_addressed
    ]
    assert all(item.interface.kind is InterfaceKind.BRIDGE for item in after if item.is_addressed)
    mtus = interface_mtus(bridged, NETWORK)
    new = set(bridges_of(bridged)) - set(bridges_of(config))
    assert mtu is None or {mtus[bridge] for bridge in new} <= {mtu}
    assert with_bridges(bridged, KvmOptions(bridge_kind=kind, mtu=mtu)) == bridged
    assert disagreements(bridged, NETWORK, seen(bridged)) == ()


def test_a_tagged_interface_may_stand_on_the_port_of_a_bridge() -> None:
    config = InterfaceConfig(
        (nic(0, MGMT, DHCP), tagged("eth0", 100, STORAGE, static(STORAGE_4, "10.0.101.10")))
    )
    bridged = with_bridges(config, KvmOptions())
    assert bridged.by_name["eth0.100"].parents == ("eth0",)
    assert interface_mtus(bridged, NETWORK)["eth0"] == 9000


CHANGES = {
    "kind": {"kind": InterfaceKind.BOND},
    "mac": {"mac": mac(99)},
    "enabled": {"enabled": False},
    "tag-vid": {"tag_vid": 7},
    "parents": {"parents": ()},
    "bridge-kind": {"bridge_kind": BridgeKind.OVS},
    "vlan": {"vlan_id": STORAGE},
    "mtu": {"mtu": 1280},
    "addresses": {"addresses": (ip_interface("10.0.0.11/24"),)},
}


@pytest.mark.parametrize("field", CHANGES)
def test_every_field_that_differs_is_named(field: str) -> None:
    config = with_bridges(CONFIGS["static"], KvmOptions())
    scanned = [replace(n, **CHANGES[field]) if n.name == "br-eth0" else n for n in seen(config)]  # type: ignore[arg-type]  # one field
    (difference,) = disagreements(config, NETWORK, scanned)
    assert (difference.kind, difference.subject) == (f"interface-{field}", "br-eth0")
    assert difference.recorded != difference.observed


def test_a_missing_lease_and_a_wrong_prefix_are_differences() -> None:
    leased = with_bridges(CONFIGS["dhcp"], KvmOptions(bridges=("eth0",)))
    scanned = [replace(n, addresses=()) if n.name == "br-eth0" else n for n in seen(leased)]
    assert [(d.kind, d.recorded, d.observed) for d in disagreements(leased, NETWORK, scanned)] == [
        ("interface-leases", "IPv4", "none")
    ]
    fixed = CONFIGS["static"]
    scanned = [replace(n, addresses=(ip_interface("10.0.0.10/16"),)) for n in seen(fixed)]
    assert [d.observed for d in disagreements(fixed, NETWORK, scanned)] == ["10.0.0.10/16"]


def test_interfaces_that_are_too_many_or_absent_are_differences() -> None:
    config = with_bridges(CONFIGS["static"], KvmOptions())
    more = NodeInterface(InterfaceId(9), "virbr0", InterfaceKind.BRIDGE)
    loopback = NodeInterface(InterfaceId(10), "lo", InterfaceKind.LOOPBACK)
    port, _ = seen(config)[0], seen(config)[1]
    kinds = [(d.kind, d.subject) for d in disagreements(config, NETWORK, [*seen(config), more, loopback])]
    assert kinds == [("interface-appeared", "virbr0")]
    left = [n for n in seen(config) if n.name == port.name]
    assert len(disagreements(config, NETWORK, left)) == 1
