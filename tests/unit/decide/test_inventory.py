"""Which VLAN each interface is on, and the network that is made of what a host shows.

See docs/explanation/rules.md#the-vlan-of-a-host-interface.
"""

from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

import pytest

from hostloom.decide.hosts.inventory import Inventory, take_inventory
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import FabricId, SubnetId, VlanId
from hostloom.model.network import Fabric, Subnet, Vlan
from hostloom.model.node import BridgeKind, BridgeVlans, InterfaceKind, InterfaceRole
from hostloom.model.observed import ObservedLink, ObservedNetwork, ObservedRoute

ALL = ((1, 4094),)
KNOWN = Snapshot(
    fabrics=(Fabric(FabricId(1), "f"),),
    vlans=(Vlan(VlanId(1), FabricId(1), 0, "untagged"), Vlan(VlanId(5), FabricId(1), 5, "five")),
    subnets=(
        Subnet(SubnetId(1), ip_network("10.0.0.0/24"), VlanId(1), "a"),
        Subnet(SubnetId(2), ip_network("10.5.0.0/24"), VlanId(5), "b"),
        Subnet(SubnetId(3), ip_network("2001:db8::/64"), VlanId(5), "c"),
    ),
)


def link(name: str, kind: str = "physical", *addresses: str, **more: Any) -> ObservedLink:
    facts: dict[str, Any] = {"mac": None, "enabled": True, "link": True, "mtu": 1500} | more
    return ObservedLink(name, InterfaceKind(kind), addresses=tuple(map(ip_interface, addresses)), **facts)


def bridge(name: str, *addresses: str, vlans: BridgeVlans | None = None, **more: Any) -> ObservedLink:
    facts = {"bridge_kind": BridgeKind.STANDARD, "bridge_vlans": vlans} | more
    return link(name, "bridge", *addresses, **facts)


def tagged(name: str, parent: str, vid: int | None, *addresses: str, **more: Any) -> ObservedLink:
    return link(name, "vlan", *addresses, parents=(parent,), tag_vid=vid, **more)


def take(*links: ObservedLink, routes: tuple[ObservedRoute, ...] = (), **more: Any) -> Inventory:
    return take_inventory(ObservedNetwork("h", links, routes), None, more.pop("known", KNOWN), **more)


def where(*links: ObservedLink, **more: Any) -> dict[str, tuple[int, int] | None]:
    """Fabric and VID by interface; what is new has negative fabrics."""
    inventory = take(*links, **more)
    vlans = {vlan.id: (vlan.fabric_id, vlan.vid) for vlan in (*KNOWN.vlans, *inventory.new_vlans)}
    return {nic.name: vlans[nic.vlan_id] if nic.vlan_id else None for nic in inventory.interfaces}


# -- addresses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("addresses", "wanted"),
    [
        (["10.0.0.5/24"], (1, 0)),
        (["10.0.0.5/32"], (1, 0)),
        (["2001:db8::1f3/128"], (1, 5)),
        # An address with a network of its own tells more than one without, whatever comes first.
        (["10.5.0.9/32", "10.0.0.5/24"], (1, 0)),
        (["192.0.2.1/32"], None),
        (["192.0.2.1/32", "10.5.0.9/32"], (1, 5)),
        (["192.0.2.1/24"], (-1, 0)),
    ],
)
def test_the_subnet_of_an_address(addresses: list[str], wanted: tuple[int, int] | None) -> None:
    assert where(link("eth0", "physical", *addresses)) == {"eth0": wanted}


def test_the_address_of_a_child_counts() -> None:
    child = (ip_interface("10.0.0.5/24"),)
    assert where(link("eth0", child_addresses=child)) == {"eth0": (1, 0)}
    assert where(link("lo", "loopback", child_addresses=child)) == {"lo": None}


@pytest.mark.parametrize(
    "quiet",
    [
        bridge("docker0", "172.17.0.1/16", role=InterfaceRole.CONTAINER_BRIDGE),
        bridge("virbr0", "192.168.122.1/24"),
    ],
)
def test_bridges_that_are_the_same_on_every_host_say_nothing(quiet: ObservedLink) -> None:
    inventory = take(quiet)
    assert (inventory.new_subnets, inventory.interfaces[0].vlan_id) == ((), None)


