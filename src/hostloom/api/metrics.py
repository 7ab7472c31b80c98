"""What monitors read: `/metrics`, in the text format of Prometheus."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from hostloom.model.errors import HostloomError
from hostloom.model.rack import Rack
from hostloom.ports import Ports

#: Racks that are asked at a time.
RACKS_AT_ONCE = 8

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Figures for monitors, in the text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(WorldCollector(request.app.state.ports))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class WorldCollector(Collector):
    """The figures as they are now; as many statements for many VLANs and racks as for one."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked when it is registered."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Each family in turn."""
        with self._ports.store.begin() as uow:
            snapshot, racks = uow.snapshot(), uow.racks.list()
        servers = Counter(each.vlan_id for each in snapshot.foreign_dhcp)
        foreign = GaugeMetricFamily(
            "hostloom_foreign_dhcp_servers",
            "DHCP servers on a VLAN that are none of ours, as its last probe found.",
            labels=["vlan"],
        )
        for vlan in snapshot.vlans:
            fabric = snapshot.fabric_by_id[vlan.fabric_id].name
            foreign.add_metric([f"{fabric}/{vlan.vid}"], servers[vlan.id])
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
            # A control channel that cannot be answers nobody.
            return False
