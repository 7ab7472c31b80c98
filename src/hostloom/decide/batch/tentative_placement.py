"""The state during the placement of a batch: machines, remaining capacity and addresses; with undo."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from hostloom.decide.batch.read_batch import MachineRequest
from hostloom.decide.fleet.fleet import fleet_of
from hostloom.decide.placement.addresses import address_index_of
from hostloom.decide.placement.host_evaluation import HostEvaluation, evaluate_host
from hostloom.decide.placement.make_plan import held_addresses, make_plan, placed_machine
from hostloom.decide.snapshot import Delta, HostState, Snapshot
from hostloom.model.host import PlacedMachine
from hostloom.model.ids import HostId, SubnetId
from hostloom.model.network import AddressKind, HeldAddress
from hostloom.model.plan import Plan
from hostloom.model.reasons import Refusal, RequestCode, SubjectKind

Numbers = dict[SubnetId, dict[int, bool]]


@dataclass(frozen=True, eq=False)
class TentativeMachine:
    """A placed machine of the batch."""

    job: MachineRequest
    #: Index of the host in the fleet.
    place: int
    trial: HostEvaluation
    plan: Plan
    machine: PlacedMachine


@dataclass
class SearchLimits:
    """Limits of a layout in addition to the rules; hosts are indexes."""

    #: Maximum number of machines of the batch on one host, and of used hosts.
    most_on_one: int | None = None
    most_hosts: int | None = None
    closed: frozenset[int] = frozenset()


@dataclass
class TentativePlacement:
    """Places and removes machines; `rollback` reverts all changes since a `mark`."""

    snapshot: Snapshot
    jobs: tuple[MachineRequest, ...]
    limits: SearchLimits = field(default_factory=SearchLimits)
    #: Placed machines by index of their host; hosts without machines are left out.
    on: dict[int, list[MachineRequest]] = field(default_factory=dict)
    placed: dict[MachineRequest, TentativeMachine] = field(default_factory=dict)
    #: Hosts in the order in which they changed.
    log: list[int] = field(default_factory=list)
    #: Number of times that addresses were released.
    returned: int = 0
    tries: int = 0

    def __post_init__(self) -> None:
        rows = fleet_of(self.snapshot).rows
        #: By position.
        self.states = [row.state for row in rows]
        self.cores = [row.cores for row in rows]
        self.memory_mib = [row.memory_mib for row in rows]
        self._apart: dict[str, set[int]] = {}
        self._journal: list[tuple[bool, TentativeMachine]] = []
        aside: Numbers = {}
        for address in _asked_for(self.jobs):
            aside.setdefault(address.subnet_id or SubnetId(0), {})[int(address.ip)] = True
        self._address_index = address_index_of(self.snapshot).numbered(aside)

    # -- questions ---------------------------------------------------------------------------------------

    def has_room(self, job: MachineRequest, place: int) -> bool:
        """Whether the host has enough cores and memory."""
        request = job.asked.request
        return self.cores[place] >= request.cores and self.memory_mib[place] >= request.memory_mib

    def attempt(self, job: MachineRequest, place: int) -> HostEvaluation:
        """Evaluate the host in its current state for the machine."""
        self.tries += 1
        return evaluate_host(self.snapshot, self._address_index, self.states[place], job.asked)

    @property
    def is_complete(self) -> bool:
        """Whether every machine is placed."""
        return len(self.placed) == len(self.jobs)

    @property
    def is_in_turn(self) -> bool:
        """Whether the machines were placed in the order of the batch without moves."""
        steps = [machine.job if was_put else None for was_put, machine in self._journal]
        return steps == list(self.jobs)

    def bars(self, job: MachineRequest) -> Callable[[int], bool] | None:
        """Whether anti-affinity or limits exclude hosts; None if they exclude none."""
        apart, limits, on = self._apart.get(job.word or "", ()), self.limits, self.on
        is_last = limits.most_hosts is not None and len(on) >= limits.most_hosts
        if not apart and not is_last and limits.most_on_one is None and not limits.closed:
            return None
        most = len(self.jobs) if limits.most_on_one is None else limits.most_on_one
        return lambda place: (
            place in apart
            or place in limits.closed
            or (is_last and place not in on)
            or len(on.get(place, ())) >= most
        )

    def kept_apart(self, word: str | None) -> dict[HostId, Refusal]:
        """The hosts that anti-affinity excludes for this value."""
        places = sorted(self._apart.get(word or "", ()))
        return {self.states[place].host.id: refused_apart(self.states[place], word or "") for place in places}

    # -- steps -------------------------------------------------------------------------------------------

    def put(self, job: MachineRequest, place: int, trial: HostEvaluation) -> None:
        """Place the machine on an evaluated host."""
        plan = make_plan(self.snapshot, job.asked, trial, job.names)
        machine = TentativeMachine(job, place, trial, plan, placed_machine(plan))
        self._add(machine)
        self._journal.append((True, machine))

    def remove(self, job: MachineRequest) -> None:
        """Remove the machine from its host."""
        self._journal.append((False, self.placed[job]))
        self._drop(self.placed[job])

    def mark(self) -> int:
        """A mark for `rollback`."""
        return len(self._journal)

    def rollback(self, mark: int) -> None:
        """Revert all changes since the mark."""
        while len(self._journal) > mark:
            was_put, machine = self._journal.pop()
            if was_put:
                self._drop(machine)
            else:
                self._add(machine)

    def _add(self, machine: TentativeMachine) -> None:
        job, place = machine.job, machine.place
        self.placed[job] = machine
        self.on.setdefault(place, []).append(job)
        self._change(machine, 1, (*self.states[place].machines, machine.machine))
        if job.word:
            self._apart.setdefault(job.word, set()).add(place)

    def _drop(self, removed: TentativeMachine) -> None:
        job, place = removed.job, removed.place
        del self.placed[job]
        self.on[place].remove(job)
        if not self.on[place]:
            del self.on[place]
        left = tuple(machine for machine in self.states[place].machines if machine is not removed.machine)
        self._change(removed, -1, left)
        if job.word:
            self._apart[job.word].discard(place)

    def _change(self, machine: TentativeMachine, sign: int, machines: tuple[PlacedMachine, ...]) -> None:
        place = machine.place
        self.states[place] = HostState(self.states[place].host, machines)
        self.cores[place] -= sign * machine.machine.cores
        self.memory_mib[place] -= sign * machine.machine.memory_mib
        self.log.append(place)
        if numbers := _given(machine, is_used=sign > 0):
            self._address_index = self._address_index.numbered(numbers)
            self.returned += any(False in number.values() for number in numbers.values())

    # -- the snapshot ------------------------------------------------------------------------------------

    def world(self, but: MachineRequest | None = None) -> Snapshot:
        """The snapshot with the placed machines, and with the requested addresses of the others reserved."""
        gained = [address for machine in self.placed.values() for address in held_addresses(machine.plan)]
        gained += _asked_for([job for job in self.jobs if job is not but and job not in self.placed])
        states = [self.states[place] for place in self.on]
        changed: dict[HostId, HostState | None] = {state.host.id: state for state in states}
        hosts = tuple(changed.get(host.host.id) or host for host in self.snapshot.hosts)
        after = replace(self.snapshot, hosts=hosts, held=(*self.snapshot.held, *gained))
        return after.carry(self.snapshot, Delta(hosts=changed, gained=tuple(gained)))


def _given(machine: TentativeMachine, *, is_used: bool) -> Numbers:
    """The addresses that the machine uses or releases; requested addresses are reserved all the time.

    With overlapping subnets, they are reserved in all of them until the machine has its address in one.
    """
    numbers: Numbers = {}
    got = {(address.ip, address.subnet_id) for address in held_addresses(machine.plan)}
    requested = {
        (ip, subnet.id)
        for requirement in machine.job.asked.requirements
        for ip, subnets in requirement.ip_subnets
        for subnet in subnets
    }
    for ip, subnet_id in (got | requested) - (got & requested):
        if subnet_id is not None:
            numbers.setdefault(subnet_id, {})[int(ip)] = ((ip, subnet_id) in got) is is_used
    return numbers


def _asked_for(jobs: tuple[MachineRequest, ...] | list[MachineRequest]) -> Iterator[HeldAddress]:
    """The requested addresses, in every subnet that may provide them."""
    for job in jobs:
        for requirement in job.asked.requirements:
            for ip, subnets in requirement.ip_subnets:
                for subnet in subnets:
                    comment = f"asked for by {job.names.hostname}"
                    yield HeldAddress(ip, AddressKind.RESERVED, subnet.id, comment=comment)


def refused_apart(state: HostState, word: str) -> Refusal:
    """The refusal of a host that already has a machine with this value."""
    return Refusal(
        "machines_keep_apart",
        RequestCode.ANTI_AFFINITY,
        SubjectKind.HOST,
        state.host.name,
        "no machine of the same anti-affinity",
        f"a machine of {word!r}",
    )
