"""Clients on real wires get addresses and options from the Kea that hostloom configures."""

import time
from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_network

import pytest

from contract.dhcp.conftest import reserved
from hostloom.dhcp.control import ControlSocket
from hostloom.dhcp.driver import KeaDhcp
from hostloom.model.errors.outside import DhcpRejected
from hostloom.model.ids import SubnetId, VlanId
from support.dhcp_intents import (
    DB,
    WEB,
    a_reservation,
    a_subnet,
    an_intent,
    many_reservations,
)
from support.kea import Kea

pytestmark = pytest.mark.lab

#: `iPXE`, as its option 77 says it.
IPXE = {77: "69505845"}
SCRIPT = "http://10.77.10.2:5248/boot.ipxe"


def test_a_machine_gets_exactly_its_address(kea: Kea) -> None:
    dns = (ip_address("10.77.10.53"), ip_address("2001:db8::53"), ip_address("10.77.10.54"))
    subnet = a_subnet(a_reservation(WEB, "10.77.10.50", "web1"), dns_servers=dns, mtu=1400)
    KeaDhcp(kea.socket).apply(an_intent(subnet))
    given = kea.ask(WEB, wanted=("mtu",))
    wanted = {"ip": "10.77.10.50", "hostname": "web1", "router": "10.77.10.1", "mask": "24", "mtu": "1400"}
    assert {name: given.get(name) for name in wanted} == wanted
    assert given["dns"] == "10.77.10.53 10.77.10.54"
    assert "boot_file" not in given


def test_a_changed_reservation_is_live(kea: Kea) -> None:
    dhcp = KeaDhcp(kea.socket)
    for ip in ("10.77.10.50", "10.77.10.51"):
        dhcp.apply(an_intent(a_subnet(a_reservation(WEB, ip))))
        assert kea.address(WEB) == IPv4Address(ip)
        assert [str(each.ip) for each in dhcp.leases() if each.mac == WEB] == [ip]


def test_the_next_machine_gets_the_address_of_one_that_is_gone(kea: Kea) -> None:
    dhcp = KeaDhcp(kea.socket)
    for mac in (WEB, DB):
        dhcp.apply(an_intent(a_subnet(a_reservation(mac, "10.77.10.50"))))
        assert kea.address(mac) == IPv4Address("10.77.10.50")


def test_others_get_an_address_of_the_range_or_none(kea: Kea) -> None:
    dhcp = KeaDhcp(kea.socket)
    in_pool = a_subnet(a_reservation(WEB, "10.77.10.100"))
    dhcp.apply(an_intent(in_pool))
    assert kea.address(DB) == IPv4Address("10.77.10.101")
    dhcp.apply(an_intent(replace(in_pool, pools=())))
    assert kea.ask(DB, tries=2) == {}
    assert kea.address(WEB) == IPv4Address("10.77.10.100")


def test_firmware_and_system_of_a_machine_get_one_address(kea: Kea) -> None:
    """They call themselves by different client ids (option 61); the first one's lease is still there."""
    KeaDhcp(kea.socket).apply(an_intent(a_subnet(a_reservation(WEB, "10.77.10.50"))))
    for client_id in ("01525400000001", "ff00000001000100010203040506070809"):
        assert kea.ask(WEB, options={61: client_id})["ip"] == "10.77.10.50"


def test_ipxe_gets_its_script_and_does_not_wait(kea: Kea) -> None:
    subnet = a_subnet(a_reservation(WEB, "10.77.10.50"), boot_url=SCRIPT)
    KeaDhcp(kea.socket).apply(an_intent(subnet))
    given = kea.ask(WEB, options=IPXE, wanted=("175",))
    assert given["boot_file"] == SCRIPT
    # sub-option 176, one byte long, is 1
    assert given["opt175"] == "b00101"
    assert "boot_file" not in kea.ask(WEB)


@pytest.mark.parametrize(
    ("architecture", "loader"), [("0000", "undionly.kpxe"), ("0007", "snponly.efi"), ("0009", "snponly.efi")]
)
def test_firmware_gets_the_location_of_ipxe(kea: Kea, architecture: str, loader: str) -> None:
    KeaDhcp(kea.socket).apply(an_intent(a_subnet(a_reservation(WEB, "10.77.10.50"), boot_url=SCRIPT)))
    given = kea.ask(WEB, options={93: architecture})
    assert (given["boot_file"], given["siaddr"]) == (loader, "10.77.10.2")
    assert kea.ask(WEB, options=IPXE | {93: architecture})["boot_file"] == SCRIPT


def test_firmware_that_boots_by_http_gets_a_url(kea: Kea) -> None:
    KeaDhcp(kea.socket).apply(an_intent(a_subnet(a_reservation(WEB, "10.77.10.50"), boot_url=SCRIPT)))
    given = kea.ask(WEB, options={93: "0010"}, wanted=("vendor",))
    assert given["boot_file"] == "http://10.77.10.2:5248/boot/snponly.efi"
    assert given["vendor"] == "HTTPClient"


