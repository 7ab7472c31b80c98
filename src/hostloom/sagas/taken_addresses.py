"""Handles addresses that are in use on the wire: marks them as taken and uses the next ones.

Every round probes for the planned addresses. If a device answers for an automatic one, the address is marked
with the evidence, and the machines are reserved again with the next free addresses. Later rounds also probe
for the next free addresses, twice as many every time, so that a row of foreign devices is skipped in a few
rounds. If the process dies between mark and reservation, the operation continues with the reservation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice

from hostloom.decide.machines.nic_expectations import NicExpectation, duplicates
from hostloom.decide.placement.addresses import address_index_of, address_of
from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors.resources import AddressOnWire
from hostloom.model.errors.stale import Stale
from hostloom.model.event import Event, EventSubject, EventSubjectKind, named_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.host import Host
from hostloom.model.ids import MacAddress, SubnetId, SystemId
from hostloom.model.machine import Machine
from hostloom.model.network import ON_WIRE_LASTS_S, Address, AddressKind, HeldAddress
from hostloom.ports.context import Ports
from hostloom.recording.host_readings import ROW_ATTEMPTS
from hostloom.sagas.nic_proofs import WireAnswers, ask_wire
from hostloom.sagas.placement import (
    ComposeInput,
    choose_again,
    is_reserved,
    read_placed,
    read_wants,
    release,
    reserve,
)
from hostloom.sagas.saga import Run

#: Short, because machines wait for it, and the owner of an address answers within milliseconds.
LISTEN_S = 0.3
#: Maximum number of rounds; with the look-ahead, about 500 foreign devices in a row can be skipped.
ROUNDS = 10


@dataclass(frozen=True)
class _Conflict:
    """A device that answered for an address that a NIC has or would get next."""

    ip: Address
    subnet_id: SubnetId | None
    macs: tuple[MacAddress, ...]
    host: Host
    machine: Machine
    nic: str

    @property
    def evidence(self) -> str:
        """The device that answered, and the place of the probe."""
        macs = ", ".join(map(str, self.macs))
        return f"{macs} answered beside {self.nic} of {self.machine.hostname} on {self.host.name}"


def settle_addresses(run: Run[ComposeInput]) -> None:
    """Replace addresses that are in use on the wire, so that every machine has a free one."""
    if not run.is_kept(read_placed) and not is_reserved(run):
        _reserve_again(run)
    for number in range(ROUNDS):
        conflicts = _conflicts(run, ahead=2**number if number else 0)
        if not any(conflict.ip in _ips_of(conflict) for conflict in conflicts):
            return
        _refuse_requested(run, conflicts)
        _mark(run, conflicts)
        _reserve_again(run)
    require_free(run)


def ask_beside(run: Run[ComposeInput]) -> WireAnswers:
    """The answers from the wire next to the NICs."""
    return _ask(run, {})


def require_free(run: Run[ComposeInput]) -> None:
    """Raise AddressOnWire if another device answers for an address that a machine is about to use."""
    expectations, answers = run.once(read_wants), run.once(ask_beside)
    for machine, host in run.once(read_placed):
        for want in expectations[machine.system_id]:
            for ip, macs in duplicates(want, answers.beside(host, want)).items():
                raise AddressOnWire(ip, machine.hostname, want.nic.name, macs)


def _ask(run: Run[ComposeInput], ahead: dict[Host, list[NicExpectation]]) -> WireAnswers:
    expectations = run.once(read_wants)
    by_host: dict[Host, list[NicExpectation]] = {
        host: list(nic_expectations) for host, nic_expectations in ahead.items()
    }
    for machine, host in run.once(read_placed):
        by_host.setdefault(host, []).extend(expectations[machine.system_id])
    return ask_wire(run, by_host, LISTEN_S)


def _conflicts(run: Run[ComposeInput], *, ahead: int) -> list[_Conflict]:
    """Conflicts of the NICs' addresses and of the next addresses after each."""
    expectations = run.once(read_wants)
    nics = [
        (host, machine, want)
        for machine, host in run.once(read_placed)
        for want in expectations[machine.system_id]
    ]
    expected_nics = [(host, machine, want, want) for host, machine, want in nics]
    extra: dict[Host, list[NicExpectation]] = {}
    if ahead:
        snapshot = _snapshot(run)
        for host, machine, want in nics:
            more = _next_ones(snapshot, machine, want, ahead)
            extra.setdefault(host, []).append(more)
            expected_nics.append((host, machine, want, more))
    answers = run.keep(ask_beside, _ask(run, extra))
    answered = [
        (host, machine, want, ip, macs)
        for host, machine, want, probed in expected_nics
        for ip, macs in duplicates(probed, answers.beside(host, want)).items()
    ]
    if not answered:
        return []
    snapshot = _snapshot(run)
    return [
        _Conflict(ip, _home(snapshot, machine, want, ip), macs, host, machine, want.nic.name)
        for host, machine, want, ip, macs in answered
    ]


