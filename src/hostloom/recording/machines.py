"""Records the machines that a reading of a host found, and those that are missing."""

import logging
from dataclasses import replace
from functools import cached_property

from hostloom.decide.hosts.sighting import Elsewhere, Sighting, judge
from hostloom.decide.machines.drift import COPY, copies_of, copy_on, machine_drift
from hostloom.model.drift import Drift
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.host import Host
from hostloom.model.ids import HostId, SystemId
from hostloom.model.machine import Machine, MachineOrigin, MachineState, PowerState
from hostloom.model.node import Node
from hostloom.model.observed import ObservedMachine
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.adoption import Adoption
from hostloom.recording.observation import Observation, is_unread, record_drift

log = logging.getLogger(__name__)

#: States of machines that a saga is changing, so that a reading does not judge them.
_IN_WORK = frozenset({MachineState.COMMISSIONING, MachineState.RELEASING, MachineState.DEPLOYING})


class MachineRecorder:
    """Writes the machines of a reading, under the lock of the revision, after the host's facts."""

    def __init__(
        self, uow: UnitOfWork, ports: Ports, host: Host, node: Node | None, observation: Observation
    ) -> None:
        self._uow, self._ports, self._host, self._seen = uow, ports, host, observation
        self._node = node
        self._answers: dict[tuple[SystemId, HostId], Elsewhere] = {
            (answer.system_id, answer.host_id): answer for answer in observation.elsewhere
        }

    @cached_property
    def _adoption(self) -> Adoption:
        """Created at its first use, because most readings find nothing to adopt."""
        machines = self._seen.host.machines
        return Adoption(self._uow, self._ports, self._host, self._node, machines)

    def record(self) -> None:
        """Record every machine that was found, then every missing one."""
        machines = self._seen.host.machines
        machine_by_uuid = {machine.uuid: machine for machine in self._uow.machines.of_host(self._host.id)}
        others = self._recorded_elsewhere(machines)
        removed = self._removed([one for one in machines if one.uuid not in machine_by_uuid])
        for one in machines:
            machine, candidates = machine_by_uuid.pop(one.uuid, None), others.get(one.uuid, [])
            if machine is not None and machine.origin is MachineOrigin.ADOPTED:
                machine = self._give_way(machine, one, candidates)
            if machine is not None:
                self._record_known(machine, one)
            elif one.system_id in removed:
                log.info("machine %s was deleted while host %s was read", one.name, self._host.name)
            elif not any(self._record_other(candidate, one) for candidate in candidates):
                self._adopt(one)
        for machine in machine_by_uuid.values():
            self._record_absent(machine)

    def _recorded_elsewhere(self, observed_machines: tuple[ObservedMachine, ...]) -> dict[str, list[Machine]]:
        """Machines of other hosts by UUID, composed ones first."""
        by_uuid: dict[str, list[Machine]] = {}
        recorded = self._uow.machines.elsewhere(self._host.id, [one.uuid for one in observed_machines])
        for machine in sorted(recorded, key=lambda candidate: candidate.origin is not MachineOrigin.COMPOSED):
            by_uuid.setdefault(machine.uuid, []).append(machine)
        return by_uuid

    def _removed(self, unknown: list[ObservedMachine]) -> set[SystemId]:
        """The marks of machines that were deleted since the reading began."""
        marks = [SystemId(one.system_id) for one in unknown if one.system_id]
        if not marks or self._seen.start is None:
            return set()
        return self._uow.machines.removed_since(self._seen.start.revision, marks)

    def _is_current(self, machine: Machine) -> bool:
        """Whether the machine has not changed since the reading began."""
        start = self._seen.start
        return start is None or start.generations.get(machine.system_id) == machine.generation

    # -- machines of this host ---------------------------------------------------------------------------

    def _record_known(self, machine: Machine, one: ObservedMachine) -> None:
        if not self._is_current(machine):
            return
        if machine.state in _IN_WORK:
            changed = replace(machine, power=one.power)
        else:
            record_power_events(self._uow, self._ports, machine, one.power)
            is_adopted = machine.origin is MachineOrigin.ADOPTED
            changed = self._read_again(machine, one) if is_adopted else self._compare(machine, one)
        if one.autostart is not None:
            changed = replace(changed, autostart=one.autostart)
        if changed.state is MachineState.MISSING:
            changed = replace(changed, state=_state_back(self._uow, machine))
            self._tell(EventKind.MACHINE_FOUND, changed, f"seen again on host {self._host.name}")
        if changed != machine:
            self._uow.machines.update(changed)

    def _compare(self, machine: Machine, one: ObservedMachine) -> Machine:
        """Compare a composed machine; its record does not change, and differences are stored with it."""
        drifts = (*machine_drift(machine, one), *self._copies(machine))
        record_drift(self._uow, self._ports, machine_subject(machine), machine.drift, drifts)
        return replace(machine, power=one.power, drift=drifts, domain_name=machine.domain_name or one.name)

    def _read_again(self, machine: Machine, one: ObservedMachine) -> Machine:
        """Update the record of a machine that hostloom did not create."""
        drifts = machine_drift(machine, one)
        copies = self._copies(machine)
        record_drift(self._uow, self._ports, machine_subject(machine), machine.drift, (*drifts, *copies))
        return replace(self._adoption.read_again(machine, one), drift=copies)

    def _copies(self, machine: Machine) -> tuple[Drift, ...]:
        """Other hosts on which the machine is also defined, without those that do not confirm it."""
        names = copies_of(machine)
        hosts = {name: self._uow.hosts.find(name) for name in names}
        return tuple(
            change
            for change in machine.drift
            if change.kind == COPY
            and (host := hosts[change.subject]) is not None
            and (
                (answer := self._answers.get((machine.system_id, host.id))) is None
                or answer.there is not False
            )
        )

    def _record_absent(self, machine: Machine) -> None:
        if is_unread(self._seen.host, machine.uuid):
            return
        at_rest = machine.state not in _IN_WORK and machine.state is not MachineState.MISSING
        if at_rest and self._is_current(machine):
            self._uow.machines.update(replace(machine, state=MachineState.MISSING))
            self._tell(EventKind.MACHINE_MISSING, machine, f"not seen on host {self._host.name}")

    # -- machines of other hosts -------------------------------------------------------------------------

    def _give_way(self, machine: Machine, one: ObservedMachine, candidates: list[Machine]) -> Machine | None:
        """Replace an adopted record that is in fact a machine from another host."""
        for other in candidates:
            if self._sighting(other, one) is Sighting.MOVED and other.state is MachineState.MISSING:
                self._uow.release([machine.system_id])
                text = f"it is machine {other.hostname}, which came from another host"
                self._tell(EventKind.MACHINE_FORGOTTEN, machine, text)
                return None
        return machine

    def _sighting(self, machine: Machine, one: ObservedMachine) -> Sighting | None:
        """How the machine here relates to the one that is recorded elsewhere; None if still unknown."""
        if machine.host_id is None:
            return None
        answer = self._answers.get((machine.system_id, machine.host_id))
        is_asked = answer is not None and answer.generation == machine.generation
        if machine.state in _IN_WORK or not (is_asked or self._seen.start is None):
            return None
        return judge(machine, one, answer)

    def _record_other(self, machine: Machine, one: ObservedMachine) -> bool:
        """Record a machine that is recorded on another host; returns whether this is that machine."""
        sighting = self._sighting(machine, one)
        if sighting is Sighting.OTHER:
            text = f"on host {self._host.name}, {one.name} has its UUID, but not its mark"
            self._tell(EventKind.MACHINE_UUID_SHARED, machine, text)
            return False
        if sighting is Sighting.MOVED:
            self._move(machine, one)
        elif sighting is not None:
            copy = copy_on(self._host.name, one.power)
            drift = (
                *(drift for drift in machine.drift if drift.subject != copy.subject or drift.kind != COPY),
                copy,
            )
            if drift != machine.drift:
                self._uow.machines.update(replace(machine, drift=drift))
                record_drift(self._uow, self._ports, machine_subject(machine), machine.drift, drift)
        return True

    def _move(self, machine: Machine, one: ObservedMachine) -> None:
        """Record that a machine was moved here manually; it keeps its identity, NICs and reservations."""
        moved = self._adoption.bring(machine, one)
        if moved.state is MachineState.MISSING:
            moved = replace(moved, state=_state_back(self._uow, machine))
        left = self._uow.hosts.get(machine.host_id) if machine.host_id is not None else None
        drift = machine_drift(moved, one)
        answer = None if left is None else self._answers.get((machine.system_id, left.id))
        if left is not None and answer is not None and answer.there:
            drift = (*drift, copy_on(left.name, answer.power))
        self._uow.machines.update(replace(moved, drift=drift))
        origin = "another host" if left is None else f"host {left.name}"
        self._tell(EventKind.MACHINE_MOVED, moved, f"moved from {origin} to host {self._host.name}")
        record_drift(self._uow, self._ports, machine_subject(moved), (), drift)

    def _adopt(self, one: ObservedMachine) -> None:
        machine = self._adoption.adopt(one)
        self._tell(EventKind.MACHINE_ADOPTED, machine, f"found on host {self._host.name}")
        if one.system_id is not None:
            for marked in self._uow.machines.some([SystemId(one.system_id)]):
                if marked.uuid != one.uuid:
                    text = f"it carries the mark of machine {marked.hostname}, but has a UUID of its own"
                    self._tell(EventKind.MACHINE_CLONED, machine, text)

    def _tell(self, kind: EventKind, machine: Machine, message: str) -> None:
        subject = machine_subject(machine)
        self._uow.events.add(Event(kind, subject, message, self._ports.clock.now()))


def _state_back(uow: UnitOfWork, machine: Machine) -> MachineState:
    """The state of a missing machine that was found again."""
    if machine.origin is not MachineOrigin.COMPOSED:
        return MachineState.DEPLOYED
    deployment = uow.deployments.find(machine.system_id)
    if deployment is not None:
        return MachineState.FAILED_DEPLOYMENT if deployment.failure else MachineState.DEPLOYED
    return MachineState.ALLOCATED if machine.owner else MachineState.READY


_EVENTS = {
    (PowerState.ON, PowerState.OFF): (EventKind.MACHINE_OFF, "went off"),
    (PowerState.OFF, PowerState.ON): (EventKind.MACHINE_ON, "came on"),
}


def record_power_events(uow: UnitOfWork, ports: Ports, machine: Machine, power: PowerState) -> None:
    """Record an event if the power state differs from the record: the host or the system changed it."""
    if (event := _EVENTS.get((machine.power, power))) is not None:
        kind, message = event
        uow.events.add(Event(kind, machine_subject(machine), message, ports.clock.now()))
