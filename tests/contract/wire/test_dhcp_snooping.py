"""DHCP as it passes on real interfaces: each message once, and nothing else."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.lab

RACK, HOST = "hl-wit-rack", "hl-wit-host"
WATCH = """
import json, sys, time
from hostloom.wire.dhcp_snooping import PacketSnooper
witness = PacketSnooper()
witness.start()
witness.watch(["v0", "later"])
print("ready", flush=True)
sys.stdin.readline()
time.sleep(0.3)
seen = witness.drain()
found = [[each.kind, str(each.mac), str(each.ip), str(each.server), each.interface] for each in seen]
print(json.dumps(found), flush=True)
witness.stop()
"""
DNSMASQ = (
    *("dnsmasq", "--conf-file=/dev/null", "--port=0", "--no-daemon", "--user=root", "--pid-file="),
    *("--no-ping", "--dhcp-leasefile=/dev/null", "--interface=v0", "--dhcp-range=10.9.0.10,10.9.0.20"),
)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, text=True, check=True)


def inside(name: str, *argv: str) -> list[str]:
    return ["ip", "netns", "exec", name, *argv]


@pytest.fixture
def wire() -> Iterator[None]:
    for name in (RACK, HOST):
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        ip("netns", "add", name)
    ip("-n", RACK, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", HOST)
    ip("-n", RACK, "addr", "add", "10.9.0.1/24", "dev", "v0")
    for name, nic in ((RACK, "v0"), (HOST, "v1")):
        ip("-n", name, "link", "set", nic, "up")
    server = subprocess.Popen(inside(RACK, *DNSMASQ), stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        server.kill()
        server.wait()
        for name in (RACK, HOST):
            ip("netns", "del", name)


def test_an_exchange_is_seen_whole_and_other_traffic_is_not(wire: None) -> None:
    watcher = subprocess.Popen(
        inside(RACK, sys.executable, "-c", WATCH),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with watcher:
        assert watcher.stdin is not None
        assert watcher.stdout is not None
        assert watcher.stdout.readline() == "ready\n"
        # It looks for interfaces once a second.
        subprocess.run(["sleep", "1.2"], check=True)
        client = ("busybox", "udhcpc", "-i", "v1", "-f", "-n", "-q", "-t", "5", "-T", "1", "-s", "/bin/true")
        subprocess.run(inside(HOST, *client), capture_output=True, check=True)
        subprocess.run(inside(RACK, "ping", "-c", "2", "-i", "0.2", "10.9.0.99"), capture_output=True)
        watcher.stdin.write("\n")
        watcher.stdin.flush()
        seen = json.loads(watcher.stdout.readline())
    kinds = [each[0] for each in seen]
    assert kinds[-4:] == ["discover", "offer", "request", "ack"]
    assert len({each[1] for each in seen}) == 1
    assert {each[4] for each in seen} == {"v0"}
    given = seen[-1]
    assert given[2].startswith("10.9.0.")
    assert given[3] == "10.9.0.1"
