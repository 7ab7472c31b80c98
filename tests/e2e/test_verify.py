"""Proof on the wire: machines verified on real bridges and macvtaps, and what breaks is seen, and its end."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from hostloom_lab.lab import Lab
from support.rig import Rig

#: By its bridge br0 on the segment mgmt, and by macvtap on eth1 on the segment dmz.
BRIDGED, MACVTAP = "web", "db"
CHECKS = ["attachment", "carrier", "address", "duplicate", "gateway", "mtu"]


@pytest.fixture(scope="module")
def up(rig: Rig) -> Iterator[Rig]:
    """Two machines that have come up."""
    rig.compose_all({BRIDGED: "eth0:space=mgmt", MACVTAP: "eth0:vid=20"}, "kvm1")
    try:
        rig.wait_for_report(BRIDGED, MACVTAP)
        yield rig
    finally:
        rig.decompose(BRIDGED, MACVTAP)


def verdicts(rig: Rig, name: str) -> dict[str, str]:
    """Verify a machine; the verdict of each check of its only NIC."""
    done = rig.call("machine", "verify", name, "-o", "json")
    (machine,) = json.loads(done.stdout)
    (nic,) = machine["interfaces"]
    found = {each["check"]: each["verdict"] for each in nic["proof"]["evidence"]}
    assert done.returncode == int("failed" in found.values()), done.stderr
    assert ("failed" in found.values()) == (nic["proof"]["verdict"] == "failed")
    return found


def test_machines_that_are_up_pass_every_check(up: Rig) -> None:
    for name in (BRIDGED, MACVTAP):
        assert verdicts(up, name) == dict.fromkeys(CHECKS, "passed"), name
    heading, *lines = up.run("machine", "list", "--host", "kvm1").splitlines()
    position = heading.index("WIRE")
    assert [line[position:].split()[0] for line in lines] == ["ok", "ok"]


@contextmanager
def silent_gateway(lab: Lab) -> Iterator[None]:
    lab.run_in("rack", ["ip", "link", "set", "dmz", "arp", "off"])
    try:
        yield
    finally:
        lab.run_in("rack", ["ip", "link", "set", "dmz", "arp", "on"])


@contextmanager
def short_frames(lab: Lab) -> Iterator[None]:
    lab.run_in("switch", ["ip", "link", "set", "kvm1-eth1", "mtu", "1400"])
    try:
        yield
    finally:
        lab.run_in("switch", ["ip", "link", "set", "kvm1-eth1", "mtu", "1500"])


@contextmanager
def no_cable(lab: Lab) -> Iterator[None]:
    lab.unplug("kvm1", "eth1")
    try:
        yield
    finally:
        lab.plug("kvm1", "eth1")


@pytest.mark.parametrize(
    ("broken", "failing"),
    [(silent_gateway, {"gateway"}), (short_frames, {"mtu"}), (no_cable, {"carrier"})],
)
def test_what_breaks_is_seen_and_its_end(
    up: Rig, broken: Callable[[Lab], AbstractContextManager[None]], failing: set[str]
) -> None:
    with broken(up.lab):
        found = verdicts(up, MACVTAP)
        assert {check for check, verdict in found.items() if verdict == "failed"} == failing
    assert set(verdicts(up, MACVTAP).values()) == {"passed"}


def test_an_address_that_is_there_twice(up: Rig) -> None:
    (ip,) = up.get("machine", "show", MACVTAP)["interfaces"][0]["ips"]
    with another_station(up.lab, ip):
        found = verdicts(up, MACVTAP)
        assert found["duplicate"] == "failed"
        assert found["address"] == "passed"
        told = up.call("machine", "verify", MACVTAP)
        assert told.returncode == 1
        assert up.lab.host("kvm2").mac(1) in told.stderr
        newest = next(each for each in up.list("event") if each["kind"].startswith("wire-check-"))
        assert newest["kind"] == "wire-check-failed"
        assert newest["subject"] == f"machine {MACVTAP}"
    assert set(verdicts(up, MACVTAP).values()) == {"passed"}


@contextmanager
def another_station(lab: Lab, ip: str, station: str = "kvm2") -> Iterator[None]:
    """Another machine on the segment dmz that has the address."""
    lab.run_in(station, ["ip", "addr", "add", f"{ip}/32", "dev", "eth1"])
    try:
        yield
    finally:
        lab.run_in(station, ["ip", "addr", "del", f"{ip}/32", "dev", "eth1"])


def test_a_tap_that_was_moved_to_another_bridge(up: Rig) -> None:
    lab = up.lab
    ports = json.loads(lab.run_in("kvm1", ["ip", "-j", "link", "show", "master", "br0"]))
    (tap,) = [each["ifname"] for each in ports if each["ifname"].startswith("vnet")]
    lab.run_in("kvm1", ["ip", "link", "add", "name", "elsewhere", "type", "bridge"])
    try:
        lab.run_in("kvm1", ["ip", "link", "set", tap, "master", "elsewhere"])
        assert verdicts(up, BRIDGED)["attachment"] == "failed"
        told = up.call("machine", "verify", BRIDGED).stderr
        assert "attached to bridge elsewhere, not to bridge br0" in told
    finally:
        lab.run_in("kvm1", ["ip", "link", "set", tap, "master", "br0"])
        lab.run_in("kvm1", ["ip", "link", "del", "elsewhere"])
    assert set(verdicts(up, BRIDGED).values()) == {"passed"}


def test_an_address_in_use_is_not_composed(up: Rig) -> None:
    wanted = str(up.lab.plan.segment("dmz").network_address + 77)
    with another_station(up.lab, wanted, "kvm1"):
        words = ("--name", "late", "--host", "kvm2", "--memory", "256M", "--storage", "root:1")
        refused = up.call("machine", "compose", *words, "--interfaces", f"eth0:ip={wanted}")
        assert refused.returncode == 3
        assert f"in use on the wire by MAC {up.lab.host('kvm1').mac(1)}" in refused.stderr
        assert up.call("machine", "show", "late").returncode != 0
        assert wanted not in str(up.list("address"))
