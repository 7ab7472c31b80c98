"""Imports over HTTP: shown, done once, and bodies that are none."""

from ipaddress import ip_interface
from typing import Any

import httpx
import pytest

from hostloom.client.documents import document_of
from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.node import InterfaceKind, Node, NodeKind
from hostloom.model.observed import ObservedLink, ObservedNetwork
from hostloom.model.operation import Operation, OperationState
from hostloom.services import access
from hostloom.workflows.record_interfaces import record_network
from support.imports import an_estate
from support.maas import Maas, make_key
from support.server import NOON, Running


@pytest.fixture
def body() -> dict[str, Any]:
    return {"estate": document_of(an_estate())}


def test_shown_then_done_then_nothing_to_do(http: httpx.Client, body: dict[str, Any]) -> None:
    shown = http.post("/imports", json=body | {"dry_run": True})
    assert shown.status_code == 200, shown.text
    plan = shown.json()
    assert (plan["dry_run"], plan["counts"]["create"], plan["unserved"]) == (True, 29, ["physical/20"])
    assert http.get("/fabrics").json()["items"] == []
    done = http.post("/imports", json=body).json()
    assert done["changes"] == plan["changes"]
    assert [(each["id"], each["name"], each["zone"]) for each in done["hosts"]] == [
        (1, "kvm1", "2"),
        (7, "kvm-3", "1"),
    ]
    assert [each["name"] for each in http.get("/fabrics").json()["items"]] == ["fabric-0", "physical"]
    assert [each["kind"] for each in http.get("/events").json()["items"]] == ["imported"]
    again = http.post("/imports", json=body).json()
    assert {each["action"] for each in again["changes"] if each["noun"] != "host"} == {"same"}
    assert [each["kind"] for each in http.get("/events").json()["items"]] == ["imported"]


def a_rack_with_five_networks(server: Running) -> None:
    """hostloom makes fabrics 1 to 5 and subnets 1 to 5 of it, one of which MAAS knows too."""
    nets = ("100.72.10", "100.72.20", "10.0.30", "100.72.40", "100.72.50")
    links = tuple(
        ObservedLink(
            f"eth{number}",
            InterfaceKind.PHYSICAL,
            MacAddress(f"02:00:00:00:99:{number:02x}"),
            True,
            True,
            1500,
            (ip_interface(f"{net}.2/24"),),
        )
        for number, net in enumerate(nets)
    )
    with server.ports.store.begin() as uow:
        node = uow.nodes.add(Node(SystemId("five01"), "five", NodeKind.RACK_CONTROLLER))
        record_network(uow, server.ports, node, ObservedNetwork("five", links), "node five")
        uow.commit()


def test_networks_that_hostloom_made_give_way(
    server: Running, http: httpx.Client, body: dict[str, Any]
) -> None:
    """Terraform's states name networks by MAAS's ids: each must stay the one that it was there."""
    a_rack_with_five_networks(server)
    maas = Maas(server.url, make_key(server.ports), NOON)
    assert [fabric["id"] for fabric in maas.get("fabrics/")] == [1, 2, 3, 4, 5]
    shown = http.post("/imports", json=body | {"dry_run": True}).json()
    text = "hostloom made it by itself with id 1, which an imported one needs"
    assert text in [change["text"] for change in shown["changes"] if change["noun"] == "fabric"]
    done = http.post("/imports", json=body)
    assert done.status_code == 200, done.text
    assert done.json()["changes"] == shown["changes"]
    for key, name in ((0, "fabric-0"), (1, "physical")):
        fabric = maas.get(f"fabrics/{key}/")
        assert fabric["id"] == key
        assert name in fabric["name"]
        assert {vlan["fabric_id"] for vlan in fabric["vlans"]} == {key}
    subnets = {key: maas.get(f"subnets/{key}/") for key in (1, 2, 3)}
    assert {key: (subnet["id"], subnet["cidr"], subnet["vlan"]["id"]) for key, subnet in subnets.items()} == {
        1: (1, "10.0.0.0/24", 5001),
        2: (2, "10.0.20.0/24", 5003),
        3: (3, "10.0.30.0/24", 5004),
    }
    assert maas.get("fabrics/0/vlans/0/")["id"] == 5001
    rack = http.get("/nodes/five01").json()
    assert [nic["vlan"] for nic in rack["interfaces"] if nic["name"] == "eth2"] == ["physical/30"]
    again = http.post("/imports", json=body).json()
    assert {change["action"] for change in again["changes"] if change["noun"] != "host"} == {"same"}
    cidrs = {subnet["cidr"] for subnet in maas.get("subnets/")}
    assert {f"100.72.{number}.0/24" for number in (10, 20, 40, 50)} <= cidrs
    assert len({subnet["id"] for subnet in maas.get("subnets/")}) == 7


