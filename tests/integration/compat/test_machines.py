"""What machines go through by MAAS's API, on two hosts of fakes with a served VLAN: allocate to release."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from hostloom.model.errors.outside import DhcpRejected
from hostloom.server.secret import FileSecrets
from support.little_world import URIS, LittleWorld, little_world
from support.maas import Maas, make_key, read_until
from support.server import CountedIds, serving


@dataclass
class Site:
    """A little world behind MAAS's API."""

    world: LittleWorld
    maas: Maas
    url: str

    def client(self, user: str, *, admin: bool = False) -> Maas:
        return Maas(self.url, make_key(self.world.ports, user, admin=admin), self.world.clock.now())

    def compose(self, name: str, **fields: Any) -> dict[str, Any]:
        made = self.maas.post("pods/1/", "compose", hostname=name, **fields)
        return self.until(f"machines/{made['system_id']}/", "Ready")

    def until(self, path: str, status: str) -> dict[str, Any]:
        shown: dict[str, Any] = read_until(lambda: self.maas.get(path), status)
        return shown


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    world = little_world(tmp_path)
    world.ports = replace(world.ports, secrets=FileSecrets(tmp_path / "secret"), ids=CountedIds())
    try:
        with serving(tmp_path, world.ports, worker=True) as url:
            key = make_key(world.ports)
            yield Site(world, Maas(url, key, world.clock.now()), url)
    finally:
        world.ports.store.close()


def test_the_smallest_that_fits_is_given_and_comes_back(site: Site) -> None:
    site.compose("big", memory=4096, cores=2)
    small = site.compose("small", interfaces="nic:space=mgmt", storage="root:8,data:4")
    given = site.maas.post(
        "machines/",
        "allocate",
        interfaces="x:space=mgmt",
        storage="d:4",
        mem="1024.0",
        agent_name="juju",
        zone="default",
    )
    assert (given["hostname"], given["status_name"], given["owner"]) == ("small", "Allocated", "ann")
    assert given["constraints_by_type"] == {
        "interfaces": {"x": [small["interface_set"][0]["id"]]},
        "storage": {"d": [small["blockdevice_set"][0]["id"]]},
    }
    path = f"machines/{small['system_id']}/"
    assert [each["hostname"] for each in site.maas.get("machines/", agent_name="juju")] == ["small"]
    assert [each["hostname"] for each in site.maas.get("machines/", op="list_allocated")] == ["small"]
    kept = site.maas.post(path, "set_owner_data", juju_model="m", empty="")
    assert kept["owner_data"] == {"juju_model": "m"}
    assert site.maas.post(path, "set_owner_data", juju_model="")["owner_data"] == {}
    assert site.maas.send("POST", path, {}, op="deploy").status_code == 400
    assert site.maas.post("machines/", "release", machines=small["system_id"]) == [small["system_id"]]
    freed = site.maas.get(path)
    assert (freed["status_name"], freed["owner"], freed["power_state"]) == ("Ready", None, "off")
    # Nothing happens to one that is free.
    assert site.maas.post(path, "release")["status_name"] == "Ready"


def test_a_missing_machine_is_composed_and_decomposed_at_its_release(site: Site) -> None:
    dry = site.maas.send("POST", "machines/", {"dry_run": "true"}, op="allocate")
    assert (dry.status_code, site.maas.get("machines/")) == (409, [])
    assert "a dry run does not" in dry.text
    given = site.maas.post("machines/", "allocate", cpu_count=2, mem=3000, interfaces="a:space=mgmt")
    assert (given["status_name"], given["owner"], given["dynamic"]) == ("Allocated", "ann", True)
    assert (given["cpu_count"], given["memory"]) == (2, 3000)
    assert given["constraints_by_type"]["interfaces"] == {"a": [given["interface_set"][0]["id"]]}
    other = site.maas.post("machines/", "allocate", pod="kvm2")
    assert other["pod"]["name"] == "kvm2"
    assert other["system_id"] != given["system_id"]
    assert site.maas.post(f"machines/{given['system_id']}/", "release")["system_id"] == given["system_id"]
    assert site.maas.send("GET", f"machines/{given['system_id']}/").status_code == 404
    site.maas.post("machines/", "release", machines=[other["system_id"]])
    assert site.maas.get("machines/") == []


