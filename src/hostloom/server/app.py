"""The composition root: wires the adapters, serves the API and runs the operations."""

import contextlib
import faulthandler
import gc
import grp
import logging
import os
import secrets
import signal
import socket
import stat
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from hostloom.api.peers import PeerProtocol
from hostloom.api.v1 import create_api
from hostloom.compat.maas2.server import Facade
from hostloom.decide.placement.compose import prepare
from hostloom.dhcp.driver import KeaDhcp
from hostloom.dhcp.embedded import EmbeddedKea
from hostloom.dhcp.servers import KeaServers
from hostloom.hostscan.scan import HostScan
from hostloom.http_limits import Crowd, limited
from hostloom.hypervisor.driver import LibvirtHypervisors
from hostloom.images.directory import ImageDirectory
from hostloom.model.errors import ConfigError
from hostloom.model.host_uri import UriRules
from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.network import Address
from hostloom.model.service_settings import ServiceSettings
from hostloom.ports.context import Ports
from hostloom.ports.dhcp import DhcpServer
from hostloom.ports.store import Store
from hostloom.reconcilers.host_pulse import HostPulse
from hostloom.reconcilers.host_refresher import HostRefresher
from hostloom.reconcilers.vlan_probe import probe_all
from hostloom.remote.connection import Remotes
from hostloom.remote.keys import PinnedKeys, import_known_hosts
from hostloom.sagas.groups import ensure_composed_tags
from hostloom.sagas.taken_addresses import forget_old_marks
from hostloom.sagas.worker import Worker
from hostloom.server import open_files
from hostloom.server.config import Listen, Settings, load_settings
from hostloom.server.netboot import BootServer
from hostloom.server.periodic import PeriodicTask
from hostloom.server.rack import keep_racks, settle
from hostloom.server.secret import FileSecrets
from hostloom.services.racks import key_uri
from hostloom.store.engine import open_store
from hostloom.wire.probe import AgentProbe

log = structlog.get_logger(__name__)

#: Requests that take longer than this are cut off when the server stops.
STOP_TIMEOUT_S = 5
BACKLOG = 128
#: Stale hosts are looked for this often.
FRESHNESS_S = 15
#: How often addresses that were in use on the wire long ago are forgotten.
FORGET_EVERY_S = 600
#: Letters and digits of system ids and of made-up names; none that are taken for one another.
ALPHABET = "abcdefghkmnpqrstwxy346789"


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()


class RandomIds:
    """Everything random, from the system's source."""

    def system_id(self) -> SystemId:
        """Six characters."""
        return SystemId(_letters(6))

    def hostname(self) -> str:
        """A name for a machine that the user did not name."""
        return f"vm-{_letters(6)}"

    def uuid(self) -> str:
        """A random UUID as text."""
        return str(uuid.uuid4())

    def mac(self) -> MacAddress:
        """An address of KVM's prefix 52:54:00."""
        return MacAddress.parse(f"525400{secrets.token_hex(3)}")

    def secret(self) -> str:
        """192 bits."""
        return secrets.token_urlsafe(24)


class SystemResolver:
    """The machine's own resolver."""

    def addresses(self, name: str) -> tuple[Address, ...]:
        """All addresses of a name or literal; empty when it does not resolve."""
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return ()
        return tuple(dict.fromkeys(ip_address(str(each[4][0]).partition("%")[0]) for each in found))


def serve(environ: Mapping[str, str], flags: Mapping[str, Any], file: Path | None) -> None:
    """Read the settings, wire the adapters and serve; ConfigError before anything is begun."""
    os.umask(0o077)
    settings = load_settings(environ, flags, file)
    configure_logging(settings.log_level)
    settings = open_files.fit(settings)
    faulthandler.enable()  # a crash in a C library (libvirt's) says where it was
    with contextlib.ExitStack() as stack:
        ports = settle(settings, wire(settings, stack))
        if ports.dhcp is not None:
            keep_racks(ports, ports.dhcp, stack)
        if settings.boot_port:
            boot = BootServer(settings, ports)
            boot.start()
            stack.callback(boot.stop)
        if settings.refresh_every_s:
            freshness = HostRefresher(ports, settings.refresh_every_s)
            keeper = PeriodicTask("freshness", freshness.look, min(FRESHNESS_S, settings.refresh_every_s))
            keeper.start()
            stack.callback(keeper.stop)
        forgetter = PeriodicTask("addresses on the wire", lambda: forget_old_marks(ports), FORGET_EVERY_S)
        forgetter.start()
        stack.callback(forgetter.stop)
        if settings.ping_every_s:
            pulse = PeriodicTask("pulse", HostPulse(ports).look, settings.ping_every_s)
            pulse.start()
            stack.callback(pulse.stop)
        if settings.probe_every_s:
            prober = PeriodicTask("probe", lambda: probe_all(ports), settings.probe_every_s)
            prober.start()
            stack.callback(prober.stop)
        run(settings, ports)


