"""Serves: wires the adapters, starts the reconcilers, answers requests and runs operations."""

import contextlib
import faulthandler
import gc
import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from hostloom.api.connections import Crowd, PeerProtocol, limited
from hostloom.api.v1 import create_api
from hostloom.compat.maas2.server import Facade
from hostloom.decide.placement.compose import prepare
from hostloom.ports.context import Ports
from hostloom.ports.store import Store
from hostloom.reconcilers.host_pulse import HostPulse
from hostloom.reconcilers.host_refresher import HostRefresher
from hostloom.reconcilers.vlan_probe import probe_all
from hostloom.sagas.decisions import ensure_composed_tags
from hostloom.sagas.taken_addresses import forget_old_marks
from hostloom.sagas.worker import Worker
from hostloom.server import open_files
from hostloom.server.config import Settings, load_settings
from hostloom.server.log import configure_logging
from hostloom.server.netboot import BootServer
from hostloom.server.periodic import PeriodicTask, Reports
from hostloom.server.rack import keep_racks, settle
from hostloom.server.sockets import listening
from hostloom.server.wiring import wire

log = structlog.get_logger(__name__)
#: Requests that take longer than this are cut off when the server stops.
STOP_TIMEOUT_S = 5
#: Stale hosts are looked for this often.
REFRESH_LOOK_S = 15
#: How often addresses that were in use on the wire long ago are forgotten.
FORGET_EVERY_S = 600


def serve(environ: Mapping[str, str], flags: Mapping[str, Any], file: Path | None) -> None:
    """Read the settings, wire the adapters and serve; ConfigError before anything is begun."""
    os.umask(0o077)
    settings = load_settings(environ, flags, file)
    configure_logging(settings.log_level)
    settings = open_files.fit(settings)
    faulthandler.enable()  # a crash in a C library (libvirt's) says where it was
    with contextlib.ExitStack() as stack:
        ports = settle(settings, wire(settings, stack))
        reports = Reports()
        if ports.dhcp is not None:
            keep_racks(ports, ports.dhcp, stack, reports)
        if settings.boot_port:
            boot = BootServer(settings, ports, reports)
            boot.start()
            stack.callback(boot.stop)
        for task in reconcilers(settings, ports, reports):
            task.start()
            stack.callback(task.stop)
        run(settings, ports, reports)


def reconcilers(settings: Settings, ports: Ports, reports: Reports) -> list[PeriodicTask]:
    """The reconcilers that need neither a rack nor the boot port; a setting of 0 turns one off."""
    tasks = [PeriodicTask("wire-marks", lambda: forget_old_marks(ports), FORGET_EVERY_S, reports)]
    if settings.refresh_every_s:
        refresher = HostRefresher(ports, settings.refresh_every_s)
        every_s = min(REFRESH_LOOK_S, settings.refresh_every_s)
        tasks.append(PeriodicTask("host-refresh", refresher.look, every_s, reports))
    if settings.ping_every_s:
        tasks.append(PeriodicTask("host-pulse", HostPulse(ports).look, settings.ping_every_s, reports))
    if settings.probe_every_s:
        tasks.append(PeriodicTask("vlan-probe", lambda: probe_all(ports), settings.probe_every_s, reports))
    return tasks


def run(settings: Settings, ports: Ports, reports: Reports) -> None:
    """Serve until SIGTERM or SIGINT, over wired ports; what is left of operations the next start resumes."""
    server = make_server(settings, ports, reports)
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


def make_server(settings: Settings, ports: Ports, reports: Reports) -> uvicorn.Server:
    """The HTTP server of the API and of MAAS's; `run(sockets=…)` serves."""
    facade = Facade(ports, proxy_headers=settings.proxy_headers)
    api = create_api(
        ports,
        admin_group=settings.admin_group,
        policies={"/MAAS/": facade.admit},
        names=_own_names(settings),
        reconcilers=reports.all,
    )
    api.mount("/MAAS", facade.app())
    return _Server(api, Crowd(settings.max_connections, settings.max_connections_per_address))


def _own_names(settings: Settings) -> set[str]:
    """The names of this machine, and those that the settings add."""
    hostname = socket.gethostname()
    return {hostname, hostname.partition(".")[0], settings.listen.host, *settings.allowed_hosts}


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
