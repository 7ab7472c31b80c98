"""What a rack advertises: only where it serves, and never a default route that is not its own."""

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

from hostloom.decide.dhcp.router_adverts import ROUTER_LIFETIME_S, router_adverts
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import FabricId, InterfaceId, RackId, SubnetId, SystemId, VlanId
from hostloom.model.network import Subnet, Vlan
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.model.rack import Rack

RACK = Rack(RackId(1), "rack", SystemId("rack01"))
OTHER = Rack(RackId(2), "other", SystemId("rack02"))
SIX = Subnet(SubnetId(1), ip_network("fd00:1::/64"), VlanId(1), "six")
FOUR = Subnet(SubnetId(2), ip_network("10.0.0.0/24"), VlanId(1), "four")


def nic(name: str, vlan: int, *addresses: str, kind: InterfaceKind = InterfaceKind.PHYSICAL) -> NodeInterface:
    found = tuple(ip_interface(each) for each in addresses)
    return NodeInterface(InterfaceId(1), name, kind, vlan_id=VlanId(vlan), addresses=found)


def world(*subnets: Subnet, nics: tuple[NodeInterface, ...], primary: RackId | None = None) -> Snapshot:
    served = Vlan(VlanId(1), FabricId(1), 10, "served", mtu=9000, dhcp_on=True, primary_rack_id=primary)
    node = Node(RACK.system_id, "rack", NodeKind.RACK_CONTROLLER, nics)
    return Snapshot(vlans=(served, Vlan(VlanId(2), FabricId(1), 20, "not")), subnets=subnets, nodes=(node,))


def test_a_vlan_without_ipv6_gets_an_empty_one() -> None:
    (found,) = router_adverts(world(FOUR, nics=(nic("eth0", 1), nic("eth1", 2))), (RACK,), RACK)
    assert (found.interface, found.mtu, found.prefixes) == ("eth0", 9000, ())
    assert (found.managed, found.router_lifetime_s) == (False, 0)


def test_a_prefix_is_on_the_link_and_its_addresses_come_by_dhcp() -> None:
    (found,) = router_adverts(world(SIX, FOUR, nics=(nic("eth0", 1, "fd00:1::2/64"),)), (RACK,), RACK)
    assert found.prefixes == (ip_network("fd00:1::/64"),)
    assert (found.managed, found.router_lifetime_s) == (True, 0)


def test_only_the_gateway_itself_is_a_default_router() -> None:
    routed = replace(SIX, gateway=ip_address("fd00:1::1"))
    for address, lifetime in (("fd00:1::1/64", ROUTER_LIFETIME_S), ("fd00:1::2/64", 0)):
        (found,) = router_adverts(world(routed, nics=(nic("eth0", 1, address),)), (RACK,), RACK)
        assert found.router_lifetime_s == lifetime


def test_ports_of_a_bridge_and_vlans_of_other_racks_are_left_alone() -> None:
    bridge = replace(nic("br0", 1, kind=InterfaceKind.BRIDGE), parents=("eth0",))
    (found,) = router_adverts(world(SIX, nics=(bridge, nic("eth0", 1))), (RACK,), RACK)
    assert found.interface == "br0"
    others = world(SIX, nics=(bridge,), primary=OTHER.id)
    assert router_adverts(others, (RACK, OTHER), RACK) == ()
