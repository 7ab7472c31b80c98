"""What our DHCP is to serve, from the model."""

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

from hostloom.decide.dhcp.intent import dhcp_intent
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.dhcp import DhcpSubnet, PublishedNic
from hostloom.model.ids import FabricId, InterfaceId, MacAddress, RackId, RangeId, SubnetId, SystemId, VlanId
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin, MachineState
from hostloom.model.network import Address, AddressKind, HeldAddress, IPRange, RangeKind, Subnet, Vlan
from hostloom.model.node import InterfaceKind, Node, NodeInterface, NodeKind
from hostloom.model.rack import Rack

SERVED, RELAYED, OTHER = VlanId(1), VlanId(2), VlanId(3)
RACK = SystemId("rack01")
UUID = "00000000-0000-4000-8000-000000000001"
MAC = MacAddress("52:54:00:00:00:01")


def nic(name: str, *addresses: str, vlan: VlanId = SERVED) -> NodeInterface:
    return NodeInterface(
        InterfaceId(1),
        name,
        InterfaceKind.PHYSICAL,
        vlan_id=vlan,
        addresses=tuple(ip_interface(each) for each in addresses),
    )


def subnet(number: int, cidr: str, vlan: VlanId = SERVED, gateway: str = "") -> Subnet:
    return Subnet(
        SubnetId(number),
        ip_network(cidr),
        vlan,
        cidr,
        gateway=ip_address(gateway) if gateway else None,
    )


def world(*subnets: Subnet, held: tuple[HeldAddress, ...] = ()) -> Snapshot:
    vlans = (
        Vlan(SERVED, FabricId(1), 10, "served", mtu=9000, dhcp_on=True),
        Vlan(RELAYED, FabricId(1), 20, "relayed", relay_vlan_id=SERVED),
        Vlan(OTHER, FabricId(1), 30, "other"),
    )
    return Snapshot(vlans=vlans, subnets=subnets, held=held)


THE_RACK = Rack(RackId(1), "rack", RACK)


def url(address: Address) -> str:
    return f"http://{address}/"


def nics_of(*machines: Machine) -> list[PublishedNic]:
    return [
        PublishedNic(each.system_id, each.hostname, each.uuid, nic.name, nic.mac, nic.ips)
        for each in machines
        for nic in each.interfaces
    ]


def serve(
    snapshot: Snapshot, *nics: NodeInterface, machines: tuple[Machine, ...] = ()
) -> dict[int, DhcpSubnet]:
    node = Node(RACK, "rack", NodeKind.RACK_CONTROLLER, nics)
    intent = dhcp_intent(replace(snapshot, nodes=(node,)), nics_of(*machines), (THE_RACK,), THE_RACK, url)
    return {int(each.id): each for each in intent.subnets}


def a_machine(*ips: str) -> Machine:
    card = MachineInterface(
        "eth0",
        MAC,
        Attachment(AttachKind.BRIDGE, "br0"),
        vlan_id=SERVED,
        ips=tuple(ip_address(each) for each in ips),
    )
    return Machine(
        SystemId("web001"),
        "web1",
        UUID,
        MachineOrigin.COMPOSED,
        MachineState.READY,
        None,
        "amd64",
        1,
        1024,
        interfaces=(card,),
    )


def held(ip: str, number: int, kind: AddressKind = AddressKind.AUTO) -> HeldAddress:
    return HeldAddress(ip_address(ip), kind, SubnetId(number), "web001", "eth0")


def test_a_served_vlan_and_no_other() -> None:
    snapshot = world(subnet(1, "10.0.1.0/24", gateway="10.0.1.1"), subnet(3, "10.0.3.0/24", OTHER))
    pools = (
        IPRange(RangeId(1), SubnetId(1), RangeKind.DYNAMIC, ip_address("10.0.1.9"), ip_address("10.0.1.99")),
        IPRange(RangeId(2), SubnetId(1), RangeKind.RESERVED, ip_address("10.0.1.2"), ip_address("10.0.1.5")),
    )
    found = serve(replace(snapshot, ranges=pools), nic("eth0", "10.0.1.2/24"))
    assert set(found) == {1}
    assert (found[1].interface, found[1].mtu, found[1].relays) == ("eth0", 9000, ())
    assert found[1].pools == pools[:1]
    assert found[1].boot_url == "http://10.0.1.2/"


def test_a_relayed_vlan_is_served_to_its_relay() -> None:
    snapshot = world(subnet(1, "10.0.1.0/24"), subnet(2, "10.0.2.0/24", RELAYED, "10.0.2.1"))
    found = serve(snapshot, nic("eth0", "10.0.1.2/24"), nic("eth1", "10.0.2.2/24", vlan=RELAYED))
    assert found[2].interface is None
    assert found[2].relays == (ip_address("10.0.2.1"),)
    # what reaches the machines of the VLAN is the rack's address on the VLAN that its relay forwards to
    assert found[2].boot_url == "http://10.0.1.2/"


