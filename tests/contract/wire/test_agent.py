"""What only the real probe can show: that it leaves nothing, whatever happens, and what it refuses."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import pytest

from hostloom.dhcp.driver import KeaDhcp
from hostloom.hostscan.links import PROBES
from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.dhcp import DhcpIntent
from hostloom.model.errors.outside import HostNotScannable, WireRefused
from hostloom.ports.wire import ProbePoint
from hostloom.remote.command import Completed, run_process
from hostloom.remote.connection import Remotes
from hostloom.wire.agent.links import PREFIX
from hostloom.wire.agent.program import agent_program
from hostloom.wire.probe import AgentProbe
from support.dhcp_intents import a_subnet, a_subnet6
from support.kea import Kea, running_kea
from support.wires import HOST, NetnsShell, ip, links

pytestmark = pytest.mark.lab

URI = "qemu+ssh://root@kvm/system"
BRIDGE = ProbePoint(URI, Attachment(AttachKind.BRIDGE, "br0"))
TARGET = ip_address("10.9.0.1")


@pytest.fixture
def probe(wires: NetnsShell) -> Iterator[AgentProbe]:
    """It leaves a host as it was."""
    before, bridge = links(), state_of("br0")
    yield AgentProbe(cast("Remotes", wires))
    eventually(lambda: links() == before)
    eventually(lambda: state_of("br0") == bridge)


def state_of(link: str) -> tuple[object, ...]:
    done = subprocess.run(["ip", "-n", HOST, "-j", "link", "show", link], check=True, capture_output=True)
    (found,) = json.loads(done.stdout)
    return found["address"], found["mtu"], found["flags"]


def eventually(holds: Callable[[], bool], within_s: float = 3) -> None:
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, links()
        time.sleep(0.05)


def has_link_of_its_own(pid: int) -> bool:
    """Whether the probe's own namespace has the link by which it listens."""
    if Path(f"/proc/{pid}/ns/net").stat().st_ino == Path(f"/run/netns/{HOST}").stat().st_ino:
        return False
    enter = ["nsenter", f"--target={pid}", "--net", "ip", "-j", "link"]
    shown = json.loads(subprocess.run(enter, check=True, capture_output=True).stdout)
    return any("LOWER_UP" in link["flags"] for link in shown if link["ifname"] != "lo")


def forwards(port: str) -> bool:
    """Whether the bridge passes on what comes in by this port."""
    done = subprocess.run(
        ["ip", "-n", HOST, "-d", "-j", "link", "show", port], check=True, capture_output=True
    )
    (link,) = json.loads(done.stdout)
    return bool(link["linkinfo"]["info_slave_data"]["state"] == "forwarding")


def beside(source: str, mode: MacvlanMode = MacvlanMode.BRIDGE) -> ProbePoint:
    return ProbePoint(URI, Attachment(AttachKind.MACVLAN, source, mode))


@pytest.mark.parametrize(("source", "kind"), [("br0", "bridge"), ("eth1", "macvlan")])
def test_one_that_is_killed_leaves_nothing(probe: AgentProbe, tmp_path: Path, source: str, kind: str) -> None:
    before = links()
    job = {"task": "dhcp", "version": 4, "timeout_s": 30, "source": source, "kind": kind, "end_s": 60}
    argv = ["ip", "netns", "exec", HOST, "python3", "-I", "-", json.dumps(job)]
    program = tmp_path / "agent.py"
    program.write_bytes(agent_program())
    with program.open("rb") as text:
        running = subprocess.Popen(argv, stdin=text, stdout=subprocess.DEVNULL)
    if kind == "bridge":
        eventually(lambda: links() - before == {f"{PREFIX}{running.pid:x}"})
    eventually(lambda: has_link_of_its_own(running.pid))
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    eventually(lambda: links() == before)


def test_what_another_left_is_swept_away_and_one_that_runs_is_not(probe: AgentProbe) -> None:
    ip(HOST, "link add name hlp3ffffe type veth peer name hlq0\n")
    mine = f"hlp{os.getpid():x}"
    ip(HOST, f"link add name {mine} type veth peer name hlq1\n")
    try:
        probe.reach(BRIDGE, [TARGET], timeout_s=0.2)
        assert "hlp3ffffe" not in links()
        assert mine in links()
    finally:
        ip(HOST, f"link del {mine}\n")