def test_subnets_of_a_static_route_keep_their_ids(
    server: Running, http: httpx.Client, body: dict[str, Any]
) -> None:
    a_rack_with_five_networks(server)
    maas = Maas(server.url, make_key(server.ports), NOON)
    wanted = {"source": 1, "destination": 2, "gateway_ip": "100.72.10.1", "metric": 7}
    route = maas.post("static-routes/", **wanted)
    shown = http.post("/imports", json=body | {"dry_run": True}).json()
    texts = {change["name"]: change["text"] for change in shown["changes"]}
    assert "its id is taken here" in texts["10.0.0.0/24"]
    assert "its id is taken here" in texts["10.0.20.0/24"]
    assert http.post("/imports", json=body).status_code == 200
    after = maas.get(f"static-routes/{route['id']}/")
    for end in ("source", "destination"):
        assert (after[end]["id"], after[end]["cidr"]) == (route[end]["id"], route[end]["cidr"])
    assert maas.get("subnets/1/")["cidr"] == "100.72.10.0/24"


def test_the_fabric_0_is_like_any_other(server: Running, http: httpx.Client, body: dict[str, Any]) -> None:
    http.post("/imports", json=body)
    maas = Maas(server.url, make_key(server.ports), NOON)
    shown = http.get("/fabrics/0").json()
    assert (shown["id"], shown["name"]) == (0, "fabric-0")
    first = http.get("/fabrics?limit=1").json()
    assert [fabric["id"] for fabric in first["items"]] == [0]
    vlan = maas.post("fabrics/0/vlans/", vid=77, name="seventy")
    assert vlan["fabric_id"] == 0
    assert maas.put("fabrics/0/", description="the first")["id"] == 0
    assert http.get("/fabrics/0").json()["description"] == "the first"
    assert http.get("/vlans").status_code == 200
    assert maas.send("DELETE", f"fabrics/0/vlans/{vlan['vid']}/").status_code == 204


def test_an_import_waits_for_operations_that_know_networks_by_id(
    server: Running, http: httpx.Client, body: dict[str, Any]
) -> None:
    a_rack_with_five_networks(server)
    running = Operation("op-1", "compose", OperationState.PENDING, "machine web", {}, created_at=NOON)
    with server.ports.store.begin() as uow:
        uow.operations.add(running)
        uow.commit()
    refused = http.post("/imports", json=body)
    assert refused.status_code == 409, refused.text
    assert "operation op-1" in refused.text
    assert [fabric["id"] for fabric in http.get("/fabrics").json()["items"]] == [1, 2, 3, 4, 5]


def test_a_host_keeps_its_id_where_it_is_free(http: httpx.Client) -> None:
    wanted = {"name": "kvm1", "uri": "test:///default", "id": 0}
    assert http.post("/hosts", json=wanted).status_code == 422
    assert http.post("/hosts", json=wanted | {"id": 2**31}).status_code == 422
    assert http.post("/hosts", json=wanted | {"id": 17}).status_code == 202


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "red"}, "estate.colour"),
        ({"source": 7}, "estate.source"),
        ({"zones": [{"id": -1, "name": "x"}]}, "estate.zones.0.id"),
        ({"zones": [{"id": 2**31, "name": "x"}]}, "estate.zones.0.id"),
        ({"fabrics": [{"id": "1", "name": "x"}]}, "estate.fabrics.0.id"),
        ({"vlans": [{"id": 1, "fabric_id": 1, "vid": 4095, "name": ""}]}, "estate.vlans.0.vid"),
        ({"subnets": [{"id": 1, "cidr": "10.0.0.1/24", "vlan_id": 1, "name": ""}]}, "estate.subnets.0.cidr"),
        ({"held": [{"ip": "10.0.0.300", "kind": "static"}]}, "estate.held.0.ip"),
        ({"held": [{"ip": "10.0.0.3", "kind": "mine"}]}, "estate.held.0.kind"),
        (
            {"nodes": [{"system_id": "../etc", "hostname": "x", "kind": "machine"}]},
            "estate.nodes.0.system_id",
        ),
        (
            {
                "nodes": [
                    {
                        "system_id": "a",
                        "hostname": "x",
                        "kind": "machine",
                        "interfaces": [{"id": 1, "name": "eth0", "kind": "physical", "mac": "zz"}],
                    }
                ]
            },
            "estate.nodes.0.interfaces.0.mac",
        ),
        ({"hosts": [{"id": 1, "name": "k", "kind": "virsh", "uri": "x" * 2000}]}, "estate.hosts.0.uri"),
    ],
)
def test_what_is_wrong_is_named(http: httpx.Client, change: dict[str, Any], field: str) -> None:
    found = http.post("/imports", json={"estate": {"source": "a test"} | change})
    assert found.status_code == 422, found.text
    assert [each["field"] for each in found.json()["errors"]] == [field]


