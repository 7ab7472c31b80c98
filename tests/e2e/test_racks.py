"""Two racks on the lab: one dies in mid-exchange, one is cut off; what is served goes on and mends itself."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hostloom_lab import rack
from hostloom_lab.commands import inside, ip, pids_in, run
from support import dhcp4_client
from support.rig import Rig
from support.waiting import wait_until

#: The second rack is a KVM host, which hostloom reaches by SSH.
HOST, RACK2 = "kvm2", "rack2"
SOCKET = "/run/kea/kea4-ctrl-socket"
#: A client with a separate cable to the switch.
NIC, MAC = "client", "02:48:4c:99:00:01"
#: Kea's standard directories, but for the socket's, are its own: another Kea of this machine has them too.
INIT = """\
set -e
rm -rf /run/kea
mkdir -p /run/kea /run/lock
mount -t tmpfs tmpfs /var/lib
mount -t tmpfs tmpfs /var/log
mkdir -p /var/lib/kea /var/log/kea
exec /usr/sbin/kea-dhcp4 -c {config}
"""
SETTLE_S = 60


@pytest.fixture
def second(rig: Rig) -> Iterator[Rig]:
    """A second rack on a host, added over SSH by its address and the key that the host is known by."""
    (init,) = (pid for pid in pids_in(rig.lab.plan.hosts[1].netns) if _name(pid) == "init.sh")
    config = rig.directory / "kea-rack2.json"
    text = json.dumps(rack.CONFIG)
    config.write_text(text.replace("/var/log/kea/kea-dhcp4.log", f"{rig.directory}/kea-rack2.log"))
    script = INIT.format(config=config)
    enter = [
        "nsenter",
        f"--target={init}",
        "--mount",
        "--net",
        "--pid",
        "unshare",
        "--mount",
        "sh",
        "-c",
        script,
    ]
    with (rig.directory / "kea-rack2.out").open("wb") as log:
        server = subprocess.Popen(enter, stdout=log, stderr=log, start_new_session=True)
    # libvirt's own dnsmasq has the port of DHCP servers.
    run(["virsh", "-c", rig.lab.uri_unix(HOST), "net-destroy", "default"])
    address = rig.lab.host(HOST).address.ip
    control = f"ssh://root@{address}{SOCKET}"
    lines = (
        f"link add {NIC} address {MAC} type veth peer name {NIC}-port",
        f"link set {NIC} up",
        f"link set {NIC}-port master mgmt up",
    )
    ip(rig.lab.plan.switch, lines)
    try:
        wait_until(lambda: rig.call("rack", "add", RACK2, "--control", control).returncode == 0, "rack2", 30)
        yield rig
    finally:
        ip(rig.lab.plan.switch, [f"link del {NIC}"])
        rig.lab.plug(HOST, "eth0")
        wait_until(lambda: rig.call("host", "refresh", HOST).returncode == 0, "the host", SETTLE_S)
        rig.run("vlan", "dhcp", "on", "physical/10")
        rig.run("vlan", "dhcp", "on", "physical/30", "--primary", own(rig))
        rig.run("vlan", "dhcp", "on", "physical/30")
        rig.call("rack", "delete", RACK2, "--yes")
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(10)
        run(["virsh", "-c", rig.lab.uri_unix(HOST), "net-start", "default"])


def own(rig: Rig) -> str:
    """The rack that hostloom runs on."""
    (found,) = (each["name"] for each in rig.list("rack") if each["control"] == "local")
    return str(found)


def told(rig: Rig, kind: str, name: str) -> int:
    """The newest event of that kind about a rack; 0: none."""
    found = (
        each["id"] for each in rig.list("event") if (each["kind"], each["subject"]) == (kind, f"rack {name}")
    )
    return max(found, default=0)


def ask(rig: Rig, answered: Callable[[], None] | None = None) -> dict[str, str]:
    """The address of a client on mgmt and its server; `answered` is called between offer and request."""
    client_py = str(Path(dhcp4_client.__file__))
    argv = inside(rig.lab.plan.switch, [sys.executable, "-I", client_py, NIC, MAC])
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        offer = json.loads(client.stdout.readline())
        if answered is not None:
            answered()
        client.stdin.write("go\n")
        client.stdin.flush()
        given: dict[str, str] = json.loads(client.stdout.readline())
    assert offer["ip"]
    return given


def states(rig: Rig) -> set[str]:
    """Kea's words for the pair."""
    return {rig.get("rack", "show", name)["ha_state"] for name in (own(rig), RACK2)}


