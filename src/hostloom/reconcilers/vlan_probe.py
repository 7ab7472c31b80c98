"""Probes VLANs for DHCP servers, and records foreign servers with events."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from hostloom.decide.dhcp import probing
from hostloom.decide.dhcp.probing import DhcpServerChange, ProbeAnswers, ServingRacks, Vantage
from hostloom.decide.snapshot import Snapshot
from hostloom.model.dhcp_exchange import ForeignDhcp, VlanProbe
from hostloom.model.errors.base import DriverError, HostloomError
from hostloom.model.errors.resources import NotFound
from hostloom.model.event import Event, EventSubject, EventSubjectKind
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import VlanId
from hostloom.model.network import Vlan
from hostloom.ports.context import Ports
from hostloom.ports.wire import ProbePoint, WireProbe

log = logging.getLogger(__name__)

#: Some servers ping an address for 3 s before they offer it, one client after another.
LISTEN_S = 8.0
#: Number of interfaces that are tried before a VLAN counts as unreachable for probes.
MAX_VANTAGES = 3
#: Held during a probe: two simultaneous probes would report the same server twice.
_PROBING = threading.Lock()


def probe_vlan(ports: Ports, vlan_id: VlanId) -> VlanProbe:
    """Probe one VLAN now and record the result; if no probe can run, `trouble` says why."""
    with _PROBING:
        with ports.store.begin() as uow:
            snapshot, racks = uow.snapshot(), ServingRacks(ports.settings.local, tuple(uow.racks.list()))
            before = [
                foreign_dhcp for foreign_dhcp in uow.vlan_probes.foreign() if foreign_dhcp.vlan_id == vlan_id
            ]
        vlan = snapshot.vlan_by_id.get(vlan_id)
        if vlan is None:
            raise NotFound("vlan", vlan_id)
        heard = _heard(ports.wire, snapshot, vlan, racks)
        now = ports.clock.now()
        if isinstance(heard, ProbeAnswers):
            probe, foreign_dhcps = probing.probed(snapshot, vlan, racks, before, heard, now)
        else:
            probe, foreign_dhcps = probing.unprobed(snapshot, vlan, before, heard, now)
        turn = probing.turn(before, foreign_dhcps)
        with ports.store.begin() as uow:
            uow.vlan_probes.record(probe, foreign_dhcps)
            if turn.came or turn.gone:
                uow.events.add(*_events(snapshot, vlan, turn, now))
            uow.commit()
        return probe


def probe_all(ports: Ports) -> None:
    """Probe all VLANs one after another, and read libvirt's own DHCP servers again."""
    with ports.store.begin() as uow:
        snapshot, racks = uow.snapshot(), ServingRacks(ports.settings.local, tuple(uow.racks.list()))
    for vlan in sorted(snapshot.vlans, key=lambda probe: probe.id):
        is_known = vlan.id in snapshot.foreign_by_vlan or vlan.id in snapshot.silent_vlans
        if (
            is_known
            or probing.vantages(snapshot, vlan.id, racks)
            or probing.libvirt_servers(snapshot, vlan.id, 0)
        ):
            try:
                probe_vlan(ports, vlan.id)
            except HostloomError as error:
                # The VLAN was deleted meanwhile.
                log.info("vlan %s was not probed: %s", vlan.id, error)


def _heard(wire: WireProbe | None, snapshot: Snapshot, vlan: Vlan, racks: ServingRacks) -> ProbeAnswers | str:
    """The answers from the first interface that accepts a probe, or why there are none."""
    if wire is None:
        return "nothing is asked of the wire here"
    versions, troubles = probing.versions(snapshot, vlan.id), []
    for vantage in probing.vantages(snapshot, vlan.id, racks)[:MAX_VANTAGES]:
        try:
            return _ask(wire, vantage, versions)
        except DriverError as error:
            troubles.append(str(error))
    return "; ".join(troubles) or "no rack and no reachable host has an interface on it that could ask"


def _ask(wire: WireProbe, vantage: Vantage, versions: tuple[int, ...]) -> ProbeAnswers:
    point = ProbePoint(vantage.uri, vantage.attachment)
    with ThreadPoolExecutor(len(versions), "probe") as pool:
        answers = pool.map(lambda version: wire.dhcp_servers(point, version, LISTEN_S), versions)
        return ProbeAnswers(vantage, versions, tuple(offer for answer in answers for offer in answer))


def _events(snapshot: Snapshot, vlan: Vlan, turn: DhcpServerChange, time: float) -> list[Event]:
    subject = EventSubject(EventSubjectKind.VLAN, str(vlan.id), snapshot.vlan_name(vlan.id))
    appeared, gone_kind = EventKind.FOREIGN_DHCP, EventKind.FOREIGN_DHCP_GONE
    texts = [(server, f"answers DHCP and is not one of ours{_range(server)}") for server in turn.came]
    return [
        *(_event(appeared, subject, server, text, time) for server, text in texts),
        *(_event(gone_kind, subject, server, "answers DHCP no more", time) for server in turn.gone),
    ]


def _event(kind: EventKind, subject: EventSubject, server: ForeignDhcp, words: str, time: float) -> Event:
    message = f"{server.server} ({server.mac}) {words}; seen from {server.seen_from}"
    details = {"server": str(server.server), "mac": str(server.mac), "seen_from": server.seen_from}
    return Event(kind, subject, message, time, details=details)


def _range(server: ForeignDhcp) -> str:
    first, last = server.first_offered, server.last_offered
    if first is None:
        return ""
    return f"; it offers {first}" if first == last else f"; it offers {first} to {last}"
