"""IPv6 on the lab's wires: prefixes advertised, addresses by DHCPv6, boot files at a literal address."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path
from typing import Any

import pytest

from hostloom_lab import rack
from hostloom_lab.commands import pids_in
from support import dhcp6_client
from support.rig import BOOT_PORT, Rig
from support.waiting import wait_until

PREFIX = IPv6Network("fd48:4c:20::/64")
RACK = PREFIX[1]
FIRST, LAST = PREFIX[0x200], PREFIX[0x20F]
#: The segment, its VLAN, and where a client on another host meets it.
SEGMENT, VLAN, CLIENT_HOST, CLIENT_NIC = "dmz", "physical/20", "kvm2", "eth1"
KEA6 = {
    "Dhcp6": {
        "interfaces-config": {"interfaces": []},
        "control-socket": {"socket-type": "unix", "socket-name": "/run/kea/kea6-ctrl-socket"},
        "lease-database": {"type": "memfile", "name": "/var/lib/kea/kea-leases6.csv"},
        "subnet6": [],
    }
}
#: The rack's own mounts are those of its Kea.
KEA6_IN_RACK = ("nsenter", "--mount", "--net", "--wd=/")


def rack_process(rig: Rig) -> int:
    """The rack's DHCPv4 server."""
    (pid,) = [
        each for each in pids_in(rig.lab.plan.rack) if Path(f"/proc/{each}/comm").read_text() == "kea-dhcp4\n"
    ]
    return pid


@contextmanager
def dhcp6_server(rig: Rig) -> Iterator[Path]:
    """Kea's DHCPv6 server in the rack; its control socket."""
    kea = rack.directory_of(rig.lab.plan) / "kea"
    (kea / "etc/kea-dhcp6.conf").write_text(json.dumps(KEA6))
    enter = [*KEA6_IN_RACK, f"--target={rack_process(rig)}"]
    with (kea / "log/kea-dhcp6.out").open("wb") as log:
        argv = [*enter, "/usr/sbin/kea-dhcp6", "-c", "/etc/kea/kea-dhcp6.conf"]
        server = subprocess.Popen(argv, stdout=log, stderr=log)
    socket = kea / "run/kea6-ctrl-socket"
    try:
        wait_until(socket.exists, "the DHCPv6 server's socket", 20)
        yield socket
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
        socket.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def six(rig: Rig) -> Iterator[Rig]:
    """The rig, with IPv6 on one VLAN; afterwards without."""
    rig.stop()
    address = f"{RACK}/{PREFIX.prefixlen}"
    rig.lab.run_in("rack", ["ip", "addr", "add", address, "dev", SEGMENT, "nodad"])
    try:
        with dhcp6_server(rig) as socket:
            rig.start({"kea_socket6": str(socket)})
            rig.run("subnet", "create", str(PREFIX), "--vlan", VLAN, "--gateway", str(RACK))
            rig.run(
                "range", "create", str(PREFIX), "--kind", "dynamic", "--start", str(FIRST), "--end", str(LAST)
            )
            yield rig
            rig.stop()
    finally:
        rig.stop()
        rig.lab.run_in("rack", ["ip", "addr", "del", address, "dev", SEGMENT])
        rig.start()
        if rig.call("subnet", "show", str(PREFIX)).returncode == 0:
            rig.run("subnet", "delete", str(PREFIX), "--yes")


class Client:
    """A NIC with a chosen MAC on the segment, in a separate namespace."""

    def __init__(self, netns: str) -> None:
        self.netns = netns

    def run(self, *argv: str) -> str:
        enter = ["ip", "netns", "exec", self.netns, *argv]
        return subprocess.run(enter, capture_output=True, text=True, check=True, timeout=60).stdout

    def ask(self, duid: str, user_class: str = "") -> dict[str, Any]:
        """Its address from DHCPv6; empty: none."""
        words = [sys.executable, "-I", str(dhcp6_client.__file__), "c0", duid]
        found: dict[str, Any] = json.loads(self.run(*words, *([user_class] if user_class else [])))
        return found

    def routes(self) -> dict[str, Any]:
        """By destination, those that were advertised."""
        shown = json.loads(self.run("ip", "-6", "-j", "route", "show"))
        return {each["dst"]: each for each in shown if each["protocol"] == "ra" or each["dst"] == str(PREFIX)}


