"""Imports over HTTP: previewed, done once as an operation, and bodies that are none."""

from collections.abc import Callable
from ipaddress import ip_interface
from typing import Any

import httpx
import pytest

from hostloom.client.documents import document_of
from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.errors.outside import DhcpRejected
from hostloom.model.event import node_subject
from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.node import InterfaceKind, Node, NodeKind
from hostloom.model.observed import ObservedLink, ObservedNetwork
from hostloom.model.operation import Operation, OperationState
from hostloom.recording.record import record_network
from hostloom.sagas.worker import Worker
from hostloom.services import access
from support.imports import an_estate
from support.maas import Maas, make_key
from support.server import KEY, NOON, Running

TakeOver = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def take_over(server: Running, http: httpx.Client) -> TakeOver:
    """Imports a body, runs its operation to the end, and returns the result."""

    def run(body: dict[str, Any]) -> dict[str, Any]:
        started = http.post("/imports", json=body)
        assert started.status_code == 202, started.text
        key, worker = started.json()["id"], Worker(server.ports, "test", threads=0)
        while not http.get(f"/operations/{key}").json()["finished"]:
            assert worker.run_one() is not None
        result: dict[str, Any] = http.get(f"/imports/{key}").json()
        return result

    return run


@pytest.fixture
def body() -> dict[str, Any]:
    return {"estate": document_of(an_estate())}


def test_shown_then_done_then_nothing_to_do(
    http: httpx.Client, body: dict[str, Any], take_over: TakeOver
) -> None:
    shown = http.post("/imports/plan", json=body)
    assert shown.status_code == 200, shown.text
    plan = shown.json()
    assert (plan["counts"]["create"], plan["unserved"]) == (29, ["physical/20"])
    assert [(host["id"], host["name"], host["zone"]) for host in plan["hosts"]] == [
        (1, "kvm1", "2"),
        (7, "kvm-3", "1"),
    ]
    assert http.get("/fabrics").json()["items"] == []
    assert http.get("/operations").json()["items"] == []
    done = take_over(body)
    assert done["changes"] == plan["changes"]
    assert done["operation"]["saga"] == "import-inventory"
    assert [fabric["name"] for fabric in http.get("/fabrics").json()["items"]] == ["fabric-0", "physical"]
    assert _kinds(http) == ["imported"]
    again = take_over(body)
    assert {change["action"] for change in again["changes"] if change["noun"] != "host"} == {"same"}
    assert _kinds(http).count("imported") == 1


def _kinds(http: httpx.Client) -> list[str]:
    return [event["kind"] for event in http.get("/events").json()["items"]]


def test_each_host_is_added_by_an_operation_of_its_own(
    server: Running, http: httpx.Client, body: dict[str, Any], take_over: TakeOver
) -> None:
    """An API client sees which host needs its key accepted, and what became of the others."""
    done = take_over(body)
    kvm1, kvm3 = done["hosts"]
    assert (kvm1["state"], kvm1["error"], done["hosts_added"]) == ("pending", "", [])
    assert (kvm3["operation_id"], kvm3["error_code"], kvm3["fingerprint"]) == (
        None,
        "host-key-unknown",
        KEY.fingerprint,
    )
    assert Worker(server.ports, "test", threads=0).run_one() is not None
    result = http.get(f"/imports/{done['operation']['id']}").json()
    assert (result["hosts"][0]["state"], result["hosts_added"]) == ("succeeded", ["kvm1"])
    assert http.get("/hosts/kvm1").json()["id"] == 1
    assert any("log in to the hosts" in step for step in result["next_steps"])
    again = take_over(body | {"accept_keys": {"kvm-3": KEY.fingerprint}})
    assert [(host["name"], host["state"]) for host in again["hosts"]] == [("kvm-3", "pending")]


def test_vlans_are_served_on_request(http: httpx.Client, body: dict[str, Any], take_over: TakeOver) -> None:
    done = take_over(body | {"dhcp": True})
    assert (done["vlans_served"], done["unserved"]) == (["physical/20"], [])
    assert http.get("/vlans/5003").json()["dhcp"] == "on"


