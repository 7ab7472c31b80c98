"""What would come of a change: who is hurt, where they could go, which requests fare otherwise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from hostloom.decide import constraints, storage
from hostloom.decide.candidates import HostView
from hostloom.decide.cases import as_data, simulate, vlan_text
from hostloom.decide.harm import Harm, HarmCode, harms, interface_of, view_of, vlan_of
from hostloom.decide.outcomes import outcome
from hostloom.decide.placed import with_plan
from hostloom.decide.snapshot import Delta, HostState, Snapshot
from hostloom.decide.world import Case
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.host import PlacedInterface, PlacedMachine
from hostloom.model.plan import Explanation, JointDecision, Plan, PlannedInterface
from hostloom.model.request import ComposeRequest, DiskRequest, Term


@dataclass(frozen=True, slots=True)
class Fate:
    """Where a hurt machine could go."""

    machine: str
    host: str
    #: As the machine is asked for again.
    request: ComposeRequest
    #: Of each NIC, the VLAN or libvirt network that it has to reach.
    ways: tuple[tuple[str, str], ...]
    #: Why there, or why nowhere.
    explanation: Explanation
    #: The host that would take it: its own, if that can. None: nowhere.
    to: str | None = None
    interfaces: tuple[PlannedInterface, ...] = ()
    #: It would do where it is, on the very same host interfaces.
    stays: bool = False


class Turn(StrEnum):
    """How a request fares otherwise than before."""

    NO_LONGER_FITS = "no-longer-fits"
    FITS_NOW = "fits-now"
    #: Another host, interface or address.
    MOVES = "moves"
    #: Refused before and after, for another reason.
    REFUSED_OTHERWISE = "refused-otherwise"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing of a plan that is otherwise."""

    #: `host`, or NIC and key: `eth0 source`.
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangedCase:
    """A request that fares otherwise."""

    name: str
    turn: Turn
    before: JointDecision
    after: JointDecision
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Consequences:
    """All that a change does."""

    #: How many machines there are.
    machines: int
    harms: tuple[Harm, ...]
    #: Of each hurt machine, in the order of `harms`.
    fates: tuple[Fate, ...]
    #: How many requests were held against both.
    requests: int
    changed: tuple[ChangedCase, ...]

    @property
    def hurt(self) -> tuple[tuple[str, str], ...]:
        """(host, machine) of each machine that is hurt."""
        return tuple(dict.fromkeys((each.host, each.machine) for each in self.harms))


def consequences(
    before: Snapshot, after: Snapshot, cases: Sequence[Case] = (), later: Sequence[Case] | None = None
) -> Consequences:
    """Hold the machines and the requests of `before` against `after`.

    `later` are the cases as they are asked in `after`, where the change is one of the requests too.
    """
    found = harms(before, after)
    machines = sum(len(each.machines) for each in before.hosts)
    changed = changed_cases(before, after, cases, later)
    return Consequences(machines, found, fates(before, after, found), len(cases), changed)


# -- where hurt machines could go --------------------------------------------------------------------------


def fates(before: Snapshot, after: Snapshot, found: Iterable[Harm]) -> tuple[Fate, ...]:
    """Each hurt machine in turn is asked for again; one that fits takes its place before the next.

    One that fits nowhere stays where it is, with what it takes of its host.
    """
    by_machine: dict[tuple[str, str], list[Harm]] = {}
    for each in found:
        by_machine.setdefault((each.host, each.machine), []).append(each)
    states = {each.host.name: each for each in before.hosts}
    world, answers = after, []
    for (host, name), own in by_machine.items():
        fate, world = _fate(before, world, states[host], name, own)
        answers.append(fate)
    return tuple(answers)


def _fate(
    before: Snapshot, world: Snapshot, state: HostState, name: str, own: list[Harm]
) -> tuple[Fate, Snapshot]:
    """Where the machine could go, and the world with it there."""
    machine = next(each for each in state.machines if each.name == name)
    request = ask_again(before, state, machine, own)
    without = _without(world, state, name)
    decision = simulate(without, replace(request, host=state.host.name))
    if decision.plan is None:
        decision = simulate(without, request)
    fate = Fate(name, state.host.name, request, _ways(before, state, machine), decision.explanation)
    plan = decision.plan
    if plan is None:
        return fate, world
    same = [(nic.attachment.kind, nic.attachment.source) for nic in plan.interfaces] == [
        (nic.kind, nic.source) for nic in machine.interfaces
    ]
    stays = same and plan.host_name == state.host.name
    fate = replace(fate, to=plan.host_name, interfaces=plan.interfaces, stays=stays)
    return fate, with_plan(without, plan)


