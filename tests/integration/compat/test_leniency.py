"""What MAAS takes and gives without being asked: names, tags, deletions, things without names."""

import pytest

from support.fake_hypervisor import FakeHypervisor
from support.little_world import URIS, LittleWorld
from support.maas import Maas
from support.waiting import wait_until

AUTOMATIC = {"virtual", "pod-console-logging"}


@pytest.fixture
def kvm1(world: LittleWorld) -> FakeHypervisor:
    hypervisor = world.hypervisors.of("kvm1", URIS[0])
    assert isinstance(hypervisor, FakeHypervisor)
    return hypervisor


def composed(maas: Maas, **fields: object) -> str:
    """The path of a machine that is ready."""
    path = f"machines/{maas.post('vm-hosts/1/', 'compose', **fields)['system_id']}/"
    wait_until(lambda: maas.get(path)["status_name"] == "Ready", path, 30)
    return path


# -- tags --------------------------------------------------------------------------------------------------


def test_composed_machines_carry_the_tags_of_maas_and_of_their_host(fleet: Maas) -> None:
    fleet.put("vm-hosts/1/", tags="fast,rack-4")
    path = composed(fleet, hostname="vm1")
    assert set(fleet.get(path)["tag_names"]) == AUTOMATIC | {"fast", "rack-4"}
    key = fleet.get(path)["system_id"]
    assert [machine["system_id"] for machine in fleet.get("machines/", tags="virtual")] == [key]
    assert [machine["system_id"] for machine in fleet.get("tags/virtual/", op="machines")] == [key]
    assert fleet.get("tags/pod-console-logging/")["kernel_opts"] == "console=tty1 console=ttyS0"
    fleet.post("machines/", "allocate", tags="virtual,fast")


def test_the_tags_of_maas_are_not_written_over(fleet: Maas) -> None:
    fleet.put("tags/pod-console-logging/", comment="mine", kernel_opts="console=ttyS1")
    composed(fleet, hostname="vm1")
    kept = fleet.get("tags/pod-console-logging/")
    assert (kept["kernel_opts"], kept["comment"]) == ("console=ttyS1", "mine")


def test_a_tag_in_use_is_deleted(fleet: Maas) -> None:
    fleet.post("tags/", name="blue")
    path = composed(fleet, hostname="vm1")
    key = fleet.get(path)["system_id"]
    device = fleet.post("devices/", mac_addresses="52:54:00:00:aa:01", hostname="printer")["system_id"]
    fleet.post("tags/blue/", "update_nodes", add=[key, device])
    fleet.put("vm-hosts/1/", tags="blue,fast")
    nic = fleet.get(f"nodes/{device}/interfaces/")[0]
    fleet.post(f"nodes/{device}/interfaces/{nic['id']}/", "add_tag", tag="blue")
    fleet.post(path, "lock")
    fleet.delete("tags/blue/")
    assert fleet.send("GET", "tags/blue/").status_code == 404
    assert "blue" not in fleet.get(path)["tag_names"]
    assert "blue" not in fleet.get(f"devices/{device}/")["tag_names"]
    assert fleet.get("vm-hosts/1/")["tags"] == ["fast"]
    assert fleet.get(f"nodes/{device}/interfaces/")[0]["tags"] == []
    assert fleet.send("DELETE", "tags/blue/").status_code == 404


# -- NICs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("power", ["on", "off"])
def test_a_nic_of_a_composed_machine_is_deleted(fleet: Maas, kvm1: FakeHypervisor, power: str) -> None:
    path = composed(fleet, hostname="vm1", interfaces="a:space=mgmt;b:space=mgmt,ip=10.0.0.77")
    if power == "off":
        fleet.post(path, "power_off")
    machine = fleet.get(path)
    nics = f"nodes/{machine['system_id']}/interfaces/"
    gone = next(nic for nic in machine["interface_set"] if nic["name"] == "b")
    fleet.delete(f"{nics}{gone['id']}/")
    assert [nic["name"] for nic in fleet.get(nics)] == ["a"]
    (seen,) = [there for there in kvm1.world().machines if there.name == "vm1"]
    assert [str(nic.mac) for nic in seen.interfaces] == [
        nic["mac_address"] for nic in machine["interface_set"] if nic["name"] == "a"
    ]
    assert fleet.send("DELETE", f"{nics}{gone['id']}/").status_code == 404
    if power == "off":
        # The address is free again. A machine that runs may use it until its lease ends.
        composed(fleet, hostname="vm2", interfaces="a:space=mgmt,ip=10.0.0.77")
    fleet.delete(path)