def test_a_dhcp_server_that_refuses_fails_the_import(
    server: Running, http: httpx.Client, body: dict[str, Any], take_over: TakeOver
) -> None:
    server.dhcp.error = DhcpRejected("it does not like it")
    with server.ports.store.begin() as uow:
        vlan = uow.vlans.list()
    failed = take_over(body | {"dhcp": True})
    # The undo publishes too, and is refused in the same way.
    assert (failed["operation"]["state"], failed["operation"]["error_code"]) == ("stuck", "dhcp-rejected")
    server.dhcp.error = None
    assert http.post(f"/operations/{failed['operation']['id']}/retry").status_code == 200
    assert Worker(server.ports, "test", threads=0).run_one() is not None
    result = http.get(f"/imports/{failed['operation']['id']}").json()
    assert (result["operation"]["state"], result["changes"], result["hosts"]) == ("failed", [], [])
    assert http.get("/fabrics").json()["items"] == []
    with server.ports.store.begin() as uow:
        assert uow.vlans.list() == vlan


def test_a_password_in_a_uri_is_not_stored(server: Running, http: httpx.Client, take_over: TakeOver) -> None:
    uri = "qemu+ssh://root:hunter2@10.0.0.9/system"
    host = {"id": 1, "name": "kvm9", "kind": "virsh", "uri": uri}
    done = take_over({"estate": {"source": "a test", "hosts": [host]}})
    assert [(change["name"], change["action"]) for change in done["changes"]] == [("kvm9", "impossible")]
    database = b"".join(file.read_bytes() for file in server.socket.parent.glob("hostloom.db*"))
    assert b"kvm9" in database
    assert b"hunter2" not in database


def test_only_imports_have_a_result(http: httpx.Client) -> None:
    host = http.post("/hosts", json={"name": "kvm1", "uri": "test:///default"}).json()
    for key in (host["id"], "nothing"):
        assert http.get(f"/imports/{key}").status_code == 404


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
        record_network(uow, server.ports, node, ObservedNetwork("five", links), node_subject(node))
        uow.commit()


def test_networks_that_hostloom_made_give_way(
    server: Running, http: httpx.Client, body: dict[str, Any], take_over: TakeOver
) -> None:
    """Terraform's states name networks by MAAS's ids: each must stay the one that it was there."""
    a_rack_with_five_networks(server)
    maas = Maas(server.url, make_key(server.ports), NOON)
    assert [fabric["id"] for fabric in maas.get("fabrics/")] == [1, 2, 3, 4, 5]
    shown = http.post("/imports/plan", json=body).json()
    text = "hostloom made it by itself with id 1, which an imported one needs"
    assert text in [change["text"] for change in shown["changes"] if change["noun"] == "fabric"]
    assert take_over(body)["changes"] == shown["changes"]
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
    again = take_over(body)
    assert {change["action"] for change in again["changes"] if change["noun"] != "host"} == {"same"}
    cidrs = {subnet["cidr"] for subnet in maas.get("subnets/")}
    assert {f"100.72.{number}.0/24" for number in (10, 20, 40, 50)} <= cidrs
    assert len({subnet["id"] for subnet in maas.get("subnets/")}) == 7


def test_subnets_of_a_static_route_keep_their_ids(
    server: Running, http: httpx.Client, body: dict[str, Any], take_over: TakeOver
) -> None:
    a_rack_with_five_networks(server)
    maas = Maas(server.url, make_key(server.ports), NOON)
    wanted = {"source": 1, "destination": 2, "gateway_ip": "100.72.10.1", "metric": 7}
    route = maas.post("static-routes/", **wanted)
    shown = http.post("/imports/plan", json=body).json()
    texts = {change["name"]: change["text"] for change in shown["changes"]}
    assert "its id is taken here" in texts["10.0.0.0/24"]
    assert "its id is taken here" in texts["10.0.20.0/24"]
    take_over(body)
    after = maas.get(f"static-routes/{route['id']}/")
    for end in ("source", "destination"):
        assert (after[end]["id"], after[end]["cidr"]) == (route[end]["id"], route[end]["cidr"])
    assert maas.get("subnets/1/")["cidr"] == "100.72.10.0/24"


