"""host fix-network on real libvirtd: what it refuses, the network that it makes, and DHCP turned off live."""

import subprocess
from collections.abc import Iterator

import pytest

from hostloom.hypervisor.xml_in import parse
from support.rig import Rig
from support.waiting import wait_until

#: As libvirt keeps one to itself; a port of the host's in its bridge joins it to the segment.
WIRED = """
<network><name>wired</name><bridge name='virbr40' stp='off'/>
<ip address='{address}' netmask='255.255.255.0'>
<dhcp><range start='{first}' end='{last}'/><host mac='52:54:00:00:40:40' ip='{fixed}'/></dhcp></ip></network>
"""
OTHERS = """
<domain type='qemu'><name>others</name><memory unit='MiB'>64</memory><os><type arch='x86_64'>hvm</type></os>
<devices><interface type='network'><mac address='52:54:00:00:40:41'/><source network='wired'/></interface>
</devices></domain>
"""
PORT = "eth3"


def virsh(rig: Rig, host: str, *words: str, given: str | None = None) -> str:
    argv = ["virsh", "-c", rig.lab.uri_unix(host), *words]
    return subprocess.run(argv, input=given, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def kvm1(rig: Rig) -> Iterator[Rig]:
    """The rig, whose kvm1 has a network `default` alone, before and after."""
    yield rig
    for machine in rig.list("machine"):
        if machine["origin"] == "composed":
            rig.decompose(machine["hostname"])
    for name in ("maas", "wired"):
        _remove(rig, name)
    if rig.list("machine"):  # what was adopted goes with the host
        rig.run("host", "delete", "kvm1", "--yes")
        rig.add_hosts("kvm1")
    rig.run("host", "refresh", "kvm1")


def _remove(rig: Rig, name: str) -> None:
    if name in virsh(rig, "kvm1", "net-list", "--name").split():
        virsh(rig, "kvm1", "net-destroy", name)
    if name in virsh(rig, "kvm1", "net-list", "--all", "--name").split():
        virsh(rig, "kvm1", "net-undefine", name)


def test_the_nat_network_is_refused_and_a_network_maas_is_offered_that_boots(kvm1: Rig) -> None:
    rig = kvm1
    refused = rig.call("host", "fix-network", "kvm1", "default", "--yes")
    assert refused.returncode == 3
    assert "virbr0 has no physical port" in refused.stderr
    assert "hostloom host fix-network kvm1 --make-maas br0" in refused.stderr
    assert "<dhcp>" in virsh(rig, "kvm1", "net-dumpxml", "default")

    (before,) = (
        each for each in rig.get("host", "networks", "kvm1")["networks"] if each["name"] == "default"
    )
    assert "libvirt-dhcp-on" in [each["code"] for each in before["fails"]]

    rig.run("host", "fix-network", "kvm1", "--yes")
    made = parse(virsh(rig, "kvm1", "net-dumpxml", "maas"))
    assert [made.find("forward").get("mode"), made.find("bridge").get("name")] == ["bridge", "br0"]  # type: ignore[union-attr]
    assert "maas" in virsh(rig, "kvm1", "net-list", "--autostart", "--name").split()
    now = rig.get("host", "networks", "kvm1")
    assert (now["takes"], now["attach"], now["boots"]) == ("maas", "network", True)

    done = rig.call("host", "fix-network", "kvm1", "--yes")
    assert done.returncode == 0
    assert "needs no fix" in done.stderr
    rig.run(
        *("machine", "compose", "--name", "plain", "--host", "kvm1"),
        *("--memory", "256M", "--storage", "root:1"),
    )
    (nic,) = rig.get("machine", "show", "plain")["interfaces"]
    assert (nic["attach"], nic["source"]) == ("network", "maas")
    assert rig.wait_for_report("plain")["plain"]["ip"] == nic["ips"][0]


@pytest.fixture
def wired(kvm1: Rig) -> Iterator[Rig]:
    """A network of libvirt's own, with DHCP, a port of the host's in its bridge, and others' guest on it."""
    rig = kvm1
    base = rig.lab.plan.segment("lab").network_address
    text = WIRED.format(address=base + 250, first=base + 200, last=base + 220, fixed=base + 199)
    try:
        virsh(rig, "kvm1", "net-define", "/dev/stdin", given=text)
        virsh(rig, "kvm1", "net-start", "wired")
        rig.lab.run_in("kvm1", ["ip", "link", "set", PORT, "master", "virbr40"])
        virsh(rig, "kvm1", "create", "/dev/stdin", given=OTHERS)
        rig.run("host", "refresh", "kvm1")
        yield rig
    finally:
        subprocess.run(
            ["virsh", "-c", rig.lab.uri_unix("kvm1"), "destroy", "others"], capture_output=True, check=False
        )
        rig.lab.run_in("kvm1", ["ip", "link", "set", PORT, "nomaster"])
        _remove(rig, "wired")


def test_dhcp_goes_while_guests_run_and_ours_answers_instead(wired: Rig) -> None:
    def taps() -> list[str | None]:
        found = parse(virsh(wired, "kvm1", "dumpxml", "others")).findall("devices/interface/target")
        return [each.get("dev") for each in found]

    before = taps()
    preview = wired.call("host", "fix-network", "kvm1", "wired")
    assert preview.returncode == 2
    assert "turn libvirt's own DHCP off on network wired" in preview.stderr
    assert "others" in preview.stderr
    assert "<dhcp>" in virsh(wired, "kvm1", "net-dumpxml", "wired")

    wired.run("host", "fix-network", "kvm1", "wired", "--yes")
    assert "<dhcp>" not in virsh(wired, "kvm1", "net-dumpxml", "wired")
    assert "<dhcp>" not in virsh(wired, "kvm1", "net-dumpxml", "wired", "--inactive")
    assert taps() == before
    assert virsh(wired, "kvm1", "domstate", "others").strip() == "running"

    machine = wired.compose("joined", "eth0:attach=network,network=wired", "kvm1")
    (nic,) = machine["interfaces"]
    assert nic["source"] == "wired"
    assert wired.wait_for_report("joined")["joined"]["ip"] == nic["ips"][0]
    wait_until(lambda: taps() == before, "the guest's NIC", 5)