def test_a_parent_that_passthru_holds_is_refused(probe: AgentProbe) -> None:
    ip(HOST, "link add link eth1 name mv0 type macvlan mode passthru\n")
    try:
        with pytest.raises(WireRefused, match="held by mv0 in mode passthru"):
            probe.reach(beside("eth1", MacvlanMode.PASSTHRU), [TARGET])
    finally:
        ip(HOST, "link del mv0\n")


def test_what_is_shorter_on_the_way_is_measured(probe: AgentProbe) -> None:
    ip(HOST, "link set eth1 mtu 1400\n")
    try:
        (found,) = probe.reach(beside("eth1"), [ip_address("10.9.1.1")], 1500, 0.3)
        assert found.mtu == 1400
        (found,) = probe.reach(BRIDGE, [TARGET], 9000, 0.3)
        assert found.mtu == 1500
    finally:
        ip(HOST, "link set eth1 mtu 1500\n")


def test_a_bridge_that_runs_stp_is_waited_for(probe: AgentProbe) -> None:
    ip(HOST, "link set br0 type bridge stp_state 1 forward_delay 200\n")
    try:
        eventually(lambda: forwards("eth0") and forwards("eth3"), 20)
        (found,) = probe.reach(BRIDGE, [TARGET], timeout_s=0.5)
        assert found.macs
    finally:
        ip(HOST, "link set br0 type bridge stp_state 0\n")


def test_a_bridge_without_its_own_mac_or_mtu_keeps_both(probe: AgentProbe) -> None:
    ip(HOST, "link set eth0 mtu 1450\nlink set eth3 mtu 1450\n")
    try:
        before = state_of("br0")
        probe.reach(BRIDGE, [TARGET], timeout_s=0.2)
        assert before[1] == 1450
        assert state_of("br0") == before
    finally:
        ip(HOST, "link set eth0 mtu 1500\nlink set eth3 mtu 1500\n")


class KeaShell(NetnsShell):
    """The namespace of a real Kea's clients, or Kea's own."""

    def __init__(self, pid: int) -> None:
        super().__init__(str(pid))

    def run(self, argv: Sequence[str], timeout_s: float = 20.0, stdin: bytes = b"") -> Completed:
        enter = ["nsenter", f"--target={self.netns}", "--net"]
        return run_process([*enter, *argv], timeout_s, self.name, argv[0], stdin)


@pytest.fixture(scope="module")
def kea() -> Iterator[Kea]:
    with running_kea() as kea:
        server = KeaDhcp(kea.socket, socket6=kea.socket6)
        server.apply(DhcpIntent((a_subnet(), a_subnet6())))
        kea.run_client(["ip", "link", "set", "c0", "up"])
        yield kea


@pytest.mark.parametrize("version", [4, 6])
def test_kea_offers_and_keeps_no_lease(kea: Kea, version: int) -> None:
    probe = AgentProbe(cast("Remotes", KeaShell(kea.client.pid)))
    (offer,) = probe.dhcp_servers(beside("c0"), version, 2)
    assert offer.ip in {4: a_subnet(), 6: a_subnet6()}[version].pools[0]
    assert version == 6 or str(offer.server) == "10.77.10.2"
    assert KeaDhcp(kea.socket, socket6=kea.socket6).leases() == []


def test_kea_is_heard_beside_the_interface_that_it_serves_itself(kea: Kea) -> None:
    probe = AgentProbe(cast("Remotes", KeaShell(kea.process.pid)))
    (offer,) = probe.dhcp_servers(beside("eth0"), 4, 2)
    assert str(offer.server) == "10.77.10.2"


class NoPython(NetnsShell):
    def run(self, argv: object, timeout_s: float = 20.0, stdin: bytes = b"") -> Completed:
        return super().run(["sh", "-c", "exit 127"], timeout_s)


def test_a_host_without_python_says_so(wires: NetnsShell) -> None:
    with pytest.raises(HostNotScannable, match="there is no python3"):
        AgentProbe(cast("Remotes", NoPython())).reach(BRIDGE, [TARGET])


def test_an_open_vswitch_bridge_is_refused(probe: AgentProbe) -> None:
    point = ProbePoint(URI, Attachment(AttachKind.BRIDGE, "ovs0", ovs=True))
    with pytest.raises(WireRefused, match="Open vSwitch"):
        probe.reach(point, [TARGET])


def test_the_scanner_knows_its_name() -> None:
    assert PREFIX == PROBES