def kea_of(rig: Rig) -> int:
    """The process of this machine's own Kea."""
    return int((rack.directory_of(rig.lab.plan) / "pid").read_text().split()[0])


def test_the_other_rack_answers_when_one_dies_in_mid_exchange(second: Rig) -> None:
    rig = second
    subnet = str(rig.lab.plan.segment("mgmt"))
    first = rig.lab.plan.segment("mgmt")[200]
    made = rig.get(
        "range", "create", subnet, "--kind", "dynamic", "--start", f"{first}", "--end", f"{first + 9}"
    )
    try:
        rig.run("vlan", "dhcp", "on", "physical/10", "--primary", own(rig), "--secondary", RACK2)
        shown = rig.get("rack", "show", RACK2)
        assert shown["standby_vlans"] == ["physical/10"]
        assert "libdhcp_ha" in rig.run("rack", "config", RACK2, "-o", "json")
        wait_until(lambda: states(rig) == {"hot-standby"}, "the pair", SETTLE_S)
        before = ask(rig)
        assert before["server"] == str(rig.lab.plan.rack_address("mgmt"))
        down = told(rig, "dhcp-down", own(rig))
        given = ask(rig, lambda: os.kill(kea_of(rig), signal.SIGKILL))
        assert given == {"ip": before["ip"], "server": str(rig.lab.host(HOST).address.ip)}
        wait_until(lambda: told(rig, "dhcp-down", own(rig)) > down, "the event", 15)
        wait_until(lambda: _leases(rig, RACK2) == {before["ip"]}, "the lease in the standby's book", 15)
        # The other rack serves changes that are made now, and both serve them when both are back.
        rig.compose("spare", "eth0:space=mgmt", "kvm1")
        up = told(rig, "dhcp-up", own(rig))
        rack.start(rig.lab.plan)
        rack.wait(rig.lab.plan)
        wait_until(lambda: told(rig, "dhcp-up", own(rig)) > up, "the event of its return", 30)
        wait_until(lambda: states(rig) == {"hot-standby"}, "the pair again", SETTLE_S)
        assert ask(rig) == before
    finally:
        if not rack.answers(rig.lab.plan):
            rack.start(rig.lab.plan)
            rack.wait(rig.lab.plan)
        for machine in rig.list("machine"):
            rig.decompose(machine["hostname"])
        rig.run("vlan", "dhcp", "on", "physical/10")
        rig.run("range", "delete", str(made["id"]), "--yes")


def test_a_rack_that_is_cut_off_stops_what_it_alone_serves_and_is_set_when_it_is_back(second: Rig) -> None:
    rig = second
    rig.run("vlan", "dhcp", "on", "physical/30", "--primary", RACK2)
    down = told(rig, "dhcp-down", RACK2)
    rig.lab.unplug(HOST, "eth0")
    wait_until(lambda: told(rig, "dhcp-down", RACK2) > down, "the event", 60)
    assert rig.get("rack", "show", RACK2)["trouble"]
    served = rig.compose("here", "eth0:space=mgmt", "kvm1")
    assert served["state"] == "ready"
    refused = rig.call("vlan", "update", "physical/30", "--mtu", "9000")
    assert refused.returncode != 0
    assert "cannot be reached" in refused.stderr
    words = ("--interfaces", "eth0:space=storage;eth1:space=mgmt", "--host", "kvm1")
    failed = rig.call(
        "machine", "compose", "--name", "there", *words, "--memory", "256M", "--storage", "root:1"
    )
    assert failed.returncode != 0
    assert [each["hostname"] for each in rig.list("machine")] == ["here"]
    up = told(rig, "dhcp-up", RACK2)
    rig.lab.plug(HOST, "eth0")
    wait_until(lambda: told(rig, "dhcp-up", RACK2) > up, "the event of its return", 90)
    assert not rig.get("rack", "show", RACK2)["trouble"]
    rig.decompose("here")
    assert rig.compose("there", "eth0:space=storage;eth1:space=mgmt", "kvm1")["state"] == "ready"
    address = next(
        nic["ips"][0] for nic in rig.get("machine", "show", "there")["interfaces"] if nic["name"] == "eth0"
    )
    assert address in rig.run("rack", "config", RACK2, "-o", "json")
    rig.decompose("there")


def _leases(rig: Rig, name: str) -> set[Any]:
    return {each["ip"] for each in rig.get("rack", "leases", name)}


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()
