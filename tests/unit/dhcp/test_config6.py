"""Kea's DHCPv6 configuration."""

from ipaddress import ip_address, ip_network

from hostloom.dhcp.config import PATHS_6, KeaPaths, render, render6
from hostloom.model.ids import SubnetId, VlanId
from support.dhcp_intents import DB, WEB, a_reservation, a_subnet, a_subnet6, a_uuid, an_intent

FIRST, SECOND, THIRD = (f"2001:db8:77:10::{n}" for n in (50, 51, 52))


def test_each_family_has_its_own_subnets() -> None:
    intent = an_intent(a_subnet(), a_subnet6(interface="eth6"))
    four, six = render(intent, KeaPaths())["Dhcp4"], render6(intent, PATHS_6)["Dhcp6"]
    assert [each["subnet"] for each in four["subnet4"]] == ["10.77.10.0/24"]
    assert [each["subnet"] for each in six["subnet6"]] == ["2001:db8:77:10::/64"]
    assert four["interfaces-config"]["interfaces"] == ["eth0"]
    assert six["interfaces-config"]["interfaces"] == ["eth6"]
    assert four["control-socket"] != six["control-socket"]


def test_a_machine_is_known_by_its_mac_and_by_its_firmware_with_all_its_addresses() -> None:
    intent = an_intent(
        a_subnet6(*(a_reservation(WEB, ip) for ip in (FIRST, SECOND)), a_reservation(DB, THIRD))
    )
    (subnet,) = render6(intent, PATHS_6)["Dhcp6"]["subnet6"]
    found = {
        each.get("hw-address") or each["duid"].replace(":", ""): each["ip-addresses"]
        for each in subnet["reservations"]
    }
    assert found == {
        str(WEB): [FIRST, SECOND],
        f"0004{a_uuid(WEB).replace('-', '')}": [FIRST, SECOND],
        str(DB): [THIRD],
        f"0004{a_uuid(DB).replace('-', '')}": [THIRD],
    }


def test_gateway_and_mtu_are_left_to_the_router() -> None:
    dns = (ip_address("10.77.10.53"), ip_address("2001:db8::53"))
    (subnet,) = render6(an_intent(a_subnet6(dns_servers=dns)), PATHS_6)["Dhcp6"]["subnet6"]
    assert subnet["option-data"] == [{"name": "dns-servers", "data": "2001:db8::53"}]


def test_subnets_of_one_vlan_share_a_wire() -> None:
    other = {"id": SubnetId(7), "cidr": ip_network("2001:db8:78::/64"), "pools": ()}
    intent = an_intent(a_subnet6(vlan_id=VlanId(1)), a_subnet6(vlan_id=VlanId(1), **other))
    six = render6(intent, PATHS_6)["Dhcp6"]
    assert six["subnet6"] == []
    (shared,) = six["shared-networks"]
    assert [each["id"] for each in shared["subnet6"]] == [610, 7]


def test_a_relay_and_a_boot_script() -> None:
    subnet = a_subnet6(
        interface=None, relays=(ip_address("2001:db8::1"),), boot_url="http://[2001:db8::2]/boot"
    )
    six = render6(an_intent(subnet), PATHS_6)["Dhcp6"]
    (rendered,) = six["subnet6"]
    assert "interface" not in rendered
    assert rendered["relay"] == {"ip-addresses": ["2001:db8::1"]}
    classes = {each["name"]: each for each in six["client-classes"]}
    assert list(classes) == rendered["require-client-classes"]
    told = {name: each["option-data"][0]["data"] for name, each in classes.items()}
    assert told == {
        f"ipxe-{subnet.id}": "http://[2001:db8::2]/boot",
        f"uefi-{subnet.id}": "tftp://[2001:db8::2]/snponly.efi",
    }