def test_a_link_local_gateway_is_no_relay_that_could_be_told() -> None:
    found = serve(world(subnet(2, "2001:db8:2::/64", RELAYED, "fe80::1")), nic("eth0", "10.0.1.2/24"))
    assert found[2].relays == ()


def test_one_interface_of_several_serves_all_of_a_vlan() -> None:
    snapshot = world(subnet(1, "10.0.1.0/24"), subnet(4, "10.0.4.0/24"))
    found = serve(
        snapshot, nic("eth2", "192.0.2.1/24"), nic("eth10", "10.0.4.2/24"), nic("eth9", "10.0.1.2/24")
    )
    assert {each.interface for each in found.values()} == {"eth9"}
    assert (found[1].boot_url, found[4].boot_url) == ("http://10.0.1.2/", "http://10.0.4.2/")


def test_ipv6_is_served_where_there_is_no_more_than_a_link_local_address() -> None:
    snapshot = world(subnet(1, "10.0.1.0/24"), subnet(6, "2001:db8::/64"))
    found = serve(snapshot, nic("eth0", "10.0.1.2/24"))
    assert (found[1].interface, found[6].interface, found[6].boot_url) == ("eth0", "eth0", "")
    found = serve(snapshot, nic("eth0", "10.0.1.2/24"), nic("eth1", "2001:db8::2/64"))
    assert (found[1].interface, found[6].interface) == ("eth0", "eth1")
    assert found[6].boot_url == "http://2001:db8::2/"


def test_ipv4_is_served_only_where_there_is_an_ipv4_address() -> None:
    assert serve(world(subnet(1, "10.0.1.0/24")), nic("eth0", "2001:db8::2/64"))[1].interface is None


def test_a_machine_has_what_it_holds_once_a_subnet_and_all_of_ipv6() -> None:
    ips = ("10.0.1.50", "10.0.1.51", "2001:db8::5", "2001:db8::6", "10.0.1.52")
    subnets = (subnet(1, "10.0.1.0/24"), subnet(6, "2001:db8::/64"))
    snapshot = world(*subnets, held=tuple(held(ip, 6 if ":" in ip else 1) for ip in ips[:4]))
    found = serve(snapshot, nic("eth0", "10.0.1.2/24"), machines=(a_machine(*ips),))
    assert [(each.mac, str(each.ip), each.hostname) for each in found[1].reservations] == [
        (MAC, "10.0.1.50", "web1")
    ]
    assert [(str(each.ip), each.uuid) for each in found[6].reservations] == [
        ("2001:db8::5", UUID),
        ("2001:db8::6", UUID),
    ]


def test_two_nics_on_one_subnet_are_told_apart_by_their_macs_alone() -> None:
    one = a_machine("2001:db8::5")
    second = replace(
        one.interfaces[0], name="eth1", mac=MacAddress("52:54:00:00:00:02"), ips=(ip_address("2001:db8::6"),)
    )
    own = (held("2001:db8::5", 6), replace(held("2001:db8::6", 6), interface_name="eth1"))
    machine = replace(one, interfaces=(*one.interfaces, second))
    found = serve(
        world(subnet(6, "2001:db8::/64"), held=own), nic("eth0", "10.0.1.2/24"), machines=(machine,)
    )
    assert [(str(each.ip), each.uuid) for each in found[6].reservations] == [
        ("2001:db8::5", ""),
        ("2001:db8::6", ""),
    ]


def test_an_address_that_is_only_seen_or_leased_is_not_reserved() -> None:
    for kind in (AddressKind.OBSERVED, AddressKind.LEASE):
        snapshot = world(subnet(1, "10.0.1.0/24"), held=(held("10.0.1.50", 1, kind),))
        found = serve(snapshot, nic("eth0", "10.0.1.2/24"), machines=(a_machine("10.0.1.50"),))
        assert found[1].reservations == ()


def test_nothing_served_is_an_empty_intent() -> None:
    assert serve(world(subnet(3, "10.0.3.0/24", OTHER))) == {}


def test_boot_files_are_where_hostloom_runs_whichever_rack_serves() -> None:
    here = Node(SystemId("here01"), "here", NodeKind.RACK_CONTROLLER, (nic("eth0", "10.0.0.9/24"),))
    there = Node(RACK, "rack", NodeKind.RACK_CONTROLLER, (nic("eth0", "10.0.0.2/24"),))
    snapshot = replace(world(subnet(1, "10.0.0.0/24")), nodes=(here, there))
    (served,) = dhcp_intent(snapshot, (), (THE_RACK,), THE_RACK, url, here).subnets
    assert (served.interface, served.boot_url) == ("eth0", "http://10.0.0.9/")
    routed = replace(here, interfaces=(nic("eth0", "192.0.2.9/24", vlan=OTHER),))
    (served,) = dhcp_intent(snapshot, (), (THE_RACK,), THE_RACK, url, routed).subnets
    assert served.boot_url == "http://192.0.2.9/"
