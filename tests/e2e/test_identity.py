"""Machines that are changed with virsh: what a refresh tells of them, and what is not started."""

import subprocess

from support.rig import Rig


def virsh(rig: Rig, host: str, *words: str) -> str:
    argv = ["virsh", "-c", rig.lab.uri_unix(host), *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def compose_off(rig: Rig, name: str, *words: str) -> None:
    """A machine that is off."""
    wanted = ("--name", name, "--host", "kvm1", "--memory", "256M", "--no-start", *words)
    rig.run("machine", "compose", *wanted)


def test_what_was_composed_shows_no_drift_and_starts(clean: Rig) -> None:
    nics = "eth0:space=mgmt;eth1:attach=macvlan,macvlan_mode=private"
    compose_off(clean, "same", "--interfaces", nics, "--storage", "root:1,data:1")
    clean.run("host", "refresh", "kvm1")
    assert clean.get("machine", "show", "same")["drift"] == []
    clean.run("machine", "start", "same")
    clean.run("host", "refresh", "kvm1")
    assert clean.get("machine", "show", "same")["drift"] == []
    clean.run("machine", "stop", "same", "--force", "--yes")
    clean.run("machine", "start", "same")


def test_a_changed_machine_is_reported_and_not_started(clean: Rig) -> None:
    compose_off(clean, "changed", "--interfaces", "eth0:space=mgmt")
    machine = clean.get("machine", "show", "changed")
    mac, volume = machine["interfaces"][0]["mac"], machine["disks"][0]["volume"]
    virsh(clean, "kvm1", "detach-interface", "changed", "bridge", "--mac", mac, "--config")
    virsh(clean, "kvm1", "setvcpus", "changed", "3", "--maximum", "--config")
    virsh(clean, "kvm1", "vol-delete", volume, "--pool", machine["disks"][0]["pool"])
    clean.run("host", "refresh", "kvm1")
    kinds = [change["kind"] for change in clean.get("machine", "show", "changed")["drift"]]
    assert kinds == ["machine-cores", "machine-nic", "machine-volume"]
    done = clean.call("machine", "start", "changed")
    assert done.returncode == 3, done.stderr
    for word in ("cores", mac, "volume"):
        assert word in done.stderr
    assert "running" not in virsh(clean, "kvm1", "domstate", "changed")
