"""A whole server for tests: the real API on a Unix socket over a real SQLite store."""

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import structlog

from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from hostloom.images.disk_builds import MmdebstrapBuilds
from hostloom.images.disk_directory import DiskDirectory
from hostloom.images.documents import MirrorDocuments
from hostloom.images.download import Downloader
from hostloom.images.import_files import ImportFiles
from hostloom.images.limits import MIB, ImportLimits
from hostloom.model.dhcp import DhcpIntent, DhcpPulse, Lease
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import HostNotScannable
from hostloom.model.host_uri import UriRules
from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.network import Address
from hostloom.model.node import Node, NodeKind
from hostloom.model.observed import ObservedNetwork
from hostloom.model.rack import RackStatus
from hostloom.model.service_settings import ServiceSettings
from hostloom.ports.context import Clock, Ports
from hostloom.ports.hosts import OfferedKey
from hostloom.recording.controllers import ensure_local_rack
from hostloom.sagas.worker import Worker
from hostloom.server.app import make_server
from hostloom.server.config import Settings
from hostloom.server.periodic import Reports
from hostloom.server.secret import FileSecrets
from hostloom.server.sockets import listen_unix
from hostloom.store.engine import open_store
from support.fake_dhcp import FakeServers
from support.fake_images import FakeImages
from support.fake_power import FakePowerDrivers
from support.near import Near
from support.template_database import copy_template

NOON = 1_800_000_000.0
KEY = OfferedKey("ssh-ed25519", "SHA256:" + "A" * 43, "kvm ssh-ed25519 AAAA")


class StandingClock:
    """Time that stands still, so that answers can be compared."""

    def now(self) -> float:
        return NOON


class CountedIds:
    """Everything random, counted instead."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def _next(self) -> int:
        with self._lock:
            return next(self._numbers)

    def system_id(self) -> SystemId:
        return SystemId(f"n{self._next():05d}")

    def hostname(self) -> str:
        return f"vm-{self._next()}"

    def uuid(self) -> str:
        return f"{self._next():08x}-0000-4000-8000-000000000000"

    def mac(self) -> MacAddress:
        return MacAddress(f"52:54:00:00:00:{self._next():02x}")

    def secret(self) -> str:
        return f"secret-{self._next():024d}"


@dataclass
class HeldDhcp:
    """A DHCP server that keeps what it was given, or refuses it."""

    error: DriverError | None = None
    intents: list[DhcpIntent] = field(default_factory=list)

    def apply(self, intent: DhcpIntent) -> None:
        if self.error is not None:
            raise self.error
        self.intents.append(intent)

    def leases(self) -> list[Lease]:
        return []

    def pulse(self) -> DhcpPulse:
        return DhcpPulse((1,), ())

    def is_alive(self) -> bool:
        return self.error is None

    def status(self) -> RackStatus:
        return RackStatus("" if self.error is None else str(self.error), ((4, "2.2.0"),), ((4, 60.0),))

    def running(self) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        return {"Dhcp4": {"subnet4": [str(each.cidr) for each in self.intents[-1].subnets]}}


class NoScanner:
    """libvirt's test driver has no links to read."""

    def scan(self, uri: str) -> ObservedNetwork:
        raise HostNotScannable(uri)


@dataclass
class MemoryKeys:
    """Pinned keys, and one key that every SSH host shows."""

    kept: dict[str, str] = field(default_factory=dict)

    def offered(self, uri: str) -> list[OfferedKey]:
        return [KEY] if "+ssh" in uri else []

    def pin(self, uri: str, key: OfferedKey) -> None:
        self.kept[uri] = key.fingerprint

    def pinned(self, uri: str) -> str | None:
        server = uri.partition("#")[0]
        return next((key for kept, key in self.kept.items() if kept.partition("#")[0] == server), None)

    def retain(self, uri: str) -> None:
        fingerprint = self.pinned(uri)
        if fingerprint is not None:
            self.kept[uri] = fingerprint

    def release(self, uri: str) -> None:
        self.kept.pop(uri, None)

    def forget(self, uri: str) -> None:
        self.kept.pop(uri, None)


class LiteralResolver:
    """Addresses only."""

    def addresses(self, name: str) -> tuple[Address, ...]:
        try:
            return (ip_address(name),)
        except ValueError:
            return ()


@dataclass(frozen=True)
class Running:
    """A server that runs."""

    ports: Ports
    socket: Path
    #: The same over TCP, where a token is wanted.
    url: str
    dhcp: HeldDhcp

    def http(self) -> httpx.Client:
        """Plain requests to it, as the server's own user."""
        transport = httpx.HTTPTransport(uds=str(self.socket), verify=False)
        return httpx.Client(transport=transport, base_url="http://hostloom/api/v1", timeout=30)


#: Images of tests are small.
IMPORT_LIMITS = ImportLimits(disk_bytes=512 * MIB, stall_timeout_s=10.0)


@contextmanager
def running(
    directory: Path, *, worker: bool = False, clock: Clock | None = None, reports: Reports | None = None
) -> Iterator[Running]:
    """Serve from a directory; with a worker, operations run (against libvirt's test driver)."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()],
        logger_factory=structlog.ReturnLoggerFactory(),
    )
    with ExitStack() as stack:
        store = open_store(copy_template(directory / "hostloom.db"))
        stack.callback(store.close)
        hypervisors = LibvirtHypervisors(Near())
        stack.callback(hypervisors.close)
        dhcp = HeldDhcp()
        downloader = Downloader(IMPORT_LIMITS, allow_local=True)
        ports = Ports(
            store=store,
            hypervisors=hypervisors,
            scanner=NoScanner(),
            keys=MemoryKeys(),
            resolver=LiteralResolver(),
            dhcp=FakeServers(dhcp),
            clock=clock or StandingClock(),
            ids=CountedIds(),
            images=FakeImages(),
            power=FakePowerDrivers(),
            disk_images=DiskDirectory(directory / "images"),
            disk_imports=ImportFiles(directory / "images", IMPORT_LIMITS, downloader),
            disk_builds=MmdebstrapBuilds(directory / "images"),
            image_documents=MirrorDocuments(downloader),
            secrets=FileSecrets(directory / "secret"),
            settings=ServiceSettings(uris=UriRules(test_hosts=True)),
        )
        with store.begin() as uow:
            rack = uow.nodes.add(Node(SystemId("rack01"), "rack", NodeKind.RACK_CONTROLLER))
            uow.commit()
        ports = replace(ports, settings=replace(ports.settings, local=rack.system_id))
        ensure_local_rack(ports.store, rack.system_id)
        url = stack.enter_context(serving(directory, ports, worker=worker, reports=reports))
        yield Running(ports, directory / "api.sock", url, dhcp)


@contextmanager
def serving(
    directory: Path, ports: Ports, *, worker: bool = False, reports: Reports | None = None
) -> Iterator[str]:
    """Serve ports on the directory's `api.sock`, and over TCP at the URL that is given."""
    path = directory / "api.sock"
    with ExitStack() as stack:
        if worker:
            hand = Worker(ports, "test", threads=2, idle_wait_s=0.2)
            hand.start()
            stack.callback(hand.stop)
        listener = stack.enter_context(listen_unix(path, "hostloom"))
        server = make_server(Settings(state_dir=directory, socket=path), ports, reports or Reports())
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener, tcp]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{tcp.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(15)