# -- what is made --------------------------------------------------------------------------------------------


def route(gateway: str, interface: str = "eth0", metric: int = 0, to: str | None = None) -> ObservedRoute:
    return ObservedRoute(None if to is None else ip_network(to), gateway, interface, metric)


@pytest.mark.parametrize(
    ("address", "routes", "wanted"),
    [
        ("192.0.2.5/24", [route("192.0.2.1")], "192.0.2.1"),
        ("192.0.2.5/24", [route("192.0.2.1", metric=200), route("192.0.2.2", metric=100)], "192.0.2.2"),
        ("192.0.2.5/24", [route("198.51.100.1", "eth1", 10), route("192.0.2.1", metric=20)], "192.0.2.1"),
        ("192.0.2.5/24", [], None),
        ("192.0.2.5/24", [route("198.51.100.1")], None),
        ("192.0.2.5/24", [route("")], None),
        ("192.0.2.5/24", [route("fe80::1")], None),
        # A router on the way somewhere is no default gateway.
        ("192.0.2.5/24", [route("192.0.2.9", to="10.8.0.0/16")], None),
        ("192.0.2.5/24", [route("192.0.2.1", "shim")], "192.0.2.1"),
        ("2001:db8:1::5/64", [route("2001:db8:1::1")], "2001:db8:1::1"),
        ("2001:db8:1::5/64", [route("fe80::1")], "fe80::1"),
        ("2001:db8:1::5/64", [route("fe80::1", "eth1"), route("192.0.2.1")], None),
    ],
)
def test_the_gateway_comes_from_the_routes(
    address: str, routes: list[ObservedRoute], wanted: str | None
) -> None:
    inventory = take(link("eth0", "physical", address), link("eth1"), routes=tuple(routes))
    (subnet,) = inventory.new_subnets
    assert subnet.gateway == (None if wanted is None else ip_address(wanted))


@pytest.mark.parametrize(("mtu", "wanted"), [(1450, 1450), (9000, 9000), (65536, 1500), (100, 1500)])
def test_the_mtu_comes_from_the_link(mtu: int, wanted: int) -> None:
    (vlan,) = take(link("eth0", "physical", "192.0.2.5/24", mtu=mtu)).new_vlans
    assert vlan.mtu == wanted


def test_a_new_tagged_vlan_has_the_mtu_of_its_interface() -> None:
    links = link("eth0", "physical", "10.0.0.5/24", mtu=9000), tagged("eth0.30", "eth0", 30, mtu=1400)
    assert [(vlan.vid, vlan.mtu) for vlan in take(*links).new_vlans] == [(30, 1400)]


# -- tags ----------------------------------------------------------------------------------------------------

NIC = link("eth0", "physical", "10.0.0.5/24")


def test_a_tag_inside_a_tag_is_no_vlan_of_the_fabric() -> None:
    found = where(NIC, tagged("s", "eth0", 100), tagged("c", "s", 5))
    assert (found["s"], found["c"]) == ((1, 100), None)


def test_nor_is_one_above_a_bridge_or_bond_that_has_one_below() -> None:
    on_bridge = where(NIC, tagged("s", "eth0", 100), bridge("br", parents=("s",)), tagged("br.5", "br", 5))
    assert (on_bridge["br"], on_bridge["br.5"]) == ((1, 100), None)
    bond = link("bond", "bond", parents=("s",))
    assert where(NIC, tagged("s", "eth0", 100), bond, tagged("bond.5", "bond", 5))["bond.5"] is None


def test_a_service_tag_is_no_vlan_of_the_fabric() -> None:
    assert where(NIC, tagged("s", "eth0", None))["s"] is None


def test_an_inner_tag_with_an_address_has_a_network_of_its_own() -> None:
    found = where(NIC, tagged("s", "eth0", 100), tagged("c", "s", 5, "192.0.2.1/24"))
    assert found["c"] == (-1, 0)


