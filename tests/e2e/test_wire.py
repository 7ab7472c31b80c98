"""What counts is the wire: machines answer where they should, and nowhere else."""

import subprocess

import pytest

from support.guest_shell import GuestShell
from support.rig import Rig


def test_bridge_and_macvtap_machines_answer_on_their_own_segment_only(clean: Rig) -> None:
    web = clean.compose("web", "eth0:space=mgmt", "kvm1")
    db = clean.compose("db", "eth0:vid=20,macvlan_mode=private", "kvm2")
    reports = clean.wait_for_report("web", "db")
    for machine, segment, other in ((web, "mgmt", "dmz"), (db, "dmz", "mgmt")):
        nic = machine["interfaces"][0]
        (ip,) = nic["ips"]
        assert reports[machine["hostname"]] == {"mac": nic["mac"], "ip": ip, "seen_from": ip}
        assert clean.answers_arp(segment, ip)
        assert not clean.answers_arp(other, ip)


def test_a_requested_address_is_the_one_that_the_guest_gets(clean: Rig) -> None:
    wanted = str(clean.lab.plan.segment("mgmt").network_address + 50)
    clean.compose("cache", f"eth0:ip={wanted}")
    assert clean.wait_for_report("cache")["cache"]["ip"] == wanted


def test_decompose_leaves_nothing(clean: Rig) -> None:
    machine = clean.compose("gone", "eth0:space=mgmt", "kvm1")
    (ip,) = machine["interfaces"][0]["ips"]
    clean.decompose("gone")
    uri = clean.lab.uri_unix("kvm1")
    assert virsh(uri, "list", "--all", "--name").strip() == ""
    assert "gone" not in virsh(uri, "vol-list", "default")
    assert clean.list("machine") == []
    assert ip not in str(clean.list("address"))
    assert clean.compose("next", "eth0:space=mgmt", "kvm1")["interfaces"][0]["ips"] == [ip]


def test_private_isolates_and_bridge_connects(clean: Rig) -> None:
    for mode, meet in (("private", False), ("bridge", True)):
        first, second, other = pair(clean, mode)
        assert first.pings(rack(clean)), mode
        assert second.pings(rack(clean)), mode
        assert first.pings(other) is meet, mode
        changed_mac_stops_traffic(clean, first, stops=True)
        for shell in (first, second):
            shell.close()
        clean.decompose(f"{mode}-a", f"{mode}-b")


def test_vepa_needs_a_switch_that_reflects(clean: Rig) -> None:
    first, second, other = pair(clean, "vepa")
    assert first.pings(rack(clean))
    assert not first.pings(other)
    clean.lab.reflect("kvm1", "eth1", on=True)
    try:
        assert first.pings(other)
    finally:
        clean.lab.reflect("kvm1", "eth1", on=False)
    for shell in (first, second):
        shell.close()


def test_passthru_is_exclusive_and_its_guest_may_change_its_mac(clean: Rig) -> None:
    clean.compose("owner", "eth0:vid=20,macvlan_mode=passthru", "kvm1")
    for interfaces in ("eth0:vid=20,macvlan_mode=passthru", "eth0:vid=20,macvlan_mode=bridge"):
        refused = clean.call(
            "machine", "compose", "--host", "kvm1", "--interfaces", interfaces, "--memory", "256M"
        )
        assert refused.returncode == 3
        assert "passthru" in refused.stderr
    clean.wait_for_report("owner")
    shell = GuestShell(clean.lab.uri_unix("kvm1"), "owner")
    assert shell.pings(rack(clean))
    changed_mac_stops_traffic(clean, shell, stops=False)
    shell.close()


def pair(rig: Rig, mode: str) -> tuple[GuestShell, GuestShell, str]:
    """Two machines on one parent, and the address of the second."""
    names = [f"{mode}-a", f"{mode}-b"]
    machines = rig.compose_all(dict.fromkeys(names, f"eth0:vid=20,macvlan_mode={mode}"), "kvm1")
    rig.wait_for_report(*names)
    first, second = (GuestShell(rig.lab.uri_unix("kvm1"), name) for name in names)
    return first, second, machines[1]["interfaces"][0]["ips"][0]


def rack(rig: Rig) -> str:
    """The rack's address on the segment of eth1."""
    return str(rig.lab.plan.rack_address("dmz"))


def changed_mac_stops_traffic(rig: Rig, shell: GuestShell, *, stops: bool) -> None:
    """Change the MAC inside the guest: only with passthru does its traffic go on."""
    down, up = "ip link set eth0 down", "ip link set eth0 up"
    assert shell.run(f"{down}; ip link set eth0 address 52:54:00:aa:bb:cc; {up}; sleep 1") == 0
    assert shell.pings(rack(rig)) is not stops


def virsh(uri: str, *words: str) -> str:
    return subprocess.run(["virsh", "-c", uri, *words], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", ["kvm1", "kvm2"])
def test_a_refresh_takes_a_composed_machine_for_no_foreign_one(clean: Rig, name: str) -> None:
    clean.compose("mine", "eth0:space=mgmt", name)
    clean.run("host", "refresh", name)
    machines = [machine for machine in clean.list("machine") if machine["host"] == name]
    assert [machine["hostname"] for machine in machines] == ["mine"]
    assert machines[0]["origin"] == "composed"
    assert virsh(clean.lab.uri_unix(name), "list", "--all", "--name").split() == ["mine"]