@contextmanager
def client(rig: Rig, mac: str) -> Iterator[Client]:
    """A client beside another host's NIC."""
    netns = f"hl-{rig.lab.name}-six"
    subprocess.run(["ip", "netns", "add", netns], check=True)
    try:
        link = ["link", CLIENT_NIC, "name", "c0", "netns", netns, "address", mac]
        rig.lab.run_in(CLIENT_HOST, ["ip", "link", "add", *link, "type", "macvlan", "mode", "bridge"])
        found = Client(netns)
        found.run("ip", "link", "set", "c0", "up")
        yield found
    finally:
        subprocess.run(["ip", "netns", "del", netns], check=True)


def test_a_composed_machine_gets_exactly_its_address(six: Rig) -> None:
    wanted = PREFIX[0x50]
    arguments = ["--name", "six1", "--interfaces", f"eth0:ip={wanted}", "--host", "kvm1", "--memory", "256M"]
    six.run("machine", "compose", *arguments, "--no-start")
    try:
        made = six.get("machine", "show", "six1")
        (nic,) = made["interfaces"]
        assert IPv6Address(nic["ips"][0]) == wanted
        with client(six, nic["mac"]) as nic_of_it:
            given = nic_of_it.ask("0004" + made["uuid"].replace("-", ""), "iPXE")
        assert IPv6Address(given["ip"]) == wanted
        assert given["boot_file"] == f"http://[{RACK}]:{BOOT_PORT}/boot.ipxe"

        def attempt() -> Any:
            (timeline,) = six.get("machine", "dhcp", "six1", "eth0")["items"]
            return timeline["exchanges"][-1]

        wait_until(lambda: f"has {wanted} as reserved" in attempt()["text"], "the timeline", 5)
        kinds = [each["kind"] for each in attempt()["messages"]]
        assert kinds == ["solicit", "advertise", "request6", "reply"]
    finally:
        six.decompose("six1")


def test_an_unknown_client_learns_prefix_route_and_mtu_and_leases(six: Rig) -> None:
    mac = "02:48:4c:66:00:01"
    with client(six, mac) as stranger:
        wait_until(lambda: {"default", str(PREFIX)} <= stranger.routes().keys(), "what is advertised", 10)
        assert stranger.routes()["default"]["gateway"].startswith("fe80:")
        assert PREFIX.network_address.exploded[:14] not in stranger.run("ip", "-6", "addr", "show", "c0")
        given = stranger.ask("00030001" + mac.replace(":", ""))
        assert FIRST <= IPv6Address(given["ip"]) <= LAST
        (serving,) = six.list("rack")
        wait_until(lambda: given["ip"] in six.run("rack", "leases", serving["name"]), "the lease", 10)
        stranger.run("ip", "addr", "add", f"{given['ip']}/128", "dev", "c0", "nodad")
        url = f"http://[{RACK}]:{BOOT_PORT}/machine/{mac}.ipxe"
        fetch = f"import urllib.request; print(urllib.request.urlopen({url!r}, timeout=10).read().decode())"
        assert f"http://[{RACK}]:{BOOT_PORT}/" in stranger.run(sys.executable, "-I", "-c", fetch)


def test_an_address_in_use_and_one_outside_are_refused(six: Rig) -> None:
    for taken in (RACK, IPv6Address("fd48:4c:99::5")):
        told = six.call("machine", "compose", "--name", "no", "--interfaces", f"eth0:ip={taken}")
        assert told.returncode == 3, told.stdout + told.stderr
        assert str(taken) in told.stderr
