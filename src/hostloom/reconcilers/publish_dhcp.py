"""Publishes the stored state to every rack's DHCP server, always completely and never as a patch."""

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from hostloom.decide.dhcp.intent import dhcp_intent
from hostloom.decide.dhcp.serving_racks import pair_of, racks_of
from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import DhcpRejected, DhcpUnreachable
from hostloom.model.ids import RackId, VlanId
from hostloom.model.network import Address
from hostloom.model.rack import Rack
from hostloom.model.service_settings import ServiceSettings
from hostloom.ports.context import Ports
from hostloom.ports.store import Store

#: Held from reading the store until the server is set, so that no older state overwrites a newer one.
_PUBLISHING: defaultdict[RackId, threading.Lock] = defaultdict(threading.Lock)
RACKS_AT_ONCE = 8


def publish_dhcp(
    ports: Ports, vlans: Collection[VlanId] | None = None, before: Snapshot | None = None
) -> None:
    """Rebuild the configuration of every rack from the store and apply it, racks in parallel.

    DhcpRejected if a rack refuses. DhcpUnreachable if a rack and its partner do not answer; with `vlans` only
    if none of the racks of one of these answers. A VLAN that is no longer served since `before` must be
    published to one of its former racks. A rack that misses a change gets it later from its watcher.
    """
    if ports.dhcp is None:
        return
    with ports.store.begin() as uow:
        racks = uow.racks.list()
    failures = _publish_all(ports, racks)
    for failure in failures.values():
        if not isinstance(failure, DhcpUnreachable):
            raise failure
    if failures:
        _refuse_unserved(ports.store, racks, failures, vlans, before)


def publish_rack(ports: Ports, rack: Rack, racks: Sequence[Rack]) -> None:
    """Publish to one rack; DhcpRejected, DhcpUnreachable."""
    if ports.dhcp is None:
        return
    with _PUBLISHING[rack.id]:
        with ports.store.begin() as uow:
            snapshot = uow.snapshot()
            nics = uow.machines.published_nics()
        if rack.system_id in snapshot.node_by_system_id:
            local_id = ports.settings.local
            local = None if local_id is None else snapshot.node_by_system_id.get(local_id)
            intent = dhcp_intent(
                snapshot, nics, racks, rack, lambda address: boot_url(ports.settings, address), local
            )
            ports.dhcp.of(rack).apply(intent)


def boot_url(settings: ServiceSettings, rack_address: Address) -> str:
    """URL of the boot script on one of the rack's addresses; empty without a boot server."""
    if not settings.boot_port:
        return ""
    literal = f"[{rack_address}]" if rack_address.version == 6 else str(rack_address)
    return f"http://{literal}:{settings.boot_port}/boot.ipxe"


def _publish_all(ports: Ports, racks: Sequence[Rack]) -> Mapping[RackId, DriverError]:
    """Publish to all racks; returns the errors by rack."""

    def publish(rack: Rack) -> DriverError | None:
        try:
            publish_rack(ports, rack, racks)
        except (DhcpRejected, DhcpUnreachable) as error:
            return error
        return None

    if len(racks) > 1:
        with ThreadPoolExecutor(RACKS_AT_ONCE, "publish") as pool:
            driver_errors = list(pool.map(publish, racks))
    else:
        driver_errors = [publish(rack) for rack in racks]
    return {rack.id: error for rack, error in zip(racks, driver_errors, strict=True) if error is not None}


def _refuse_lone_failures(
    snapshot: Snapshot, racks: Sequence[Rack], failures: Mapping[RackId, DriverError]
) -> None:
    """Raise the failure of a rack that has no partner, or whose partner failed too."""
    for rack in (rack for rack in racks if rack.id in failures):
        pair = pair_of(snapshot, racks, rack)
        if pair is None or {pair.primary.id, pair.secondary.id} <= failures.keys():
            raise failures[rack.id]


def _refuse_unserved(
    store: Store,
    racks: Sequence[Rack],
    failures: Mapping[RackId, DriverError],
    vlans: Collection[VlanId] | None,
    before: Snapshot | None,
) -> None:
    with store.begin() as uow:
        snapshot = uow.snapshot()
    if vlans is None:
        _refuse_lone_failures(snapshot, racks, failures)
        return
    for vlan_id in sorted(vlans):
        world = snapshot if vlan_id in snapshot.bootable_vlans else before
        if world is None or vlan_id not in world.bootable_vlans:
            continue
        serving = racks_of(world, racks, world.vlan_by_id[vlan_id])
        if serving and all(rack.id in failures for rack in serving):
            raise failures[serving[0].id]
