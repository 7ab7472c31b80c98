"""Racks over the API: added when they answer, shown with what they serve, kept while a VLAN names them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hostloom.model.errors.outside import DhcpUnreachable
from hostloom.model.ids import RackId, SystemId
from hostloom.model.rack import Rack
from support.fake_dhcp import FakeDhcp, FakeServers
from support.server import KEY, Running, running

SECOND = "unix:/run/second"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as server:
        assert isinstance(server.ports.dhcp, FakeServers)
        server.ports.dhcp.others[SECOND] = FakeDhcp()
        yield server


def add(server: Running, **changes: object) -> httpx.Response:
    body = {"name": "rack2", "node": "rack", "control": SECOND} | changes
    with server.http() as http:
        return http.post("/racks", json=body)


def test_this_machines_own_is_there(server: Running) -> None:
    with server.http() as http:
        (rack,) = http.get("/racks").json()["items"]
        assert (rack["name"], rack["node"], rack["control"]) == ("rack", "rack", "local")
        status = http.get("/racks/rack/status").json()
        assert (status["trouble"], status["versions"]) == ("", {"4": "2.2.0"})
        assert http.get("/racks/rack/leases").json() == {"items": []}


def test_one_that_does_not_answer_is_not_recorded(server: Running) -> None:
    second = server.ports.dhcp.others[SECOND]
    second.reachable = False
    refused = add(server)
    assert refused.status_code in (502, 503)
    with server.http() as http:
        assert len(http.get("/racks").json()["items"]) == 1
    for wrong in ({"control": "tcp:1"}, {"control": "local"}, {"node": "nobody"}, {"name": "7"}, {"x": 1}):
        assert 400 <= add(server, **wrong).status_code < 500, wrong


def test_a_pair_serves_a_vlan_and_is_kept_while_it_does(server: Running) -> None:
    assert add(server).status_code == 201
    with server.http() as http:
        http.post("/fabrics", json={"name": "f"})
        for vid in (10, 20):
            http.post("/vlans", json={"fabric": "f", "vid": vid})
        pair = {"mode": "on", "primary": "rack", "secondary": "rack2"}
        vlan = http.put("/vlans/f/10/dhcp", json=pair).json()
        assert (vlan["primary_rack"], vlan["secondary_rack"]) == ("rack", "rack2")
        assert vlan["racks"] == ["rack", "rack2"]
        turned = {"mode": "on", "primary": "rack2", "secondary": "rack"}
        refused = http.put("/vlans/f/20/dhcp", json=turned)
        assert refused.status_code in (400, 422)
        assert "rack with rack2 standing by" in refused.text
        assert http.put("/vlans/f/20/dhcp", json=pair).status_code == 200
        assert http.get("/racks/rack2").json()["standby_vlans"] == ["f/10", "f/20"]
        in_use = http.delete("/racks/rack2")
        assert in_use.status_code == 409
        assert "f/10" in in_use.text
        for vid in (10, 20):
            http.put(f"/vlans/f/{vid}/dhcp", json={"mode": "on"})
        assert http.delete("/racks/rack2").status_code == 204


def test_a_dead_rack_stops_only_what_it_alone_serves(server: Running) -> None:
    assert add(server).status_code == 201
    with server.http() as http:
        http.post("/fabrics", json={"name": "f"})
        http.post("/vlans", json={"fabric": "f", "vid": 10})
        http.put("/vlans/f/10/dhcp", json={"mode": "on", "primary": "rack", "secondary": "rack2"})
        server.dhcp.error = DhcpUnreachable("it is off")
        subnet = {"cidr": "10.0.0.0/24", "vlan": "f/10", "ntp_servers": ["10.0.0.9"], "lease_time_s": 120}
        made = http.post("/subnets", json=subnet)
        assert made.status_code == 201, made.text
        assert (made.json()["ntp_servers"], made.json()["lease_time_s"]) == (["10.0.0.9"], 120)
        server.dhcp.error = None
        http.put("/vlans/f/10/dhcp", json={"mode": "on", "primary": "rack"})
        server.dhcp.error = DhcpUnreachable("it is off")
        refused = http.patch("/subnets/10.0.0.0%2F24", json={"lease_time_s": 180})
        assert refused.status_code >= 500
        assert http.get("/subnets/10.0.0.0%2F24").json()["lease_time_s"] == 120
        assert http.patch("/subnets/10.0.0.0%2F24", json={"lease_time_s": 3}).status_code in (400, 422)


def test_a_dead_rack_stops_no_change_of_a_vlan_that_another_serves(server: Running) -> None:
    assert add(server).status_code == 201
    second = server.ports.dhcp.others[SECOND]
    with server.http() as http:
        http.post("/fabrics", json={"name": "f"})
        for vid, rack in ((10, "rack"), (20, "rack2")):
            http.post("/vlans", json={"fabric": "f", "vid": vid})
            served = http.put(f"/vlans/f/{vid}/dhcp", json={"mode": "on", "primary": rack})
            assert served.status_code == 200, served.text
        second.reachable = False
        assert http.patch("/vlans/f/10", json={"mtu": 9000}).status_code == 200
        assert http.patch("/vlans/f/20", json={"mtu": 9000}).status_code == 503
        assert http.get("/vlans/f/20").json()["mtu"] == 1500
        # It would go on serving the VLAN: that must not look done.
        assert http.put("/vlans/f/20/dhcp", json={"mode": "off"}).status_code == 503
        assert http.get("/vlans/f/20").json()["dhcp"] == "on"
        # Another rack can take the VLAN over.
        assert http.put("/vlans/f/20/dhcp", json={"mode": "on", "primary": "rack"}).status_code == 200


def test_one_behind_ssh_is_read_once_its_key_is_accepted(server: Running) -> None:
    control = "ssh://root@10.9.9.9/run/kea/kea4-ctrl-socket"
    server.ports.dhcp.others[control] = FakeDhcp()
    with server.http() as http:
        body = {"name": "rack3", "control": control}
        refused = http.post("/racks", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "host-key-unknown")
        fingerprint = refused.json()["details"]["fingerprint"]
        wrong = http.post("/racks", json=body | {"accept_key": "SHA256:other"})
        assert wrong.status_code == 409
        # The test's scanner reads nothing: nothing is recorded, and the key is forgotten again.
        assert http.post("/racks", json=body | {"accept_key": fingerprint}).status_code == 409
        assert server.ports.keys.pinned("qemu+ssh://root@10.9.9.9/system") is None
        assert [each["name"] for each in http.get("/racks").json()["items"]] == ["rack"]
        nowhere = http.post("/racks", json={"name": "rack4", "control": SECOND})
        assert (nowhere.status_code, "node" in nowhere.text) == (422, True)


def test_a_rack_that_moves_takes_its_key_along(server: Running) -> None:
    """The key of its new place stays when the host there goes; the key of its old place is dropped."""
    places = [f"ssh://root@10.9.9.{number}/run/kea/kea4-ctrl-socket" for number in (8, 9)]
    hosts = [f"qemu+ssh://root@10.9.9.{number}/system" for number in (8, 9)]
    server.ports.dhcp.others |= {place: FakeDhcp() for place in places}
    server.ports.keys.pin(hosts[1], KEY)
    with server.http() as http:
        with server.ports.store.begin() as uow:
            uow.racks.add(Rack(RackId(0), "rack3", SystemId("rack01"), places[0], "", ""))
            uow.commit()
        server.ports.keys.pin(f"{hosts[0]}#/run/kea/kea4-ctrl-socket", KEY)
        moved = http.patch("/racks/rack3", json={"control": places[1]})
        assert moved.status_code == 200, moved.text
    server.ports.keys.release(hosts[1])
    assert server.ports.keys.pinned(hosts[1]) == KEY.fingerprint
    assert server.ports.keys.pinned(hosts[0]) is None