def test_a_nic_stays_where_it_is_needed_or_not_ours(fleet: Maas, kvm1: FakeHypervisor) -> None:
    path = composed(fleet, hostname="vm1")
    machine = fleet.get(path)
    nic = f"nodes/{machine['system_id']}/interfaces/{machine['interface_set'][0]['id']}/"
    fleet.post(path, "lock")
    assert fleet.send("DELETE", nic).status_code == 409
    fleet.post(path, "unlock")
    kvm1.fail("remove_interface")
    assert fleet.send("DELETE", nic).status_code == 503
    assert len(fleet.get(path)["interface_set"]) == 1
    fleet.delete(nic)
    assert fleet.get(path)["interface_set"] == []


# -- names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["KVM-Host-01", "kvm_host 1", "Höst №1", "a.b.example", "x" * 200])
def test_a_host_has_the_name_that_it_is_given(fleet: Maas, name: str) -> None:
    made = fleet.post("vm-hosts/", type="virsh", power_address=URIS[1], name=name)
    assert made["name"] == name
    assert fleet.put(f"pods/{made['id']}/", name=f"{name}!")["name"] == f"{name}!"
    assert f"{name}!" in [host["name"] for host in fleet.get("vm-hosts/")]
    fleet.post(f"pods/{made['id']}/", "refresh")


@pytest.mark.parametrize("name", ["a/b", "17", " a", "a\nb", "x" * 256, ".."])
def test_a_name_that_cannot_stand_in_a_path_is_refused(fleet: Maas, name: str) -> None:
    refused = fleet.send("POST", "vm-hosts/", {"type": "virsh", "power_address": URIS[1], "name": name})
    assert (refused.status_code, list(refused.json())) == (400, ["name"])


def test_hostnames_keep_their_capitals_and_are_one_name_in_any_case(fleet: Maas) -> None:
    path = composed(fleet, hostname="Web01")
    assert fleet.get(path)["hostname"] == "Web01"
    assert fleet.get("machines/", hostname="Web01")[0]["fqdn"] == "Web01.maas"
    for request in (
        ("vm-hosts/1/", {"hostname": "web01"}, "compose"),
        (
            "machines/",
            {"hostname": "WEB01", "architecture": "amd64", "mac_addresses": "52:54:00:00:aa:09"},
            "",
        ),
        ("devices/", {"hostname": "wEB01", "mac_addresses": "52:54:00:00:aa:09"}, ""),
    ):
        refused = fleet.send("POST", request[0], request[1], **({"op": request[2]} if request[2] else {}))
        assert (refused.status_code, list(refused.json())) == (400, ["hostname"])
    device = fleet.post("devices/", hostname="Printer", mac_addresses="52:54:00:00:aa:09")
    assert fleet.put(f"devices/{device['system_id']}/", hostname="PRINTER")["hostname"] == "PRINTER"


@pytest.mark.parametrize("name", ["web_01", "web 01", "-web", "web-", "wéb", "x" * 64, ""])
def test_hostnames_that_maas_refuses_are_refused(fleet: Maas, name: str) -> None:
    refused = fleet.send("POST", "devices/", {"hostname": name, "mac_addresses": "52:54:00:00:aa:09"})
    assert (refused.status_code, list(refused.json())) == (400, ["hostname"]) if name else (200, [])


# -- things without names ----------------------------------------------------------------------------------


def test_a_space_without_a_name_is_called_after_its_id(maas: Maas) -> None:
    made = maas.post("spaces/")
    assert made["name"] == f"space-{made['id']}"
    second = maas.post("spaces/", name="", description="second")
    assert (second["name"], second["description"]) == (f"space-{second['id']}", "second")
    taken = maas.post("spaces/", name=f"space-{second['id'] + 2}")
    third = maas.post("spaces/")
    assert len({made["name"], second["name"], taken["name"], third["name"]}) == 4
    assert maas.put(f"spaces/{made['id']}/", name="dmz")["name"] == "dmz"
    assert maas.put(f"spaces/{made['id']}/", name="", description="x")["name"] == "dmz"


def test_a_vlan_without_a_name_is_called_after_its_tag(maas: Maas) -> None:
    fabric = maas.post("fabrics/")
    vlans = f"fabrics/{fabric['id']}/vlans/"
    assert maas.post(vlans, vid="20")["name"] == "vlan-20"
    assert maas.post(vlans, vid="21", name="")["name"] == "vlan-21"
    assert maas.put(f"{vlans}20/", name="dmz")["name"] == "dmz"
    assert maas.put(f"{vlans}20/", name="", mtu="9000")["name"] == "vlan-20"