def _ways(before: Snapshot, state: HostState, machine: PlacedMachine) -> tuple[tuple[str, str], ...]:
    view = view_of(before, state)
    return tuple(
        (f"eth{at}", vlan_text(before, vlan_of(view, nic)) or f"{nic.kind} {nic.source}")
        for at, nic in enumerate(machine.interfaces)
    )


def _without(snapshot: Snapshot, state: HostState, name: str) -> Snapshot:
    """The machine is not on its host."""
    now = snapshot.host_by_id.get(state.host.id)
    if now is None:
        return snapshot
    later = replace(now, machines=tuple(each for each in now.machines if each.name != name))
    hosts = tuple(later if each is now else each for each in snapshot.hosts)
    return replace(snapshot, hosts=hosts).carry(snapshot, Delta(hosts={state.host.id: later}))


def ask_again(
    before: Snapshot, state: HostState, machine: PlacedMachine, own: Iterable[Harm] = ()
) -> ComposeRequest:
    """The request that the machine would be: a label a NIC by its VLAN, its size, its disks.

    Its addresses are its own already, so that no NIC needs a new one. A bridge without an uplink is left out:
    it could take the machine, and be no use to it.
    """
    view = view_of(before, state)
    stranded = {each.nic for each in own if each.code is HarmCode.UPLINK_GONE}
    labels = tuple(
        constraints.from_terms(f"eth{at}", tuple(_terms(view, nic, stranded=f"eth{at}" in stranded)))
        for at, nic in enumerate(machine.interfaces)
    )
    on = (interface_of(view, nic) for nic in machine.interfaces)
    return ComposeRequest(
        interfaces=constraints.format_constraints(labels) if labels else "",
        storage=_storage(machine),
        cores=machine.cores,
        memory_mib=machine.memory_mib,
        architecture=next(iter(state.host.architectures), None),
        netboot=any(each is not None and each.vlan_id in before.bootable_vlans for each in on),
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


def _storage(machine: PlacedMachine) -> str:
    """A disk for what it has in each storage pool; blank where that is not known."""
    sizes = [size for _, size in sorted(machine.reserved_bytes.items()) if size > 0]
    disks = tuple(DiskRequest(f"disk{at}", size) for at, size in enumerate(sizes))
    return storage.format_storage(disks)


# -- requests ----------------------------------------------------------------------------------------------


def changed_cases(
    before: Snapshot, after: Snapshot, cases: Sequence[Case], later: Sequence[Case] | None = None
) -> tuple[ChangedCase, ...]:
    """The requests that fare otherwise in `after`, in their order; asked there as `later` says."""
    found = (
        _turned(case.name, (before, outcome(before, case)), (after, outcome(after, again)))
        for case, again in zip(cases, cases if later is None else later, strict=True)
    )
    return tuple(each for each in found if each is not None)


def _turned(
    name: str, earlier: tuple[Snapshot, JointDecision], later: tuple[Snapshot, JointDecision]
) -> ChangedCase | None:
    (before, was), (after, now) = earlier, later
    if was.plans and now.plans:
        found = tuple(_differences(before, after, was.plans, now.plans))
        return ChangedCase(name, Turn.MOVES, was, now, found) if found else None
    if was.plans:
        return ChangedCase(name, Turn.NO_LONGER_FITS, was, now)
    if now.plans:
        return ChangedCase(name, Turn.FITS_NOW, was, now)
    codes = {each.explanations[0].refusal.code for each in (was, now) if each.explanations[0].refusal}
    return ChangedCase(name, Turn.REFUSED_OTHERWISE, was, now) if len(codes) > 1 else None


def _differences(
    before: Snapshot, after: Snapshot, was: tuple[Plan, ...], now: tuple[Plan, ...]
) -> Iterable[Difference]:
    for at, (old, new) in enumerate(zip(was, now, strict=True)):
        machine = f"{at + 1}: " if len(was) > 1 else ""
        if old.host_name != new.host_name:
            yield Difference(f"{machine}host", old.host_name, new.host_name)
        for mine, theirs in zip(old.interfaces, new.interfaces, strict=False):
            facts, later = as_data(before, mine), as_data(after, theirs)
            for key in ("attach", "source", "mode", "vlan", "ip", "boot"):
                if facts[key] != later[key]:
                    what = f"{machine}{mine.name} {key}"
                    yield Difference(what, _text(facts[key]), _text(later[key]))


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return {None: "none", True: "yes", False: "no"}.get(value) or str(value)  # type: ignore[call-overload]