def test_each_subnet_has_its_own_script(kea: Kea) -> None:
    subnets = (
        a_subnet(boot_url=SCRIPT),
        a_subnet(number=20, interface="eth1", boot_url="http://10.77.20.2:5248/boot.ipxe"),
        a_subnet(number=30, interface=None),
    )
    KeaDhcp(kea.socket).apply(an_intent(*subnets))
    assert kea.ask(WEB, "c0", options=IPXE)["boot_file"] == SCRIPT
    given = kea.ask(WEB, "c1", options=IPXE)
    assert given["boot_file"] == "http://10.77.20.2:5248/boot.ipxe"
    assert IPv4Address(given["ip"]) in ip_network("10.77.20.0/24")


def test_two_subnets_of_one_vlan_both_serve(kea: Kea) -> None:
    first = a_subnet(a_reservation(WEB, "10.77.10.50"), boot_url=SCRIPT, vlan_id=VlanId(1), pools=())
    second = a_subnet(
        a_reservation(DB, "10.77.11.50"), number=11, boot_url=SCRIPT, vlan_id=VlanId(1), pools=()
    )
    KeaDhcp(kea.socket).apply(an_intent(first, second))
    assert kea.address(WEB) == IPv4Address("10.77.10.50")
    given = kea.ask(DB, options=IPXE)
    assert (given["ip"], given["router"], given["boot_file"]) == ("10.77.11.50", "10.77.11.1", SCRIPT)


def test_a_relay_is_answered_for_its_own_subnet(kea: Kea) -> None:
    relayed = a_subnet(
        a_reservation(WEB, "10.77.30.50"),
        number=30,
        interface=None,
        relays=(ip_address("10.77.30.1"),),
        boot_url=SCRIPT,
    )
    KeaDhcp(kea.socket).apply(an_intent(a_subnet(), relayed))
    with kea.relay(IPv4Address("10.77.30.1")) as nic:
        given = kea.ask(WEB, nic, options=IPXE)
    assert (given["ip"], given["boot_file"]) == ("10.77.30.50", SCRIPT)


def test_what_runs_already_is_not_set_again(kea: Kea) -> None:
    dhcp = KeaDhcp(kea.socket)
    dhcp.apply(an_intent(a_subnet()))
    sets = kea.log.count("COMMAND_RECEIVED Received command 'config-set'")
    assert sets
    dhcp.apply(an_intent(a_subnet()))
    assert kea.log.count("COMMAND_RECEIVED Received command 'config-set'") == sets


@pytest.mark.parametrize("how", ["restarted", "set by another program"])
def test_what_does_not_run_any_more_is_set_again(kea: Kea, how: str) -> None:
    dhcp, intent = KeaDhcp(kea.socket), an_intent(a_subnet(a_reservation(WEB, "10.77.10.50")))
    dhcp.apply(intent)
    if how == "restarted":
        kea.stop()
        kea.start()
    else:
        KeaDhcp(kea.socket).apply(an_intent())
    assert reserved(kea) == set()
    dhcp.apply(intent)
    assert kea.address(WEB) == IPv4Address("10.77.10.50")


def test_a_kea_that_was_not_set_knows_no_leases(kea: Kea) -> None:
    """As after a restart, and as the fake does; its pulse is felt all the same."""
    dhcp = KeaDhcp(kea.socket)
    kea.stop()
    kea.start()
    dhcp.pulse()
    with pytest.raises(DhcpRejected, match="lease4-get-all"):
        dhcp.leases()
    dhcp.apply(an_intent())
    assert list(dhcp.leases()) == []


def test_an_interface_that_is_not_there_is_named(kea: Kea) -> None:
    with pytest.raises(DhcpRejected, match="eth9"):
        KeaDhcp(kea.socket).apply(an_intent(a_subnet(interface="eth9")))


class Tomorrow:
    def now(self) -> float:
        return time.time() + 86400


def test_a_lease_that_ran_out_is_none(kea: Kea) -> None:
    KeaDhcp(kea.socket).apply(an_intent(a_subnet(a_reservation(WEB, "10.77.10.50"))))
    assert kea.address(WEB) is not None
    assert len(KeaDhcp(kea.socket).leases()) == 1
    assert list(KeaDhcp(kea.socket, clock=Tomorrow()).leases()) == []


def test_a_client_without_a_mac_is_not_a_machine(kea: Kea) -> None:
    dhcp = KeaDhcp(kea.socket)
    dhcp.apply(an_intent(a_subnet()))
    infiniband = "20:" + ":".join(["02"] * 19)
    lease = {"ip-address": "10.77.10.130", "hw-address": infiniband, "subnet-id": 10}
    ControlSocket(kea.socket).command("lease4-add", lease)
    assert [each.ip for each in dhcp.leases() if str(each.ip) == "10.77.10.130"] == []
    dhcp.apply(an_intent())


def test_twenty_thousand_machines(kea: Kea) -> None:
    dhcp = KeaDhcp(kea.socket)
    many = a_subnet(
        *many_reservations(20_000),
        a_reservation(WEB, "10.88.200.1", "last"),
        id=SubnetId(88),
        cidr=ip_network("10.88.0.0/16"),
        pools=(),
        gateway=None,
    )
    dhcp.apply(an_intent(many))
    assert len(reserved(kea)) == 20_001
    assert kea.ask(WEB)["hostname"] == "last"
