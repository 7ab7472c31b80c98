"""Facts about wires: VLANs of bridges, roles of NICs, members, addresses of children, routers."""

import json
from ipaddress import ip_address, ip_interface
from typing import Any

import pytest

from hostloom.hostscan.parse import parse
from hostloom.model.node import BridgeVlans, InterfaceKind, InterfaceRole
from hostloom.model.observed import ObservedLink, ObservedNetwork
from support.recorded_hosts import printed

ALL = ((1, 4094),)


def nic(name: str, **more: Any) -> dict[str, Any]:
    flags = ["UP", "LOWER_UP"]
    return {"ifname": name, "link_type": "ether", "flags": flags, "address": "52:54:00:00:00:01"} | more


def of_kind(name: str, kind: str, data: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return nic(name, linkinfo={"info_kind": kind, "info_data": data or {}}, **more)


def addressed(*addresses: str) -> list[dict[str, Any]]:
    pairs = [address.split("/") for address in addresses]
    return [{"local": ip, "prefixlen": int(length)} for ip, length in pairs]


LO = nic("lo", link_type="loopback", address="00:00:00:00:00:00")


def scan(*links: dict[str, Any], **sections: Any) -> ObservedNetwork:
    texts = {name.replace("_", "-"): _text(content) for name, content in sections.items()}
    parts = {"hostname": "h", "ip": "/sbin/ip", "addr": json.dumps([LO, *links])} | texts | {"end": ""}
    return parse(printed(parts), "h")


def _text(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content)


def links_of(*links: dict[str, Any], **sections: Any) -> dict[str, ObservedLink]:
    return {link.name: link for link in scan(*links, **sections).links}


# -- bridges that know VLANs ---------------------------------------------------------------------------------


def aware(pvid: int = 1, **data: Any) -> dict[str, Any]:
    return of_kind("br0", "bridge", {"vlan_filtering": 1, "vlan_default_pvid": pvid} | data)


PORT = nic("eth0", master="br0")
UNTAGGED = ["PVID", "Egress Untagged"]


@pytest.mark.parametrize(
    ("pvid", "port", "own", "wanted"),
    [
        (1, [{"vlan": 1, "flags": UNTAGGED}], UNTAGGED, BridgeVlans(1, 1, 1, ())),
        (
            1,
            [{"vlan": 1, "flags": UNTAGGED}, {"vlan": 2, "vlanEnd": 4094}],
            UNTAGGED,
            BridgeVlans(1, 1, 1, ((2, 4094),)),
        ),
        (
            1,
            [{"vlan": 1, "flags": UNTAGGED}, {"vlan": 7}, {"vlan": 5}, {"vlan": 6}, {"vlan": 9}],
            UNTAGGED,
            BridgeVlans(1, 1, 1, ((5, 7), (9, 9))),
        ),
        # The port's own PVID is another: machines of VLAN 1 do not leave.
        (1, [{"vlan": 10, "flags": UNTAGGED}], UNTAGGED, BridgeVlans(1, 1, 10, ())),
        # Untagged frames come in as VLAN 10 and leave with the tag: nothing is untagged both ways.
        (1, [{"vlan": 10, "flags": ["PVID"]}], UNTAGGED, BridgeVlans(1, 1, None, ((10, 10),))),
        (0, [{"vlan": 20}], [], BridgeVlans(None, None, None, ((20, 20),))),
    ],
)
def test_a_vlan_aware_bridge(pvid: int, port: list[Any], own: list[str], wanted: BridgeVlans) -> None:
    own_vlans = [{"vlan": 1, "flags": own}] if own else []
    table = [{"ifname": "eth0", "vlans": port}, {"ifname": "br0", "vlans": own_vlans}]
    assert links_of(PORT, aware(pvid), bridge_vlan=table)["br0"].bridge_vlans == wanted
    # As iproute2 before 5.1 writes it.
    old = {"eth0": port, "br0": own_vlans}
    assert links_of(PORT, aware(pvid), bridge_vlan=old)["br0"].bridge_vlans == wanted


def test_a_bridge_that_knows_no_vlans_passes_everything() -> None:
    table = [{"ifname": "br0", "vlans": [{"vlan": 1, "flags": UNTAGGED}]}]
    assert links_of(PORT, of_kind("br0", "bridge"), bridge_vlan=table)["br0"].bridge_vlans is None


@pytest.mark.parametrize(
    "text", ["", "no JSON", '[{"ifname": "eth0"}]', '[{"ifname":"eth0","vlans":[{"vlan":"x"}]}]']
)
def test_ports_that_cannot_be_read_are_not_guessed(text: str) -> None:
    seen = scan(PORT, aware(), bridge_vlan=text)
    found = {link.name: link for link in seen.links}["br0"].bridge_vlans
    assert found == BridgeVlans(1, 1, 1, ALL, is_read=False)
    assert bool(text) is any(finding.part == "VLANs of bridges" for finding in seen.findings)


def test_a_bridge_of_service_tags_has_no_vlan_of_the_fabric() -> None:
    table = [{"ifname": "eth0", "vlans": [{"vlan": 1, "flags": UNTAGGED}, {"vlan": 20}]}]
    found = links_of(PORT, aware(vlan_protocol="802.1ad"), bridge_vlan=table)["br0"].bridge_vlans
    assert found is not None
    assert found.carried == ()


def ovs(**port: Any) -> BridgeVlans | None:
    """Of a bridge ovs0 with a port eth0, and a bond of two NICs beside it where the port says so."""
    interfaces = port.pop("interfaces", ["eth0"])
    rows = [("local", "ovs0", "internal"), *((f"i{name}", name, "") for name in interfaces)]
    local = port.pop("local", {})
    tables = {
        "ovs_bridge": _table(
            [{"_uuid": ["uuid", "b"], "name": "ovs0", "ports": ["set", [["uuid", "p0"], ["uuid", "p1"]]]}]
        ),
        "ovs_port": _table(
            [
                _port("p0", "ovs0", ["local"], local),
                _port("p1", "uplink", [f"i{name}" for name in interfaces], port),
            ]
        ),
        "ovs_interface": _table(
            [{"_uuid": ["uuid", key], "name": name, "type": kind} for key, name, kind in rows]
        ),
    }
    nics = [nic(name, master="ovs-system") for name in interfaces]
    return links_of(of_kind("ovs0", "openvswitch"), *nics, **tables)["ovs0"].bridge_vlans


def _port(key: str, name: str, interfaces: list[str], more: dict[str, Any]) -> dict[str, Any]:
    some = ["set", [["uuid", each] for each in interfaces]]
    empty = ["set", []]
    return {
        "_uuid": ["uuid", key],
        "name": name,
        "interfaces": some,
        "tag": empty,
        "trunks": empty,
        "vlan_mode": empty,
    } | more


def _table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"headings": list(rows[0]), "data": [list(row.values()) for row in rows]}