def wire(settings: Settings, stack: contextlib.ExitStack) -> Ports:
    """Every port; what must be closed is closed by the stack, the last first."""
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o750)
    except OSError as error:
        raise ConfigError(
            "state_dir", str(settings.state_dir), f"a directory of ours ({error.strerror})"
        ) from error
    close_to_others(settings.state_dir)
    store = open_store(settings.database)
    stack.callback(store.close)
    stack.enter_context(store.held())
    keys = PinnedKeys(store, settings.ssh_config)
    import_known_hosts(keys, settings.state_dir / "known_hosts", lambda: _ssh_uris(store))
    remotes = Remotes(keys, settings.ssh_config)
    stack.callback(remotes.close)
    hypervisors = LibvirtHypervisors(remotes)
    stack.callback(hypervisors.close)
    return Ports(
        store=store,
        hypervisors=hypervisors,
        scanner=HostScan(remotes),
        keys=keys,
        resolver=SystemResolver(),
        dhcp=KeaServers(
            remotes,
            _dhcp_server(settings, stack),
            settings.state_dir / "rack-passwords",
            settings.kea_socket_dirs,
        ),
        clock=SystemClock(),
        ids=RandomIds(),
        secrets=FileSecrets(settings.secret),
        wire=AgentProbe(remotes),
        images=ImageDirectory(settings.images, SystemClock().now),
        settings=service_settings(settings),
    )


def service_settings(settings: Settings) -> ServiceSettings:
    """What services and sagas follow of the server's settings."""
    return ServiceSettings(
        boot_port=settings.boot_port,
        commission_timeout_s=settings.commission_timeout_min * 60.0,
        trust_first_keys=settings.maas_trust_first_key,
        maas_unsigned_put=settings.maas_unsigned_put,
        max_on_demand_per_user=settings.max_on_demand_per_user,
        max_new_machines=settings.max_new_machines,
        uris=uri_rules(settings),
    )


def _ssh_uris(store: Store) -> list[str]:
    """The URIs of hosts, and of racks behind SSH."""
    with store.begin() as uow:
        racks = [key_uri(control) for rack in uow.racks.list() for control in (rack.control, rack.control6)]
        return [*(host.uri for host in uow.hosts.list()), *(uri for uri in racks if uri is not None)]


def close_to_others(directory: Path) -> None:
    """What an earlier version or an operator made readable by all: the folder, and the database in it."""
    files = [path for path in directory.glob("hostloom.db*") if path.is_file() and not path.is_symlink()]
    for path, mode in [(directory, 0o750), *((file, 0o600) for file in files)]:
        try:
            if path.stat().st_mode & 0o777 & ~mode:
                path.chmod(path.stat().st_mode & mode)
        except OSError as error:
            log.warning("others may read it", path=str(path), cause=error.strerror)


def uri_rules(settings: Settings) -> UriRules:
    """Which URIs the settings allow hosts to have."""
    folders = [Path.home() / ".ssh", *([settings.ssh_key_dir] if settings.ssh_key_dir else [])]
    return UriRules(
        test_hosts=settings.test_hosts,
        sockets=frozenset(str(path) for path in settings.libvirt_sockets),
        key_folders=tuple(str(folder) for folder in folders),
    )


def _dhcp_server(settings: Settings, stack: contextlib.ExitStack) -> DhcpServer | None:
    """Kea according to the settings: embedded, external, or none."""
    if settings.kea_embedded:
        if settings.kea_socket or settings.kea_socket6:
            path = settings.kea_socket or settings.kea_socket6
            raise ConfigError("kea_socket", str(path), "nothing while kea_embedded is true")
        kea = EmbeddedKea(settings.state_dir / "kea")
        stack.callback(kea.stop)
        kea.start()
        return kea
    if settings.kea_socket is None:
        return None
    return KeaDhcp(settings.kea_socket, socket6=settings.kea_socket6)


