"""Where hostloom answers MAAS's clients otherwise than MAAS did: every row of the list has its test."""

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from hostloom.model.machine import PowerState
from hostloom.model.observed import ObservedMachine
from hostloom.server.secret import FileSecrets
from support.disk_images import a_disk_image
from support.fake_hypervisor import FakeHypervisor
from support.little_world import URIS, LittleWorld, add_disk_image
from support.maas import Maas, make_key
from support.server import serving
from support.waiting import wait_until

LIST = Path(__file__).parents[3] / "docs" / "how-to" / "move-from-maas.md"
USER_DATA = b64encode(b"#cloud-config\n{}\n").decode()
_TESTED: list[str] = []


def differs(row: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Of the list: what MAAS did."""
    _TESTED.append(row)
    return lambda test: test


def test_the_list_is_what_is_tested() -> None:
    text = LIST.read_text(encoding="utf-8").partition("## Known differences")[2]
    rows = re.findall(r"^\| (.+?) \| .+ \|$", text, re.MULTILINE)
    assert [each for each in rows if each != "With MAAS"] == _TESTED


@pytest.fixture
def kvm1(world: LittleWorld) -> FakeHypervisor:
    found = world.hypervisors.of("kvm1", URIS[0])
    assert isinstance(found, FakeHypervisor)
    return found


@pytest.fixture
def images(fleet: Maas, world: LittleWorld) -> Maas:
    """With a disk image."""
    add_disk_image(world, a_disk_image(virtual_size_bytes=10**6))
    return fleet


def host_of(maas: Maas) -> int:
    (found,) = maas.get("vm-hosts/")
    return int(found["id"])


def compose(maas: Maas, **fields: Any) -> httpx.Response:
    return maas.send("POST", f"vm-hosts/{host_of(maas)}/", fields, op="compose")


def composed(maas: Maas, **fields: Any) -> dict[str, Any]:
    """The machine, when it is ready."""
    made = compose(maas, **fields)
    assert made.status_code == 200, made.text
    path = f"machines/{made.json()['system_id']}/"
    wait_until(lambda: maas.get(path)["status_name"] == "Ready", path, 30)
    found: dict[str, Any] = maas.get(path)
    return found


def field_of(answer: httpx.Response) -> list[str]:
    """The fields that a 400 names; of a text its words."""
    assert answer.status_code == 400, (answer.status_code, answer.text)
    is_json = answer.headers["content-type"].startswith("application/json")
    return list(answer.json()) if is_json else [answer.text]


# -- asking ----------------------------------------------------------------------------------------------


@differs("every documented parameter has an effect")
def test_parameters_without_an_effect_here_are_named(fleet: Maas) -> None:
    refused = fleet.send("POST", "domains/", {"name": "east.test", "forward_dns_servers": "10.0.0.53"})
    assert field_of(refused) == ["forward_dns_servers"]
    assert [domain["id"] for domain in fleet.get("domains/")] == [1]


@differs("`pod update ID host=…` is ignored")
def test_host_sets_where_libvirt_is(fleet: Maas) -> None:
    key = host_of(fleet)
    fleet.put(f"pods/{key}/", host="10.0.0.12", default_macvlan_mode="vepa")
    shown = fleet.get(f"pods/{key}/", op="parameters")
    assert shown["power_address"] == "qemu+ssh://root@10.0.0.12/system"


@differs("an unreachable host is saved")
def test_an_unreachable_host_is_not_saved(world: LittleWorld, fleet: Maas) -> None:
    world.hypervisors.of("far", URIS[1]).unreachable = True
    wanted = {"type": "virsh", "power_address": URIS[1], "name": "far"}
    refused = fleet.send("POST", "vm-hosts/", wanted)
    assert (refused.status_code, "it is switched off" in refused.text) == (503, True), refused.text
    assert [host["name"] for host in fleet.get("vm-hosts/")] == ["kvm1"]


@differs("SSH keys of hosts are not checked")
def test_the_first_key_is_pinned(world: LittleWorld, fleet: Maas) -> None:
    wanted = {"type": "virsh", "power_address": URIS[1], "name": "kvm2"}
    key = world.keys.offered(URIS[1])[0].fingerprint
    assert fleet.send("POST", "vm-hosts/", wanted).status_code == 200
    assert world.keys.pinned(URIS[1]) == key
    told = [each["description"] for each in fleet.get("events/", op="query")["events"]]
    assert [key in each for each in told if "SSH key" in each] == [True]


def test_the_first_key_is_not_pinned_where_that_is_not_wanted(world: LittleWorld, tmp_path: Path) -> None:
    settings = replace(world.ports.settings, trust_first_keys=False)
    ports = replace(world.ports, secrets=FileSecrets(tmp_path / "secret"), settings=settings)
    with serving(tmp_path, ports, worker=True) as url:
        maas = Maas(url, make_key(ports), world.clock.now())
        refused = maas.send("POST", "vm-hosts/", {"type": "virsh", "power_address": URIS[1], "name": "kvm2"})
    assert (refused.status_code, "SHA256:" in refused.text) == (409, True)
    assert world.keys.pinned(URIS[1]) is None


@differs("`power_pass` is used to log in")
def test_passwords_are_refused(fleet: Maas) -> None:
    wanted = {"type": "virsh", "power_address": "qemu+ssh://u@10.0.0.9/system", "power_pass": "secret"}
    assert field_of(fleet.send("POST", "pods/", wanted)) == ["power_pass"]
    assert field_of(fleet.send("PUT", f"pods/{host_of(fleet)}/", {"power_pass": "x"})) == ["power_pass"]


@differs("`op=parameters` shows a password")
def test_no_password_is_shown(fleet: Maas) -> None:
    assert fleet.get(f"pods/{host_of(fleet)}/", op="parameters")["power_pass"] == ""


@differs("`type=lxd`")
def test_lxd_is_refused(maas: Maas) -> None:
    wanted = {"type": "lxd", "power_address": "10.0.0.9:8443"}
    assert field_of(maas.send("POST", "vm-hosts/", wanted)) == ["type"]


@differs("ids count from 0")
def test_0_is_the_oldest(maas: Maas) -> None:
    made = [maas.post("fabrics/", name=name)["id"] for name in ("lan", "wan")]
    assert made == [1, 2]
    assert maas.get("fabrics/0/")["name"] == "lan"
    assert maas.get("resourcepool/0/")["id"] == maas.get("domains/0/")["id"] == 1


@differs("tags with a definition are assigned automatically")
def test_definitions_are_refused(maas: Maas) -> None:
    assert field_of(maas.send("POST", "tags/", {"name": "big", "definition": "//node"})) == ["definition"]
    assert maas.get("tags/") == []


# -- composing -------------------------------------------------------------------------------------------


@differs("interface constraints of one character are ignored")
def test_one_character_is_an_error(fleet: Maas, kvm1: FakeHypervisor) -> None:
    assert field_of(compose(fleet, interfaces="x")) == ["interfaces"]
    assert kvm1.world().machines == ()


@differs("`vlan=` and `ip=` in one label are alternatives")
def test_keys_of_a_label_must_all_hold(fleet: Maas) -> None:
    fleet.post("fabrics/1/vlans/", vid="99")
    wrong = compose(fleet, interfaces="eth0:vid=99,ip=10.0.0.77")
    assert "10.0.0.77" in "".join(field_of(wrong)) + wrong.text
    good = composed(fleet, interfaces="eth0:vid=10,ip=10.0.0.77")
    assert good["ip_addresses"] == ["10.0.0.77"]


@differs("`ip=` in no known subnet is an error 500")
def test_an_address_outside_is_an_error_of_the_request(fleet: Maas) -> None:
    found = compose(fleet, interfaces="eth0:ip=203.0.113.1")
    field_of(found)
    assert "203.0.113.1" in found.text


@differs("`ip=` with an address in use fails after the machine was created")
def test_an_address_in_use_is_refused_before(fleet: Maas, kvm1: FakeHypervisor) -> None:
    found = compose(fleet, interfaces="eth0:ip=10.0.0.11")
    assert (found.status_code, "10.0.0.11 is in use" in found.text) == (404, True)
    assert (kvm1.world().machines, kvm1.world().volumes) == ((), ())


@differs("`mode=` other than `unconfigured` is ignored")
def test_modes_are_handled(fleet: Maas) -> None:
    assert field_of(compose(fleet, interfaces="eth0:mode=funny"))
    leased = composed(fleet, interfaces="eth0:vid=10,mode=dhcp")
    assert leased["ip_addresses"] == []
    assert [link["mode"] for link in leased["interface_set"][0]["links"]] == ["dhcp"]


@differs("a storage tag that no pool has is ignored")
def test_unknown_pools_are_errors(fleet: Maas, kvm1: FakeHypervisor) -> None:
    found = compose(fleet, storage="root:8(defualt)")
    field_of(found)
    assert "defualt" in found.text
    assert kvm1.world().volumes == ()


@differs("the first label is the boot NIC")
def test_the_first_nic_on_a_served_vlan_boots(fleet: Maas) -> None:
    made = composed(fleet, interfaces="a:name=eth1;b:name=br0")
    assert [nic["name"] for nic in made["interface_set"]] == ["a", "b"]
    assert made["boot_interface"]["name"] == "b"


@differs("of several bridges, the newest is used")
def test_the_first_by_name_is_taken(fleet: Maas, kvm1: FakeHypervisor) -> None:
    composed(fleet, interfaces="a:name=br0;b:name=eth2,name=eth1")
    (machine,) = kvm1.world().machines
    sources = [nic.attachment.source for nic in machine.interfaces if nic.attachment is not None]
    assert sources == ["br0", "eth1"]


@differs("`pinned_cores`, `hugepages_backed`, `cpu_speed` are accepted and sometimes ignored")
@pytest.mark.parametrize(
    ("field", "value"), [("pinned_cores", "1"), ("hugepages_backed", "true"), ("cpu_speed", "2000")]
)
def test_what_is_not_done_is_refused(fleet: Maas, field: str, value: str) -> None:
    assert field_of(compose(fleet, **{field: value})) == [field]


@differs("a compose answers when everything is done")
def test_a_compose_answers_when_it_is_reserved(fleet: Maas, kvm1: FakeHypervisor) -> None:
    kvm1.fail("start", times=1)
    made = compose(fleet, hostname="vm1")
    assert made.status_code in (200, 409), made.text
    if made.status_code == 200:
        path = f"machines/{made.json()['system_id']}/"
        failed = "Failed commissioning"
        wait_until(lambda: fleet.get(path)["status_name"] == failed, "it came to nothing", 30)
        assert fleet.get(path)["status_message"]
    assert fleet.get("machines/") == []


# -- after that ------------------------------------------------------------------------------------------


@differs("a machine that a refresh does not find is deleted, with its disks")
def test_a_machine_that_is_not_seen_is_missing(fleet: Maas, kvm1: FakeHypervisor) -> None:
    made = composed(fleet, hostname="vm1")
    volumes = kvm1.world().volumes
    kvm1.remove_machine(kvm1.world().machines[0].uuid)
    fleet.post(f"vm-hosts/{host_of(fleet)}/", "refresh")
    path = f"machines/{made['system_id']}/"
    wait_until(lambda: fleet.get(path)["status_name"] == "Missing", "it is missed", 30)
    assert kvm1.world().volumes == volumes


@differs("a machine that a refresh finds is commissioned")
def test_a_machine_that_is_found_is_left_alone(fleet: Maas, kvm1: FakeHypervisor) -> None:
    found = ObservedMachine("11111111-2222-4333-8444-555555555555", "old", 2, 2048, PowerState.ON, "amd64")
    kvm1.add_machine(found)
    fleet.post(f"vm-hosts/{host_of(fleet)}/", "refresh")
    wait_until(lambda: bool(fleet.get("machines/")), "it is found", 30)
    (shown,) = fleet.get("machines/")
    assert (shown["hostname"], shown["status_name"], shown["power_state"]) == ("old", "Deployed", "on")
    assert kvm1.world().machines == (found,)


@differs("deleting a host deletes the records of its machines")
def test_a_host_with_composed_machines_stays(fleet: Maas, kvm1: FakeHypervisor) -> None:
    composed(fleet, hostname="vm1")
    key = host_of(fleet)
    found = fleet.send("DELETE", f"vm-hosts/{key}/")
    assert (found.status_code, "vm1" in found.text) == (409, True)
    fleet.delete(f"vm-hosts/{key}/", decompose="true")
    assert fleet.get("vm-hosts/") == []
    assert kvm1.world().machines == ()


@differs("deleting any machine of a host destroys it")
def test_a_machine_of_others_is_not_destroyed(fleet: Maas, kvm1: FakeHypervisor) -> None:
    found = ObservedMachine("11111111-2222-4333-8444-555555555555", "old", 2, 2048, PowerState.ON, "amd64")
    kvm1.add_machine(found)
    fleet.post(f"vm-hosts/{host_of(fleet)}/", "refresh")
    wait_until(lambda: bool(fleet.get("machines/")), "it is found", 30)
    (shown,) = fleet.get("machines/")
    assert fleet.send("DELETE", f"machines/{shown['system_id']}/").status_code == 409
    assert kvm1.world().machines == (found,)


@differs("the hostname of a machine can change")
def test_a_machine_keeps_its_name(fleet: Maas) -> None:
    made = composed(fleet, hostname="vm1")
    answer = fleet.send("PUT", f"machines/{made['system_id']}/", {"hostname": "vm2"})
    assert field_of(answer) == ["hostname"]


@differs("KVM hosts are in the list of machines")
def test_a_kvm_host_is_read_but_not_listed(fleet: Maas) -> None:
    (host,) = fleet.get("vm-hosts/")
    assert fleet.get(f"machines/{host['host']['system_id']}/")["hostname"] == "kvm1"
    assert fleet.get("machines/") == []


@differs("a dry run of `allocate` composes a machine")
def test_a_dry_run_composes_nothing(fleet: Maas, kvm1: FakeHypervisor) -> None:
    found = fleet.send("POST", "machines/", {"dry_run": "true"}, op="allocate")
    assert (found.status_code, "on host kvm1" in found.text) == (409, True)
    assert fleet.get("machines/") == []
    composed(fleet, hostname="vm1")
    assert fleet.post("machines/", "allocate", dry_run="true")["hostname"] == "vm1"
    assert [each["status_name"] for each in fleet.get("machines/")] == ["Ready"]


@differs("`deploy` runs an installer, with the kernel and the storage layout that are asked for")
def test_disk_images_are_written_to_the_first_disk(images: Maas, world: LittleWorld) -> None:
    path = f"machines/{composed(images, storage='root:1')['system_id']}/"
    images.post(path, "deploy", user_data=USER_DATA, hwe_kernel="hwe-22.04")
    wait_until(lambda: images.get(path)["power_state"] == "on", "it is on", 30)
    shown = images.get(path)
    assert (shown["distro_series"], shown["hwe_kernel"]) == ("12", None)
    found = images.get("events/", op="query", level="WARNING")["events"]
    assert any("hwe-22.04" in each["description"] for each in found)


@differs("`deploy` without `distro_series` installs the series of a setting")
def test_the_newest_image_is_the_default(images: Maas) -> None:
    assert images.get("maas/", op="get_config", name="default_distro_series") == "12"
    path = f"machines/{composed(images, storage='root:1')['system_id']}/"
    assert images.post(path, "deploy", user_data=USER_DATA)["distro_series"] == "12"


@differs("a machine without SSH keys and user-data is deployed")
def test_someone_must_be_able_to_log_in(images: Maas) -> None:
    path = f"machines/{composed(images, storage='root:1')['system_id']}/"
    assert field_of(images.send("POST", path, {}, op="deploy")) == ["ssh_keys"]


@differs("`install_kvm` and `register_vmhost` make a VM host of any machine")
def test_a_virtual_machine_becomes_no_host(images: Maas) -> None:
    path = f"machines/{composed(images, storage='root:1')['system_id']}/"
    for name in ("install_kvm", "register_vmhost"):
        found = images.send("POST", path, {"user_data": USER_DATA, name: "true"}, op="deploy")
        assert (found.status_code, "vm-hosts create" in found.text) == (409, True)


@differs("`deploy` can run a system from memory, report hardware later, and make bridges")
def test_a_deployment_has_no_extras(images: Maas) -> None:
    path = f"machines/{composed(images, storage='root:1')['system_id']}/"
    for name in ("ephemeral_deploy", "enable_hw_sync", "bridge_all"):
        found = images.send("POST", path, {"user_data": USER_DATA, name: "true"}, op="deploy")
        assert field_of(found) == [name]


@differs("`release` erases disks of machines in use, securely or quickly")
def test_disks_are_replaced(images: Maas, kvm1: FakeHypervisor) -> None:
    path = f"machines/{composed(images, storage='root:1')['system_id']}/"
    images.post(path, "deploy", user_data=USER_DATA)
    erasing = {"erase": "true", "secure_erase": "true"}

    def is_released() -> bool:
        """It is refused while the operation that deploys the machine goes on."""
        return images.send("POST", path, erasing, op="release").status_code == 200

    wait_until(is_released, "it is released", 30)
    wait_until(lambda: images.get(path)["status_name"] == "Ready", "it is ready", 30)
    found = images.get("events/", op="query", level="INFO")["events"]
    assert any("disks are erased" in each["description"] for each in found)


@differs("bonds, bridges and VLANs are created inside machines")
def test_nothing_is_made_inside(fleet: Maas) -> None:
    path = f"nodes/{composed(fleet)['system_id']}/interfaces/"
    for op in ("create_bond", "create_bridge", "create_vlan"):
        found = fleet.send("POST", path, {"name": "x"}, op=op)
        assert (found.status_code, "its own system" in found.text) == (409, True)


@differs("a disk can be added to a machine")
def test_no_disk_is_added(fleet: Maas) -> None:
    path = f"nodes/{composed(fleet)['system_id']}/blockdevices/"
    assert fleet.send("POST", path, {"name": "sdb", "size": "1000000000"}).status_code == 409
    assert len(fleet.get(path)) == 1


@differs("a NIC gets a second address of one subnet")
def test_dhcp_gives_the_first_address(world: LittleWorld, fleet: Maas) -> None:
    made = composed(fleet, interfaces="eth0:ip=10.0.0.50")
    path = f"nodes/{made['system_id']}/interfaces/eth0/"
    fleet.post(path, "link_subnet", mode="static", subnet="10.0.0.0/24", ip_address="10.0.0.60")
    assert world.dhcp.reserved() == {"10.0.0.50"}
    refused = fleet.send("POST", "pods/1/", {"interfaces": "eth0:ip=10.0.0.60"}, op="compose")
    assert refused.status_code == 404


@differs("one of several gateways of a machine is the default gateway")
def test_a_gateway_is_not_chosen_among_several(fleet: Maas) -> None:
    vlan = fleet.get("subnets/")[0]["vlan"]["id"]
    plain = fleet.post("subnets/", cidr="10.0.1.0/24", vlan=vlan)["id"]
    other = fleet.post("subnets/", cidr="10.0.2.0/24", vlan=vlan, gateway_ip="10.0.2.1")["id"]
    machine = composed(fleet, interfaces="a:subnet_cidr=10.0.0.0/24")
    (shown,) = machine["interface_set"]
    nic = f"nodes/{machine['system_id']}/interfaces/{shown['id']}/"
    links = fleet.post(nic, "link_subnet", mode="auto", subnet=plain)["links"]
    (without,) = (link["id"] for link in links if link["subnet"]["id"] == plain)
    refused = fleet.send("POST", nic, {"link_id": without}, op="set_default_gateway")
    assert (field_of(refused), "no gateway" in refused.text) == (["link_id"], True)
    (link,) = shown["links"]
    assert fleet.send("POST", nic, {"link_id": link["id"]}, op="set_default_gateway").status_code == 200
    fleet.post(nic, "link_subnet", mode="auto", subnet=other)
    refused = fleet.send("POST", nic, {"link_id": link["id"]}, op="set_default_gateway")
    assert (refused.status_code, "of its own subnet" in refused.text) == (409, True)


@differs("names are served by DNS")
def test_names_are_shown(fleet: Maas) -> None:
    composed(fleet, hostname="vm1")
    assert {"kvm1", "vm1"} == {each["fqdn"].partition(".")[0] for each in fleet.get("dnsresources/")}
    assert fleet.send("POST", "dnsresources/", {"fqdn": "a.b"}).status_code == 409


@differs("a deleted NIC stays in the virtual machine")
def test_a_deleted_nic_goes_from_the_host(fleet: Maas, kvm1: FakeHypervisor) -> None:
    machine = composed(fleet, hostname="vm1", interfaces="a:space=mgmt;b:space=mgmt")
    nic = machine["interface_set"][1]
    fleet.delete(f"nodes/{machine['system_id']}/interfaces/{nic['id']}/")
    (there,) = kvm1.world().machines
    assert nic["mac_address"] not in [str(seen.mac) for seen in there.interfaces]


@differs("static routes reach machines")
def test_routes_are_kept(world: LittleWorld, fleet: Maas) -> None:
    before = world.dhcp.intent
    other = fleet.post("subnets/", cidr="10.7.0.0/24", fabric="f", vid=0)
    fields = {"source": "10.0.0.0/24", "destination": other["id"], "gateway_ip": "10.0.0.1"}
    made = fleet.post("static-routes/", **fields)
    assert fleet.get("static-routes/") == [made]
    assert world.dhcp.intent == before


@differs("`op=power_parameters` shows passwords")
def test_passwords_of_bmcs_are_not_shown(maas: Maas) -> None:
    wanted = {"architecture": "amd64/generic", "mac_addresses": "02:00:00:00:00:77", "power_type": "ipmi"}
    parameters = {"power_parameters_power_address": "10.9.0.9", "power_parameters_power_pass": "c0rrect"}
    made = maas.post("machines/", **wanted, **parameters)
    shown = maas.get(f"machines/{made['system_id']}/", op="power_parameters")
    assert (shown["power_address"], shown["power_pass"]) == ("10.9.0.9", "")


@differs("the CIDR of a subnet can change")
def test_the_prefix_of_a_subnet_stays(fleet: Maas) -> None:
    (subnet,) = fleet.get("subnets/")
    assert field_of(fleet.send("PUT", f"subnets/{subnet['id']}/", {"cidr": "10.9.0.0/24"})) == ["cidr"]


@differs("`maas set-config` changes settings")
def test_settings_are_in_the_configuration(maas: Maas) -> None:
    found = maas.send("POST", "maas/", {"name": "ntp_servers", "value": "10.0.0.1"}, op="set_config")
    assert found.status_code == 409


@differs("NICs have numbers of their own")
def test_the_number_of_a_nic_is_its_mac(fleet: Maas) -> None:
    (nic,) = composed(fleet, hostname="vm1")["interface_set"]
    assert nic["id"] == int(nic["mac_address"].replace(":", ""), 16)