def test_why_nothing_fits_is_said(site: Site) -> None:
    site.compose("one")
    for fields, words in (
        ({"mem": "999999"}, "1 less memory"),
        ({"name": "other"}, "1 another name"),
        ({"tags": "fast"}, "1 other tags"),
        ({"pod_type": "lxd"}, "no LXD hosts"),
        ({"not_pod_type": "virsh"}, "1 another host"),
        ({"subnets": "10.0.0.0/24", "cpu_count": 9}, "1 fewer cores"),
        ({"not_subnets": "space:mgmt"}, "1 other networks"),
        ({"not_in_zone": "default"}, "1 another zone"),
    ):
        found = site.maas.send("POST", "machines/", fields, op="allocate")
        assert (found.status_code, words in found.text) == (409, True), (fields, found.text)
    for fields, status, field in (
        ({"interfaces": "x"}, 400, "interfaces"),
        ({"storage": "("}, 400, "storage"),
        ({"mem": "lots"}, 400, "mem"),
        ({"bridge_all": "true"}, 400, "bridge_all"),
        ({"connected_to": "aa"}, 400, "connected_to"),
    ):
        found = site.maas.send("POST", "machines/", fields, op="allocate")
        assert (found.status_code, list(found.json())) == (status, [field]), (fields, found.text)
    unknown = site.maas.send("POST", "machines/", {"interfaces": "a:space=moon"}, op="allocate")
    assert unknown.status_code == 404
    assert site.maas.get("machines/", status="allocated") == []


def test_an_ordinary_user_has_what_is_theirs(site: Site) -> None:
    bob, eve = site.client("bob"), site.client("eve")
    given = bob.post("machines/", "allocate")
    path = f"machines/{given['system_id']}/"
    assert given["owner"] == "bob"
    for method, op in (("POST", "release"), ("POST", "lock"), ("POST", "power_off"), ("DELETE", "")):
        query = {"op": op} if op else {}
        assert eve.send(method, path, {}, **query).status_code == 403, op
    assert bob.post(path, "power_off")["power_state"] == "off"
    assert bob.post(path, "lock")["locked"] is True
    assert bob.send("POST", path, {}, op="release").status_code == 409
    assert bob.post(path, "unlock")["locked"] is False
    bob.post(path, "release")
    assert site.maas.get("machines/") == []


def test_domains_are_chosen(site: Site) -> None:
    site.maas.post("domains/", name="lab.example")
    made = site.compose("one", domain="lab.example")
    assert (made["fqdn"], made["domain"]["name"]) == ("one.lab.example", "lab.example")
    assert site.compose("two", domain="0")["fqdn"] == "two.maas"
    for field in ("domain", "zone", "pool"):
        for method, path, op in (
            ("POST", "pods/1/", "compose"),
            ("PUT", f"machines/{made['system_id']}/", ""),
        ):
            query = {"op": op} if op else {}
            found = site.maas.send(method, path, {field: "moon"}, **query)
            assert (found.status_code, list(found.json())) == (400, [field]), found.text
    for field in ("zone", "not_in_zone", "pool", "not_in_pool"):
        found = site.maas.send("POST", "machines/", {field: "moon"}, op="allocate")
        assert (found.status_code, list(found.json())) == (400, [field]), found.text


