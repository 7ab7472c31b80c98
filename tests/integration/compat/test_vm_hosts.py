"""VM hosts and pods as MAAS's clients use them; libvirt's test driver is the host."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.maas import Maas, make_key, read_until
from support.server import NOON, Running, running

ADDRESS = "test:///default"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, worker=True) as found:
        yield found


@pytest.fixture
def host(maas: Maas) -> int:
    made = maas.post("vm-hosts/", type="virsh", power_address=ADDRESS, name="kvm1", tags="fast,new")
    return int(made["id"])


def test_a_host_under_both_names(maas: Maas, host: int) -> None:
    shown = maas.get(f"vm-hosts/{host}/")
    pod = maas.get(f"pods/{host}/")
    assert shown["resource_uri"] == f"/MAAS/api/2.0/vm-hosts/{host}/"
    assert pod == shown | {"resource_uri": f"/MAAS/api/2.0/pods/{host}/"}
    assert maas.get("vm-hosts/") == [shown]
    assert maas.get("pods/") == [pod]
    assert (shown["name"], shown["type"], shown["tags"]) == ("kvm1", "virsh", ["fast", "new"])
    assert shown["zone"]["name"] == shown["pool"]["name"] == "default"
    assert shown["default_macvlan_mode"] is None
    assert isinstance(shown["cpu_over_commit_ratio"], float)
    assert shown["host"] == {"system_id": f"vmhost-{host}", "__incomplete__": True}
    for name in ("cores", "memory", "local_storage"):
        assert shown["available"][name] == shown["total"][name] - shown["used"][name]
    assert maas.get(f"pods/{host}/", op="parameters") == {
        "power_address": ADDRESS,
        "power_user": "",
        "power_pass": "",
    }


def test_changes_are_partial_and_modes_are_named(maas: Maas, host: int) -> None:
    changed = maas.put(f"pods/{host}/", default_macvlan_mode="vepa")
    assert changed["default_macvlan_mode"] == "vepa"
    changed = maas.put(f"pods/{host}/", type="virsh", cpu_over_commit_ratio="2", tags="a, b")
    assert (changed["cpu_over_commit_ratio"], changed["tags"], changed["name"]) == (2.0, ["a", "b"], "kvm1")
    assert changed["default_macvlan_mode"] == "vepa"
    wrong = maas.send("PUT", f"pods/{host}/", {"default_macvlan_mode": "funny"})
    assert wrong.status_code == 400
    assert all(mode in wrong.text for mode in ("private", "vepa", "bridge", "passthru"))
    for field, value in (
        ("type", "lxd"),
        ("power_pass", "x"),
        ("cpu_over_commit_ratio", "11"),
        ("host", "k2"),
    ):
        found = maas.send("PUT", f"pods/{host}/", {field: value})
        assert (found.status_code, list(found.json())) == (400, [field]), found.text
    assert maas.post(f"pods/{host}/", "add_tag", tag="c")["tags"] == ["a", "b", "c"]
    assert maas.post(f"pods/{host}/", "add_tag", tag="c")["tags"] == ["a", "b", "c"]
    assert maas.post(f"vm-hosts/{host}/", "remove_tag", tag="a")["tags"] == ["b", "c"]
    zone = maas.post("zones/", name="east")
    assert maas.put(f"pods/{host}/", zone="east", pool="0")["zone"]["id"] == zone["id"]


def test_the_host_parameter_sets_where_libvirt_is(server: Running, maas: Maas, host: int) -> None:
    maas.put(f"pods/{host}/", power_address="qemu+tls://kvm1.example/system")
    changed = maas.send("PUT", f"pods/{host}/", {"host": "fd00::5", "default_macvlan_mode": "bridge"})
    assert changed.status_code == 200, changed.text
    assert maas.get(f"pods/{host}/", op="parameters")["power_address"] == "qemu+tls://[fd00::5]/system"
    maas.put(f"pods/{host}/", host="10.0.0.5")
    assert maas.get(f"pods/{host}/", op="parameters")["power_address"] == "qemu+tls://10.0.0.5/system"


def test_a_host_that_cannot_be_added_says_why(maas: Maas) -> None:
    refused = maas.send("POST", "vm-hosts/", {"type": "virsh", "power_address": "test:///etc/shadow"})
    assert (refused.status_code, "root:" in refused.text) == (400, False)
    assert maas.get("vm-hosts/") == []
    for fields, name in (
        ({"type": "lxd", "power_address": ADDRESS}, "type"),
        ({"type": "virsh"}, "power_address"),
        ({"type": "virsh", "power_address": "http://x"}, "power_address"),
    ):
        found = maas.send("POST", "vm-hosts/", fields)
        assert (found.status_code, list(found.json())) == (400, [name]), found.text
    unknown = {"type": "virsh", "power_address": "qemu+ssh://u@127.0.0.1:1/system"}
    assert maas.send("POST", "vm-hosts/", unknown).status_code == 503


def test_a_machine_is_composed_and_goes_with_its_host(maas: Maas, host: int) -> None:
    maas.put(f"pods/{host}/", memory_over_commit_ratio="10")
    maas.post(f"vm-hosts/{host}/", "refresh")
    wanted = {"hostname": "vm1", "memory": 1024, "storage": "a:1,a:1", "skip_commissioning": "true"}
    made = maas.post(f"vm-hosts/{host}/", "compose", **wanted)
    assert made["resource_uri"] == f"/MAAS/api/2.0/machines/{made['system_id']}/"
    used = maas.get(f"pods/{host}/")["used"]
    assert used["memory"] >= 1024
    for field, value in (
        ("memory", "x"),
        ("interfaces", "x"),
        ("storage", "("),
        ("pinned_cores", "1"),
        ("domain", "elsewhere.example"),
        ("hostname", "no_underscore"),
    ):
        found = maas.send("POST", f"pods/{host}/", {"hostname": "vm2"} | {field: value}, op="compose")
        assert (found.status_code, list(found.json())) == (400, [field]), found.text
    unknown = maas.send("POST", f"pods/{host}/", {"interfaces": "eth0:vid=10"}, op="compose")
    assert unknown.status_code == 400
    assert unknown.headers["content-type"].startswith("text/plain")
    too_much = maas.send("POST", f"pods/{host}/", {"cores": "999"}, op="compose")
    assert too_much.status_code == 503
    assert maas.send("DELETE", f"pods/{host}/").status_code == 409
    maas.delete(f"vm-hosts/{host}/", decompose="true")
    assert maas.get("pods/") == []
    assert maas.send("GET", f"pods/{host}/").status_code == 404


def test_an_ordinary_user_may_look_and_no_more(server: Running, host: int) -> None:
    plain = Maas(server.url, make_key(server.ports, "bob", admin=False), NOON)
    assert [each["id"] for each in plain.get("vm-hosts/")] == [host]
    for method, op in (("PUT", ""), ("DELETE", ""), ("POST", "refresh"), ("POST", "compose")):
        query = {"op": op} if op else {}
        assert plain.send(method, f"vm-hosts/{host}/", {}, **query).status_code == 403, (method, op)


def test_a_composed_machine_reaches_ready_and_is_read_switched_and_deleted(maas: Maas, host: int) -> None:
    maas.put(f"pods/{host}/", memory_over_commit_ratio="10")
    made = maas.post(
        f"pods/{host}/", "compose", hostname="vm1", memory="1024", cores="1", storage="root:1,data:2"
    )
    path = f"machines/{made['system_id']}/"
    shown = read_until(lambda: maas.get(path), "Ready", "Commissioning")
    assert (shown["hostname"], shown["memory"], shown["cpu_count"], shown["power_type"]) == (
        "vm1",
        1024,
        1,
        "virsh",
    )
    assert shown["pod"] == {"id": host, "name": "kvm1", "resource_uri": f"/MAAS/api/2.0/pods/{host}/"}
    assert [each["size"] for each in shown["blockdevice_set"]] == [10**9, 2 * 10**9]
    assert isinstance(shown["storage"], float)
    (nic,) = shown["interface_set"]
    assert shown["boot_interface"] == nic
    assert all("ip_address" not in link or link["ip_address"] for link in nic["links"])
    assert nic["resource_uri"].endswith(f"/{nic['id']}/")
    others = [each for each in maas.get("machines/") if each["system_id"] != made["system_id"]]
    assert shown in maas.get("machines/")
    assert maas.get("machines/", hostname="vm1", zone="default", status="ready") == [shown]
    assert maas.get("machines/", mac_address=nic["mac_address"].upper()) == [shown]
    assert maas.get("machines/", hostname="nobody") == []
    assert maas.send("GET", "machines/", mac_address="x").status_code == 400
    assert maas.get(path, op="query_power_state") == {"state": "on"}
    assert maas.post(path, "power_off")["power_state"] == "off"
    assert maas.post(path, "power_on", comment="again")["power_state"] == "on"
    maas.post("zones/", name="east")
    changed = maas.put(path, zone="east", description="mine", hostname="vm1")
    assert (changed["zone"]["name"], changed["description"]) == ("east", "mine")
    assert maas.send("PUT", path, {"hostname": "vm2"}).status_code == 400
    # What hostloom did not make stays.
    for each in others:
        assert each["status_name"] == "Deployed"
        assert maas.send("DELETE", f"machines/{each['system_id']}/").status_code == 409
    maas.delete(path)
    assert maas.send("GET", path).status_code == 404
    assert maas.send("GET", "machines/vm1/").status_code == 404


def test_a_host_is_a_machine_until_it_goes(fleet: Maas) -> None:
    (shown,) = fleet.get("vm-hosts/")
    key = shown["host"]["system_id"]
    machine = fleet.get(f"machines/{key}/")
    assert (machine["hostname"], machine["status_name"], machine["pod"]) == ("kvm1", "Deployed", None)
    assert (machine["memory"], machine["cpu_count"]) == (shown["total"]["memory"], shown["total"]["cores"])
    assert machine["ip_addresses"] == ["10.0.0.11"]
    made = fleet.post(f"pods/{shown['id']}/", "compose", hostname="vm1")
    assert fleet.get(f"machines/{made['system_id']}/")["parent"]["system_id"] == key
    # As Terraform destroys a host: a machine that is still there is released.
    fleet.delete(f"pods/{shown['id']}/", decompose="true")
    assert fleet.send("GET", f"machines/{key}/").status_code == 404


def test_a_host_that_is_no_known_node_has_a_machine_too(maas: Maas, host: int) -> None:
    key = maas.get(f"pods/{host}/")["host"]["system_id"]
    machine = maas.get(f"machines/{key}/")
    assert (machine["hostname"], machine["status_name"], machine["interface_set"]) == ("kvm1", "Deployed", [])
    maas.delete(f"pods/{host}/")
    assert maas.send("GET", f"machines/{key}/").status_code == 404
