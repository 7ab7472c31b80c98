"""gomaasapi, Debian's package, unchanged: what Juju and Terraform send, and what its strict schemas take."""

import gzip
import time
from base64 import b64encode
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.server.secret import FileSecrets
from hostloom.server.system import SystemClock
from support.client_story import Story, build_gomaasapi
from support.disk_images import a_disk_image
from support.guest import phone_home
from support.little_world import add_disk_image, little_world
from support.maas import Maas, make_key
from support.server import running, serving

ADDRESS = "test:///default"
WISH = {
    "host": {"type": "virsh", "power_address": ADDRESS, "name": "kvm1"},
    "changes": {
        "type": "virsh",
        "power_address": ADDRESS,
        "default_macvlan_mode": "vepa",
        "cpu_over_commit_ratio": "4",
        "memory_over_commit_ratio": "10",
    },
    "machines": [
        {"hostname": "vm1", "cores": "1", "memory": "1024", "storage": "root:1,data:2(default-pool)"},
        {"hostname": "vm2", "cores": "2", "memory": "512", "storage": "root:1", "pool": "lab"},
    ],
}
CAPABILITIES = {
    "networks-management",
    "static-ipaddresses",
    "ipv6-deployment-ubuntu",
    "devices-management",
    "storage-deployment-ubuntu",
    "network-deployment-ubuntu",
    "bridging-interface-ubuntu",
    "bridging-automatic-ubuntu",
    "authenticate-api",
}
#: libvirt's test driver has a network that hostloom knows nothing of.
NIC = {"name": "eth0", "vid": -1, "modes": ["link_up"], "cidrs": [], "ips": [""]}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_gomaasapi(tmp_path_factory.mktemp("go"))


def make_network(maas: Maas) -> None:
    """A VLAN in a space, with a subnet; a resource pool."""
    fabric = maas.post("fabrics/", name="physical")
    space = maas.post("spaces/", name="dmz")
    vlan = maas.post(f"fabrics/{fabric['id']}/vlans/", vid="20", name="dmz", space=str(space["id"]))
    maas.post("subnets/", cidr="10.0.20.0/24", vlan=str(vlan["id"]), dns_servers="10.0.20.2 10.0.20.3")
    maas.post("resourcepools/", name="lab")
    maas.post("tags/", name="fast", comment="quick", kernel_opts="quiet")
    first = maas.post("devices/", hostname="printer", mac_addresses="00:16:3e:00:00:01")
    other = maas.post("subnets/", cidr="10.0.30.0/24", vlan=str(vlan["id"]))
    assert first["system_id"]
    wanted = {"source": other["id"], "destination": "10.0.20.0/24", "gateway_ip": "10.0.30.1"}
    maas.post("static-routes/", **wanted)


def test_its_users_work_on_unchanged(program: Path, tmp_path: Path) -> None:
    with running(tmp_path, worker=True, clock=SystemClock()) as server:
        key = make_key(server.ports)
        make_network(Maas(server.url, key, time.time()))
        with Story([str(program), f"{server.url}/MAAS/", key], tmp_path) as story:
            made = story.tell(WISH)
            left = story.tell({})

    machines = made.pop("machines")
    assert set(made.pop("capabilities")) >= CAPABILITIES
    wrong = made.pop("wrong_mode")
    assert wrong["status"] == 400
    assert all(mode in wrong["words"] for mode in ("private", "vepa", "bridge", "passthru"))
    assert made == {
        "version": "3.7.0",
        "whoami": "ann",
        "fabrics": {"physical": [0, 20]},
        "spaces": {"dmz": ["10.0.20.0/24", "10.0.30.0/24"]},
        "subnets": ["10.0.20.0/24", "10.0.30.0/24"],
        "counts": [1, 1, 1, 0],
        "groups": {"zones": ["default"], "domains": ["maas"], "pools": ["default", "lab"]},
        "host": {
            "name": "kvm1",
            "type": "virsh",
            "default_macvlan_mode": "vepa",
            "cpu_over_commit_ratio": 4,
            "memory_over_commit_ratio": 10,
        },
    }
    for each in machines:
        assert set(each.pop("states")) <= {"Commissioning", "Ready"}
        assert each.pop("system_id")
        (nic,) = each.pop("nics")
        assert nic.pop("mac").startswith("52:54:00:")
        assert nic == NIC
    common = {"power": "on", "zone": "default", "ips": [], "boot": "eth0"}
    assert machines == [
        common
        | {"hostname": "vm1", "cores": 1, "memory": 1024, "pool": "default", "disks": [10**9, 2 * 10**9]},
        common | {"hostname": "vm2", "cores": 2, "memory": 512, "pool": "lab", "disks": [10**9]},
    ]
    assert left["refused"]["status"] == 409
    assert "vm1, machine vm2" in left["refused"]["words"]
    assert left["machines"] == 0
    assert left["host"] == {"status": 404, "words": "No Pod matches the given query."}


def test_a_model_of_juju_finds_marks_and_releases_a_machine(program: Path, tmp_path: Path) -> None:
    world = little_world(tmp_path, hosts_there=1)
    ports = replace(world.ports, secrets=FileSecrets(tmp_path / "secret"), clock=SystemClock())
    user_data = b64encode(gzip.compress(b"#cloud-config\n{}\n")).decode()
    wish = {"space": "mgmt", "agent": "model-1", "mac": "00:16:3e:00:00:02", "ip": "10.0.0.90"}
    wish |= {"series": "debian/12", "user_data": user_data}
    add_disk_image(world, a_disk_image(virtual_size_bytes=10**6))
    with ExitStack() as stack:
        url = stack.enter_context(serving(tmp_path, ports, worker=True))
        argv = [str(program), f"{url}/MAAS/", make_key(ports)]
        story = stack.enter_context(Story(argv, tmp_path))
        deploying = story.tell({"juju": wish})
        phone_home(ports, deploying["hostname"])
        told = story.tell({})["juju"]
    assert deploying["state"] == "Deploying"
    given = told.pop("given")
    (nic,) = given["nics"]
    assert (given["cores"], given["memory"], given["disks"]) == (2, 512, [10**9])
    assert (nic["vid"], nic["modes"], nic["cidrs"]) == (10, ["auto"], ["10.0.0.0/24"])
    first = nic["ips"][0]
    container = told.pop("container")
    (ip,) = container.pop("ips")
    assert ip not in (first, wish["ip"], "")
    assert container == {
        "devices": 1,
        "parent": True,
        "nic": "eth0",
        "mac": wish["mac"],
        "vid": 10,
        "left": 0,
    }
    assert told == {
        "too_much": True,
        "state": "Allocated",
        "matches": {"interface": "eth0", "storage": 10**9},
        "found": 1,
        "link": {"first": first, "two": [first, wish["ip"]], "one": wish["ip"]},
        "wrong_series": True,
        "deployed": {
            "system": "debian",
            "series": "12",
            "power": "on",
            "images": ["debian/12 amd64/generic"],
        },
        "left": 0,
    }
