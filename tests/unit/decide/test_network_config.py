"""What cloud-init is told about the network, for networks of every kind."""

from collections import Counter
from dataclasses import replace
from ipaddress import ip_address, ip_interface
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hostloom.decide.deploy.addressing import composed_interfaces
from hostloom.decide.deploy.network_config import render_network_config
from hostloom.decide.deploy.static_routes import static_routes
from hostloom.model.annotation import STATIC_ROUTES
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import VlanId
from hostloom.model.interface_config import (
    BondMode,
    BondOptions,
    ConfiguredInterface,
    InterfaceConfig,
    InterfaceLink,
    LacpRate,
)
from hostloom.model.machine import MachineInterface
from hostloom.model.node import InterfaceKind, LinkMode
from hostloom.model.request import AddressMode
from support.depth import examples
from support.seeds import (
    BARE,
    DHCP,
    DUAL,
    DUAL_4,
    MGMT,
    MGMT_4,
    NETWORK,
    OFFICE_4,
    ROUTES,
    SIX,
    STORAGE,
    bond,
    bridge,
    mac,
    nic,
    static,
    tagged,
)

VLANS = (MGMT, STORAGE, DUAL, SIX, BARE, None)


def rendered(*interfaces: ConfiguredInterface) -> dict[str, Any]:
    """The entries of all interfaces by name."""
    document = yaml.safe_load(
        render_network_config(InterfaceConfig(interfaces), NETWORK, ROUTES, "example.com")
    )
    assert document.pop("version") == 2
    return {name: entry for section in document.values() for name, entry in section.items()}


@st.composite
def links(draw: st.DrawFn, vlan: VlanId | None, taken: set[str]) -> tuple[InterfaceLink, ...]:
    """Some addresses of the VLAN's subnets that nothing has yet, and perhaps a lease."""
    drawn = []
    for subnet in NETWORK.subnets_by_vlan.get(vlan, ()) if vlan else ():
        ip = subnet.cidr[draw(st.integers(10, 40))]
        if draw(st.booleans()) and str(ip) not in taken:
            taken.add(str(ip))
            drawn.append(
                InterfaceLink(draw(st.sampled_from((LinkMode.STATIC, LinkMode.AUTO))), subnet.id, ip)
            )
    return (*drawn, DHCP) if draw(st.integers(0, 3)) == 0 else tuple(drawn)


@st.composite
def configs(draw: st.DrawFn) -> tuple[ConfiguredInterface, ...]:
    """NICs alone, in bonds and in bridges, with VLAN interfaces on them."""
    taken: set[str] = set()
    interfaces: list[ConfiguredInterface] = []
    boot = draw(st.integers(0, 5))
    number = 0
    for index in range(draw(st.integers(1, 4))):
        vlan = draw(st.sampled_from(VLANS))
        kind = draw(st.sampled_from(("nic", "bond", "bridge")))
        if kind == "nic":
            top = nic(number, vlan, *draw(links(vlan, taken)), boot=boot == number)
            number += 1
        else:
            members = tuple(
                nic(number + k, None, boot=boot == number + k) for k in range(2 if kind == "bond" else 1)
            )
            number += len(members)
            interfaces += members
            names = tuple(member.name for member in members)
            own_links = draw(links(vlan, taken))
            if kind == "bond":
                top = bond(
                    f"bond{index}", BondOptions(draw(st.sampled_from(BondMode))), names, MGMT, *own_links
                )
                top = replace(top, vlan_id=vlan)
            else:
                top = replace(bridge(f"br{index}", names[0], MGMT, *own_links), vlan_id=vlan)
        interfaces.append(top)
        if draw(st.booleans()):
            interfaces.append(tagged(top.name, 100, STORAGE, *draw(links(STORAGE, taken))))
    return tuple(interfaces)


@settings(max_examples=examples(500))
@given(configs())
def test_any_network_is_configured_without_contradiction(interfaces: tuple[ConfiguredInterface, ...]) -> None:
    entries = rendered(*interfaces)
    assert set(entries) == {interface.name for interface in interfaces}
    macs = Counter(entry["match"]["macaddress"] for entry in entries.values() if "match" in entry)
    assert set(macs.values()) == {1}
    addresses = Counter(
        ip_interface(text).ip for entry in entries.values() for text in entry.get("addresses", ())
    )
    assert set(addresses) == {link.ip for interface in interfaces for link in interface.links if link.ip}
    assert set(addresses.values()) <= {1}
    for version, everywhere in ((4, "0.0.0.0/0"), (6, "::/0")):
        fixed = [
            name
            for name, entry in entries.items()
            for route in entry.get("routes", ())
            if route["to"] == everywhere
        ]
        by_dhcp = [name for name, entry in entries.items() if version == 4 and takes_routes(entry)]
        assert len({*fixed, *by_dhcp}) <= 1 and len(fixed) <= 1
    for interface in interfaces:
        for parent in interface.parents:
            assert entries[parent].get("mtu", 0) >= entries[interface.name].get("mtu", 0)


