"""Fabrics, VLANs, spaces, subnets, ranges and addresses over the real API."""

from typing import Any

import httpx
import pytest

from hostloom.model.errors.outside import DhcpRejected, DhcpUnreachable
from support.server import Running


def make(http: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = http.post(path, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def net(http: httpx.Client) -> httpx.Client:
    make(http, "/fabrics", name="lan")
    make(http, "/spaces", name="dmz")
    make(http, "/vlans", fabric="lan", vid=20, space="dmz")
    make(http, "/subnets", cidr="10.0.20.0/24", vlan="lan/20", gateway="10.0.20.1")
    return http


def code_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_a_fabric_comes_with_its_untagged_vlan(http: httpx.Client) -> None:
    make(http, "/fabrics", name="lan")
    found = http.get("/vlans/lan/0").json()
    assert (found["vid"], found["name"], found["dhcp"], found["mtu"]) == (0, "untagged", "off", 1500)


@pytest.mark.parametrize("key", ["lan/20", "lan%2F20", "2", "vlan-20"])
def test_a_vlan_is_found_by_each_of_its_keys(net: httpx.Client, key: str) -> None:
    assert net.get(f"/vlans/{key}").json()["key"] == "lan/20"


@pytest.mark.parametrize("key", ["10.0.20.0/24", "10.0.20.0%2F24", "1"])
def test_a_subnet_is_found_by_each_of_its_keys(net: httpx.Client, key: str) -> None:
    found = net.get(f"/subnets/{key}").json()
    assert (found["cidr"], found["vlan"], found["space"]) == ("10.0.20.0/24", "lan/20", "dmz")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/fabrics", {"name": "12"}, "name"),
        ("/fabrics", {"name": "a/b"}, "name"),
        ("/fabrics", {"name": ""}, "name"),
        ("/fabrics", {"name": ".."}, "name"),
        ("/vlans", {"fabric": "lan", "vid": 4095}, "vid"),
        ("/vlans", {"fabric": "lan", "vid": 0}, "vid"),
        ("/vlans", {"fabric": "lan", "vid": 30, "mtu": 551}, "mtu"),
        ("/vlans", {"fabric": "lan", "vid": 30, "mtu": 65536}, "mtu"),
        ("/subnets", {"cidr": "10.0.1.1/24", "vlan": "lan/0"}, "cidr"),
        ("/subnets", {"cidr": "lan", "vlan": "lan/0"}, "cidr"),
        ("/subnets", {"cidr": "10.0.1.0/24", "vlan": "lan/0", "gateway": "10.0.2.1"}, "gateway"),
        ("/subnets", {"cidr": "10.0.1.0/24", "vlan": "lan/0", "gateway": "10.0.1.255"}, "gateway"),
        ("/subnets", {"cidr": "10.0.20.128/25", "vlan": "lan/0"}, "cidr"),
        (
            "/ranges",
            {"subnet": "10.0.20.0/24", "kind": "dynamic", "start": "10.0.20.9", "end": "10.0.21.9"},
            "end",
        ),
        (
            "/ranges",
            {"subnet": "10.0.20.0/24", "kind": "dynamic", "start": "10.0.20.9", "end": "10.0.20.8"},
            "end",
        ),
        (
            "/ranges",
            {"subnet": "10.0.20.0/24", "kind": "dynamic", "start": "10.0.20.1", "end": "10.0.20.8"},
            "start",
        ),
        ("/addresses", {"ip": "10.0.20.255"}, "ip"),
        ("/addresses", {"ip": "10.9.9.9"}, "ip"),
        ("/zones", {"name": "7"}, "name"),
        ("/tags", {"name": "a,b"}, "name"),
        ("/nodes", {"hostname": "Bad Name", "macs": ["52:54:00:00:00:01"]}, "hostname"),
        ("/nodes", {"hostname": "dev", "macs": ["53:54:00:00:00:01"]}, "macs"),
        ("/nodes", {"hostname": "dev", "macs": []}, "macs"),
    ],
)
def test_a_wrong_value_is_refused_by_its_field(
    net: httpx.Client, path: str, body: dict[str, Any], field: str
) -> None:
    answer = net.post(path, json=body)
    assert code_of(answer) == (422, "invalid-value")
    assert answer.json()["details"]["field"] == field
    assert answer.json()["details"]["expected"]


def test_a_domain_has_a_description(net: httpx.Client) -> None:
    assert net.get("/domains").json()["items"][0]["description"] == ""
    make(net, "/domains", name="lab.example", description="hosts of the lab")
    renamed = net.patch("/domains/lab.example", json={"name": "test.example"})
    assert renamed.json()["description"] == "hosts of the lab"
    changed = net.patch("/domains/test.example", json={"description": "hosts of the tests"})
    assert changed.json() == net.get("/domains/test.example").json() | {"description": "hosts of the tests"}


