"""DHCP in trouble: it hangs, refuses, runs out of addresses; each shows, and is over when its cause is."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hostloom_lab.commands import pids_in
from support.rig import Rig
from support.waiting import wait_until

#: Another host of the lab, as a bare client.
CLIENT = "kvm2"
#: A client needs its address to give it back.
LEASE_SCRIPT = """\
#!/bin/sh
[ "$1" = bound ] && ip addr add "$ip/24" dev "$interface" noprefixroute
exit 0
"""


def newest(rig: Rig, *kinds: str) -> dict[str, Any] | None:
    """The newest event of these kinds."""
    return next((each for each in rig.list("event") if each["kind"] in kinds), None)


def wait_for_event(rig: Rig, kind: str, *rivals: str, timeout_s: float = 15) -> dict[str, Any]:
    """Wait until an event is newer than its rivals."""
    found: list[dict[str, Any]] = []

    def is_newest() -> bool:
        event = newest(rig, kind, *rivals)
        found[:] = [event] if event is not None and event["kind"] == kind else []
        return found != []

    wait_until(is_newest, f"event {kind}", timeout_s)
    return found[0]


def kea_pid(rig: Rig) -> int:
    """The rack's DHCPv4 server."""
    (pid,) = [
        each for each in pids_in(rig.lab.plan.rack) if Path(f"/proc/{each}/comm").read_text() == "kea-dhcp4\n"
    ]
    return pid


def test_a_hanging_kea_and_its_return_are_reported(clean: Rig) -> None:
    pid = kea_pid(clean)
    os.kill(pid, signal.SIGSTOP)
    try:
        told = wait_for_event(clean, "dhcp-down", "dhcp-up")
        assert "no answer" in told["message"]
        # What needs no DHCP goes on.
        assert clean.call("host", "refresh", "kvm1").returncode == 0
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for_event(clean, "dhcp-up", "dhcp-down")
    ip = clean.compose("late", "eth0:space=mgmt")["interfaces"][0]["ips"][0]
    assert clean.wait_for_report("late")["late"]["ip"] == ip


def test_what_kea_refuses_is_taken_back_and_shown_in_its_words(clean: Rig) -> None:
    subnet = str(clean.lab.plan.segment("mgmt"))
    before = clean.get("subnet", "show", subnet)
    with renamed(clean, "lab", "lab9"):
        refused = clean.call("subnet", "update", subnet, "--dns", "198.18.10.9")
        assert refused.returncode != 0
        assert "lab" in refused.stderr
        assert clean.get("subnet", "show", subnet)["dns_servers"] == before["dns_servers"]
    clean.run("subnet", "update", subnet, "--dns", "198.18.10.9")
    clean.run("subnet", "update", subnet, "--dns", "")


@contextmanager
def renamed(rig: Rig, name: str, other: str) -> Iterator[None]:
    """A NIC of the rack that is not there for a while."""
    plan = rig.lab.plan
    address = f"{plan.rack_address(name)}/{plan.segment(name).prefixlen}"

    def rename(before: str, after: str) -> None:
        for words in (("set", before, "down"), ("set", before, "name", after), ("set", after, "up")):
            rig.lab.run_in("rack", ["ip", "link", *words])

    rename(name, other)
    try:
        yield
    finally:
        rename(other, name)
        shown = rig.lab.run_in("rack", ["ip", "-4", "addr", "show", "dev", name])
        if address not in shown:
            rig.lab.run_in("rack", ["ip", "addr", "add", address, "dev", name])


def test_an_exhausted_range_is_reported_until_an_address_is_free(clean: Rig) -> None:
    (clean.directory / "lease.sh").write_text(LEASE_SCRIPT)
    (clean.directory / "lease.sh").chmod(0o755)
    network = clean.lab.plan.segment("lab")
    first, last = (str(network.network_address + n) for n in (200, 201))
    made = clean.get("range", "create", str(network), "--kind", "dynamic", "--start", first, "--end", last)
    clients = []
    try:
        clients = [client(clean, number) for number in (1, 2)]
        told = wait_for_event(clean, "range-exhausted", "range-free")
        assert told["subject"] == f"subnet {network}"
        assert "2 of 2" in told["message"]
        assert third_client_fails(clean)
        hang_up(clients.pop())
        wait_for_event(clean, "range-free", "range-exhausted")
    finally:
        for each in clients:
            hang_up(each)
        clean.run("range", "delete", str(made["id"]), "--yes")
        for number in (1, 2, 3):
            clean.lab.run_in(CLIENT, ["sh", "-c", f"ip link del client{number} 2>/dev/null || true"])


def udhcpc(rig: Rig, number: int, *more: str) -> list[str]:
    """A DHCP client on a separate NIC beside the host's."""
    script = f"ip link add client{number} link eth3 type macvlan mode bridge && ip link set client{number} up"
    rig.lab.run_in(CLIENT, ["sh", "-c", script])
    leased = str(rig.directory / "lease.sh")
    argv = ["busybox", "udhcpc", "-f", "-i", f"client{number}", "-s", leased, *more]
    return ["ip", "netns", "exec", rig.lab.netns(CLIENT), *argv]


def client(rig: Rig, number: int) -> "subprocess.Popen[bytes]":
    """One that keeps its lease, and gives it back when it is asked to end."""
    return subprocess.Popen(udhcpc(rig, number, "-R"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def hang_up(client: "subprocess.Popen[bytes]") -> None:
    client.terminate()
    client.wait(10)


def third_client_fails(rig: Rig) -> bool:
    done = subprocess.run(udhcpc(rig, 3, "-n", "-q", "-t", "2", "-T", "1"), capture_output=True, check=False)
    return done.returncode != 0
