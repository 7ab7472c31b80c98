"""Places machines on hosts by first fit; if that gets stuck, other machines of the batch make room."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from hostloom.decide.batch.ranking import Order, Ranking
from hostloom.decide.batch.read_batch import MachineRequest, Stuck
from hostloom.decide.batch.tentative_placement import TentativeMachine, TentativePlacement
from hostloom.decide.fleet.fleet import fleet_of
from hostloom.decide.placement.compose import decide
from hostloom.model.reasons import RequestCode

#: Maximum number of machines that move in a chain.
DEEPEST = 3
#: Maximum number of hosts that are tried to make room in one layout.
MOST_TRIES = 1500


@dataclass(frozen=True)
class LayoutReason:
    """Why a machine went to a host; hosts are positions."""

    place: int
    #: The reason against the second-best host.
    name: str
    second: int


class BatchPlacement:
    """A tentative placement, and the order in which hosts are preferred."""

    def __init__(self, board: TentativePlacement, order: Order) -> None:
        self.board, self.order = board, order
        #: The reasons and second-best hosts of machines that were placed without moves.
        self.reasons: dict[MachineRequest, LayoutReason] = {}
        self._rankings: dict[int, Ranking] = {}
        #: Number of attempts to make room so far, and the current limit.
        self._left, self._last_try = MOST_TRIES, MOST_TRIES
        self._locked: set[MachineRequest] = set()

    def fill(
        self,
        jobs: Iterable[MachineRequest],
        *,
        with_moves: bool = False,
        gives_up: Callable[["BatchPlacement"], bool] = lambda _: False,
    ) -> Stuck | None:
        """Place the machines in turn, up to the first one that does not fit."""
        for job in jobs:
            if gives_up(self):
                break
            if self._settle(job) or (with_moves and self.make_place(job)):
                continue
            board = self.board
            decision = decide(board.world(job), job.asked.request, job.names, board.kept_apart(job.word))
            if decision.plan is None:
                return Stuck(job.index, decision.explanation)
            place = fleet_of(board.snapshot).positions[decision.plan.host_id]
            board.put(job, place, board.attempt(job, place))
        return None

    def grant(self, tries: int = MOST_TRIES) -> None:
        """Allow this number of further attempts to make room."""
        self._last_try = self.board.tries + tries

    @property
    def is_spent(self) -> bool:
        """Whether the allowed attempts are used up."""
        return self.board.tries >= self._last_try

    def make_place(self, job: MachineRequest) -> bool:
        """Place the machine; others of the batch move for it, in the shortest possible chain."""
        self.grant(self._left)
        is_placed = any(self.place(job, depth) for depth in range(DEEPEST + 1))
        self._left = max(self._last_try - self.board.tries, 0)
        return is_placed

    def place(self, job: MachineRequest, depth: int) -> bool:
        """Place the machine with a chain of at most this number of moves; False changes nothing."""
        if self._direct(job):
            return True
        return depth > 0 and any(self._exchange(job, out, depth) for out in self._in_the_way(job))

    def move(self, jobs: list[MachineRequest], depth: int) -> bool:
        """Find other places for all these machines; False changes nothing."""
        mark = self.board.mark()
        for job in jobs:
            self.board.remove(job)
        if all(self.place(job, depth) for job in jobs):
            return True
        self.board.rollback(mark)
        return False

    def _settle(self, job: MachineRequest) -> bool:
        """Place the machine without moves, and record the reason."""
        ranking = self._ranking(job)
        candidate = ranking.best(job)
        if candidate is None:
            return False
        if (second := ranking.runner_up(job, candidate[0])) is not None:
            self.reasons[job] = LayoutReason(candidate[0], *second)
        self.board.put(job, *candidate)
        return True

    def _direct(self, job: MachineRequest) -> bool:
        candidate = self._ranking(job).best(job)
        if candidate is not None:
            self.board.put(job, *candidate)
        return candidate is not None

    def _ranking(self, job: MachineRequest) -> Ranking:
        number = job.kind.number
        if number not in self._rankings:
            self._rankings[number] = Ranking(self.board, job.kind, self.order)
        return self._rankings[number]

    def _exchange(self, job: MachineRequest, out: tuple[MachineRequest, ...], depth: int) -> bool:
        """Place the machine instead of the others, and find other places for them."""
        if self.is_spent:
            return False
        mark = self.board.mark()
        for other in out:
            self.board.remove(other)
        self._locked.add(job)
        is_placed = self._direct(job) and all(self.place(other, depth - 1) for other in out)
        self._locked.discard(job)
        if not is_placed:
            self.board.rollback(mark)
        return is_placed

    def _in_the_way(self, job: MachineRequest) -> Iterator[tuple[MachineRequest, ...]]:
        """Machines, or pairs on one host, whose removal may make room; computed for the current state."""
        groups = [
            self._yielding(self.board.on[place], job)
            for place in sorted(self.board.on)
            if place in job.kind.fits
        ]
        singles, pairs = self._making_room(job, groups, 1), self._making_room(job, groups, 2)
        yield from singles
        if self._ranking(job).lacks(RequestCode.SUBNET_FULL):
            yield from [(other,) for other in self._with_addresses_elsewhere(job)]
        yield from pairs

    def _making_room(
        self, job: MachineRequest, groups: list[list[MachineRequest]], size: int
    ) -> list[tuple[MachineRequest, ...]]:
        """The combinations of this size on one host whose removal makes room there for the machine."""
        return [out for group in groups for out in combinations(group, size) if self._makes_room(job, out)]

    def _yielding(self, others: Iterable[MachineRequest], job: MachineRequest) -> list[MachineRequest]:
        return [other for other in others if self._may_yield(other, job)]

    def _with_addresses_elsewhere(self, job: MachineRequest) -> list[MachineRequest]:
        """Machines on unsuitable hosts with addresses that the machine could use."""
        elsewhere = [machine for machine in self.board.placed.values() if machine.place not in job.kind.fits]
        return self._yielding((machine.job for machine in elsewhere if _has_address(machine)), job)

    def _may_yield(self, other: MachineRequest, job: MachineRequest) -> bool:
        """Whether moving a machine can help: one of the same kind and anti-affinity would not."""
        return other not in self._locked and (other.kind is not job.kind or other.word != job.word)

    def _makes_room(self, job: MachineRequest, out: tuple[MachineRequest, ...]) -> bool:
        board, request = self.board, job.asked.request
        place = board.placed[out[0]].place
        cores = board.cores[place] + sum(other.asked.request.cores for other in out)
        memory_mib = board.memory_mib[place] + sum(other.asked.request.memory_mib for other in out)
        return cores >= request.cores and memory_mib >= request.memory_mib


def _has_address(machine: TentativeMachine) -> bool:
    return any(nic.ips for nic in machine.plan.interfaces)