def test_the_fabric_0_is_like_any_other(
    server: Running, http: httpx.Client, body: dict[str, Any], take_over: TakeOver
) -> None:
    take_over(body)
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


def test_resource_pools_and_domains_have_their_ids(
    server: Running, http: httpx.Client, body: dict[str, Any], take_over: TakeOver
) -> None:
    """The default ones are MAAS's, with the id 0; what comes after the import is in them."""
    maas = Maas(server.url, make_key(server.ports), NOON)
    take_over(body)
    assert {pool["name"]: pool["id"] for pool in maas.get("resourcepools/")} == {"default": 0, "web": 1}
    assert maas.get("resourcepool/1/")["name"] == "web"
    assert [(domain["id"], domain["is_default"]) for domain in maas.get("domains/")] == [(0, True)]
    device = maas.post("devices/", hostname="late", mac_addresses="52:54:00:00:77:01")
    assert device["domain"]["id"] == 0
    shown = http.get("/resource-pools/0").json()
    assert (shown["id"], shown["name"]) == (0, "default")
    assert http.get(f"/nodes/{device['system_id']}").json()["resource_pool"] == "default"
    assert maas.put("resourcepool/0/", description="all")["id"] == 0
    assert maas.send("DELETE", "resourcepool/0/").status_code == 409
    first = http.get("/resource-pools?limit=1").json()
    assert [pool["id"] for pool in first["items"]] == [0]
    again = http.post("/imports/plan", json=body).json()
    assert {change["id"] for change in again["changes"] if change["noun"] == "resource-pool"} == {"0", "1"}


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
    found = http.post("/imports/plan", json={"estate": estate})
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
    found = httpx.post(f"{server.url}/api/v1/imports/plan", json=body, headers=headers)
    assert found.status_code == 403


FABRIC = {"id": 1, "name": "lan"}
VLAN = {"id": 4, "fabric_id": 1, "vid": 7, "name": "10"}
NIC = {"id": 1, "name": "eth0", "kind": "physical", "mac": "02:00:00:00:00:01", "vlan_id": 9}


@pytest.mark.parametrize(
    ("estate", "state"),
    [
        ({"fabrics": [FABRIC, FABRIC]}, "succeeded"),
        ({"fabrics": [{"id": 1, "name": "y" * 255}, {"id": 2, "name": "y" * 254}]}, "succeeded"),
        ({"fabrics": [FABRIC], "vlans": [VLAN, VLAN | {"id": 5, "mtu": 99999}]}, "failed"),
        ({"fabrics": [FABRIC], "vlans": [VLAN | {"relay_vlan_id": 4, "space_id": 3}]}, "succeeded"),
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
            "succeeded",
        ),
        ({"nodes": [{"system_id": "a", "hostname": "x", "kind": "machine"}] * 2}, "failed"),
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
            "succeeded",
        ),
        ({"zones": [{"id": 0, "name": ""}] * 2, "tags": [{"id": 0, "name": "é ;"}]}, "succeeded"),
        (
            {"domains": [{"id": 0, "name": "..."}], "resource_pools": [{"id": 1, "name": "\u202e"}]},
            "succeeded",
        ),
    ],
)
def test_strange_estates_are_taken_once_or_refused(
    estate: dict[str, Any], state: str, take_over: TakeOver
) -> None:
    for _ in range(2):
        result = take_over({"estate": {"source": "a test"} | estate})
        assert result["operation"]["state"] == state, result
    counts = result["counts"]
    assert (counts["create"], counts["change"]) == (0, 0)