def test_ten_thousand_machines_are_not_too_large(http: httpx.Client) -> None:
    nodes = [
        {"system_id": f"m{n:05d}", "hostname": f"vm{n}", "kind": "machine", "description": "x" * 100}
        for n in range(10_000)
    ]
    estate = {"source": "a test", "nodes": nodes}
    found = http.post("/imports", json={"estate": estate, "dry_run": True})
    assert found.status_code == 200, found.text[:500]
    assert found.json()["counts"]["create"] == 10_000
    too_large = http.post("/fabrics", json={"name": "x" * 2**20})
    assert too_large.status_code == 413


def test_an_ordinary_user_may_not(server: Running, body: dict[str, Any]) -> None:
    with server.ports.store.begin() as uow:
        access.create_user(uow, LOCAL_ADMIN, "bob")
        token = access.create_token(uow, LOCAL_ADMIN, server.ports.clock, server.ports.ids, "bob", "x")[1]
        uow.commit()
    headers = {"Authorization": f"Bearer {token}"}
    found = httpx.post(f"{server.url}/api/v1/imports", json=body | {"dry_run": True}, headers=headers)
    assert found.status_code == 403


FABRIC = {"id": 1, "name": "lan"}
VLAN = {"id": 4, "fabric_id": 1, "vid": 7, "name": "10"}
NIC = {"id": 1, "name": "eth0", "kind": "physical", "mac": "02:00:00:00:00:01", "vlan_id": 9}


@pytest.mark.parametrize(
    ("estate", "status"),
    [
        ({"fabrics": [FABRIC, FABRIC]}, 200),
        ({"fabrics": [{"id": 1, "name": "y" * 255}, {"id": 2, "name": "y" * 254}]}, 200),
        ({"fabrics": [FABRIC], "vlans": [VLAN, VLAN | {"id": 5, "mtu": 99999}]}, 409),
        ({"fabrics": [FABRIC], "vlans": [VLAN | {"relay_vlan_id": 4, "space_id": 3}]}, 200),
        (
            {
                "fabrics": [FABRIC],
                "vlans": [VLAN],
                "subnets": [
                    {"id": 1, "cidr": "10.0.0.0/24", "vlan_id": 4, "name": "10", "gateway": "fe80::1"}
                ],
                "ranges": [
                    {"id": 1, "subnet_id": 1, "kind": "dynamic", "start": "fd00::1", "end": "10.0.0.9"},
                    {"id": 2, "subnet_id": 9, "kind": "reserved", "start": "10.0.0.1", "end": "10.0.0.9"},
                ],
            },
            200,
        ),
        ({"nodes": [{"system_id": "a", "hostname": "x", "kind": "machine"}] * 2}, 409),
        (
            {
                "nodes": [
                    {
                        "system_id": "c",
                        "hostname": "",
                        "kind": "machine",
                        "interfaces": [NIC | {"parents": ["eth0"], "kind": "vlan"}, NIC],
                    }
                ],
                "held": [
                    {"ip": "10.0.0.1", "kind": "lease", "system_id": "zz"},
                    {"ip": "10.0.0.1", "kind": "observed"},
                    {"ip": "::1", "kind": "auto", "subnet_id": 77, "system_id": "c"},
                ],
            },
            200,
        ),
        ({"zones": [{"id": 0, "name": ""}] * 2, "tags": [{"id": 0, "name": "é ;"}]}, 200),
        ({"domains": [{"id": 0, "name": "..."}], "resource_pools": [{"id": 1, "name": "\u202e"}]}, 200),
    ],
)
def test_strange_estates_are_taken_once_or_refused(
    http: httpx.Client, estate: dict[str, Any], status: int
) -> None:
    for _ in range(2):
        found = http.post("/imports", json={"estate": {"source": "a test"} | estate})
        assert found.status_code == status, found.text
    counts = found.json().get("counts", {})
    assert not counts or (counts["create"], counts["change"]) == (0, 0)
