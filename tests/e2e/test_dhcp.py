"""Leases of real guests become events. A Kea that dies is reported and configured again."""

import os
import signal

from hostloom.dhcp.control import ControlSocket
from hostloom_lab import rack
from support.rig import Rig
from support.waiting import wait_until


def events(rig: Rig, kind: str, subject: str = "") -> list[dict[str, object]]:
    """Newest first."""
    found = [each for each in rig.list("event") if each["kind"] == kind]
    return [each for each in found if not subject or each["subject"] == subject]


def reserved(rig: Rig) -> set[str]:
    """The addresses in the configuration that runs."""
    running = ControlSocket(rig.lab.kea_socket).command("config-get")["Dhcp4"]
    return {each["ip-address"] for subnet in running["subnet4"] for each in subnet["reservations"]}


def test_a_machines_lease_is_told(clean: Rig) -> None:
    machine = clean.compose("leased", "eth0:space=mgmt")
    (nic,) = machine["interfaces"]
    (ip,) = nic["ips"]
    clean.wait_for_report("leased")
    wait_until(lambda: events(clean, "lease-given", "node leased") != [], "the event of the lease", 5)
    found = ControlSocket(clean.lab.kea_socket).command("lease4-get", {"ip-address": ip})
    assert found["hw-address"] == nic["mac"]
    (told,) = events(clean, "lease-given", "node leased")
    assert told["details"]["ip"] == ip  # type: ignore[index]  # JSON
    (timeline,) = clean.get("machine", "dhcp", "leased")["items"]
    assert [each["end"] for each in timeline["exchanges"]] == ["acknowledged"] * len(timeline["exchanges"])
    kinds = [each["kind"] for exchange in timeline["exchanges"] for each in exchange["messages"]]
    assert {"discover", "offer", "request", "ack"} <= set(kinds)
    assert f"has {ip} as reserved" in clean.run("machine", "dhcp", "leased")


def test_a_kea_that_dies_is_reported_and_configured_again(clean: Rig) -> None:
    (nic,) = clean.compose("steady", "eth0:space=mgmt")["interfaces"]
    assert nic["ips"][0] in reserved(clean)
    plan = clean.lab.plan
    os.kill(int((rack.directory_of(plan) / "pid").read_text().split()[0]), signal.SIGKILL)
    try:
        wait_until(lambda: events(clean, "dhcp-down") != [], "the event of its end", 10)
    finally:
        rack.start(plan)
        rack.wait(plan)
    wait_until(lambda: nic["ips"][0] in reserved(clean), "what it served", 10)
    wait_until(lambda: events(clean, "dhcp-up") != [], "the event of its return", 10)
    assert clean.compose("after", "eth0:space=mgmt")["interfaces"][0]["ips"][0] in reserved(clean)