def run(settings: Settings, ports: Ports) -> None:
    """Serve until SIGTERM or SIGINT, over wired ports; what is left of operations the next start resumes."""
    server = make_server(settings, ports)
    heed_signals(server)
    with ports.store.begin() as uow:
        ensure_composed_tags(uow)
        uow.commit()
    warm_up(ports.store)
    worker = Worker(ports, f"{socket.gethostname()}:{os.getpid()}", settings.workers)
    with listening(settings) as sockets:
        worker.start()
        log.info("serving", listen=str(settings.listen), socket=str(settings.socket))
        try:
            server.run(sockets=sockets)
        finally:
            worker.stop()
            log.info("stopped")


def heed_signals(server: uvicorn.Server) -> None:
    """Have it stop in order on SIGTERM, SIGINT and SIGHUP, also on one that comes before it listens."""

    # uvicorn has its own handlers while it serves, and raises the signal again when it is done.
    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # Under nohup it may outlive its terminal.
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, stop)


def warm_up(store: Store) -> None:
    """Read and index the world before the first request, and take it out of garbage collection.

    Of 10,000 hosts a full collection would stop a decision for half a second, again and again.
    """
    with store.begin() as uow:
        prepare(uow.snapshot())
    gc.collect()
    gc.freeze()


def make_server(settings: Settings, ports: Ports) -> uvicorn.Server:
    """The HTTP server of the API and of MAAS's; `run(sockets=…)` serves."""
    facade = Facade(ports, proxy_headers=settings.proxy_headers)
    api = create_api(
        ports, admin_group=settings.admin_group, doors={"/MAAS/": facade.admit}, names=_own_names(settings)
    )
    api.mount("/MAAS", facade.app())
    return _Server(api, Crowd(settings.max_connections, settings.max_connections_per_address))


def _own_names(settings: Settings) -> set[str]:
    """The names of this machine, and those that the settings add."""
    own = socket.gethostname()
    return {own, own.partition(".")[0], settings.listen.host, *settings.allowed_hosts}


class _Server(uvicorn.Server):
    """Tells streams, which would not end by themselves, that the server stops."""

    def __init__(self, api: FastAPI, crowd: Crowd) -> None:
        self._api = api
        super().__init__(
            uvicorn.Config(
                api,
                http=limited(PeerProtocol, crowd),
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=STOP_TIMEOUT_S,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop as uvicorn does, streams first."""
        self._api.state.stopping.set()
        await super().shutdown(sockets)


@contextlib.contextmanager
def listening(settings: Settings) -> Iterator[list[socket.socket]]:
    """The sockets of the API; ConfigError where an address is taken or a directory cannot be used."""
    with contextlib.ExitStack() as stack:
        unix = stack.enter_context(listen_unix(settings.socket, settings.admin_group))
        stack.callback(settings.socket.unlink, missing_ok=True)
        yield [stack.enter_context(listen_tcp(settings.listen)), unix]


def listen_tcp(where: Listen) -> socket.socket:
    """A socket that listens; ConfigError."""
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((where.host, where.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError("listen", str(where), f"an address that is free here ({error.strerror})") from error
    return listener


def listen_unix(path: Path, group: str) -> socket.socket:
    """A socket for the server's user and the group; one that a dead server left behind is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
            path.parent.chmod(0o755)  # members of the group go through it; the socket itself is closed
        if path.is_socket():
            _refuse_live(path)
            path.unlink()
        listener.bind(str(path))
        path.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP)
        with contextlib.suppress(KeyError, PermissionError):  # without the group, only root and we may
            os.chown(path, -1, grp.getgrnam(group).gr_gid)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError("socket", str(path), f"a path for a new socket ({error.strerror})") from error
    except ConfigError:
        listener.close()
        raise
    return listener


def _refuse_live(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return
    raise ConfigError("socket", str(path), "a path where no other server listens")


def configure_logging(level: str) -> None:
    """Lines of key=value on stderr; tracebacks without the values of variables, which may be secrets."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
    )
    handler = logging.StreamHandler(sys.stderr)
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=number, force=True)
    for chatty in ("alembic", "uvicorn", "httpx"):
        logging.getLogger(chatty).setLevel(max(number, logging.WARNING))


def _letters(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))