def _bonded() -> dict[str, Any]:
    """A machine with a bond on a VLAN without a name, one NIC for each way to have no address."""
    office = {"cidr": "10.0.9.0/24"}
    nics = [
        {"id": 1, "name": "eth0", "kind": "physical", "mac": "02:00:00:00:09:01", "vlan_id": 5},
        {
            "id": 2,
            "name": "bond0",
            "kind": "bond",
            "mac": "02:00:00:00:09:01",
            "vlan_id": 5,
            "parents": ["eth0"],
        },
        {"id": 3, "name": "eth3", "kind": "physical", "mac": "02:00:00:00:09:03", "vlan_id": 5},
    ]
    link = {"system_id": "bond01", "subnet": office["cidr"]}
    parameter = {"system_id": "bond01", "interface_name": "bond0"}
    return {
        "source": "a test",
        "fabrics": [{"id": 3, "name": "lan"}],
        "vlans": [
            {"id": 4, "fabric_id": 3, "vid": 0, "name": ""},
            {"id": 5, "fabric_id": 3, "vid": 20, "name": ""},
        ],
        "subnets": [{"id": 9, "cidr": office["cidr"], "vlan_id": 5, "name": "office"}],
        "domains": [{"id": 0, "name": "maas"}, {"id": 1, "name": "east"}],
        "ttls": [{"domain_id": 0, "seconds": 300}, {"domain_id": 1, "seconds": 60}],
        "nodes": [
            {"system_id": "bond01", "hostname": "db1", "kind": "machine", "interfaces": nics},
            {"system_id": "dev009", "hostname": "sensor", "kind": "device"},
        ],
        "devices": [{"system_id": "dev009", "owner": "ann", "parent": "bond01"}],
        "links": [
            link | {"interface_name": "eth0", "mode": "link_up", "subnet": None},
            link | {"interface_name": "bond0", "mode": "static", "ip": "10.0.9.5"},
            link | {"interface_name": "eth3", "mode": "auto"},
            link | {"interface_name": "eth3", "mode": "dhcp"},
        ],
        "held": [
            {
                "ip": "10.0.9.5",
                "kind": "static",
                "subnet_id": 9,
                "system_id": "bond01",
                "interface_name": "bond0",
            },
        ],
        "parameters": [
            parameter | {"name": "bond_mode", "value": "802.3ad"},
            parameter | {"name": "bond_miimon", "value": 100},
            parameter | {"name": "accept_ra", "value": True},
        ],
    }


def _shown_links(machine: dict[str, Any]) -> dict[str, list[tuple[str, str | None, str | None]]]:
    return {
        nic["name"]: [
            (link["mode"], link.get("ip_address"), link.get("subnet", {}).get("cidr"))
            for link in nic["links"]
        ]
        for nic in machine["interface_set"]
    }


def test_what_hostloom_has_no_place_for_is_shown_as_in_maas(server: Running, take_over: TakeOver) -> None:
    body = {"estate": _bonded()}
    take_over(body)
    maas = Maas(server.url, make_key(server.ports), NOON)
    machine = maas.get("machines/bond01/")
    assert _shown_links(machine) == {
        "eth0": [("link_up", None, None)],
        "bond0": [("static", "10.0.9.5", "10.0.9.0/24")],
        "eth3": [("auto", None, "10.0.9.0/24"), ("dhcp", None, "10.0.9.0/24")],
    }
    parameters = {nic["name"]: nic["params"] for nic in machine["interface_set"]}
    assert parameters["bond0"] == {"bond_mode": "802.3ad", "bond_miimon": 100, "accept_ra": True}
    assert parameters["eth0"] == {}
    device = maas.get("devices/dev009/")
    assert (device["owner"], device["parent"]) == ("ann", "bond01")
    assert [(domain["name"], domain["ttl"]) for domain in maas.get("domains/")] == [
        ("maas", 300),
        ("east", 60),
    ]
    assert maas.get("fabrics/3/vlans/20/")["name"] == ""
    again = take_over(body)
    assert {change["action"] for change in again["changes"]} == {"same"}


def test_a_vlan_without_a_name_can_be_changed(
    server: Running, http: httpx.Client, take_over: TakeOver
) -> None:
    take_over({"estate": _bonded()})
    maas = Maas(server.url, make_key(server.ports), NOON)
    assert maas.put("fabrics/3/vlans/20/", mtu=9000, name="")["name"] == ""
    assert http.get("/vlans/5").json()["mtu"] == 9000
    assert maas.put("fabrics/3/vlans/20/", name="lab")["name"] == "lab"


