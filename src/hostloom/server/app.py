"""Runs the server: wires the adapters, starts the reconcilers, answers requests and runs operations."""

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
from hostloom.reconcilers.disk_images import sweep_disk_images
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
#: Time limit for running requests when the server stops.
STOP_TIMEOUT_S = 5
#: Interval of the check for stale hosts.
REFRESH_LOOK_S = 15
#: Interval of the removal of expired observations of used addresses.
FORGET_EVERY_S = 600
#: How often files of disk images that nothing needs are deleted.
SWEEP_EVERY_S = 600


def serve(environ: Mapping[str, str], flags: Mapping[str, Any], file: Path | None) -> None:
    """Read the settings, wire the adapters and serve; a ConfigError is raised before anything is started."""
    settings = load_settings(environ, flags, file)
    os.umask(0o077)  # after the settings, so that wrong ones change nothing in the calling process
    configure_logging(settings.log_level)
    settings = open_files.fit(settings)
    faulthandler.enable()  # a crash in a C library, such as libvirt's, prints a traceback
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
    """The reconcilers that need neither a rack nor the boot port; an interval of 0 turns one off."""
    tasks = [
        PeriodicTask("wire-marks", lambda: forget_old_marks(ports), FORGET_EVERY_S, reports),
        PeriodicTask("disk-images", lambda: sweep_disk_images(ports), SWEEP_EVERY_S, reports),
    ]
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
    """Serve until SIGTERM or SIGINT; the next start resumes unfinished operations."""
    server = make_server(settings, ports, reports)
    stop_on_signals(server)
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


def stop_on_signals(server: uvicorn.Server) -> None:
    """Stop the server cleanly on SIGTERM, SIGINT and SIGHUP, even before it listens."""

    # uvicorn has its own handlers while it serves, and raises the signal again afterwards.
    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # Under nohup the server outlives its terminal.
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, stop)


def warm_up(store: Store) -> None:
    """Read and index the snapshot before the first request, and exclude it from garbage collection.

    With 10,000 hosts, each full collection would interrupt decisions for half a second.
    """
    with store.begin() as uow:
        prepare(uow.snapshot())
    gc.collect()
    gc.freeze()


def make_server(settings: Settings, ports: Ports, reports: Reports) -> uvicorn.Server:
    """The HTTP server of both APIs; `run(sockets=…)` serves."""
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
    """The host names of this machine, and those from the settings."""
    hostname = socket.gethostname()
    return {hostname, hostname.partition(".")[0], settings.listen.host, *settings.allowed_hosts}


class _Server(uvicorn.Server):
    """Ends event streams when the server stops, because they do not end by themselves."""

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
        """End the streams, then stop like uvicorn."""
        self._api.state.stopping.set()
        await super().shutdown(sockets)