def test_a_locked_machine_stays_as_it_is(site: Site) -> None:
    made = site.compose("one")
    path = f"machines/{made['system_id']}/"
    site.maas.post(path, "lock", comment="mine")
    for method, op, fields in (
        ("DELETE", None, {}),
        ("PUT", None, {"zone": "default"}),
        ("PUT", None, {"description": "other"}),
        ("POST", "power_off", {}),
        ("POST", "commission", {}),
        ("POST", "mark_broken", {}),
    ):
        found = site.maas.send(method, path, fields, **({"op": op} if op else {}))
        assert (found.status_code, "locked" in found.text) == (409, True), (method, op, found.text)
    refused = site.maas.send("POST", "machines/", {"name": "one"}, op="allocate")
    assert "1 locked" in refused.text
    site.maas.post(path, "unlock")
    assert site.maas.post(path, "mark_broken", comment="disk")["status_name"] == "Broken"
    assert site.maas.send("POST", path, {}, op="release").status_code == 409
    assert site.maas.post(path, "mark_fixed")["status_name"] == "Ready"
    assert site.maas.send("POST", path, {}, op="mark_fixed").status_code == 409
    site.maas.delete(path, force="true")


def test_a_compose_that_fails_is_seen_by_who_waits_for_it(site: Site) -> None:
    fake = site.world.hypervisors.of("kvm1", URIS[0])
    gate = threading.Event()

    def hold(method: str) -> None:
        if method == "ensure_machine":
            gate.wait(20)

    fake.before_call = hold
    fake.fail("ensure_machine")
    made = site.maas.post("pods/1/", "compose", hostname="one")
    assert site.maas.get(f"machines/{made['system_id']}/")["status_name"] == "Commissioning"
    gate.set()
    shown = site.until(f"machines/{made['system_id']}/", "Failed commissioning")
    assert shown["status_message"]
    assert shown["pod"]["id"] == 1
    assert site.maas.get("machines/") == []


def test_addresses_of_a_nic(site: Site) -> None:
    made = site.compose("one", interfaces="nic:space=mgmt,ip=10.0.0.50")
    (nic,) = made["interface_set"]
    root = f"nodes/{made['system_id']}/interfaces/"
    path = f"{root}{nic['id']}/"
    assert site.maas.get(root) == [nic]
    assert site.maas.get(path) == site.maas.get(f"{root}nic/") == nic
    subnet = nic["links"][0]["subnet"]
    more = site.maas.post(path, "link_subnet", mode="STATIC", subnet=subnet["id"], ip_address="10.0.0.60")
    assert [each["ip_address"] for each in more["links"]] == ["10.0.0.50", "10.0.0.60"]
    held = [each["ip"] for each in site.maas.get(f"subnets/{subnet['id']}/", op="ip_addresses")]
    assert {"10.0.0.50", "10.0.0.60"} <= set(held)
    # DHCP gives a NIC one address of a subnet: the first.
    assert site.world.dhcp.reserved() == {"10.0.0.50"}
    for fields, field in (
        ({"mode": "static", "subnet": subnet["id"], "ip_address": "10.9.9.9"}, "ip_address"),
        ({"mode": "auto"}, "subnet"),
        ({"mode": "fancy"}, "mode"),
        ({"mode": "dhcp", "ip_address": "10.0.0.61"}, "ip_address"),
    ):
        found = site.maas.send("POST", path, fields, op="link_subnet")
        assert (found.status_code, list(found.json())) == (400, [field]), found.text
    again = {"mode": "static", "subnet": subnet["cidr"], "ip_address": "10.0.0.60"}
    assert site.maas.send("POST", path, again, op="link_subnet").status_code == 404
    left = site.maas.post(path, "unlink_subnet", id=more["links"][0]["id"])
    assert [each["ip_address"] for each in left["links"]] == ["10.0.0.60"]
    assert site.world.dhcp.reserved() == {"10.0.0.60"}
    assert [each["mode"] for each in site.maas.post(path, "disconnect")["links"]] == ["link_up"]
    assert "10.0.0.60" not in str(site.world.dhcp.reserved())
    auto = site.maas.post(path, "link_subnet", mode="auto", subnet=subnet["cidr"])
    assert auto["links"][0]["ip_address"]
    assert site.maas.post(path, "link_subnet", mode="dhcp")["links"][0]["mode"] == "dhcp"
    assert site.maas.put(path, name="nic", tags="a,b")["tags"] == ["a", "b"]
    assert site.maas.post(path, "add_tag", tag="c")["tags"] == ["a", "b", "c"]
    assert site.maas.post(path, "remove_tag", tag="a")["tags"] == ["b", "c"]
    for fields, field in (({"name": "x"}, "name"), ({"vlan": "999"}, "vlan"), ({"mtu": "9000"}, "mtu")):
        found = site.maas.send("PUT", path, fields)
        assert (found.status_code, list(found.json())) == (400, [field]), found.text
    assert (
        site.maas.send("POST", root, {"mac_address": "52:54:00:aa:bb:cc"}, op="create_physical").status_code
        == 409
    )
    assert site.maas.send("POST", root, {"name": "b"}, op="create_bridge").status_code == 409
    assert site.maas.send("DELETE", path).status_code == 204
    assert site.maas.send("GET", f"{root}9/").status_code == 404