@pytest.mark.parametrize(
    ("port", "wanted"),
    [
        ({}, BridgeVlans(0, 0, 0, ALL)),
        ({"interfaces": ["eth0", "eth1"]}, BridgeVlans(0, 0, 0, ALL)),
        ({"tag": 7}, BridgeVlans(0, 0, 7, ())),
        ({"tag": 7, "vlan_mode": "access"}, BridgeVlans(0, 0, 7, ())),
        ({"trunks": ["set", [10, 20]]}, BridgeVlans(0, 0, None, ((10, 10), (20, 20)))),
        ({"trunks": ["set", [0, 20]]}, BridgeVlans(0, 0, 0, ((20, 20),))),
        ({"vlan_mode": "trunk", "tag": 7}, BridgeVlans(0, 0, 0, ALL)),
        ({"vlan_mode": "native-untagged", "tag": 7}, BridgeVlans(0, 0, 7, ALL)),
        ({"vlan_mode": "native-tagged", "tag": 7, "trunks": 9}, BridgeVlans(0, 0, None, ((7, 7), (9, 9)))),
        ({"vlan_mode": "dot1q-tunnel", "tag": 7}, BridgeVlans(0, 0, None, ())),
        ({"local": {"tag": 100}}, BridgeVlans(0, 100, 0, ALL)),
    ],
)
def test_an_open_vswitch_bridge(port: dict[str, Any], wanted: BridgeVlans) -> None:
    assert ovs(**port) == wanted


# -- roles and members ---------------------------------------------------------------------------------------


def roles(*links: dict[str, Any], **sections: Any) -> dict[str, str]:
    found = links_of(*links, **sections)
    return {name: link.role for name, link in found.items() if link.role is not InterfaceRole.ORDINARY}


@pytest.mark.parametrize(
    "name",
    ["docker0", "docker_gwbridge", "br-4f1d2c3b5a69", "podman1", "cni0", "cni-podman0", "lxcbr0", "lxdbr0"],
)
def test_bridges_of_container_engines(name: str) -> None:
    bridge = of_kind(name, "bridge")
    assert roles(bridge) == {name: "container-bridge"}
    # An operator who put a NIC into it made it a bridge of the network.
    assert roles(bridge, nic("eth0", master=name)) == {}


def test_a_bridge_of_containers_with_a_name_of_its_own() -> None:
    veth = of_kind("veth1", "veth", master="mybr", link_netnsid=0)
    assert roles(nic("eth0"), of_kind("mybr", "bridge"), veth) == {"mybr": "container-bridge"}
    tap = of_kind("vnet0", "tun", master="mybr")
    assert roles(nic("eth0"), of_kind("mybr", "bridge"), veth, tap) == {}
    assert roles(nic("eth0"), of_kind("mybr", "bridge")) == {}


