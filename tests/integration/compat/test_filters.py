"""Which machines a list shows: every filter that MAAS's clients know, and its opposite."""

from typing import Any

import pytest

from hostloom.compat.maas2.handlers.machine_filters import PARAMS
from support.maas import Maas
from support.waiting import wait_until


@pytest.fixture
def two(fleet: Maas) -> Maas:
    """A composed machine `web` with everything, and a bare one `bare`."""
    fleet.post("zones/", name="east")
    fleet.post("resourcepools/", name="prod")
    fleet.post("domains/", name="lab.test")
    made = fleet.post(
        "vm-hosts/1/",
        "compose",
        hostname="web",
        cores="4",
        memory="4096",
        zone="east",
        pool="prod",
        domain="lab.test",
        interfaces="eth0:space=mgmt,ip=10.0.0.77",
    )
    path = f"machines/{made['system_id']}/"
    wait_until(lambda: fleet.get(path)["status_name"] == "Ready", path, 30)
    fleet.post("machines/", "allocate", name="web", agent_name="juju")
    fleet.post(path, "set_owner_data", role="db")
    fleet.put(path, description="a web server")
    fleet.post("tags/", name="blue")
    fleet.post("tags/blue/", "update_nodes", add=made["system_id"])
    fleet.post("machines/", hostname="bare", architecture="arm64", mac_addresses="52:54:00:00:aa:01")
    return fleet


def names(maas: Maas, **query: Any) -> list[str]:
    return sorted(machine["hostname"] for machine in maas.get("machines/", **query))


def facts(maas: Maas) -> dict[str, list[tuple[Any, str]]]:
    """By filter: values, and the machine that each chooses of the two."""
    web = next(machine for machine in maas.get("machines/") if machine["hostname"] == "web")
    nic = web["interface_set"][0]
    vlan, subnet = nic["vlan"], nic["links"][0]["subnet"]
    return {
        "hostname": [("web", "web"), ("bare", "bare")],
        "mac_address": [(nic["mac_address"].upper(), "web"), ("52-54-00-00-aa-01", "bare")],
        "id": [(web["system_id"], "web")],
        "system_id": [(web["system_id"], "web")],
        "domain": [("lab.test", "web"), ("maas", "bare")],
        "zone": [("east", "web"), ("default", "bare")],
        "pool": [("prod", "web"), ("default", "bare")],
        "pod": [("kvm1", "web"), ("1", "web")],
        "pod_type": [("virsh", "web")],
        "parent": [(web["parent"]["system_id"], "web")],
        "agent_name": [("juju", "web")],
        "owner": [("ann", "web")],
        "tags": [("blue", "web"), ("blue,virtual", "web")],
        "status": [("allocated", "web"), ("Allocated", "web"), ("10", "web"), ("new", "bare")],
        "power_state": [("on", "web"), ("unknown", "bare")],
        "arch": [("amd64", "web"), ("amd64/generic", "web"), ("arm64", "bare")],
        "architecture": [("amd64/generic", "web")],
        "ip_addresses": [("10.0.0.77", "web")],
        "description": [("a web server", "web")],
        "workloads": [("role", "web"), ("role:db", "web"), ("role=db", "web")],
        "fabrics": [
            (vlan["fabric"], "web"),
            (vlan["fabric_id"], "web"),
            (f"fabric-{vlan['fabric_id']}", "web"),
        ],
        "vlans": [(vlan["name"], "web"), (vlan["vid"], "web"), (f"id:{vlan['id']}", "web")],
        "subnets": [(subnet["cidr"], "web"), (subnet["id"], "web"), (f"cidr:{subnet['cidr']}", "web")],
        "spaces": [("mgmt", "web")],
    }


def test_each_filter_chooses_and_its_opposite_leaves_the_rest(two: Maas) -> None:
    both = ["bare", "web"]
    known = {param.name for param in PARAMS}
    for name, cases in facts(two).items():
        for value, chosen in cases:
            assert names(two, **{name: value}) == [chosen], (name, value)
            opposite = f"not_{name}"
            if opposite in known:
                left = [other for other in both if other != chosen]
                if "," not in str(value):
                    assert names(two, **{opposite: value}) == left, (opposite, value)
        if name not in ("status", "power_state", "mac_address", "ip_addresses"):
            assert names(two, **{name: "nothing-has-this"}) == [], name
            if f"not_{name}" in known:
                assert names(two, **{f"not_{name}": "nothing-has-this"}) == both, name
    covered = {*facts(two), "fabric_classes", "error_description", "osystem", "distro_series"}
    covered |= {"cpu_count", "mem", "cpu_speed", "link_speed", "free_text", "not_in_zone", "not_in_pool"}
    assert {name.removeprefix("not_") for name in known} - {"in_zone", "in_pool"} <= covered


def test_several_values_mean_any_of_them_but_tags_mean_all(two: Maas) -> None:
    assert names(two, hostname=["web", "bare"]) == ["bare", "web"]
    assert names(two, hostname="web,bare") == ["bare", "web"]
    assert names(two, zone=["east", "default"]) == ["bare", "web"]
    assert names(two, tags=["blue", "green"]) == []
    assert names(two, not_in_zone="east") == ["bare"]
    assert names(two, not_in_pool=["prod", "default"]) == []
    assert names(two, hostname="web", not_tags="blue") == []


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ({"cpu_count": "4"}, ["web"]),
        ({"cpu_count": "5"}, []),
        ({"mem": "4096.0"}, ["web"]),
        ({"mem": "0"}, ["bare", "web"]),
        ({"not_cpu_count": "4"}, ["bare"]),
        ({"not_mem": ["4096", "0"]}, []),
        ({"cpu_speed": "1"}, []),
        ({"link_speed": "0"}, ["bare", "web"]),
        ({"link_speed": "1000"}, []),
        ({"free_text": "WEB"}, ["web"]),
        ({"free_text": "10.0.0.7"}, ["web"]),
        ({"free_text": "aa:01"}, ["bare"]),
        ({"status": "testing"}, []),
        ({"status": ["rescue mode", "allocated"]}, ["web"]),
        ({"osystem": "ubuntu"}, []),
        ({"not_osystem": "ubuntu"}, ["bare", "web"]),
        ({"fabric_classes": "10g"}, []),
        ({"not_fabric_classes": "10g"}, ["bare", "web"]),
        ({"pod_type": "lxd"}, []),
    ],
)
def test_numbers_states_and_text(two: Maas, query: dict[str, Any], chosen: list[str]) -> None:
    assert names(two, **query) == chosen


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "broken-ish"),
        ("power_state", "maybe"),
        ("mac_address", "52:54"),
        ("not_mac_address", "x"),
        ("ip_addresses", "10.0.0"),
        ("cpu_count", "four"),
        ("not_mem", "much"),
        ("mem", "nan"),
        ("connected_to", "52:54:00:00:00:01"),
        ("sriov_support", "true"),
        ("numa_nodes_count", "2"),
    ],
)
def test_what_no_machine_could_have_is_named(maas: Maas, name: str, value: str) -> None:
    refused = maas.send("GET", "machines/", **{name: value})
    assert (refused.status_code, list(refused.json())) == (400, [name])


def test_machines_are_allocated_by_vlan_and_space(two: Maas) -> None:
    two.post("machines/", "release", machines=[two.get("machines/", hostname="web")[0]["system_id"]])
    assert two.post("machines/", "allocate", spaces="mgmt", system_id="", name="web")["hostname"] == "web"
    refused = two.send("POST", "machines/", {"connected_to": "x"}, op="allocate")
    assert (refused.status_code, list(refused.json())) == (400, ["connected_to"])
