"""A campaign: rounds of work in which servers are killed, each followed by a look at the real world."""

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit import Differences, audit, audit_empty_host
from knife import Plan, Where
from servers import Launcher, Server, share_keys
from workload import GUEST_HOST, Workload

from hostloom.client import Document
from hostloom_lab.lab import Lab

SERVED = ("physical/10", "physical/20", "physical/30")
#: After so many points at most a server dies.
MAX_POINTS = {Where.STEP: 16, Where.REQUEST: 6, Where.LIBVIRT: 6, Where.KEA: 8, Where.UNWIND: 8}
#: Steps after which a compose may be made to fail, so that it unwinds.
FAILING = ("volumes", "domain", "dhcp", "verify")
KILLS_A_ROUND = 12
OVER_COMMIT = 10
#: Of the servers that reach no point, this share is asked to stop rather than killed.
ASKED = 0.4
#: A server that reaches no point in this time is killed wherever it is.
PATIENCE_S = (1.5, 6.0)
#: With so many operations under way, no more are begun.
BUSY = 8
REST_TIMEOUT_S = 300.0


@dataclass
class Summary:
    """What a campaign counts."""

    rounds: int = 0
    kills: int = 0
    #: Servers that were asked to stop (SIGTERM) in the middle of their work.
    stops: int = 0
    at: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    resumed: int = 0
    #: At the last look; those of killed servers go after ten minutes.
    probes: int = 0
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """For people."""
        kinds = Counter(line.partition(":")[0].partition("] ")[2] for line in self.wrong)
        names = ("orphans", "ghosts", "doubled", "over_booked", "unserved", "guest", "rest")
        points = ", ".join(f"{name} {count}" for name, count in sorted(self.at.items()))
        states = ", ".join(f"{name} {count}" for name, count in sorted(self.states.items()))
        return [
            f"rounds {self.rounds}, kills {self.kills} ({points}), asked to stop {self.stops}",
            f"operations {sum(self.states.values())} ({states}), of them resumed after a kill {self.resumed}",
            ", ".join(f"{name.replace('_', '-')} {kinds[name]}" for name in names)
            + f", stuck {self.states['stuck']}, probe volumes there at the end {self.probes}",
            *self.wrong,
        ]


