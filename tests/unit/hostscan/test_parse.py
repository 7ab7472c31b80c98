"""The parser against recorded hosts; `UPDATE_GOLDEN=1` writes what it reads of them anew."""

import json
import os
from dataclasses import asdict
from ipaddress import ip_interface, ip_network
from pathlib import Path
from typing import Any

import pytest

from hostloom.hostscan.commands import MARK
from hostloom.hostscan.parse import parse
from hostloom.model.errors.outside import HostUnreadable
from hostloom.model.ids import MacAddress
from hostloom.model.node import BridgeKind, InterfaceKind, InterfaceRole
from hostloom.model.observed import ObservedLink, ObservedRoute
from support.recorded_hosts import HOSTS, printed, recorded_parts

GOLDEN = Path(__file__).with_name("golden")


def links_of(host: str, **changed: str) -> dict[str, ObservedLink]:
    found = parse(printed(recorded_parts(host) | changed), host).links
    return {link.name: link for link in found}


def ether(name: str, *flags: str, **more: Any) -> dict[str, Any]:
    mac = "52:54:00:00:00:01"
    return {"ifname": name, "link_type": "ether", "flags": list(flags), "address": mac, "mtu": 1500} | more


def link(*raw: dict[str, Any], **parts: str) -> ObservedLink:
    """The first of these links."""
    given = {"hostname": "h\n", "ip": "/sbin/ip", "addr": json.dumps(raw)} | parts | {"end": ""}
    return parse(printed(given), "h").links[0]


def kind_of(kind: str) -> dict[str, Any]:
    return {"linkinfo": {"info_kind": kind}}


@pytest.mark.parametrize("host", HOSTS)
def test_recorded_hosts(host: str) -> None:
    seen = asdict(parse(printed(recorded_parts(host)), host))
    assert (seen.pop("findings"), seen.pop("unread")) == ((), ())
    text = json.dumps(seen, indent=1, default=str) + "\n"
    file = GOLDEN / f"{host}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert json.loads(text) == json.loads(file.read_text())


def test_a_bond_below_a_bridge() -> None:
    links = links_of("rich")
    assert (links["bond0"].kind, links["bond0"].parents) == (InterfaceKind.BOND, ("eth0", "eth1"))
    assert (links["br0"].kind, links["br0"].parents) == (InterfaceKind.BRIDGE, ("bond0",))
    assert links["br0"].bridge_kind is BridgeKind.STANDARD
    assert (links["eth0"].master, links["bond0"].master) == ("bond0", "br0")
    assert links["br0"].link_speed == 20000


def test_members_of_a_bond_keep_their_own_mac() -> None:
    links = links_of("rich")
    assert links["eth1"].mac == MacAddress("52:54:00:00:00:01")
    assert links["bond0"].mac == links["eth0"].mac == MacAddress("52:54:00:00:00:00")


def test_vlan_interfaces_name_their_parent_and_tag() -> None:
    links = links_of("rich")
    for name, parent, vid in (("bond0.30", "bond0", 30), ("eth2.20", "eth2", 20), ("brv.100", "brv", 100)):
        found = links[name]
        assert (found.kind, found.parents, found.tag_vid) == (InterfaceKind.VLAN, (parent,), vid)
    assert links["eth2.20"].mtu == 9000


def test_disabled_and_without_a_cable() -> None:
    links = links_of("rich")
    assert (links["eth3"].enabled, links["eth3"].link, links["eth3"].link_speed) == (False, False, 0)
    assert (links["eth4"].enabled, links["eth4"].link, links["eth4"].link_speed) == (True, False, 0)


def test_what_belongs_to_guests_containers_and_tunnels_has_no_kind() -> None:
    kinds = {name: link.kind for name, link in links_of("guests").items()}
    alien = ["vnet0", "vnet1", "macvtap0", "macvtap1", "macvtap2", "veth1a2b3c4", "veth-a", "veth-b"]
    assert {name for name, kind in kinds.items() if kind is None} == {*alien, "vxlan100", "wg0", "tun0"}
    assert kinds["lo"] is InterfaceKind.LOOPBACK
    assert kinds["virbr0"] is InterfaceKind.BRIDGE


def test_taps_are_no_ports_but_know_their_bridge() -> None:
    links = links_of("guests")
    assert links["br0"].parents == ("enp1s0",)
    assert links["virbr0"].parents == ()
    assert (links["vnet0"].master, links["vnet1"].master) == ("br0", "virbr0")
    assert links["virbr0"].link_speed == 0


def test_a_bridge_without_ports_is_not_link_down() -> None:
    assert links_of("guests")["docker0"].link
    assert not link(ether("br0", **kind_of("bridge"))).link


def test_a_bridge_whose_only_port_is_down_is_down() -> None:
    port = ether("eth0", "UP", master="br0")
    assert not link(ether("br0", "UP", **kind_of("bridge")), port).link


def test_open_vswitch() -> None:
    links = links_of("openvswitch")
    bridges = {name: each.parents for name, each in links.items() if each.bridge_kind is BridgeKind.OVS}
    assert bridges == {"ovsbr0": ("eno1",), "ovsbr1": ("eno2", "eno3")}
    mgmt = links["mgmt0"]
    assert (mgmt.kind, mgmt.parents, mgmt.tag_vid) == (InterfaceKind.VLAN, ("ovsbr0",), 10)
    masters = {name: each.master for name, each in links.items() if each.master}
    assert masters == {
        "eno1": "ovsbr0",
        "eno2": "ovsbr1",
        "eno3": "ovsbr1",
        "mgmt0": "ovsbr0",
        "vnet0": "ovsbr0",
    }


