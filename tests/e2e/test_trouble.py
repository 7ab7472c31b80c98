"""Trouble: hosts that are gone, a server that dies in the middle, mistakes; nothing is left behind."""

import signal
import subprocess

from support.rig import Rig
from support.waiting import wait_until


def virsh(rig: Rig, host: str, *words: str) -> str:
    argv = ["virsh", "-c", rig.lab.uri_unix(host), *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_mistakes_are_refused_with_their_reason(clean: Rig) -> None:
    for words, code, reason in (
        (("--interfaces", "eth0:space=nowhere"), 1, "nowhere"),
        (("--interfaces", "eth0:colour=red"), 2, "column 6"),
        (("--interfaces", "eth0:vid=99"), 3, "vid=99"),
        (("--memory", "900G"), 3, "MiB"),
        (("--storage", "root:8(nvme)"), 3, "nvme"),
        (("--host", "kvm9"), 1, "kvm9"),
    ):
        memory = () if "--memory" in words else ("--memory", "256M")
        done = clean.call("machine", "compose", "--host", "kvm1", *memory, *words)
        assert done.returncode == code, (words, done.stdout, done.stderr)
        assert reason in done.stderr, done.stderr
    assert clean.list("machine") == []
    assert virsh(clean, "kvm1", "list", "--all", "--name").strip() == ""


def test_an_address_that_is_taken_is_refused(clean: Rig) -> None:
    machine = clean.compose("first", "eth0:space=mgmt", "kvm1")
    (ip,) = machine["interfaces"][0]["ips"]
    done = clean.call("machine", "compose", "--interfaces", f"eth0:ip={ip}", "--memory", "256M")
    assert done.returncode == 3
    assert ip in done.stderr
    again = clean.call("machine", "compose", "--name", "first", "--memory", "256M")
    assert again.returncode == 3
    assert "first" in again.stderr


def test_a_host_without_power_is_unreachable_and_comes_back(clean: Rig) -> None:
    clean.lab.unplug("kvm2")
    try:
        done = clean.call("host", "refresh", "kvm2")
        assert done.returncode == 4, done.stdout + done.stderr
        (host,) = [each for each in clean.list("host") if each["name"] == "kvm2"]
        assert host["reachable"] is False
        # The other host is as quick as ever, and takes what leaves the host open.
        assert clean.compose("fine", "eth0:space=mgmt")["host"] == "kvm1"
    finally:
        clean.lab.plug("kvm2")
    wait_until(lambda: clean.call("host", "refresh", "kvm2").returncode == 0, "kvm2", 60)


def test_a_server_killed_in_a_compose_goes_on_after_its_start(clean: Rig) -> None:
    clean.run(
        *("machine", "compose", "--name", "phoenix", "--interfaces", "eth0:space=mgmt", "--host", "kvm1"),
        *("--memory", "256M", "--storage", "root:1", "--no-wait"),
    )
    wait_until(lambda: "reserve" in steps_done(clean), "the reservation", 30, every_s=0.01)
    with clean.hanging("kvm1"):
        assert clean_unfinished(clean)  # the steps that follow ask the host
        clean.stop(signal.SIGKILL)
    clean.start()
    wait_until(lambda: not clean_unfinished(clean), "the end of the operation", 60)
    (machine,) = clean.list("machine")
    assert (machine["hostname"], machine["state"]) == ("phoenix", "ready")
    assert virsh(clean, "kvm1", "list", "--name").split() == ["phoenix"]


def steps_done(rig: Rig) -> set[str]:
    """The steps that the newest operation has done."""
    newest = max(rig.list("operation"), key=lambda operation: operation["created_at"])
    return {step["name"] for step in newest["steps"] if step["state"] == "done"}


def clean_unfinished(rig: Rig) -> list[str]:
    """Operations that are neither finished nor stuck."""
    over = ("succeeded", "failed", "cancelled", "stuck")
    return [each["id"] for each in rig.list("operation") if each["state"] not in over]


def test_a_changed_host_key_is_refused(clean: Rig) -> None:
    directory = clean.lab.plan.directory / "kvm2"
    files = (directory / "host_key", directory / "host_key.pub")
    before = [file.read_bytes() for file in files]
    clean.lab.unplug("kvm2")
    for file in files:
        file.unlink()
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / "host_key")], check=True
    )
    clean.lab.plug("kvm2")
    try:
        done = clean.call("host", "refresh", "kvm2")
        assert done.returncode != 0
        assert "has changed" in done.stdout + done.stderr
        wrong = clean.call("host", "update", "kvm2", "--accept-key", "SHA256:wrong")
        assert wrong.returncode == 3
        clean.run("host", "update", "kvm2", "--accept-key", clean.key_of("kvm2"))
        clean.run("host", "refresh", "kvm2")
    finally:
        clean.lab.unplug("kvm2")
        for file, content in zip(files, before, strict=True):
            file.write_bytes(content)
        clean.lab.plug("kvm2")
    clean.run("host", "update", "kvm2", "--accept-key", clean.key_of("kvm2"))
    clean.run("host", "refresh", "kvm2")
