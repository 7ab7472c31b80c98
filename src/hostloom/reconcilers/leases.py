"""Records leases of our DHCP servers as held addresses and events."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hostloom.decide.hosts.stacked_tags import members
from hostloom.decide.snapshot import Snapshot
from hostloom.model.dhcp import Lease
from hostloom.model.event import Event, EventSubject, EventSubjectKind, named_subject, node_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import MacAddress, RackId, SubnetId, VlanId, natural_key
from hostloom.model.network import SEEN_KINDS, Address, AddressKind, HeldAddress
from hostloom.model.node import Node
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.reconcilers.range_exhaustion import fill_events

#: Kinds of addresses that belong to a single holder.
_RESERVED = frozenset(AddressKind) - SEEN_KINDS
#: The client of every address.
Known = Mapping[tuple[SubnetId, Address, MacAddress], Lease]


@dataclass(frozen=True)
class _Client:
    """The owner of a MAC."""

    system_id: str
    hostname: str
    interface_name: str
    vlan_id: VlanId | None
    #: Whether it is a member of a bridge or bond, which has the same MAC and the addresses.
    is_member: bool = False


class _Clients:
    """NICs of nodes and machines by MAC."""

    def __init__(self, uow: UnitOfWork, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._by_mac: dict[MacAddress, list[_Client]] = {}
        for node in snapshot.nodes:
            self._add_node(node)
        for machine in uow.machines.list():
            for nic in machine.interfaces:
                client = _Client(machine.system_id, machine.hostname, nic.name, nic.vlan_id)
                self._by_mac.setdefault(nic.mac, []).append(client)

    def of(self, lease: Lease) -> _Client | None:
        """The client that asked: on the lease's VLAN, and not a member of another candidate."""
        subnet = self._snapshot.subnet_by_id.get(lease.subnet_id)
        vlan_id = None if subnet is None else subnet.vlan_id
        able = self._by_mac.get(lease.mac, [])
        return min(
            able,
            key=lambda c: (c.is_member, c.vlan_id != vlan_id, natural_key(c.interface_name)),
            default=None,
        )

    def _add_node(self, node: Node) -> None:
        joined = members(node.interfaces)
        for interface in node.interfaces:
            if interface.mac is not None:
                client = _Client(
                    node.system_id, node.hostname, interface.name, interface.vlan_id, interface.name in joined
                )
                self._by_mac.setdefault(interface.mac, []).append(client)


class LeaseIndex:
    """The leases of all racks; a rack that does not answer keeps its last known leases."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._lock = threading.Lock()
        self._of_racks: dict[RackId, Sequence[Lease]] = {}
        self._known: Known | None = None

    def record(self, rack_id: RackId, leases: Sequence[Lease]) -> None:
        """Record the leases of one rack; racks of a pair report the same ones."""
        with self._lock:
            self._record(self._of_racks | {rack_id: leases})

    def forget(self, rack_id: RackId) -> None:
        """Remove the leases of a deleted rack."""
        with self._lock:
            if rack_id in self._of_racks:
                self._record({key: _of_rack for key, _of_rack in self._of_racks.items() if key != rack_id})

    def _record(self, of_racks: dict[RackId, Sequence[Lease]]) -> None:
        merged = {
            (lease.subnet_id, lease.ip, lease.mac): lease
            for of_rack in of_racks.values()
            for lease in of_rack
        }
        self._known = record_leases(self._ports, tuple(merged.values()), self._known)
        self._of_racks = of_racks


def record_leases(ports: Ports, leases: Sequence[Lease], previous: Known | None) -> Known:
    """Hold the leased addresses, and add an event for each lease that began or ended.

    `previous` is what the last call returned; without it (hostloom has just started), a lease is new if its
    address was not held. A renewal is not an event.
    """
    now = {(lease.subnet_id, lease.ip, lease.mac): lease for lease in leases}
    if previous is not None and now.keys() == previous.keys():
        return now
    with ports.store.begin() as uow:
        snapshot = uow.snapshot()
        clients = _Clients(uow, snapshot)
        uow.addresses.replace_leases(_held(snapshot, leases, clients))
        events = _events(snapshot, clients, now, previous, ports.clock.now())
        if events:
            uow.events.add(*sorted(events, key=lambda event: (event.kind, str(event.subject), event.message)))
        uow.commit()
    return now


def _events(
    snapshot: Snapshot, clients: _Clients, now: Known, previous: Known | None, time: float
) -> list[Event]:
    """The events of leases that began or ended, and of ranges that became exhausted or free."""
    before = _held_before(snapshot, now) if previous is None else previous.keys()
    new = [now[key] for key in now.keys() - before]
    ended = [lease for key, lease in (previous or {}).items() if key not in now]
    return [
        *(event for lease in new for event in _given(snapshot, lease, clients.of(lease), time)),
        *(_over(lease, clients.of(lease), time) for lease in ended),
        *fill_events(snapshot, {key[:2] for key in before}, {key[:2] for key in now}, time),
    ]


def _held(snapshot: Snapshot, leases: Sequence[Lease], clients: _Clients) -> list[HeldAddress]:
    """The held addresses: a lease counts until it ends, whatever is reserved; it may outlive its subnet."""
    addresses = []
    for lease in leases:
        client = clients.of(lease)
        if lease.subnet_id not in snapshot.subnet_by_id:
            continue
        addresses.append(
            HeldAddress(
                lease.ip,
                AddressKind.LEASE,
                lease.subnet_id,
                system_id=client.system_id if client else None,
                interface_name=client.interface_name if client else None,
                comment=f"{lease.mac} {lease.hostname}".strip(),
            )
        )
    return addresses


def _held_before(snapshot: Snapshot, now: Known) -> set[tuple[SubnetId, Address, MacAddress]]:
    """Leases of addresses that were held when hostloom stopped, because they were leased or reserved."""
    return {
        key
        for key in now
        if any(address.subnet_id == key[0] for address in snapshot.held_by_ip.get(key[1], ()))
    }


def _given(snapshot: Snapshot, lease: Lease, client: _Client | None, time: float) -> list[Event]:
    details = _details(lease)
    event_subject = _who(lease, client)
    nic = f" of {client.interface_name}" if client else ""
    events = [
        Event(
            EventKind.LEASE_GIVEN,
            event_subject,
            f"{lease.ip} is leased to {lease.mac}{nic}",
            time,
            details=details,
        ),
    ]
    others = [
        address
        for address in snapshot.held_by_ip.get(lease.ip, ())
        if address.subnet_id == lease.subnet_id
        and address.kind in _RESERVED
        and (client is None or address.system_id != client.system_id)
    ]
    if others:
        text = f"{lease.ip} is leased to {lease.mac}, but reserved for {_name(snapshot, others[0])}"
        events.append(Event(EventKind.ADDRESS_CONFLICT, event_subject, text, time, details=details))
    return events


def _over(lease: Lease, client: _Client | None, time: float) -> Event:
    text = f"{lease.ip} is leased to {lease.mac} no more"
    return Event(EventKind.LEASE_OVER, _who(lease, client), text, time, details=_details(lease))


def _name(snapshot: Snapshot, address: HeldAddress) -> str:
    node = next((node for node in snapshot.nodes if node.system_id == address.system_id), None)
    return node.hostname if node else address.system_id or address.comment or "an unknown holder"


def _who(lease: Lease, client: _Client | None) -> EventSubject:
    return node_subject(client) if client else named_subject(EventSubjectKind.LEASE, str(lease.ip))


def _details(lease: Lease) -> dict[str, str]:
    return {"ip": str(lease.ip), "mac": str(lease.mac), "hostname": lease.hostname}