def test_an_open_vswitch_bridge_switches_without_its_own_device() -> None:
    raw = json.loads(recorded_parts("openvswitch")["addr"])
    for each in raw:
        if each["ifname"] in ("ovsbr0", "ovsbr1"):
            each["flags"] = ["BROADCAST", "MULTICAST"]
        if each["ifname"] == "eno1":
            each["flags"].remove("LOWER_UP")
    links = links_of("openvswitch", addr=json.dumps(raw))
    assert (links["ovsbr0"].enabled, links["ovsbr0"].link) == (True, False)
    assert (links["ovsbr1"].enabled, links["ovsbr1"].link) == (True, True)


def test_ports_of_an_open_vswitch_that_may_not_be_read_are_not_free() -> None:
    links = links_of("openvswitch", **{"ovs-bridge": "", "ovs-port": "", "ovs-interface": ""})
    nics = ("eno1", "eno2", "eno3")
    assert {links[name].master for name in nics} == {"ovs-system"}
    recorded = {name: link.role for name, link in links.items() if link.kind is not None}
    unreadable = {name for name, role in recorded.items() if role is InterfaceRole.OVS_UNREADABLE}
    assert set(recorded) == {"lo", *nics, *unreadable}
    assert {"ovsbr0", "ovsbr1"} <= unreadable


def test_the_veth_of_a_container_like_host_is_its_nic() -> None:
    far = ether("eth0", "UP", link_netnsid=0, **kind_of("veth"))
    near = ether("eth0", "UP", **kind_of("veth"))
    nic = ether("nic0", "UP")
    assert link(far).kind is InterfaceKind.PHYSICAL
    assert link(near).kind is None
    # On a machine with NICs it is our end of a container's, unless the machine has an address there.
    assert link(far, nic).kind is None
    addressed = far | {"addr_info": [{"family": "inet", "local": "198.18.0.1", "prefixlen": 30}]}
    assert link(addressed, nic).kind is InterfaceKind.PHYSICAL


def test_which_addresses_are_kept() -> None:
    given = [
        {"local": "10.0.0.5", "prefixlen": 24},
        {"local": "2001:db8::5", "prefixlen": 64},
        {"local": "fd00::5", "prefixlen": 64},
        {"local": "2001:db8::6", "prefixlen": 64, "temporary": True},
        {"local": "2001:db8::7", "prefixlen": 64, "dadfailed": True},
        {"local": "fe80::5", "prefixlen": 64},
        {"local": "169.254.1.1", "prefixlen": 16},
        {"local": "127.0.0.1", "prefixlen": 8},
        {"family": "inet"},
    ]
    kept = link(ether("eth0", addr_info=given)).addresses
    assert kept == tuple(map(ip_interface, ("10.0.0.5/24", "2001:db8::5/64", "fd00::5/64")))


def test_routes() -> None:
    routes = [
        {"dst": "default", "gateway": "10.0.0.1", "dev": "eth0"},
        {"dst": "10.1.0.0/16", "nexthops": [{"via": {"host": "fe80::1"}, "dev": "a"}, {"dev": "b"}]},
        {"dst": "10.2.0.7", "dev": "eth0"},
        {"type": "blackhole", "dst": "10.3.0.0/16"},
    ]
    given = {"ip": "x", "addr": json.dumps([ether("eth0")]), "route4": json.dumps(routes), "end": ""}
    found = parse(printed(given | {"route6": '[{"dst": "fe80::/64", "dev": "eth0"}]'}), "h").routes
    assert found == (
        ObservedRoute(None, "10.0.0.1", "eth0"),
        ObservedRoute(ip_network("10.1.0.0/16"), "fe80::1", "a"),
        ObservedRoute(ip_network("10.1.0.0/16"), "", "b"),
        ObservedRoute(ip_network("10.2.0.7/32"), "", "eth0"),
    )


@pytest.mark.parametrize(("said", "expected"), [("25000", 25000), ("-1", 0), ("4294967295", 0), ("", 0)])
def test_speeds(said: str, expected: int) -> None:
    assert link(ether("eth0"), speed=f"eth0 {said}").link_speed == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"ip": "", "addr": ""}, "install iproute2"),
        ({"addr": ""}, r"iproute2 5\.0 or later"),
        ({"addr": "[{"}, "a JSON list, found Expecting"),
        ({"addr": '{"ifname": "eth0"}'}, "a JSON list, found dict"),
        ({"addr": "[{}]"}, "there is none"),
    ],
)
def test_hosts_that_cannot_be_read_are_named(changed: dict[str, str], expected: str) -> None:
    with pytest.raises(HostUnreadable, match=rf"links of host 'kvm1' cannot be read: .*{expected}"):
        parse(printed(recorded_parts("plain") | changed), "kvm1")


def test_an_answer_that_was_cut_short() -> None:
    parts = recorded_parts("rich")
    text = printed(parts)
    with pytest.raises(HostUnreadable, match="broke off"):
        parse(text[: len(parts["addr"]) // 2], "kvm1")
    whole, cut = parse(text, "kvm1"), parse(text[: text.index(f"{MARK} speed")], "kvm1")
    assert [each.name for each in cut.links] == [each.name for each in whole.links]
    assert [finding.part for finding in cut.findings] == ["the answer to the scan"]