def test_an_address_that_dhcp_refuses_is_taken_back(site: Site) -> None:
    made = site.compose("one", interfaces="nic:space=mgmt,ip=10.0.0.50")
    path = f"nodes/{made['system_id']}/interfaces/nic/"
    site.world.dhcp.faults.append(DhcpRejected("no"))
    refused = site.maas.send("POST", path, {}, op="disconnect")
    assert refused.status_code == 503
    assert site.maas.get(path)["links"][0]["ip_address"] == "10.0.0.50"


def test_disks(site: Site) -> None:
    made = site.compose("one", storage="root:8,data:2")
    root = f"nodes/{made['system_id']}/blockdevices/"
    disks = site.maas.get(root)
    assert [each["size"] for each in disks] == [8 * 10**9, 2 * 10**9]
    assert site.maas.get(f"{root}{disks[1]['id']}/") == site.maas.get(f"{root}{disks[1]['id']}") == disks[1]
    assert site.maas.put(f"{root}{disks[1]['id']}/", name=disks[1]["name"]) == disks[1]
    assert site.maas.send("PUT", f"{root}{disks[1]['id']}/", {"name": "x"}).status_code == 409
    assert site.maas.send("DELETE", f"{root}{disks[0]['id']}/").status_code == 409
    assert site.maas.send("POST", root, {"size": "1"}).status_code == 409
    assert site.maas.send("GET", f"{root}77/").status_code == 404


def test_a_bare_machine_is_enlisted_by_hand(site: Site) -> None:
    made = site.maas.post(
        "machines/",
        architecture="amd64/generic",
        mac_addresses=["52:54:00:aa:00:01", "52:54:00:aa:00:02"],
        hostname="bare",
        power_type="manual",
        description="rack 4",
    )
    assert (made["status_name"], made["power_type"], made["description"]) == ("New", "manual", "rack 4")
    assert [each["name"] for each in made["interface_set"]] == ["eth0", "eth1"]
    root = f"nodes/{made['system_id']}/interfaces/"
    third = site.maas.post(root, "create_physical", mac_address="52:54:00:aa:00:03", name="mgmt0", tags="x")
    linked = site.maas.post(
        f"{root}{third['id']}/", "link_subnet", mode="static", subnet="10.0.0.0/24", ip_address="10.0.0.77"
    )
    assert linked["links"][0]["ip_address"] == "10.0.0.77"
    assert linked["vlan"]["vid"] == 10
    site.maas.delete(f"{root}{third['id']}/")
    assert len(site.maas.get(root)) == 2
    assert site.maas.put(f"machines/{made['system_id']}/", hostname="bare2")["hostname"] == "bare2"
    for fields, field in (
        ({"power_type": "ipmi"}, "power_parameters_power_address"),
        ({"mac_addresses": "x"}, "mac_addresses"),
        ({"hostname": "no_good"}, "hostname"),
    ):
        wanted = {"architecture": "amd64", "mac_addresses": "52:54:00:aa:00:09"} | fields
        found = site.maas.send("POST", "machines/", wanted)
        assert (found.status_code, list(found.json())) == (400, [field]), found.text
    site.maas.delete(f"machines/{made['system_id']}/")