def takes_routes(entry: dict[str, Any]) -> bool:
    return bool(entry.get("dhcp4")) and entry.get("dhcp4-overrides", {}).get("use-routes", True)


def test_the_boot_nic_has_the_default_route() -> None:
    entries = rendered(
        nic(0, MGMT, static(MGMT_4, "10.0.0.10")), nic(1, DUAL, static(DUAL_4, "10.0.20.10"), boot=True)
    )
    assert "routes" not in entries["eth0"] or "0.0.0.0/0" not in str(entries["eth0"]["routes"])
    assert {"to": "0.0.0.0/0", "via": "10.0.20.1"} in entries["eth1"]["routes"]


def test_what_stands_on_the_boot_nic_comes_before_other_nics_but_a_tagged_vlan_does_not() -> None:
    office = static(DUAL_4, "10.0.20.10")
    on_bridge = rendered(
        nic(0, DUAL, office),
        nic(1, MGMT, boot=True),
        bridge("br0", "eth1", MGMT, static(MGMT_4, "10.0.0.10")),
    )
    assert on_bridge["br0"]["routes"][0] == {"to": "0.0.0.0/0", "via": "10.0.0.1"}
    on_vlan = rendered(
        nic(0, DUAL, office), nic(1, None, boot=True), tagged("eth1", 7, MGMT, static(MGMT_4, "10.0.0.10"))
    )
    assert on_vlan["eth0"]["routes"][0] == {"to": "0.0.0.0/0", "via": "10.0.20.1"}


def test_a_machine_that_is_the_gateway_itself_has_no_route_to_itself() -> None:
    entries = rendered(nic(0, MGMT, static(MGMT_4, "10.0.0.1")))
    assert all(route["to"] != "0.0.0.0/0" for route in entries["eth0"]["routes"])


def test_a_static_route_leads_to_networks_that_are_not_connected_and_is_there_once() -> None:
    entries = rendered(
        nic(0, MGMT, static(MGMT_4, "10.0.0.10")),
        nic(1, MGMT, static(MGMT_4, "10.0.0.11")),
        nic(2, STORAGE, DHCP),
    )
    routes = [route for entry in entries.values() for route in entry.get("routes", ())]
    assert [route["to"] for route in routes] == ["0.0.0.0/0", "192.168.7.0/24"]


@pytest.mark.parametrize(
    ("vlan", "dhcp4", "dhcp6"),
    [(MGMT, True, False), (DUAL, True, True), (SIX, False, True), (BARE, True, False)],
)
def test_leases_are_of_the_versions_that_the_vlan_has(vlan: VlanId, dhcp4: bool, dhcp6: bool) -> None:
    entry = rendered(nic(0, vlan, DHCP))["eth0"]
    assert (entry.get("dhcp4", False), entry.get("dhcp6", False)) == (dhcp4, dhcp6)
    assert entry.get("accept-ra", False) == dhcp6


def test_an_automatic_link_without_an_address_takes_a_lease() -> None:
    entry = rendered(nic(0, DUAL, InterfaceLink(LinkMode.AUTO, DUAL_4)))["eth0"]
    assert entry["dhcp4"] and "dhcp6" not in entry


def test_an_address_outside_its_subnet_or_given_twice_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"10.0.1.10 of eth0 is not in 10.0.0.0/24"):
        rendered(nic(0, MGMT, static(MGMT_4, "10.0.1.10")))
    with pytest.raises(InvalidValue, match=r"10.0.0.10 is given twice"):
        rendered(nic(0, MGMT, static(MGMT_4, "10.0.0.10")), nic(1, MGMT, static(MGMT_4, "10.0.0.10")))


def test_an_mtu_that_is_too_small_for_what_stands_on_it_is_refused() -> None:
    small = replace(nic(0, MGMT), mtu=1500)
    with pytest.raises(
        InvalidValue, match="mtu 1500 of eth0 is too small for the interfaces on it; use at least 9000"
    ):
        rendered(small, tagged("eth0", 100, STORAGE))
    members = (replace(nic(0, None), mtu=9000), nic(1, None))
    with pytest.raises(InvalidValue, match="mtu 9000 of eth0 is not that of bond0"):
        rendered(*members, bond("bond0", BondOptions(), ("eth0", "eth1"), MGMT))


BRIDGE = Attachment(AttachKind.BRIDGE, "br0")


