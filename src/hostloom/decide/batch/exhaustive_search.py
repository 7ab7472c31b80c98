"""The last resort for a few machines on a few hosts: an exhaustive search within limits.

The machines are placed in one order first, then in all orders, because the first one gets the better NIC,
pool or address.
"""

from hostloom.decide.batch.read_batch import MachineRequest, fit_of, hardness
from hostloom.decide.batch.tentative_placement import TentativePlacement
from hostloom.decide.deadline import tick

#: Limits of the search: machines times hosts, and tried hosts.
SMALL = 48
MOST_TRIES = 1200


def is_small(board: TentativePlacement) -> bool:
    """Whether the search space is small enough."""
    return len(board.jobs) * len(board.states) <= SMALL


def complete(board: TentativePlacement) -> bool:
    """Place all remaining machines; False leaves the placement unchanged."""
    left = tuple(sorted((job for job in board.jobs if job not in board.placed), key=hardness))
    return any(_Exhaustion(board, any_order=any_order).complete(left) for any_order in (False, True))


class _Exhaustion:
    """Depth-first search; a state that led to no solution is not visited again, however it is reached."""

    def __init__(self, board: TentativePlacement, *, any_order: bool) -> None:
        self._board, self._any_order, self._dead = board, any_order, set[object]()
        self._last_try = board.tries + MOST_TRIES

    def complete(self, left: tuple[MachineRequest, ...]) -> bool:
        """Place these machines, too."""
        if not left:
            return True
        state = (tuple(sorted(map(_alike, left))), self._state())
        if state in self._dead:
            return False
        different: dict[object, MachineRequest] = {}
        for job in left if self._any_order else left[:1]:
            different.setdefault(_alike(job), job)
        if any(self._try_everywhere(job, left) for job in different.values()):
            return True
        self._dead.add(state)
        return False

    def _try_everywhere(self, job: MachineRequest, left: tuple[MachineRequest, ...]) -> bool:
        board, bars = self._board, self._board.bars(job)
        rest = tuple(other for other in left if other is not job)
        for place in sorted(job.kind.fits):
            tick()
            if (bars is not None and bars(place)) or not board.has_room(job, place):
                continue
            if board.tries >= self._last_try:
                return False
            trial = board.attempt(job, place)
            if fit_of(trial) is None:
                continue
            mark = board.mark()
            board.put(job, place, trial)
            if self.complete(rest):
                return True
            board.rollback(mark)
        return False

    def _state(self) -> object:
        """The used resources, regardless of which machine uses which."""
        machines = self._board.placed.values()
        addresses = sorted(
            repr(
                (
                    machine.place,
                    *_alike(machine.job),
                    machine.machine.interfaces,
                    machine.machine.reserved_bytes,
                )
            )
            for machine in machines
        )
        return tuple(addresses), frozenset(
            ip for machine in machines for nic in machine.plan.interfaces for ip in nic.ips
        )


def _alike(job: MachineRequest) -> tuple[int, str]:
    return job.kind.number, job.word or ""
