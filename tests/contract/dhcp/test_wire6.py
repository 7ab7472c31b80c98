"""What DHCPv6 clients on real wires are given by the Kea that we set."""

from ipaddress import IPv6Address, ip_address

import pytest

from contract.dhcp.conftest import both
from hostloom.dhcp.config import PATHS_6, KeaPaths, render, render6
from hostloom.model.dhcp import DhcpIntent
from hostloom.model.errors.outside import DhcpUnreachable
from hostloom.model.ids import VlanId
from support.dhcp_intents import DB, WEB, a_reservation, a_subnet, a_subnet6, an_intent
from support.kea import Kea

pytestmark = pytest.mark.lab

SCRIPT = "http://[2001:db8:77:10::2]:5248/boot.ipxe"
RESERVED = "2001:db8:77:10::50"


@pytest.mark.parametrize(
    "intent",
    [
        pytest.param(an_intent(), id="nothing"),
        pytest.param(an_intent(a_subnet(pools=()), a_subnet6(pools=())), id="no pools"),
        pytest.param(
            an_intent(
                a_subnet(a_reservation(WEB, "10.77.10.50"), boot_url=SCRIPT),
                a_subnet6(a_reservation(WEB, RESERVED), boot_url=SCRIPT, vlan_id=VlanId(1)),
                a_subnet6(number=11, vlan_id=VlanId(1)),
                a_subnet(number=30, interface=None, relays=(ip_address("10.77.30.1"),)),
            ),
            id="all kinds",
        ),
    ],
)
def test_what_is_set_can_be_started_with(kea: Kea, intent: DhcpIntent) -> None:
    """In a file Kea takes less than on its control socket: lists that are empty, for one."""
    for version, document in ((4, render(intent, KeaPaths())), (6, render6(intent, PATHS_6))):
        checked = kea.check(version, document)
        assert checked.returncode == 0, checked.stderr


def test_a_machine_gets_exactly_its_address(kea: Kea) -> None:
    dns = (ip_address("10.77.10.53"), ip_address("2001:db8::53"), ip_address("2001:db8::54"))
    dhcp = both(kea)
    dhcp.apply(an_intent(a_subnet(), a_subnet6(a_reservation(WEB, RESERVED), dns_servers=dns)))
    given = kea.ask6(WEB)
    assert given == {"ip": RESERVED, "dns": ["2001:db8::53", "2001:db8::54"], "boot_file": ""}
    assert [(str(each.ip), each.mac, each.hostname) for each in dhcp.leases()] == [(RESERVED, WEB, "web1")]


@pytest.mark.parametrize("duid", ["", "00030001525400000001", "0001000123456789525400000001"])
def test_firmware_and_systems_of_a_machine_get_its_address(kea: Kea, duid: str) -> None:
    """The firmware calls itself by the machine's UUID, systems by a MAC, with or without a time."""
    both(kea).apply(an_intent(a_subnet6(a_reservation(WEB, RESERVED))))
    assert kea.ask6(WEB, duid=duid)["ip"] == RESERVED


def test_the_next_machine_gets_the_address_of_one_that_is_gone(kea: Kea) -> None:
    for mac in (WEB, DB):
        both(kea).apply(an_intent(a_subnet6(a_reservation(mac, RESERVED))))
        assert kea.ask6(mac)["ip"] == RESERVED


def test_a_lease_stays_with_its_machine(kea: Kea) -> None:
    dhcp = both(kea)
    dhcp.apply(an_intent(a_subnet6(a_reservation(WEB, RESERVED))))
    assert kea.ask6(WEB)["ip"] == RESERVED
    dhcp.apply(an_intent(a_subnet6(a_reservation(WEB, RESERVED), a_reservation(DB, "2001:db8:77:10::51"))))
    assert [str(each.ip) for each in dhcp.leases()] == [RESERVED]


def test_others_get_an_address_of_the_range_or_none(kea: Kea) -> None:
    both(kea).apply(an_intent(a_subnet6(a_reservation(WEB, RESERVED))))
    given = IPv6Address(kea.ask6(DB)["ip"])
    assert IPv6Address("2001:db8:77:10::1000") <= given <= IPv6Address("2001:db8:77:10::1fff")
    both(kea).apply(an_intent(a_subnet6(pools=())))
    assert kea.ask6(DB) == {}


def test_ipxe_gets_its_script(kea: Kea) -> None:
    both(kea).apply(an_intent(a_subnet6(a_reservation(WEB, RESERVED), boot_url=SCRIPT)))
    assert kea.ask6(WEB, user_class="iPXE")["boot_file"] == SCRIPT
    assert kea.ask6(DB)["boot_file"] == ""


def test_each_wire_has_its_own_prefix(kea: Kea) -> None:
    both(kea).apply(an_intent(a_subnet6(), a_subnet6(number=20, interface="eth1")))
    assert kea.ask6(WEB, "c1")["ip"].startswith("2001:db8:77:20:")
    assert kea.ask6(WEB, "c0")["ip"].startswith("2001:db8:77:10:")


def test_one_family_is_served_while_the_others_server_is_gone(kea: Kea) -> None:
    dhcp = both(kea)
    six = a_subnet6(a_reservation(WEB, RESERVED))
    dhcp.apply(an_intent(six))
    assert kea.ask6(WEB)["ip"] == RESERVED
    assert len(dhcp.leases()) == 1
    kea.process6.kill()
    kea.process6.wait()
    try:
        dhcp.apply(an_intent(a_subnet(a_reservation(WEB, "10.77.10.50"))))
        assert kea.ask(WEB)["ip"] == "10.77.10.50"
        with pytest.raises(DhcpUnreachable):
            dhcp.apply(an_intent(six, a_subnet(a_reservation(WEB, "10.77.10.51"))))
        assert kea.ask(WEB)["ip"] == "10.77.10.51"
        assert dhcp.pulse().trouble != ""
        # an unknown end of a lease is not reported as an end
        assert {str(each.ip) for each in dhcp.leases()} == {RESERVED, "10.77.10.51"}
    finally:
        kea.stop()
        kea.start()


def test_a_changed_reservation_is_live(kea: Kea) -> None:
    dhcp = both(kea)
    for ip in (RESERVED, "2001:db8:77:10::51"):
        dhcp.apply(an_intent(a_subnet6(a_reservation(WEB, ip))))
        assert kea.ask6(WEB)["ip"] == ip