# -- bridges that know VLANs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vlans", "wanted"),
    [
        (None, (1, 0)),
        (BridgeVlans(1, 1, 1, ()), (1, 0)),
        (BridgeVlans(0, 0, 0, ALL), (1, 0)),
        # Machines have a tag on the wire.
        (BridgeVlans(20, 20, 1, ((20, 20),)), (1, 20)),
        (BridgeVlans(1, 1, 10, ()), None),
        (BridgeVlans(None, 1, 1, ALL), None),
    ],
)
def test_what_the_ports_make_of_the_vlan_of_machines(
    vlans: BridgeVlans | None, wanted: tuple[int, int] | None
) -> None:
    port = link("eth0", child_addresses=(ip_interface("10.0.0.5/24"),))
    assert where(port, bridge("br", vlans=vlans, parents=("eth0",)))["br"] == wanted


@pytest.mark.parametrize(
    ("vlans", "wanted"),
    [
        (BridgeVlans(1, 1, 1, ()), (-1, 0)),
        (BridgeVlans(None, 1, 1, ALL), (-1, 0)),
        # The host itself is on a tagged VLAN, machines are on the untagged one of the same fabric.
        (BridgeVlans(0, 100, 0, ALL), (-1, 0)),
        (BridgeVlans(20, 1, 1, ((20, 20),)), (-1, 20)),
        (BridgeVlans(1, None, 1, ()), None),
    ],
)
def test_the_vlan_of_machines_beside_that_of_the_bridges_address(
    vlans: BridgeVlans, wanted: tuple[int, int] | None
) -> None:
    assert where(link("eth0"), bridge("br", "192.0.2.5/24", vlans=vlans, parents=("eth0",)))["br"] == wanted


def test_the_subnet_of_a_tagged_bridge_address_is_on_the_tagged_vlan() -> None:
    inventory = take(bridge("br", "192.0.2.5/24", vlans=BridgeVlans(0, 100, 0, ALL)))
    vids = {vlan.id: vlan.vid for vlan in inventory.new_vlans}
    assert [vids[subnet.vlan_id] for subnet in inventory.new_subnets] == [100]


def test_a_vlan_interface_on_such_a_bridge_has_the_tag_of_the_ports() -> None:
    access = BridgeVlans(0, 0, 10, ())
    links = NIC, bridge("br", "10.0.0.6/24", vlans=BridgeVlans(0, 0, 0, ALL)), tagged("br.7", "br", 7)
    assert where(*links)["br.7"] == (1, 7)
    ports = link("eth0", child_addresses=(ip_interface("10.0.0.5/24"),))
    inside = bridge("br", vlans=access, parents=("eth0",))
    assert where(ports, inside, tagged("br.7", "br", 7))["br.7"] is None


def test_libvirt_networks_with_tags_have_vlans() -> None:
    links = NIC, bridge("br", "10.0.0.6/24", vlans=BridgeVlans(0, 0, 0, ALL), parents=("eth0",))
    inventory = take(*links, network_vids={"br": {193, 5}, "gone": {7}})
    assert [(vlan.fabric_id, vlan.vid) for vlan in inventory.new_vlans] == [(1, 193)]


def test_a_tagged_port_that_open_vswitch_made_is_no_member() -> None:
    ovs = bridge("ovs0", "10.0.0.6/24", bridge_kind=BridgeKind.OVS, vlans=BridgeVlans(0, 0, 0, ALL))
    mgmt = take(ovs, tagged("mgmt0", "ovs0", 10, master="ovs0")).interfaces[0]
    assert (mgmt.name, mgmt.master) == ("mgmt0", "")


# -- members -------------------------------------------------------------------------------------------------


def test_members_show_the_vlan_of_what_they_are_members_of() -> None:
    inventory = take(NIC, link("vf0", master="eth0"), link("bat1", master="bat0"))
    found = {nic.name: (nic.vlan_id, nic.master) for nic in inventory.interfaces}
    assert found == {"eth0": (1, ""), "vf0": (1, "eth0"), "bat1": (None, "bat0")}