def _snapshot(run: Run[ComposeInput]) -> Snapshot:
    with run.ports.store.begin() as uow:
        return uow.snapshot()


def _next_ones(snapshot: Snapshot, machine: Machine, want: NicExpectation, count: int) -> NicExpectation:
    """The same NIC with the next free addresses of its subnets."""
    address_index = address_index_of(snapshot)
    addresses: list[Address] = []
    for ip in want.nic.ips:
        subnet = snapshot.subnet_by_id.get(_home(snapshot, machine, want, ip) or SubnetId(0))
        if subnet is not None:
            addresses += (
                address_of(number, ip.version) for number in islice(address_index.free(subnet), count)
            )
    return replace(want, nic=replace(want.nic, ips=tuple(dict.fromkeys(addresses))), gateways=())


def _home(snapshot: Snapshot, machine: Machine, want: NicExpectation, ip: Address) -> SubnetId | None:
    """The subnet of an address: that of its reservation, else one on the NIC's VLAN that contains it."""
    for address in snapshot.held_by_ip.get(ip, ()):
        if address.system_id == machine.system_id:
            return address.subnet_id
    around = snapshot.subnets_around(ip)
    return next((subnet.id for subnet in around if subnet.vlan_id == want.nic.vlan_id), None)


def _ips_of(conflict: _Conflict) -> Iterator[Address]:
    return (ip for nic in conflict.machine.interfaces if nic.name == conflict.nic for ip in nic.ips)


def _refuse_requested(run: Run[ComposeInput], conflicts: Sequence[_Conflict]) -> None:
    """Refuse a requested address that is in use, because it is never replaced."""
    requested: dict[SystemId, set[Address]] = {}
    for identities, request in zip(run.input.identities, run.input.batch.machines, strict=True):
        requested[identities.system_id] = {ip for label in request.labels for ip in label.ips}
    for conflict in conflicts:
        if conflict.ip in requested[conflict.machine.system_id]:
            raise AddressOnWire(conflict.ip, conflict.machine.hostname, conflict.nic, conflict.macs)


def _mark(run: Run[ComposeInput], conflicts: Sequence[_Conflict]) -> None:
    """Record the evidence and release the reservations, in one transaction."""
    time = run.ports.clock.now()
    marks = {
        (conflict.ip, conflict.subnet_id): HeldAddress(
            conflict.ip,
            AddressKind.ON_WIRE,
            conflict.subnet_id,
            comment=f"{conflict.evidence} at {datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}",
            until=time + ON_WIRE_LASTS_S,
        )
        for conflict in conflicts
    }
    events = [
        Event(EventKind.ADDRESS_ON_WIRE, _subject(mark), f"in use: {mark.comment}", time)
        for mark in marks.values()
    ]
    with run.ports.store.begin() as uow:
        uow.operations.save(run.operation)  # only while this process has the operation's lease
        release(run, uow)
        uow.addresses.mark_on_wire(list(marks.values()))
        uow.events.add(*events)
        uow.commit()
    run.forget()


def forget_old_marks(ports: Ports) -> None:
    """Release addresses that were marked long ago; if one is still in use, the next compose detects it."""
    now = ports.clock.now()
    with ports.store.begin() as uow:
        freed = uow.addresses.forget_on_wire(now)
        if not freed:
            return
        kind, text = EventKind.ADDRESS_ON_WIRE_OVER, "no longer counts as in use on the wire"
        uow.events.add(*(Event(kind, _subject(mark), text, now) for mark in freed))
        uow.commit()


def _subject(mark: HeldAddress) -> EventSubject:
    return named_subject(EventSubjectKind.ADDRESS, str(mark.ip))


def _reserve_again(run: Run[ComposeInput]) -> None:
    """Decide and reserve again, because others may have taken what was planned."""
    for attempt in range(ROW_ATTEMPTS):
        try:
            with run.ports.store.begin() as uow:
                uow.operations.save(run.operation)
                reserve(run, uow)
                uow.commit()
        except Stale:
            if attempt == ROW_ATTEMPTS - 1:
                raise
            choose_again(run)
        else:
            return