def test_a_composed_machine_has_its_nics_with_their_subnets() -> None:
    nics = (
        MachineInterface(
            "eth0", mac(0), BRIDGE, DUAL, ips=(ip_address("10.0.20.9"), ip_address("2001:db8:20::9"))
        ),
        MachineInterface("eth1", mac(1), BRIDGE, BARE, AddressMode.AUTO),
        MachineInterface("eth2", mac(2), BRIDGE, SIX, AddressMode.DHCP, boot=True),
        MachineInterface("eth3", mac(3), BRIDGE, MGMT, AddressMode.UNCONFIGURED),
    )
    config = composed_interfaces(nics, NETWORK)
    entries = yaml.safe_load(render_network_config(config, NETWORK))["ethernets"]
    assert entries["eth0"]["addresses"] == ["10.0.20.9/24", "2001:db8:20::9/64"]
    assert entries["eth1"]["dhcp4"]
    assert entries["eth2"]["dhcp6"] and "dhcp4" not in entries["eth2"]
    assert entries["eth3"]["optional"] and config.by_name["eth2"].boot


def test_an_address_in_no_subnet_of_its_vlan_is_refused() -> None:
    stray = MachineInterface("eth0", mac(0), BRIDGE, STORAGE, ips=(ip_address("10.0.0.9"),))
    with pytest.raises(InvalidValue, match=r"10.0.0.9 of eth0 is in no subnet of its VLAN"):
        composed_interfaces([stray], NETWORK)


def test_static_routes_are_read_from_what_is_kept_with_the_subnets() -> None:
    route = {"id": 2, "destination": OFFICE_4, "gateway_ip": "10.0.0.9", "metric": 5}
    first = route | {"id": 1, "gateway_ip": "10.0.20.9"}
    lost = route | {"id": 3, "destination": 99}
    notes = {MGMT_4: {STATIC_ROUTES: [lost, route]}, DUAL_4: {STATIC_ROUTES: [first], "other": 1}}
    assert static_routes(notes, NETWORK) == (ROUTES[2], ROUTES[0])


def interface(
    name: str = "br0", kind: InterfaceKind = InterfaceKind.BRIDGE, **changes: Any
) -> ConfiguredInterface:
    return ConfiguredInterface(name, kind, **changes)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: interface("a" * 16), "is not a name of an interface"),
        (lambda: interface(kind=InterfaceKind.PHYSICAL), "mac of br0 is missing"),
        (lambda: interface(kind=InterfaceKind.LOOPBACK), "cannot be configured"),
        (lambda: interface(kind=InterfaceKind.BOND), "parents of the bond br0 are missing"),
        (lambda: interface(kind=InterfaceKind.VLAN, parents=("a", "b"), tag_vid=1), "are not one interface"),
        (lambda: interface(kind=InterfaceKind.VLAN, parents=("a",)), "tag_vid does not suit br0"),
        (lambda: interface(kind=InterfaceKind.VLAN, parents=("a",), tag_vid=4095), "4095 is out of range"),
        (lambda: interface(bond=BondOptions()), "bond is set for br0, which is a bridge"),
        (lambda: interface(mtu=100), "mtu 100 is out of range"),
        (lambda: interface(links=(DHCP,) * 33), "links 33 is too many for br0"),
        (lambda: BondOptions(lacp_rate=LacpRate.FAST), "has no meaning for a bond of mode active-backup"),
        (lambda: BondOptions(BondMode.LACP, primary="eth0"), "primary 'eth0' has no meaning"),
        (lambda: InterfaceLink(LinkMode.STATIC, MGMT_4), "a static link needs an address"),
        (lambda: InterfaceLink(LinkMode.LINK_UP, MGMT_4), "mode 'link_up' has no address"),
        (lambda: InterfaceLink(LinkMode.AUTO), "a link with mode=auto needs one"),
        (lambda: InterfaceLink(LinkMode.DHCP, None, ip_address("10.0.0.1")), "is set for a DHCP link"),
        (lambda: InterfaceConfig((nic(0, MGMT), nic(0, MGMT))), "interface 'eth0' is given twice"),
        (
            lambda: InterfaceConfig((nic(0, None), replace(nic(0, None), name="x"))),
            "mac '52:54:00:12:34:00' is given",
        ),
        (lambda: InterfaceConfig((bridge("br0", "eth0", MGMT),)), "'eth0' of br0 is no interface"),
        (
            lambda: InterfaceConfig((bridge("br0", "br1", MGMT), bridge("br1", "br0", MGMT))),
            "of br0 stand on it",
        ),
        (
            lambda: InterfaceConfig((nic(0, None), bridge("br0", "eth0", MGMT), bridge("br1", "eth0", MGMT))),
            "is a member of br0 already",
        ),
        (
            lambda: InterfaceConfig((nic(0, MGMT, DHCP), bridge("br0", "eth0", MGMT))),
            "links of eth0, a member of br0, are set; give the links to br0",
        ),
        (
            lambda: InterfaceConfig((nic(0, None), bond("b", BondOptions(primary="eth1"), ("eth0",), MGMT))),
            "primary 'eth1' is no member of b",
        ),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(build: Any, message: str) -> None:
    with pytest.raises(InvalidValue, match=message.replace("(", r"\(")):
        build()