def test_an_ipv6_gateway_may_be_link_local(net: httpx.Client) -> None:
    found = make(net, "/subnets", cidr="fd00::/64", vlan="lan/0", gateway="fe80::1")
    assert found["gateway"] == "fe80::1"


def test_what_is_in_use_stays_and_names_its_users(net: httpx.Client) -> None:
    answer = net.delete("/spaces/dmz")
    assert code_of(answer) == (409, "in-use")
    assert answer.json()["details"]["by"] == ["VLAN lan/20"]
    assert code_of(net.delete("/vlans/lan/20")) == (409, "in-use")
    assert code_of(net.delete("/fabrics/lan")) == (409, "in-use")
    for path in ("/subnets/10.0.20.0/24", "/vlans/lan/20", "/spaces/dmz", "/fabrics/lan"):
        assert net.delete(path).status_code == 204


def test_ranges_and_addresses_keep_out_of_each_others_way(net: httpx.Client) -> None:
    make(net, "/addresses", ip="10.0.20.9", comment="printer")
    dynamic = {"subnet": "10.0.20.0/24", "kind": "dynamic"}
    answer = net.post("/ranges", json=dynamic | {"start": "10.0.20.5", "end": "10.0.20.19"})
    assert code_of(answer) == (409, "in-use")
    assert answer.json()["details"]["by"] == ["address 10.0.20.9"]
    make(net, "/ranges", **dynamic, start="10.0.20.100", end="10.0.20.199")
    answer = net.post("/ranges", json=dynamic | {"start": "10.0.20.150", "end": "10.0.20.250"})
    assert code_of(answer) == (409, "already-exists")
    assert code_of(net.post("/addresses", json={"ip": "10.0.20.120"})) == (422, "invalid-value")
    answer = net.post("/addresses", json={"ip": "10.0.20.9"})
    assert "printer" in answer.json()["detail"]
    assert net.delete("/addresses/10.0.20.9").status_code == 204
    assert code_of(net.delete("/addresses/10.0.20.9")) == (404, "not-found")


def test_the_subnet_router_anycast_address_cannot_be_reserved(net: httpx.Client) -> None:
    make(net, "/subnets", cidr="fd00::/64", vlan="lan/20")
    answer = net.post("/addresses", json={"ip": "fd00::"})
    assert code_of(answer) == (422, "invalid-value")
    assert "the subnet-router anycast address of fd00::/64" in answer.json()["detail"]
    dynamic = {"subnet": "fd00::/64", "kind": "dynamic", "start": "fd00::", "end": "fd00::ff"}
    assert code_of(net.post("/ranges", json=dynamic)) == (422, "invalid-value")
    make(net, "/ranges", **dynamic | {"start": "fd00::1"})


def test_of_an_unmanaged_subnet_only_reserved_ranges_can_be_set_aside(net: httpx.Client) -> None:
    make(net, "/subnets", cidr="10.0.30.0/24", vlan="lan/20", managed=False)
    answer = net.post("/addresses", json={"ip": "10.0.30.9"})
    assert code_of(answer) == (422, "invalid-value")
    assert "outside the reserved ranges" in answer.json()["detail"]
    make(net, "/ranges", subnet="10.0.30.0/24", kind="reserved", start="10.0.30.5", end="10.0.30.19")
    make(net, "/addresses", ip="10.0.30.9")
    # Of a managed one a reserved range keeps machines out: addresses in it can be set aside by hand.
    make(net, "/ranges", subnet="10.0.20.0/24", kind="reserved", start="10.0.20.5", end="10.0.20.19")
    make(net, "/addresses", ip="10.0.20.9")


def test_dhcp_goes_one_hop_and_is_not_cut_from_those_that_it_relays(net: httpx.Client) -> None:
    relay = {"mode": "relay", "relay": "lan/0"}
    assert code_of(net.put("/vlans/lan/20/dhcp", json=relay)) == (422, "invalid-value")
    assert net.put("/vlans/lan/0/dhcp", json={"mode": "on"}).json()["dhcp"] == "on"
    found = net.put("/vlans/lan/20/dhcp", json=relay).json()
    assert (found["dhcp"], found["relay"], found["bootable"]) == ("relay", "lan/0", True)
    make(net, "/vlans", fabric="lan", vid=30)
    chained = {"mode": "relay", "relay": "lan/20"}
    assert code_of(net.put("/vlans/lan/30/dhcp", json=chained)) == (422, "invalid-value")
    itself = {"mode": "relay", "relay": "lan/30"}
    assert code_of(net.put("/vlans/lan/30/dhcp", json=itself)) == (422, "invalid-value")
    answer = net.put("/vlans/lan/0/dhcp", json={"mode": "off"})
    assert code_of(answer) == (409, "in-use")
    assert "lan/20" in answer.json()["detail"]


