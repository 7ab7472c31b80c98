"""A host with a bridge and bare NICs, and who is on the wires behind them, in namespaces of their own."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hostloom.remote.address import SshAddress
from hostloom.remote.command import Completed, run_process

#: Each worker of the tests has namespaces of its own.
PREFIX = f"hlw{os.environ.get('PYTEST_XDIST_WORKER', '')}"
HOST, NET, TWIN = f"{PREFIX}-host", f"{PREFIX}-net", f"{PREFIX}-twin"
#: Of the host: `br0` over `eth0`, which leads to a server; `eth1`, which leads to another; `eth2`, which
#: ends nowhere; `eth3` in `br0`, behind which is a second one with a station's address.
LINKS = f"""\
link add name br0 type bridge forward_delay 1500 mcast_snooping 0
link add name eth0 type veth peer name n0 address 02:00:00:00:00:a0 netns {NET}
link add name eth1 type veth peer name n1 address 02:00:00:00:00:a1 netns {NET}
link add name eth2 type veth peer name n2 netns {NET}
link add name eth3 type veth peer name t0 address 02:00:00:00:00:b0 netns {TWIN}
link set eth0 master br0
link set eth3 master br0
link set br0 up
link set eth0 up
link set eth1 up
link set eth2 up
link set eth3 up
"""
STATIONS = """\
addr add 10.9.0.1/24 dev n0
addr add 10.9.0.7/24 dev n0
addr add fd09::1/64 dev n0 nodad
addr add 10.9.1.1/24 dev n1
link set n0 up
link set n1 up
"""
TWINS = """\
addr add 10.9.0.7/24 dev t0
link set t0 up
"""


@dataclass
class NetnsShell:
    """A machine whose commands run in a network namespace; also all connections there are to it."""

    netns: str = HOST
    name: str = HOST

    def run(self, argv: Sequence[str], timeout_s: float = 20.0, stdin: bytes = b"") -> Completed:
        return run_process(["ip", "netns", "exec", self.netns, *argv], timeout_s, self.name, argv[0], stdin)

    def of(self, _address: SshAddress) -> "NetnsShell":
        return self


def ip(netns: str, lines: str) -> None:
    subprocess.run(["ip", "-n", netns, "-batch", "-"], input=lines.encode(), check=True)


def links(netns: str = HOST) -> set[str]:
    done = subprocess.run(["ip", "-n", netns, "-br", "link"], check=True, capture_output=True, text=True)
    return {line.split()[0].partition("@")[0] for line in done.stdout.splitlines()}


@contextlib.contextmanager
def running_wires(directory: Path) -> Iterator[NetnsShell]:
    """All of it, with dnsmasq behind br0 and no DHCP server behind eth1."""
    remove()
    for netns in (HOST, NET, TWIN):
        subprocess.run(["ip", "netns", "add", netns], check=True)
    try:
        ip(HOST, LINKS)
        ip(NET, STATIONS)
        ip(TWIN, TWINS)
        with dnsmasq(NET, "n0", directory, "10.9.0.50,10.9.0.60,1h", "fd09::50,fd09::60,64,1h"):
            yield NetnsShell()
    finally:
        remove()


@contextlib.contextmanager
def dnsmasq(netns: str, interface: str, directory: Path, *ranges: str) -> Iterator[None]:
    """A foreign DHCP server on an interface."""
    argv = ["ip", "netns", "exec", netns, "dnsmasq", "-d", "-C", "/dev/null", "--port=0", "--pid-file="]
    argv += [f"--interface={interface}", "--bind-interfaces", f"--dhcp-leasefile={directory}/{interface}"]
    log = directory / f"{interface}.log"
    with log.open("wb") as stream:
        server = subprocess.Popen([*argv, *(f"--dhcp-range={each}" for each in ranges)], stderr=stream)
    try:
        until = time.monotonic() + 10
        while "started, version" not in log.read_text():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)
        yield
    finally:
        server.kill()
        server.wait()


def remove() -> None:
    for netns in (HOST, NET, TWIN):
        if Path(f"/run/netns/{netns}").exists():
            subprocess.run(["ip", "netns", "del", netns], check=True, env=os.environ)
