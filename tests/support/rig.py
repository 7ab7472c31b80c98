"""A lab with a hostloom server in its rack, driven by the command line as a user would."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hostloom.client.api import Client, Collection
from hostloom.client.transport import Target
from hostloom_lab.lab import Lab
from support.waiting import wait_until

HOSTLOOM = [sys.executable, "-m", "hostloom.cli"]
BOOT_PORT = 5248
REPORT_TIMEOUT_S = 90
#: A release has 15: tests that wait for a host to be missed would wait for that.
PING_EVERY_S = 3
NEWEST_EVENTS = 100
#: Nouns whose `show` prints one document of the API as it is.
POLLED = {"host", "machine", "subnet", "vlan"}


class Rig:
    """The lab, the server, and the command line against it."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab, self.directory = lab, directory
        self.socket = directory / "api.sock"
        self._server: subprocess.Popen[bytes] | None = None
        #: The newest event before each machine was composed, by its name.
        self._before: dict[str, int] = {}

    # -- the server --------------------------------------------------------------------------------------

    def start(self, changes: Mapping[str, str] | None = None) -> None:
        """Start the server in the rack; `changes` are settings that are other than usual."""
        guest = self.lab.guest
        settings = {
            "state_dir": str(self.directory / "state"),
            "socket": str(self.socket),
            "listen": f"{self.lab.plan.rack_link_address.ip}:5240",
            "boot_port": str(BOOT_PORT),
            "boot_kernel": str(guest.kernel),
            "boot_initrd": str(guest.initrd),
            "boot_cmdline": "quiet mitigations=off",
            "kea_socket": str(self.lab.kea_socket),
            "ssh_config": str(self.lab.ssh_config),
            "ping_every_s": PING_EVERY_S,
        } | dict(changes or {})
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
        (self.directory / "config.toml").write_text("".join(lines))
        argv = self.lab.in_rack([*HOSTLOOM, "serve", "--config", str(self.directory / "config.toml")])
        with (self.directory / "server.log").open("ab") as log:
            self._server = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
        wait_until(self.socket.exists, "the server's socket", 30)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop the server, or with SIGKILL let it die."""
        if self._server is not None:
            os.killpg(self._server.pid, number)
            self._server.wait(20)
            self._server = None
            if number == signal.SIGKILL:
                self.socket.unlink(missing_ok=True)

    def log(self) -> str:
        """What the server logged."""
        return (self.directory / "server.log").read_text()

    # -- the command line ----------------------------------------------------------------------------------

    def call(self, *words: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command; whatever comes of it."""
        environment = {**os.environ, "HOSTLOOM_SOCKET": str(self.socket), "NO_COLOR": "1", "COLUMNS": "200"}
        return subprocess.run(
            [*HOSTLOOM, *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def run(self, *words: str) -> str:
        """Run a command that must succeed."""
        done = self.call(*words)
        assert done.returncode == 0, (
            f"{words}: {done.returncode}\n{done.stdout}{done.stderr}\n{self.log()[-3000:]}"
        )
        return done.stdout

    def get(self, *words: str) -> Any:
        """What a command answers as JSON; what tests poll goes by the client."""
        if len(words) == 3 and words[0] in POLLED and words[1] == "show":
            with self._client() as client:
                return _collection(client, words[0]).get(words[2])
        return json.loads(self.run(*words, "-o", "json"))

    def list(self, noun: str) -> Any:
        """A list of things; of events the newest."""
        with self._client() as client:
            return _collection(client, noun).list(NEWEST_EVENTS if noun == "event" else None)

    def _client(self) -> Client:
        """Polling by starting the command line would take the CPU that the guests need to boot."""
        return Client(Target(socket=self.socket))

    # -- a described network ---------------------------------------------------------------------------------

    def describe(self) -> None:
        """Name the segments, serve them, and add every host."""
        plan = self.lab.plan
        with self._client() as client:
            client.fabrics.create({"name": "physical"})
            for segment in ("mgmt", "dmz", "storage", "lab"):
                subnet, gateway = plan.segment(segment), str(plan.rack_address(segment))
                vid = int(str(subnet.network_address).split(".")[2])
                automatic = client.subnets.get(str(subnet))["vlan"].split("/")[0]
                client.spaces.create({"name": segment})
                client.vlans.create({"fabric": "physical", "vid": vid, "name": segment, "space": segment})
                client.subnets.update(str(subnet), {"vlan": f"physical/{vid}", "gateway": gateway})
                client.fabrics.delete(automatic)
                client.vlans.act(f"physical/{vid}", "dhcp", {"mode": "on"}, method="PUT")
        self.add_hosts(*(host.name for host in plan.hosts))

    def add_hosts(self, *names: str) -> None:
        """Add hosts with the keys that they have, side by side, and say where their bare NICs are."""
        with self._client() as client:
            bodies = [
                {"name": name, "uri": self.lab.uri_ssh(name), "accept_key": self.key_of(name)}
                for name in names
            ]
            self._finish(client, [client.hosts.create(body) for body in bodies])
            for name in names:
                for nic, vid in (("eth1", 20), ("eth2", 30), ("eth3", 40)):
                    vlan = {"vlan": f"physical/{vid}"}
                    client.nodes.act(name, f"interfaces/{nic}", vlan, method="PATCH")

    def key_of(self, host: str) -> str:
        """The fingerprint of a host's SSH key, from the host itself."""
        argv = ["ssh-keygen", "-lf", str(self.lab.plan.directory / host / "host_key.pub")]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()[1]

    def compose(self, name: str, interfaces: str, host: str | None = None) -> dict[str, Any]:
        """Compose a small machine, and return it."""
        (machine,) = self.compose_all({name: interfaces}, host)
        return machine

    def compose_all(self, wanted: Mapping[str, str], host: str | None = None) -> Sequence[Any]:
        """Compose small machines side by side, each a name and its interfaces, and return them."""
        newest = max((event["id"] for event in self.list("event")), default=0)
        self._before |= dict.fromkeys(wanted, newest)
        small = {"memory_mib": 256, "storage": "root:1"} | ({"host": host} if host else {})
        with self._client() as client:
            begun = [
                client.machines.create({"hostname": name, "interfaces": interfaces, **small})
                for name, interfaces in wanted.items()
            ]
            self._finish(client, begun)
            return [client.machines.get(name) for name in wanted]

    def decompose(self, *names: str) -> None:
        """Take machines apart, side by side."""
        with self._client() as client:
            self._finish(client, [client.machines.delete(name) for name in names])

    def _finish(self, client: Client, begun: Sequence[dict[str, Any]]) -> None:
        """Follow operations to their ends, which must be good ones."""
        for operation in begun:
            *_, last = client.follow(operation["id"])
            assert last["state"] == "succeeded", f"{last}\n{self.log()[-3000:]}"

    def wait_for_report(self, *names: str) -> dict[str, Any]:
        """Wait until machines have booted and reported; the last report of each by name."""
        found: dict[str, Any] = {}

        def all_there() -> bool:
            for event in self.list("event"):
                name = event["subject"].removeprefix("machine ")
                # An earlier machine may have had the name.
                if event["kind"] == "machine-up" and event["id"] > self._before.get(name, 0):
                    found.setdefault(name, event["details"])
            return set(names) <= set(found)

        wait_until(all_there, f"reports of {names}", REPORT_TIMEOUT_S)
        return found

    # -- hosts -------------------------------------------------------------------------------------------

    def libvirtd(self, host: str) -> int:
        """The process that manages the host's machines."""
        argv = ["ip", "netns", "pids", self.lab.netns(host)]
        listed = subprocess.run(argv, capture_output=True, text=True, check=True)
        (pid,) = [pid for pid in map(int, listed.stdout.split()) if _name(pid) == "libvirtd"]
        return pid

    @contextmanager
    def hanging(self, host: str) -> Iterator[None]:
        """The host's libvirtd accepts calls meanwhile, and answers none."""
        pid = self.libvirtd(host)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    # -- the wire ----------------------------------------------------------------------------------------

    def answers_arp(self, segment: str, ip: str) -> bool:
        """Whether anybody on the segment has the address."""
        argv = self.lab.in_rack(["busybox", "arping", "-c", "3", "-w", "3", "-f", "-I", segment, ip])
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def _collection(client: Client, noun: str) -> Collection:
    """The collection of a noun as the command line spells it: `resource-pool`, `address`."""
    plural = noun.replace("-", "_") + ("es" if noun.endswith("s") else "s")
    collection: Collection = getattr(client, plural)
    return collection


def _name(pid: int) -> str:
    """What the process runs; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        return ""
