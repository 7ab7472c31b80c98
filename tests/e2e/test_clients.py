"""MAAS's own clients, unchanged, on real KVM hosts behind SSH: from adding a host to the last trace of it."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hostloom.hypervisor.xml_in import parse
from hostloom_lab.commands import pids_in
from support.client_story import LIBMAAS, STORIES, Story, build_gomaasapi
from support.maas import Maas
from support.rig import Rig
from support.waiting import wait_until

HOST = "kvm2"
#: What each machine's NIC is asked for, and how it is then attached on the host.
ATTACHED = {
    "by-space": ("bridge", "br0", None),
    "by-subnet": ("direct", "eth1", "vepa"),
    "by-vlan": ("direct", "eth2", "vepa"),
    "by-ip": ("direct", "eth3", "private"),
}
SEGMENTS = {"by-space": "mgmt", "by-subnet": "dmz", "by-vlan": "storage", "by-ip": "lab"}


@pytest.fixture(scope="module")
def key(rig: Rig) -> str:
    """An administrator's key of MAAS's form."""
    rig.run("user", "create", "ann", "--admin")
    text: str = rig.get("apikey", "create", "ann", "--name", "clients")["text"]
    return text


@pytest.fixture
def left_to_clients(rig: Rig) -> Iterator[Rig]:
    """The rig without a host: who adds it through MAAS's API trusts the first key that it shows."""
    rig.run("host", "delete", HOST, "--yes")
    yield rig
    for machine in rig.list("machine"):
        rig.decompose(machine["hostname"])
    if HOST in [each["name"] for each in rig.list("host")]:
        rig.run("host", "delete", HOST, "--yes")
    rig.add_hosts(HOST)