def test_a_link_that_is_changed_is_no_longer_the_imported_one(server: Running, take_over: TakeOver) -> None:
    take_over({"estate": _bonded()})
    maas = Maas(server.url, make_key(server.ports), NOON)
    (nic,) = (nic for nic in maas.get("machines/bond01/")["interface_set"] if nic["name"] == "eth3")
    path = f"nodes/bond01/interfaces/{nic['id']}/"
    shown = maas.post(path, op="unlink_subnet", id=nic["links"][0]["id"])
    assert shown["links"] == []
    assert maas.get("nodes/bond01/interfaces/2/")["params"]["bond_mode"] == "802.3ad"
    again = take_over({"estate": _bonded()})
    assert {change["action"] for change in again["changes"]} == {"same"}


def test_what_is_missing_is_kept_with_things_that_are_here(server: Running, take_over: TakeOver) -> None:
    """They were imported before hostloom stored these fields. Values that a client has set since stay."""
    estate = _bonded()
    parts = ("devices", "links", "parameters", "ttls")
    take_over({"estate": {name: part for name, part in estate.items() if name not in parts}})
    maas = Maas(server.url, make_key(server.ports), NOON)
    maas.put("domains/0/", ttl=7)
    done = take_over({"estate": estate})
    assert {change["name"]: change["text"] for change in done["changes"] if change["action"] == "change"} == {
        "east": "kept for MAAS's clients: ttl",
        "db1": "kept for MAAS's clients: links and parameters of NICs",
        "sensor": "kept for MAAS's clients: owner, parent",
    }
    assert maas.get("domains/0/")["ttl"] == 7
    assert maas.get("devices/dev009/")["owner"] == "ann"


def test_links_of_a_host_and_of_what_a_dump_holds(
    server: Running, body: dict[str, Any], take_over: TakeOver
) -> None:
    take_over(body)
    maas = Maas(server.url, make_key(server.ports), NOON)
    assert _shown_links(maas.get("machines/kvm001/")) == {
        "eth0": [("link_up", None, None)],
        "eth1": [("link_up", None, None)],
        "br0": [("static", "10.0.0.5", "10.0.0.0/24")],
        "eth1.20": [],
    }
    shown = {key: _shown_links(maas.get(f"machines/{key}/")) for key in ("4y3h7n", "mt0001")}
    assert shown["4y3h7n"] == {"eth0": [("auto", "10.0.20.50", "10.0.20.0/24")]}
    assert shown["mt0001"] == {"eno1": [("dhcp", None, "10.0.0.0/24")]}
    (bridge,) = (nic for nic in maas.get("machines/kvm001/")["interface_set"] if nic["name"] == "br0")
    assert bridge["params"] == {"bridge_type": "standard", "bridge_stp": False}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"links": [{"system_id": "a", "interface_name": "e", "mode": "magic"}]}, "estate.links.0.mode"),
        ({"ttls": [{"domain_id": 0, "seconds": 0}]}, "estate.ttls.0.seconds"),
        ({"devices": [{"system_id": "a", "parent": "../x"}]}, "estate.devices.0.parent"),
    ],
)
def test_what_is_wrong_of_the_kept_is_named(http: httpx.Client, change: dict[str, Any], field: str) -> None:
    found = http.post("/imports", json={"estate": {"source": "a test"} | change})
    assert found.status_code == 422, found.text
    assert [each["field"] for each in found.json()["errors"]] == [field]


def test_too_much_of_one_node_is_left_out_and_said(server: Running, take_over: TakeOver) -> None:
    estate = _bonded()
    of_bond = {"system_id": "bond01", "interface_name": "bond0", "value": "x" * 200}
    estate["parameters"] = [of_bond | {"name": f"p{number}"} for number in range(200)]
    assert take_over({"estate": estate})["notes"] == [
        "db1: too many links and parameters of interfaces to keep"
    ]
    maas = Maas(server.url, make_key(server.ports), NOON)
    assert maas.get("devices/dev009/")["parent"] == "bond01"