def test_served_changes_reach_the_dhcp_server(server: Running, net: httpx.Client) -> None:
    assert server.dhcp.intents == []
    net.put("/vlans/lan/20/dhcp", json={"mode": "on"})
    assert [str(each.cidr) for each in server.dhcp.intents[-1].subnets] == ["10.0.20.0/24"]
    make(net, "/ranges", subnet="10.0.20.0/24", kind="dynamic", start="10.0.20.100", end="10.0.20.199")
    assert [str(each.start) for each in server.dhcp.intents[-1].subnets[0].pools] == ["10.0.20.100"]
    net.put("/vlans/lan/20/dhcp", json={"mode": "off"})
    assert server.dhcp.intents[-1].subnets == ()


@pytest.mark.parametrize(
    ("error", "status"), [(DhcpRejected("bad subnet"), 502), (DhcpUnreachable("no socket"), 503)]
)
def test_what_the_dhcp_server_refuses_is_taken_back(
    server: Running, net: httpx.Client, error: DhcpRejected | DhcpUnreachable, status: int
) -> None:
    net.put("/vlans/lan/20/dhcp", json={"mode": "on"})
    body = {"subnet": "10.0.20.0/24", "kind": "dynamic", "start": "10.0.20.100", "end": "10.0.20.199"}
    make(net, "/ranges", **body)
    before = {path: _plain(net.get(path).json()) for path in ("/vlans", "/subnets", "/ranges")}
    server.dhcp.error = error
    attempts = [
        net.put("/vlans/lan/20/dhcp", json={"mode": "off"}),
        net.put("/vlans/lan/0/dhcp", json={"mode": "on"}),
        net.patch("/vlans/lan/20", json={"mtu": 9000}),
        net.post("/subnets", json={"cidr": "10.0.21.0/24", "vlan": "lan/20"}),
        net.patch("/subnets/10.0.20.0/24", json={"gateway": None}),
        net.delete("/subnets/10.0.20.0/24"),
        net.patch("/ranges/1", json={"end": "10.0.20.200"}),
        net.delete("/ranges/1"),
        net.post("/ranges", json=body | {"start": "10.0.20.50", "end": "10.0.20.60"}),
    ]
    assert [each.status_code for each in attempts] == [status] * len(attempts)
    assert all(error.cause in each.json()["detail"] for each in attempts)
    assert {path: _plain(net.get(path).json()) for path in before} == before


def _plain(page: dict[str, Any]) -> list[dict[str, Any]]:
    """Without generations: taking a change back counts as a change."""
    return [{key: value for key, value in item.items() if key != "generation"} for item in page["items"]]


def test_the_operators_word_on_an_interface(net: httpx.Client) -> None:
    make(net, "/nodes", hostname="dev", macs=["52:54:00:00:aa:01"])
    body = {"vlan": "lan/20", "tags": ["up"], "enabled": False, "link_speed": 1000}
    node = net.patch("/nodes/dev/interfaces/eth0", json=body).json()
    nic = node["interfaces"][0]
    assert (nic["vlan"], nic["vlan_source"], nic["tags"]) == ("lan/20", "operator", ["up"])
    assert (nic["enabled"], nic["link_speed"]) == (False, 1000)
    node = net.patch("/nodes/dev/interfaces/eth0", json={"vlan": None}).json()
    assert (node["interfaces"][0]["vlan"], node["interfaces"][0]["vlan_source"]) == (None, "operator")
    assert code_of(net.patch("/nodes/dev/interfaces/eth9", json={"tags": []})) == (404, "not-found")
    assert code_of(net.patch("/nodes/dev/interfaces/eth0", json={"vlan": "x/1"})) == (404, "not-found")
    clash = net.post("/nodes", json={"hostname": "two", "macs": ["52:54:00:00:aa:01"]})
    assert code_of(clash) == (409, "already-exists")


def test_a_world_that_was_exported_is_one_that_simulate_reads(net: httpx.Client) -> None:
    from hostloom.simulation.world_file import read_world

    document = net.get("/world").json()
    assert [each["name"] for each in document["fabrics"]] == ["lan"]
    assert read_world(document).snapshot.subnets[0].name == "10.0.20.0/24"