class Campaign:
    """One lab, one or two servers on one database, one seed."""

    def __init__(
        self,
        lab: Lab,
        directory: Path,
        seed: int,
        *,
        database_url: str = "",
        lease_s: float = 20.0,
        say: Callable[[str], None] = print,
    ) -> None:
        self.lab, self.summary, self._say = lab, Summary(), say
        self._random = random.Random(seed)  # noqa: S311  (repeatable, not secret)
        self._launcher = Launcher(lab)
        #: What is wrong and has been told: it stays wrong in later rounds.
        self._told: set[str] = set()
        changes: dict[str, Any] = {"database_url": database_url} if database_url else {}
        self.servers = [
            Server(lab, self._launcher, directory / f"server{number}", number, changes, lease_s)
            for number in ((1, 2) if database_url else (1,))
        ]
        self._work = Workload(self.servers, seed, self._add_guest)

    def describe(self) -> None:
        """Start the servers, name the network and add the hosts that stay."""
        self.servers[0].start(Plan())
        with self.servers[0].client() as client:
            client.fabrics.create({"name": "physical"})
            for segment in ("mgmt", "dmz", "storage", "lab"):
                subnet = self.lab.plan.segment(segment)
                vid = int(str(subnet.network_address).split(".")[2])
                found = client.subnets.get(str(subnet))
                client.spaces.create({"name": segment})
                client.vlans.create({"fabric": "physical", "vid": vid, "name": segment, "space": segment})
                client.subnets.update(str(subnet), {"vlan": f"physical/{vid}"})
                client.fabrics.delete(found["vlan"].split("/")[0])
                client.vlans.act(f"physical/{vid}", "dhcp", {"mode": "on"}, method="PUT")
        for host in ("kvm1", "kvm2"):
            while host not in {item["name"] for item in self._hosts()}:
                self._add_host(self.servers[0], host)
                self._rest()
            self._bind(host)
        share_keys(self.servers)
        for server in self.servers[1:]:
            server.start(Plan())

    def run(self, kills: int, until: float = float("inf")) -> Summary:
        """Rounds until so many servers were killed, or the time (monotonic) has come."""
        while self.summary.kills < kills and time.monotonic() < until:
            self._round()
        return self.summary

    def close(self) -> None:
        """End the servers."""
        for server in self.servers:
            server.end()
        self._launcher.close()

    # -- a round -------------------------------------------------------------------------------------------

    def _round(self) -> None:
        summary, draw = self.summary, self._random
        summary.rounds += 1
        victim = draw.choice(self.servers)
        first = self._draw_plan(unwinding=draw.random() < 0.5)
        victim.end(draw.choice((signal.SIGKILL, signal.SIGTERM)))
        interrupted: set[str] = set()
        with self._work.refreshing():
            plan = first
            for _ in range(KILLS_A_ROUND):
                # Where something may be to be gone on with, it may die as soon as it starts.
                if victim.start(plan, armed=bool(self._work.accepted)):
                    unfinished = {item["id"] for item in self._work.unfinished() or ()}
                    interrupted |= unfinished
                    victim.arm()
                    if len(unfinished) < BUSY:
                        self._work.submit()
                    self._wait_for_death(victim, draw.uniform(*PATIENCE_S))
                self._count(victim)
                plan = self._draw_plan(unwinding=draw.random() < 0.45)
                victim = draw.choice(self.servers) if len(self.servers) > 1 else victim
                victim.end()
            for server in self.servers:
                if not server.is_alive():
                    server.start(Plan())
        self._rest()
        self._judge(interrupted)

    def _draw_plan(self, *, unwinding: bool) -> Plan:
        draw = self._random
        choices = (Where.STEP, Where.STEP, Where.REQUEST, Where.LIBVIRT, Where.LIBVIRT, Where.KEA)
        where = Where.UNWIND if unwinding else draw.choice(choices)
        after = draw.randint(1, MAX_POINTS[where])
        return Plan(where, after, draw.choice(FAILING) if unwinding else "")

    def _wait_for_death(self, victim: Server, patience_s: float) -> None:
        """Wait for the knife; after the patience it is killed from outside."""
        until = time.monotonic() + patience_s
        while victim.is_alive() and time.monotonic() < until:
            time.sleep(0.05)

    def _count(self, victim: Server) -> None:
        if victim.is_alive() and self._random.random() < ASKED:
            victim.end(signal.SIGTERM)
            self.summary.stops += 1
            return
        victim.end()
        point = victim.killed_at() or "at any time"
        self.summary.kills += 1
        kind = "at any time" if point == "at any time" else point.partition(" ")[0]
        self.summary.at[f"{kind} while unwinding" if "unwinding" in point else kind] += 1

    def _rest(self) -> None:
        """Wait until no operation is under way."""
        until = time.monotonic() + REST_TIMEOUT_S
        while (pending := self._work.unfinished()) != []:
            if time.monotonic() > until:
                words = [f"{item['id']} {item['saga']} {item['state']}" for item in pending or ()]
                self._wrong(f"rest: not at rest after {REST_TIMEOUT_S:g} s: {words}")
                return
            time.sleep(0.2)

    def _judge(self, interrupted: set[str]) -> None:
        with self.servers[0].client() as client:
            for host in client.hosts.list():
                client.hosts.act(host["name"], "refresh")
        self._rest()
        with self.servers[0].client() as client:
            differences: Differences = audit(self.lab, client, SERVED)
            operations = {item["id"]: item for item in client.operations.list()}
            hosts = [host["name"] for host in client.hosts.list()]
        count = self._judge_operations(operations, interrupted)
        left_on_guest = [] if GUEST_HOST in hosts else audit_empty_host(self.lab, GUEST_HOST)
        self.summary.probes = len(differences.probes)
        for text in (*(f"guest: {thing}" for thing in left_on_guest), *differences.wrong()):
            self._wrong(text)
        summary = self.summary
        counts = f"{summary.kills} kills, {count} operations, {len(summary.wrong)} wrong"
        self._say(f"round {summary.rounds}: {counts}")

    def _judge_operations(self, operations: dict[str, Document], interrupted: set[str]) -> int:
        """Check the operations that the servers accepted in this round; returns how many are recorded."""
        recorded = [operations[key] for key in self._work.accepted if key in operations]
        for key in self._work.accepted - operations.keys():
            self._wrong(f"orphans: operation {key} was accepted and is not there")
        self.summary.states.update(item["state"] for item in recorded)
        self.summary.resumed += sum(item["id"] in interrupted for item in recorded)
        for item in recorded:
            if item["state"] == "stuck":
                self._wrong(f"stuck: {item['id']} {item['saga']}: {item['error']}")
        self._work.accepted.clear()
        return len(recorded)

    def _wrong(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            self.summary.wrong.append(f"[round {self.summary.rounds}] {words}")
            self._say(self.summary.wrong[-1])

    def _hosts(self) -> list[Document]:
        with self.servers[0].client() as client:
            return client.hosts.list()

    # -- hosts ---------------------------------------------------------------------------------------------

    def _add_guest(self, server: Server) -> Document:
        return self._add_host(server, GUEST_HOST)

    def _add_host(self, server: Server, name: str) -> Document:
        key = self.lab.plan.directory / name / "host_key.pub"
        shown = subprocess.run(["ssh-keygen", "-lf", str(key)], capture_output=True, text=True, check=True)
        body = {"name": name, "uri": self.lab.uri_ssh(name), "accept_key": shown.stdout.split()[1]}
        with server.client() as client:
            return client.hosts.create(body)

    def _bind(self, host: str) -> None:
        """Say where its bare NICs are, and let it take many machines, most of which never run."""
        with self.servers[0].client() as client:
            client.hosts.update(
                host, {"cpu_over_commit_ratio": OVER_COMMIT, "memory_over_commit_ratio": OVER_COMMIT}
            )
            for nic, vid in (("eth1", 20), ("eth2", 30), ("eth3", 40)):
                changes = {"vlan": f"physical/{vid}"}
                client.nodes.act(host, f"interfaces/{nic}", changes, method="PATCH")
