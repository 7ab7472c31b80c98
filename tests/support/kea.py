"""A real Kea in namespaces of its own, on its standard paths, and clients on the wires that it serves."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from hostloom.dhcp.control import ControlSocket
from hostloom.model.errors.outside import DhcpUnreachable
from hostloom.model.ids import MacAddress
from support.dhcp_intents import a_uuid

START_TIMEOUT_S = 20
#: The rack's interfaces and addresses; the client has `c0` and `c1` at their other ends.
RACK = {
    "eth0": ("10.77.10.2/24", "2001:db8:77:10::2/64"),
    "eth1": ("10.77.20.2/24", "2001:db8:77:20::2/64"),
}
CLIENT_NICS = ("c0", "c1")
#: What Kea starts with: nothing but its control socket.
EMPTY = """\
{"DhcpN": {"interfaces-config": {"interfaces": []},
"control-socket": {"socket-type": "unix", "socket-name": "/run/kea/keaN-ctrl-socket"},
"lease-database": {"type": "memfile", "name": "/var/lib/kea/kea-leasesN.csv"}, "subnetN": []}}
"""
DHCP6_CLIENT = Path(__file__).with_name("dhcp6_client.py")
#: The other end of a wire may answer at once.
NO_DAD = "for each in all default; do echo 0 >/proc/sys/net/ipv6/conf/$each/accept_dad; done"
#: Debian's AppArmor profile allows Kea its standard paths alone: they are ours in here.
INIT = """\
set -e
mount --make-rprivate /
mount --bind {directory} /mnt
for each in /run /var/lib /var/log; do mount -t tmpfs tmpfs $each; done
mkdir -p /var/lib/kea /var/log/kea /run/kea /run/lock
for each in run/kea var/lib/kea var/log/kea etc/kea; do mount --bind /mnt/$each /$each; done
ip link set lo up
{no_dad}
{links}
exec /usr/sbin/kea-dhcp4 -c /etc/kea/kea-dhcp4.conf
"""
#: Prints what the server gave, one `name=value` a line.
LEASE_SCRIPT = """\
#!/bin/sh
[ "$1" = bound ] && env
exit 0
"""
#: The test's end, however it comes, is theirs.
DIE_WITH_US = ("setpriv", "--pdeathsig", "KILL")


@dataclass
class Kea:
    """Kea's two servers that run, in a directory that holds all its files."""

    directory: Path
    client: "subprocess.Popen[bytes]"
    process: "subprocess.Popen[bytes]"
    #: The DHCPv6 server, in the same namespaces.
    process6: "subprocess.Popen[bytes]"

    @property
    def socket(self) -> Path:
        """Its control socket."""
        return self.directory / "run/kea/kea4-ctrl-socket"

    @property
    def socket6(self) -> Path:
        """The control socket of its DHCPv6 server."""
        return self.directory / "run/kea/kea6-ctrl-socket"

    @property
    def log(self) -> str:
        """What it has written down."""
        return "".join(each.read_text() for each in sorted((self.directory / "var/log/kea").glob("*.log")))

    def check(self, version: int, document: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
        """Let the program itself judge a configuration in a file, among the interfaces that it names."""
        (self.directory / "etc/kea/candidate.json").write_text(json.dumps(document))
        program = f"/usr/sbin/kea-dhcp{version}"
        return self._inside(self.process, [program, "-t", "/etc/kea/candidate.json"], mount=True)

    def ask(
        self,
        mac: MacAddress,
        nic: str = "c0",
        *,
        options: Mapping[int, str] | None = None,
        wanted: Sequence[str] = (),
        tries: int = 5,
    ) -> dict[str, str]:
        """What a client of that MAC is given; empty: nothing. `options` are sent, in hex."""
        self.run_client(["ip", "link", "set", nic, "down", "address", str(mac)])
        self.run_client(["ip", "link", "set", nic, "up"])
        sent = [f"-x0x{code:02x}:{value}" for code, value in (options or {}).items()]
        asked = [f"-O{each}" for each in wanted]
        retries = [f"-t{tries}", "-T1", "-A1"]
        script = self.directory / "lease.sh"
        udhcpc = ["busybox", "udhcpc", "-i", nic, "-f", "-n", "-q", "-s", str(script), *retries]
        done = self._inside(self.client, [*udhcpc, *sent, *asked])
        lines = [line.partition("=") for line in done.stdout.splitlines()]
        return {name: value for name, _, value in lines} if done.returncode == 0 else {}

    def ask6(
        self, mac: MacAddress, nic: str = "c0", *, duid: str = "", user_class: str = ""
    ) -> dict[str, Any]:
        """What a DHCPv6 client is given; empty: nothing. Without a DUID it asks as its firmware would."""
        duid = duid or f"0004{a_uuid(mac).replace('-', '')}"
        self.run_client(["ip", "link", "set", nic, "down", "address", str(mac)])
        self.run_client(["ip", "link", "set", nic, "up"])
        words = [sys.executable, "-I", str(DHCP6_CLIENT), nic, duid, *([user_class] if user_class else [])]
        done = self._inside(self.client, words)
        assert done.returncode == 0, done.stderr
        given: dict[str, Any] = json.loads(done.stdout)
        return given

    def address(self, mac: MacAddress, nic: str = "c0") -> IPv4Address | None:
        """The address that a client of that MAC is given."""
        given = self.ask(mac, nic)
        return IPv4Address(given["ip"]) if given else None

    @contextlib.contextmanager
    def relay(self, address: IPv4Address) -> Iterator[str]:
        """A relay of that address between the rack's eth0 and a wire of its own; yields the client's NIC."""
        with _sleeper() as router:
            pids = (router.pid, self.client.pid)
            self.run_client(
                ["ip", "link", "add", "c9", "type", "veth", "peer", "name", "down0", "netns", str(pids[0])]
            )
            self.run_client(["ip", "link", "set", "c0", "netns", str(pids[0])])
            for argv in (
                ("ip", "address", "add", f"{address}/24", "dev", "down0"),
                ("ip", "link", "set", "down0", "up"),
                ("ip", "address", "add", "10.77.10.3/24", "dev", "c0"),
                ("ip", "link", "set", "c0", "up"),
                ("ip", "link", "set", "lo", "up"),
            ):
                self._inside(router, argv).check_returncode()
            way_back = ["ip", "route", "add", str(address), "via", "10.77.10.3"]
            self._inside(self.process, way_back).check_returncode()
            enter = ["nsenter", f"--target={router.pid}", "--net"]
            relaying = [
                "dnsmasq",
                "--conf-file=/dev/null",
                "--port=0",
                "--no-daemon",
                "--user=root",
                "--pid-file=",
            ]
            relay = subprocess.Popen([*DIE_WITH_US, *enter, *relaying, f"--dhcp-relay={address},10.77.10.2"])
            try:
                yield "c9"
            finally:
                relay.kill()
                relay.wait()
                self._inside(router, ["ip", "link", "set", "c0", "netns", str(pids[1])]).check_returncode()
                self._inside(self.process, [*way_back[:2], "del", *way_back[3:]]).check_returncode()

    def run_client(self, argv: Sequence[str]) -> None:
        """Run a command where the client is."""
        self._inside(self.client, argv).check_returncode()

    def run_rack(self, argv: Sequence[str]) -> None:
        """Run a command where Kea is."""
        self._inside(self.process, argv).check_returncode()

    def stop(self) -> None:
        """As if it had crashed; its files stay."""
        for process in (self.process6, self.process):
            process.kill()
            process.wait()

    def start(self) -> None:
        """Start it again, with the configuration that it has in its file."""
        for socket in (self.socket, self.socket6):
            socket.unlink(missing_ok=True)
        # The old wires go when their namespace is cleared away, some time after Kea.
        _until(
            lambda: self._inside(self.client, ["ip", "link", "show", CLIENT_NICS[-1]]).returncode, "an end"
        )
        self.process, self.process6 = _start(self.directory, self.client)

    def _inside(
        self, process: "subprocess.Popen[bytes]", argv: Sequence[str], *, mount: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        enter = ["nsenter", f"--target={process.pid}", "--net", *(["--mount"] if mount else [])]
        return subprocess.run([*enter, *argv], capture_output=True, text=True, timeout=60)


@contextlib.contextmanager
def running_kea() -> Iterator[Kea]:
    """Kea with the interfaces of RACK, and a client at the other end of each."""
    for program in ("/usr/sbin/kea-dhcp4", "/usr/sbin/kea-dhcp6", "/usr/bin/nsenter", "/usr/bin/busybox"):
        assert shutil.which(program), f"this test needs {program}"
    assert os.geteuid() == 0, "a Kea on real wires needs root: run as root, or with -m 'not lab'"
    # Not pytest's directory: the path of a socket is at most 107 bytes long.
    with tempfile.TemporaryDirectory(prefix="hostloom-kea-") as name:
        directory = Path(name)
        for each in ("run/kea", "var/lib/kea", "var/log/kea", "etc/kea"):
            (directory / each).mkdir(parents=True)
        for version in "46":
            (directory / f"etc/kea/kea-dhcp{version}.conf").write_text(EMPTY.replace("N", version))
        (directory / "lease.sh").write_text(LEASE_SCRIPT)
        (directory / "lease.sh").chmod(0o755)
        with _sleeper() as client:
            kea = Kea(directory, client, *_start(directory, client))
            try:
                yield kea
            finally:
                kea.stop()


@contextlib.contextmanager
def _sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    """A process with a network namespace of its own."""
    process = subprocess.Popen(
        [*DIE_WITH_US, "unshare", "--net", "sh", "-c", f"{NO_DAD}; exec sleep infinity"]
    )
    try:
        _until(lambda: _namespace(process.pid) != _namespace(os.getpid()), "a namespace")
        yield process
    finally:
        process.kill()
        process.wait()


def _start(
    directory: Path, client: "subprocess.Popen[bytes]"
) -> "tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]":
    """Both servers, when they answer."""
    links = []
    for (nic, addresses), peer in zip(RACK.items(), CLIENT_NICS, strict=True):
        links.append(f"ip link add {nic} type veth peer name {peer} netns {client.pid}")
        links += [f"ip address add {each} dev {nic}" for each in addresses]
        links.append(f"ip link set {nic} up")
    script = INIT.format(directory=directory, links="\n".join(links), no_dad=NO_DAD)
    process = _run(directory, ["unshare", "--mount", "--net", "bash", "-c", script])
    _wait(process, directory, "4")
    server = ["/usr/sbin/kea-dhcp6", "-c", "/etc/kea/kea-dhcp6.conf"]
    try:
        process6 = _run(directory, ["nsenter", f"--target={process.pid}", "--net", "--mount", *server])
        _wait(process6, directory, "6")
    except BaseException:
        process.kill()
        raise
    return process, process6


def _run(directory: Path, argv: Sequence[str]) -> "subprocess.Popen[bytes]":
    with (directory / "init.log").open("a") as log:
        return subprocess.Popen([*DIE_WITH_US, *argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _wait(process: "subprocess.Popen[bytes]", directory: Path, version: str) -> None:
    def answers() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"Kea ended: {(directory / 'init.log').read_text()}")
        try:
            ControlSocket(directory / f"run/kea/kea{version}-ctrl-socket", 2.0).command("status-get")
        except DhcpUnreachable:
            return False
        return True

    _until(answers, "an answer of Kea")


def _until(is_so: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while not is_so():
        if time.monotonic() > until:
            raise RuntimeError(f"there is not {what} within {START_TIMEOUT_S} s")
        time.sleep(0.02)


def _namespace(pid: int) -> str:
    return str(Path(f"/proc/{pid}/ns/net").readlink())
