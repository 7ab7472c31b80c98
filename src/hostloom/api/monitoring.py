"""Monitoring: `/healthz`, and `/metrics` in the text format of Prometheus."""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from hostloom.api.calls import authenticate
from hostloom.api.connections import SCOPE_KEY
from hostloom.model.errors.base import HostloomError
from hostloom.model.errors.server import DatabaseUnavailable
from hostloom.model.rack import Rack
from hostloom.model.reconciler import Reconciler
from hostloom.ports.context import Ports
from hostloom.ports.store import Store

Reconcilers = Callable[[], Sequence[Reconciler]]

#: Number of racks that are queried in parallel.
RACKS_AT_ONCE = 8
#: Maximum age of the metrics.
KEEP_S = 5.0
#: Maximum age of a check of the database.
HEALTH_KEPT_S = 1.0
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz(request: Request) -> dict[str, str]:
    """Show whether the server answers and its database can be used; a 503 gives the reason if not."""
    health: Health = request.app.state.health
    health.check()
    return {"status": "ok"}


@router.get("/metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Show metrics in the text format of Prometheus; other machines need a token."""
    if not _is_near(request):
        authenticate(request)
    figures: Figures = request.app.state.figures
    return Response(figures.text(), media_type=CONTENT_TYPE_LATEST)


class Health:
    """The last check of the database; one caller checks, and the others wait for its result."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._trouble: DatabaseUnavailable | None = None

    def check(self) -> None:
        """DatabaseUnavailable if the database cannot be read and written."""
        with self._lock:
            if time.monotonic() - self._looked_at > HEALTH_KEPT_S:
                self._trouble = self._look()
                self._looked_at = time.monotonic()
            trouble = self._trouble
        if trouble is not None:
            raise trouble

    def _look(self) -> DatabaseUnavailable | None:
        try:
            self._store.check()
        except DatabaseUnavailable as error:
            return error
        return None


class Figures:
    """The metrics, cached for KEEP_S, because racks are queried over the network."""

    def __init__(self, ports: Ports, reconcilers: Reconcilers = tuple) -> None:
        self._ports, self._reconcilers = ports, reconcilers
        self._lock = threading.Lock()
        self._text, self._read_at = b"", -math.inf

    def text(self) -> bytes:
        """The metrics in the text format of Prometheus; requests during a reading wait for it."""
        with self._lock:
            if time.monotonic() - self._read_at >= KEEP_S:
                registry = CollectorRegistry()
                registry.register(WorldCollector(self._ports))
                registry.register(ReconcilerCollector(self._reconcilers))
                self._text, self._read_at = generate_latest(registry), time.monotonic()
            return self._text


def _is_near(request: Request) -> bool:
    """Whether the request comes directly from this machine, not through a proxy on it."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    if request.scope.get(SCOPE_KEY) is not None:
        return True
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


class WorldCollector(Collector):
    """Collects metrics of the stored state; the number of statements does not depend on its size."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that the registration collects nothing."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield all families of metrics."""
        with self._ports.store.begin() as uow:
            snapshot, racks = uow.snapshot(), uow.racks.list()
        servers = Counter(foreign_dhcp.vlan_id for foreign_dhcp in snapshot.foreign_dhcp)
        foreign = GaugeMetricFamily(
            "hostloom_foreign_dhcp_servers",
            "DHCP servers on a VLAN that are none of ours, as its last probe found.",
            labels=["vlan"],
        )
        for vlan in snapshot.vlans:
            foreign.add_metric([snapshot.vlan_name(vlan.id)], servers[vlan.id])
        yield foreign
        up = GaugeMetricFamily("hostloom_dhcp_up", "Whether a rack's DHCP server answers.", labels=["rack"])
        with ThreadPoolExecutor(RACKS_AT_ONCE, "metrics") as pool:
            for rack, alive in zip(racks, pool.map(self._is_alive, racks), strict=True):
                up.add_metric([rack.name], alive)
        yield up

    def _is_alive(self, rack: Rack) -> bool:
        if self._ports.dhcp is None:
            return False
        try:
            return self._ports.dhcp.of(rack).is_alive()
        except HostloomError:
            # A rack with an invalid control channel cannot answer.
            return False


class ReconcilerCollector(Collector):
    """Collects metrics of the last runs of this server's reconcilers."""

    def __init__(self, reconcilers: Reconcilers) -> None:
        self._reconcilers = reconcilers

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that the registration collects nothing."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield the times, durations and failures of the last runs."""
        names = ["reconciler"]
        started = GaugeMetricFamily(
            "hostloom_reconciler_last_start_timestamp_seconds", "When the last run started.", labels=names
        )
        duration = GaugeMetricFamily(
            "hostloom_reconciler_last_duration_seconds", "How long the last run took.", labels=names
        )
        failures = GaugeMetricFamily(
            "hostloom_reconciler_failures", "How many of the latest runs failed in a row.", labels=names
        )
        for reconciler in self._reconcilers():
            failures.add_metric([reconciler.name], reconciler.failures)
            if reconciler.started_at is not None:
                started.add_metric([reconciler.name], reconciler.started_at)
            if reconciler.duration_s is not None:
                duration.add_metric([reconciler.name], reconciler.duration_s)
        return (started, duration, failures)
