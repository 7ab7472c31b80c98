"""What Terraform's provider sends for a VM host and a machine on it, from apply to destroy."""

from typing import Any

from support.little_world import URIS, LittleWorld
from support.maas import Maas, read_until

ADDRESS = URIS[1]
#: Its decoder takes these as whole numbers, whatever they are.
WHOLE = ("cores", "memory", "local_storage")


def test_a_vm_host_from_apply_to_destroy(fleet: Maas, world: LittleWorld) -> None:
    world.keys.pin(ADDRESS, world.keys.offered(ADDRESS)[0])
    wanted = {"type": "virsh", "power_address": ADDRESS, "name": "kvm2", "zone": "default", "pool": "default"}
    made = fleet.post("pods/", **wanted, tags="fast,new", default_macvlan_mode="private")
    path = made["resource_uri"].removeprefix("/MAAS/api/2.0/")
    assert path == f"pods/{made['id']}/"
    # Every field that is set, once more, without those that are zero.
    ratios = {"cpu_over_commit_ratio": "2", "memory_over_commit_ratio": "1.5"}
    fleet.put(path, **wanted, **ratios, tags="fast,new", default_macvlan_mode="private")
    host = fleet.get(path)
    assert (host["cpu_over_commit_ratio"], host["memory_over_commit_ratio"]) == (2.0, 1.5)
    assert (host["tags"], host["default_macvlan_mode"]) == (["fast", "new"], "private")
    for amounts in (host["total"], host["used"], host["available"]):
        assert all(type(amounts[name]) is int for name in WHOLE)
    assert {type(value) for value in fleet.get(path, op="parameters").values()} == {str}

    machine = apply_machine(fleet, path)
    assert machine["pod"] == {"id": host["id"], "name": "kvm2", "resource_uri": f"/MAAS/api/2.0/{path}"}
    fleet.delete(f"machines/{machine['system_id']}/")

    before = fleet.get(path)
    fleet.delete(path)
    # A machine that is still there would be released, and waited for.
    assert fleet.send("GET", f"machines/{before['host']['system_id']}/").status_code == 404


def wait_until_ready(fleet: Maas, machine: str) -> Any:
    """The machine when it is composed."""
    return read_until(lambda: fleet.get(machine), "Ready", "Commissioning", "Testing")


def apply_machine(fleet: Maas, path: str) -> Any:
    """Compose, wait, and set what the compose could not: names of groups."""
    fleet.post("zones/", name="east")
    fleet.post("resourcepools/", name="web")
    made = fleet.post(
        path,
        "compose",
        hostname="vm1",
        cores="2",
        memory="1024",
        interfaces="nic0:fabric=f,vlan=mgmt,subnet_cidr=10.0.0.0/24;nic1:ip=10.0.0.99",
        storage="disk0:10(default),disk1:20",
    )
    machine = f"machines/{made['system_id']}/"
    wait_until_ready(fleet, machine)
    domain = fleet.get("domains/")[0]["name"]
    changed = fleet.put(machine, hostname="vm1", domain=domain, zone="east", pool="web")
    assert (changed["hostname"], changed["domain"]["name"]) == ("vm1", domain)
    assert (changed["zone"]["name"], changed["pool"]["name"]) == ("east", "web")
    assert [nic["name"] for nic in changed["interface_set"]] == ["nic0", "nic1"]
    assert changed["interface_set"][1]["links"][0]["ip_address"] == "10.0.0.99"
    assert [disk["size"] for disk in changed["blockdevice_set"]] == [10 * 10**9, 20 * 10**9]
    # Machines are looked for among all, by what is unique of them.
    found = [
        each
        for each in fleet.get("machines/")
        if "vm1" in (each["hostname"], each["fqdn"]) and each["boot_interface"]["mac_address"]
    ]
    assert found == [changed]
    return changed


def test_a_subnet_without_a_vlan_makes_the_first_fabric(maas: Maas) -> None:
    wrong = maas.send("POST", "subnets/", {"cidr": "10.88.0.0/24", "gateway_ip": "10.99.0.1"})
    assert (wrong.status_code, maas.get("fabrics/")) == (400, [])
    made = maas.post("subnets/", cidr="10.88.0.0/24", allow_dns="true", managed="true", rdns_mode=2)
    assert (made["vlan"]["fabric"], made["vlan"]["vid"]) == ("fabric-0", 0)
    again = maas.post("subnets/", cidr="2001:db8::/64")
    assert again["vlan"]["id"] == made["vlan"]["id"]
    assert [fabric["name"] for fabric in maas.get("fabrics/")] == ["fabric-0"]


def test_a_device_belongs_to_the_user_who_creates_it(maas: Maas) -> None:
    made = maas.post("devices/", hostname="printer", mac_addresses=["12:23:45:67:89:f0", "12:23:45:67:89:f1"])
    path = f"devices/{made['system_id']}/"
    assert made["owner"] == "ann"
    changed = maas.put(path, description="two", hostname="printer", zone="default")
    assert (changed["owner"], changed["description"]) == ("ann", "two")
    assert [device["owner"] for device in maas.get("devices/")] == ["ann"]


def test_a_link_with_the_default_gateway_and_without(fleet: Maas) -> None:
    host = fleet.get("pods/")[0]["id"]
    made = fleet.post(f"pods/{host}/", "compose", hostname="vm1")
    machine = f"machines/{made['system_id']}/"
    shown = wait_until_ready(fleet, machine)["interface_set"][0]
    nic = f"nodes/{made['system_id']}/interfaces/{shown['id']}/"
    fleet.post(nic, "disconnect")
    address = {"subnet": 1, "mode": "STATIC", "ip_address": "10.0.0.77", "default_gateway": "true"}
    linked = fleet.post(nic, "link_subnet", **address)
    (link,) = linked["links"]
    # The provider clears the gateways before each update, and then chooses one.
    assert fleet.post(machine, "clear_default_gateways")["system_id"] == made["system_id"]
    assert fleet.post(nic, "set_default_gateway", link_id=link["id"]) == linked
    assert fleet.post(nic, "set_default_gateway") == linked
    unknown = fleet.send("POST", nic, {"link_id": link["id"] + 1}, op="set_default_gateway")
    assert (unknown.status_code, list(unknown.json())) == (400, ["link_id"])
