"""Where the machines that a change hurts could go."""

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
    """Where a hurt machine could go."""

    machine: str
    host: str
    #: As the machine is asked for again.
    request: ParsedRequest
    #: Of each NIC, the VLAN or libvirt network that it has to reach.
    ways: tuple[tuple[str, str], ...]
    #: Why there, or why nowhere.
    explanation: Explanation
    #: The host that would take it: its own, if that can. None: nowhere.
    to: str | None = None
    interfaces: tuple[MachineInterface, ...] = ()
    #: It would do where it is, on the very same host interfaces.
    stays: bool = False


def relocations(before: Snapshot, after: Snapshot, found: Iterable[Impact]) -> tuple[Relocation, ...]:
    """Each hurt machine in turn is asked for again; one that fits takes its place before the next.

    One that fits nowhere stays where it is, with what it takes of its host.
    """
    by_machine: dict[tuple[str, str], list[Impact]] = {}
    for impact in found:
        by_machine.setdefault((impact.host, impact.machine), []).append(impact)
    states = {host.host.name: host for host in before.hosts}
    search = _Search(before, after)
    return tuple(search.place(states[host], name, impacts) for (host, name), impacts in by_machine.items())


class _Search:
    """The world as it becomes while machines take their new places."""

    def __init__(self, before: Snapshot, after: Snapshot) -> None:
        self._before, self._world = before, after
        prepare(after)  # what is indexed once is carried from one machine to the next
        #: What no host could take. Each is asked for once, until a machine leaves its place.
        self._refused: dict[ParsedRequest, Explanation] = {}

    def place(self, state: HostState, name: str, impacts: list[Impact]) -> Relocation:
        """Where the machine could go; it is there from now on."""
        machine = next(machine for machine in state.machines if machine.name == name)
        request = ask_again(self._before, state, machine, impacts)
        without = _without(self._world, state, name)
        decision = self._decide(without, request, state.host.name)
        ways = _ways(self._before, state, machine)
        fate = Relocation(name, state.host.name, request, ways, decision.explanation)
        plan = decision.plan
        if plan is None:
            return fate
        self._world = with_plan(without, plan)
        same = [(nic.attachment.kind, nic.attachment.source) for nic in plan.interfaces] == [
            (nic.kind, nic.source) for nic in machine.interfaces
        ]
        stays = same and plan.host_name == state.host.name
        if not stays:
            self._refused.clear()
        return replace(fate, to=plan.host_name, interfaces=plan.interfaces, stays=stays)

    def _decide(self, world: Snapshot, request: ParsedRequest, home: str) -> Decision:
        """On its own host if that can take it, else on any."""
        at_home = simulate(world, replace(request, host=home))
        if at_home.plan is not None:
            return at_home
        kind = replace(request, hostname=None)
        if kind in self._refused:
            return Decision(None, self._refused[kind])
        decision = simulate(world, request)
        if decision.plan is None:
            self._refused[kind] = decision.explanation
        return decision


def _ways(before: Snapshot, state: HostState, machine: PlacedMachine) -> tuple[tuple[str, str], ...]:
    view = view_of(before, state)
    return tuple(
        (f"eth{at}", before.vlan_name(vlan_of(view, nic)) or f"{nic.kind} {nic.source}")
        for at, nic in enumerate(machine.interfaces)
    )


def _without(snapshot: Snapshot, state: HostState, name: str) -> Snapshot:
    """The machine is not on its host."""
    now = snapshot.host_by_id.get(state.host.id)
    if now is None:
        return snapshot
    later = replace(now, machines=tuple(machine for machine in now.machines if machine.name != name))
    hosts = tuple(later if host is now else host for host in snapshot.hosts)
    return replace(snapshot, hosts=hosts).carry(snapshot, Delta(hosts={state.host.id: later}))


def ask_again(
    before: Snapshot, state: HostState, machine: PlacedMachine, impacts: Iterable[Impact] = ()
) -> ParsedRequest:
    """The request that the machine would be: a label a NIC by its VLAN, its size, its disks.

    Its addresses are its own already, so that no NIC needs a new one. A bridge without an uplink is left out:
    it could take the machine, and be no use to it.
    """
    view = view_of(before, state)
    stranded = {impact.nic for impact in impacts if impact.code is ImpactCode.UPLINK_GONE}
    labels = tuple(
        constraints.from_terms(f"eth{at}", tuple(_terms(view, nic, stranded=f"eth{at}" in stranded)))
        for at, nic in enumerate(machine.interfaces)
    )
    on = (interface_of(view, nic) for nic in machine.interfaces)
    disks = _disks(machine)
    return ParsedRequest(
        interfaces=constraints.format_constraints(labels) if labels else "",
        labels=labels,
        storage=storage.format_storage(disks),
        disks=disks or storage.DEFAULT_DISKS,
        cores=machine.cores,
        memory_mib=machine.memory_mib,
        architecture=next(iter(state.host.architectures), None),
        netboot=any(interface is not None and interface.vlan_id in before.bootable_vlans for interface in on),
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
    """A disk for what it has in each storage pool; empty where that is not known."""
    sizes = [size for _, size in sorted(machine.reserved_bytes.items()) if size > 0]
    return tuple(DiskRequest(f"disk{at}", size) for at, size in enumerate(sizes))