def test_wireless_nics_by_what_the_kernel_says_and_by_name_where_it_was_not_asked() -> None:
    assert roles(nic("net5"), nic("wlp3s0"), wireless="net5\n.") == {"net5": "wireless"}
    assert roles(nic("net5"), wireless=".") == {}
    assert roles(nic("wlp3s0"), nic("wlan0"), nic("wlx001122334455"), nic("wlfoo")) == {
        "wlp3s0": "wireless",
        "wlan0": "wireless",
        "wlx001122334455": "wireless",
    }


def test_infiniband() -> None:
    ib = nic(
        "ib0", link_type="infiniband", address="80:00:02:08:fe:80:00:00:00:00:00:00:f4:52:14:03:00:7b:cb:a1"
    )
    child = of_kind("ib0.8001", "ipoib", link="ib0", link_type="infiniband")
    found = links_of(ib, child)
    assert {found[name].kind for name in ("ib0", "ib0.8001")} == {InterfaceKind.PHYSICAL}
    assert {found[name].role for name in ("ib0", "ib0.8001")} == {InterfaceRole.INFINIBAND}
    assert found["ib0"].mac is None


@pytest.mark.parametrize(
    "port",
    [
        of_kind("lan1", "dsa", link="eth0"),
        of_kind("lan1", "dsa", {"conduit": "eth0"}),
        of_kind("lan1", "dsa", {"master": "eth0"}),
        # Before Linux 6.0 such a port has no kind.
        nic("lan1", link="eth0"),
    ],
)
def test_ports_of_a_switch_and_their_conduit(port: dict[str, Any]) -> None:
    found = links_of(nic("eth0"), port)
    assert found["lan1"].kind is InterfaceKind.PHYSICAL
    assert found["eth0"].role is InterfaceRole.DSA_CONDUIT


def test_members_of_what_is_no_bridge() -> None:
    found = links_of(
        nic("eth0"),
        nic("vf0", master="eth0"),
        nic("bat1", master="bat0"),
        of_kind("bat0", "batadv"),
        nic("routed", master="vrf1"),
        of_kind("vrf1", "vrf"),
    )
    assert {name: link.master for name, link in found.items() if link.master} == {
        "vf0": "eth0",
        "bat1": "bat0",
    }


# -- addresses of children, and routers ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["macvlan", "ipvlan", "macsec"])
def test_addresses_of_children_count_for_what_they_are_on(kind: str) -> None:
    child = of_kind("child", kind, link="bond0", addr_info=addressed("10.0.0.5/24"))
    found = links_of(nic("eth0", master="bond0"), of_kind("bond0", "bond"), child)
    assert found["bond0"].child_addresses == (ip_interface("10.0.0.5/24"),)
    assert found["bond0"].addresses == found["lo"].child_addresses == ()


@pytest.mark.parametrize("kind", ["tun", "wireguard", "dummy", "vxlan", "vrf", "ipip", "nlmon"])
def test_addresses_of_links_on_no_nic_are_kept_with_the_loopback(kind: str) -> None:
    link = of_kind("x0", kind, addr_info=addressed("10.0.0.5/32", "fe80::1/64"))
    found = links_of(nic("eth0"), link)
    assert found["x0"].kind is None
    assert found["lo"].child_addresses == (ip_interface("10.0.0.5/32"),)


def test_next_hops_are_kept_with_the_link_that_they_are_on() -> None:
    routes = [
        {"dst": "default", "gateway": "10.0.0.1", "dev": "br0", "metric": 100},
        {"dst": "default", "gateway": "10.0.0.2", "dev": "shim", "metric": 50},
        {
            "dst": "10.8.0.0/16",
            "nexthops": [{"gateway": "10.0.0.3", "dev": "br0"}, {"gateway": "10.9.0.1", "dev": "tun0"}],
        },
        {"dst": "10.7.0.0/16", "dev": "br0", "scope": "link"},
    ]
    shim = of_kind("shim", "macvlan", link="br0")
    v6 = [
        {"dst": "default", "gateway": "fe80::1", "dev": "br0"},
        {"dst": "2001:db8::/48", "gateway": "2001:db8::1", "dev": "br0"},
    ]
    found = links_of(of_kind("br0", "bridge"), shim, of_kind("tun0", "tun"), route4=routes, route6=v6)
    wanted = ("10.0.0.1", "10.0.0.2", "10.0.0.3", "2001:db8::1")
    assert found["br0"].routers == tuple(map(ip_address, wanted))
    assert found["lo"].routers == (ip_address("10.9.0.1"),)
