"""What operators do during a campaign, drawn from a seed; refusals are as good as acceptances."""

import contextlib
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from servers import Server

from hostloom.client import ClientError, Document

T = TypeVar("T")

NICS = ("eth0:space=mgmt", "eth0:space=dmz", "eth0:space=storage,mode=dhcp", "eth0:space=mgmt;eth1:space=dmz")
#: Of machines that are composed, this share is started: each costs a core of this machine while it boots.
STARTED = 0.15
CANCELLED = 0.25
#: The host that comes and goes, and the VLAN whose DHCP does.
GUEST_HOST = "kvm3"
GUEST_VLAN = "physical/40"
#: Older operations are at rest.
NEWEST = 100
AT_REST = ("succeeded", "failed", "cancelled", "stuck")


class Workload:
    """Requests to whichever server answers."""

    def __init__(self, servers: Sequence[Server], seed: int, add_guest: Callable[[Server], Document]) -> None:
        self._servers, self._add_guest = servers, add_guest
        self._random = random.Random(seed)  # noqa: S311  (repeatable, not secret)
        self._names = 0
        #: Operations that were accepted.
        self.accepted: set[str] = set()

    def submit(self) -> None:
        """Some composes and decomposes, and now and then a change of hosts or DHCP, or a cancel."""
        draw = self._random
        calls: list[Callable[[Server], Document]] = [self._compose() for _ in range(draw.randint(1, 3))]
        machines = self._list("machines") or []
        gone = draw.sample(machines, min(len(machines), draw.randint(0, 2)))
        calls += [self._decompose(machine["system_id"]) for machine in gone]
        if draw.random() < 0.4:
            calls.append(self._change_guest(machines))
        if draw.random() < 0.3:
            calls.append(self._switch_dhcp(draw.choice(("on", "off"))))
        draw.shuffle(calls)
        for call in calls:
            answer = self._ask(call)
            operation = None if answer is None else answer.get("operation", answer)
            if operation is not None and operation.get("saga"):
                self.accepted.add(operation["id"])
                if draw.random() < CANCELLED:
                    self._cancel_soon(operation["id"], draw.uniform(0.05, 2.0))

    @contextlib.contextmanager
    def refreshing(self) -> Iterator[None]:
        """Read hosts again and again beside everything else."""
        over = threading.Event()
        seed = self._random.random()

        def refresh() -> None:
            draw = random.Random(seed)  # noqa: S311
            while not over.wait(draw.uniform(1.0, 3.0)):
                name = draw.choice(("kvm1", "kvm2", GUEST_HOST))
                self._ask(lambda server, name=name: _act(server, "hosts", name, "refresh"))

        thread = threading.Thread(target=refresh, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def unfinished(self) -> list[Document] | None:
        """Operations that are neither finished nor stuck; None: no server answers."""
        operations = self._list("operations", NEWEST)
        return None if operations is None else [item for item in operations if item["state"] not in AT_REST]

    # -- calls ---------------------------------------------------------------------------------------------

    def _compose(self) -> Callable[[Server], Document]:
        draw = self._random
        self._names += 1
        body = {
            "hostname": f"m{self._names}",
            "interfaces": draw.choice(NICS),
            "storage": draw.choice(("root:1", "root:1,data:1")),
            "memory_mib": 128,
            "start": draw.random() < STARTED,
        }
        if draw.random() < 0.5:
            body["host"] = draw.choice(("kvm1", "kvm2"))

        def call(server: Server) -> Document:
            with server.client() as client:
                return client.machines.create(body)

        return call

    def _decompose(self, key: str) -> Callable[[Server], Document]:
        def call(server: Server) -> Document:
            with server.client() as client:
                return client.machines.delete(key)

        return call

    def _change_guest(self, machines: Sequence[Document]) -> Callable[[Server], Document]:
        if any(host["name"] == GUEST_HOST for host in self._list("hosts") or []):
            if any(machine["host"] == GUEST_HOST for machine in machines):
                return lambda server: _act(server, "hosts", GUEST_HOST, "refresh")
            return self._delete_guest
        return self._add_guest

    @staticmethod
    def _delete_guest(server: Server) -> Document:
        with server.client() as client:
            return client.hosts.delete(GUEST_HOST)

    @staticmethod
    def _switch_dhcp(word: str) -> Callable[[Server], Document]:
        def call(server: Server) -> Document:
            with server.client() as client:
                return client.vlans.act(GUEST_VLAN, "dhcp", {"mode": word}, method="PUT")

        return call

    def _cancel_soon(self, key: str, after_s: float) -> None:
        cancel = threading.Timer(
            after_s, self._ask, (lambda server: _act(server, "operations", key, "cancel"),)
        )
        cancel.daemon = True
        cancel.start()

    # -- shared --------------------------------------------------------------------------------------------

    def _list(self, noun: str, limit: int | None = None) -> list[Document] | None:
        def call(server: Server) -> list[Document]:
            with server.client() as client:
                return getattr(client, noun).list(limit)

        return self._ask(call)

    def _ask(self, call: Callable[[Server], T]) -> T | None:
        """The first answer of a server; None when it was refused, or cut off by a kill."""
        servers = list(self._servers)
        if len(servers) > 1 and self._random.random() < 0.5:
            servers.reverse()
        for server in servers:
            if server.socket.exists():
                with contextlib.suppress(ClientError):
                    return call(server)
        return None


def _act(server: Server, noun: str, key: str, verb: str) -> Document:
    with server.client() as client:
        return getattr(client, noun).act(key, verb)