@pytest.fixture(params=["python-libmaas", "gomaasapi"])
def argv(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """The program of one client."""
    if request.param == "gomaasapi":
        return [str(build_gomaasapi(tmp_path))]
    assert LIBMAAS.exists(), "bin/test makes the client's environment"
    return [str(LIBMAAS), str(STORIES / "libmaas_hosts_story.py")]


def wish(rig: Rig) -> dict[str, Any]:
    """A host, and a machine for each way to say where its NIC belongs.

    Each takes one of the host's two cores: they have room by over-commit alone.
    """
    (vlan,) = [each["id"] for each in rig.list("vlan") if each["name"] == "storage"]
    interfaces = {
        "by-space": "eth0:space=mgmt",
        "by-subnet": f"eth0:subnet_cidr={rig.lab.plan.segment('dmz')}",
        "by-vlan": f"eth0:vlan=id:{vlan}",
        "by-ip": f"eth0:ip={wanted_ip(rig)},macvlan_mode=private",
    }
    return {
        "host": {"type": "virsh", "power_address": rig.lab.uri_ssh(HOST), "name": HOST},
        "changes": {
            "default_macvlan_mode": "vepa",
            "cpu_over_commit_ratio": "4",
            "memory_over_commit_ratio": "2.5",
        },
        "machines": [
            {"hostname": name, "cores": "1", "memory": "256", "storage": "root:1", "interfaces": text}
            for name, text in interfaces.items()
        ],
    }


def url_of(rig: Rig) -> str:
    return f"http://{rig.lab.plan.rack_link_address.ip}:5240"


def wanted_ip(rig: Rig) -> str:
    return str(rig.lab.plan.segment("lab").network_address + 50)


def test_a_client_works_from_login_to_decompose(
    left_to_clients: Rig, key: str, argv: list[str], tmp_path: Path
) -> None:
    rig = left_to_clients
    with Story([*argv, f"{url_of(rig)}/MAAS/", key], tmp_path) as story:
        made = story.tell(wish(rig))
        assert made["whoami"] == "ann"
        assert made["wrong_mode"]["status"] == 400
        assert made["host"] == {
            "name": HOST,
            "type": "virsh",
            "default_macvlan_mode": "vepa",
            "cpu_over_commit_ratio": 4,
            "memory_over_commit_ratio": 2.5,
        }
        assert rig.key_of(HOST) in next(
            each["message"] for each in rig.list("event") if each["kind"] == "host-key-trusted"
        )
        held = check_machines(rig, made["machines"])
        assert rig.wait_for_report("by-ip")["by-ip"]["ip"] == wanted_ip(rig)
        left = story.tell({})
    assert left["refused"]["status"] == 409
    assert left["machines"] == 0
    assert left["host"]["status"] == 404
    assert [each["name"] for each in rig.list("host")] == ["kvm1"]
    assert virsh(rig, "list", "--all", "--name").split() == []
    assert not [name for name in ATTACHED if name in virsh(rig, "vol-list", "default")]
    addresses = {each["ip"] for each in rig.list("address")}
    assert not addresses & held


def check_machines(rig: Rig, machines: list[dict[str, Any]]) -> set[str]:
    """Each is as it was asked for, in the client's eyes and in libvirt's; the addresses that they have."""
    assert [each["hostname"] for each in machines] == list(ATTACHED)
    held = set()
    for machine in machines:
        name = machine["hostname"]
        subnet = rig.lab.plan.segment(SEGMENTS[name])
        assert set(machine["states"]) <= {"Commissioning", "Ready"}
        assert (machine["power"], machine["cores"], machine["memory"]) == ("on", 1, 256)
        assert machine["disks"] == [10**9]
        (nic,) = machine["nics"]
        assert (nic["name"], machine["boot"], nic["modes"]) == ("eth0", "eth0", ["auto"])
        assert nic["vid"] == int(str(subnet.network_address).split(".")[2])
        assert nic["cidrs"] == [str(subnet)]
        assert machine["ips"] == nic["ips"]
        assert attachment(rig, name, nic["mac"]) == ATTACHED[name]
        held.update(nic["ips"])
    assert wanted_ip(rig) in held
    assert len(held) == len(machines)
    return held


def attachment(rig: Rig, name: str, mac: str) -> tuple[str, str, str | None]:
    """How the running domain's NIC of that MAC meets the host."""
    (nic,) = parse(virsh(rig, "dumpxml", name)).findall("devices/interface")
    source, address = nic.find("source"), nic.find("mac")
    assert source is not None
    assert address is not None
    assert address.get("address") == mac
    return nic.attrib["type"], source.get("bridge") or source.attrib["dev"], source.get("mode")


def virsh(rig: Rig, *words: str) -> str:
    argv = ["virsh", "-c", rig.lab.uri_unix(HOST), *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


@contextmanager
def hanging(rig: Rig) -> Iterator[None]:
    """The host's libvirtd takes connections and calls, and answers none."""
    (pid,) = [
        each
        for each in pids_in(rig.lab.netns(HOST))
        if Path(f"/proc/{each}/comm").read_text() == "libvirtd\n"
    ]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_host_that_hangs_is_answered_for_in_the_time_that_ansible_gives(clean: Rig, key: str) -> None:
    rig = clean
    maas = Maas(url_of(rig), key, time.time(), timeout_s=10)
    (host,) = [f"vm-hosts/{each['id']}/" for each in maas.get("vm-hosts/") if each["name"] == HOST]
    wish = {"hostname": "slow", "memory": "256", "storage": "root:1", "interfaces": "eth0:space=mgmt"}
    with hanging(rig):
        made = maas.post(host, "compose", **wish)
        path = f"machines/{made['system_id']}/"
        assert maas.get(path)["status_name"] == "Commissioning"
    wait_until(lambda: maas.get(path)["status_name"] == "Ready", "a machine that is ready", 60)
    assert virsh(rig, "list", "--name").split() == ["slow"]
    with hanging(rig):
        assert maas.post(host, "refresh")["name"] == HOST
    with hanging(rig):
        maas.delete(path)
        assert maas.get(path)["status_name"] == "Releasing"
    wait_until(lambda: maas.send("GET", path).status_code == 404, "the end of the machine", 60)
    assert virsh(rig, "list", "--all", "--name").split() == []
