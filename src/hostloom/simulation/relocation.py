"""Relocation of the machines that a change affects."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hostloom.decide.dry_run import simulate
from hostloom.decide.placement.candidates import HostView, view_of
from hostloom.decide.placement.compose import prepare
from hostloom.decide.placement.make_plan import with_plan
from hostloom.decide.request import constraints, storage
from hostloom.decide.snapshot import Delta, HostState, Snapshot
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.host import PlacedInterface, PlacedMachine
from hostloom.model.machine import MachineInterface
from hostloom.model.plan import Decision, Explanation
from hostloom.model.request import DiskRequest, ParsedRequest, Term
from hostloom.simulation.impact import Impact, ImpactCode, interface_of, vlan_of


@dataclass(frozen=True, slots=True)
class Relocation:
    """The new place of an affected machine."""

    machine: str
    host: str
    #: The request that describes the machine.
    request: ParsedRequest
    #: The required VLAN or libvirt network of each NIC.
    ways: tuple[tuple[str, str], ...]
    #: The explanation of the decision.
    explanation: Explanation
    #: The new host, which is the current one if possible; None if no host fits.
    to: str | None = None
    interfaces: tuple[MachineInterface, ...] = ()
    #: Whether the machine keeps its host and host interfaces.
    stays: bool = False


def relocations(before: Snapshot, after: Snapshot, all_impacts: Iterable[Impact]) -> tuple[Relocation, ...]:
    """Request each affected machine again, in order. A placed machine occupies its new place.

    A machine without a new place continues to occupy its host.
    """
    by_machine: dict[tuple[str, str], list[Impact]] = {}
    for impact in all_impacts:
        by_machine.setdefault((impact.host, impact.machine), []).append(impact)
    states = {state.host.name: state for state in before.hosts}
    search = _Search(before, after)
    return tuple(search.place(states[host], name, impacts) for (host, name), impacts in by_machine.items())


class _Search:
    """The changing snapshot during the relocation of machines."""

    def __init__(self, before: Snapshot, after: Snapshot) -> None:
        self._before, self._world = before, after
        prepare(after)  # Build the indexes once. Later snapshots inherit them.
        #: Refused requests, so that equal machines are decided once. A relocation clears them.
        self._refused: dict[ParsedRequest, Explanation] = {}

    def place(self, state: HostState, name: str, impacts: list[Impact]) -> Relocation:
        """Decide the new place of a machine and occupy it."""
        machine = next(machine for machine in state.machines if machine.name == name)
        request = ask_again(self._before, state, machine, impacts)
        without = _without(self._world, state, name)
        decision = self._decide(without, request, state.host.name)
        ways = _ways(self._before, state, machine)
        relocation = Relocation(name, state.host.name, request, ways, decision.explanation)
        plan = decision.plan
        if plan is None:
            return relocation
        self._world = with_plan(without, plan)
        is_same_attachment = [(nic.attachment.kind, nic.attachment.source) for nic in plan.interfaces] == [
            (nic.kind, nic.source) for nic in machine.interfaces
        ]
        stays = is_same_attachment and plan.host_name == state.host.name
        if not stays:
            self._refused.clear()
        return replace(relocation, to=plan.host_name, interfaces=plan.interfaces, stays=stays)

    def _decide(self, world: Snapshot, request: ParsedRequest, host: str) -> Decision:
        """Decide for the current host, else for any host."""
        home_decision = simulate(world, replace(request, host=host))
        if home_decision.plan is not None:
            return home_decision
        anonymous_request = replace(request, hostname=None)
        if anonymous_request in self._refused:
            return Decision(None, self._refused[anonymous_request])
        decision = simulate(world, request)
        if decision.plan is None:
            self._refused[anonymous_request] = decision.explanation
        return decision


def _ways(before: Snapshot, state: HostState, machine: PlacedMachine) -> tuple[tuple[str, str], ...]:
    view = view_of(before, state)
    return tuple(
        (f"eth{index}", before.vlan_name(vlan_of(view, nic)) or f"{nic.kind} {nic.source}")
        for index, nic in enumerate(machine.interfaces)
    )


def _without(snapshot: Snapshot, state: HostState, name: str) -> Snapshot:
    """Remove a machine from its host."""
    current = snapshot.host_by_id.get(state.host.id)
    if current is None:
        return snapshot
    reduced = replace(
        current, machines=tuple(machine for machine in current.machines if machine.name != name)
    )
    hosts = tuple(reduced if host is current else host for host in snapshot.hosts)
    return replace(snapshot, hosts=hosts).carry(snapshot, Delta(hosts={state.host.id: reduced}))


def ask_again(
    before: Snapshot, state: HostState, machine: PlacedMachine, impacts: Iterable[Impact] = ()
) -> ParsedRequest:
    """Make a request that describes a machine: its size, its disks and a label for the VLAN of each NIC.

    The NICs need no addresses, because the machine keeps its own. The request excludes bridges without an
    uplink.
    """
    view = view_of(before, state)
    stranded = {impact.nic for impact in impacts if impact.code is ImpactCode.UPLINK_GONE}
    labels = tuple(
        constraints.from_terms(f"eth{index}", tuple(_terms(view, nic, stranded=f"eth{index}" in stranded)))
        for index, nic in enumerate(machine.interfaces)
    )
    interfaces = (interface_of(view, nic) for nic in machine.interfaces)
    disks = _disks(machine)
    return ParsedRequest(
        interfaces=constraints.format_constraints(labels) if labels else "",
        labels=labels,
        storage=storage.format_storage(disks),
        disks=disks or storage.DEFAULT_DISKS,
        cores=machine.cores,
        memory_mib=machine.memory_mib,
        architecture=next(iter(state.host.architectures), None),
        netboot=any(
            interface is not None and interface.vlan_id in before.bootable_vlans for interface in interfaces
        ),
        hostname=machine.name,
    )


def _terms(view: HostView, nic: PlacedInterface, *, stranded: bool) -> list[Term]:
    interface = interface_of(view, nic)
    terms = [Term("mode", "unconfigured")]
    if interface is not None and interface.vlan_id is not None:
        terms.append(Term("vlan", f"id:{interface.vlan_id}"))
    else:
        terms.append(Term("attach", nic.kind.value))
        if nic.kind is AttachKind.NETWORK:
            terms.append(Term("network", nic.source))
    if stranded and interface is not None:
        terms.append(Term("id", str(interface.id), negated=True))
    if nic.mode is MacvlanMode.PASSTHRU:
        terms.append(Term("macvlan_mode", nic.mode.value))
    return terms


def _disks(machine: PlacedMachine) -> tuple[DiskRequest, ...]:
    """Make a disk for the size in each storage pool; none if the sizes are unknown."""
    sizes = [size for _, size in sorted(machine.reserved_bytes.items()) if size > 0]
    return tuple(DiskRequest(f"disk{index}", size) for index, size in enumerate(sizes))
