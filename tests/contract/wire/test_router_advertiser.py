"""Router advertisements on a real wire, as a Linux host takes them."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from support.waiting import wait_until

pytestmark = pytest.mark.lab

RACK, HOST = "hl-adv-rack", "hl-adv-host"
ADVERTISE = """
import sys, time
from ipaddress import ip_network
from hostloom.model.router_advert import RouterAdvert
from hostloom.wire.router_advertiser import LinuxRouterAdvertiser
prefixes = (ip_network("fd48:4c::/64"),)
advertiser = LinuxRouterAdvertiser()
advertiser.start()
advertiser.advertise([RouterAdvert("v0", 1400, prefixes, True, 1800), RouterAdvert("later", 1500, (), False)])
time.sleep(600)
"""


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def wire() -> Iterator[None]:
    for name in (RACK, HOST):
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        ip("netns", "add", name)
    ip("-n", RACK, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", HOST)
    ip("-n", RACK, "link", "set", "v0", "up")
    try:
        yield
    finally:
        for name in (RACK, HOST):
            ip("netns", "del", name)


def test_a_host_that_asks_learns_prefix_route_and_mtu_at_once(wire: None) -> None:
    command = [sys.executable, "-c", ADVERTISE]
    advertiser = subprocess.Popen(["ip", "netns", "exec", RACK, *command])
    try:
        ip("-n", HOST, "link", "set", "v1", "up")

        def routes() -> list[dict[str, object]]:
            found: list[dict[str, object]] = json.loads(ip("-n", HOST, "-6", "-j", "route", "show"))
            return found

        wait_until(lambda: any(each["dst"] == "default" for each in routes()), "a default route")
        assert any(each["dst"] == "fd48:4c::/64" for each in routes())
        (default,) = [each for each in routes() if each["dst"] == "default"]
        shown = ip("netns", "exec", HOST, "cat", "/proc/sys/net/ipv6/conf/v1/mtu")
        assert shown.strip() == "1400"
        assert default["protocol"] == "ra"
        # It generates no address, because addresses come by DHCPv6.
        addresses = ip("-n", HOST, "-6", "addr", "show", "dev", "v1")
        assert "fd48" not in addresses
        # An interface that comes later is taken up.
        ip("-n", RACK, "link", "add", "later", "type", "veth", "peer", "name", "v2", "netns", HOST)
        ip("-n", RACK, "link", "set", "later", "up")
        ip("-n", HOST, "link", "set", "v2", "up")
        time.sleep(0.5)
        assert advertiser.poll() is None
    finally:
        advertiser.terminate()
        advertiser.wait(10)
