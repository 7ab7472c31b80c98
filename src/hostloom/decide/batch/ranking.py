"""The hosts for one kind of machine, the best first, updated when hosts change."""

from collections.abc import Callable
from dataclasses import dataclass

from hostloom.decide.batch.read_batch import MachineKind, MachineRequest, fit_of
from hostloom.decide.batch.tentative_placement import TentativePlacement
from hostloom.decide.placement.host_evaluation import HostEvaluation, NetworkFit
from hostloom.model.decimals import Number
from hostloom.model.reasons import RequestCode

Key = tuple[Number | float, ...]


@dataclass(frozen=True)
class Order:
    """An order of hosts: the key sorts better hosts first and ends with the host's index."""

    key: Callable[[TentativePlacement, MachineKind, int, NetworkFit], Key]
    #: The names of the parts of the key in explanations.
    names: tuple[str, ...]


def _by_rules(board: TentativePlacement, _kind: MachineKind, place: int, fit: NetworkFit) -> Key:
    machines = len(board.states[place].machines)
    return (fit.no_boot, fit.macvtaps, -board.memory_mib[place], -board.cores[place], machines, place)


def _spread(board: TentativePlacement, kind: MachineKind, place: int, fit: NetworkFit) -> Key:
    return (len(board.on.get(place, ())), *_by_rules(board, kind, place, fit))


def _pack(board: TentativePlacement, kind: MachineKind, place: int, fit: NetworkFit) -> Key:
    """Prefer the tightest used host, then the unused host with room for the most machines."""
    request = kind.asked.request
    room = min(
        float(board.memory_mib[place]) / max(request.memory_mib, 1),
        float(board.cores[place]) / max(request.cores, 1),
    )
    is_new = place not in board.on
    return (is_new, -room if is_new else room, fit.no_boot, fit.macvtaps, place)


def _first(_board: TentativePlacement, _kind: MachineKind, place: int, _fit: NetworkFit) -> Key:
    return (place,)


_RULES = ("boot-on-bootable-vlan", "macvtap-nics", "memory-left-mib", "cores-left", "machines", "name-order")
#: docs/explanation/rules.md#choosing-a-host
BY_RULES = Order(_by_rules, _RULES)
SPREAD = Order(_spread, ("spread", *_RULES))
PACK = Order(_pack, ("pack", "pack", "boot-on-bootable-vlan", "macvtap-nics", "name-order"))
FIRST = Order(_first, ("name-order",))


class Ranking:
    """Keys of the hosts that may have room; the evaluation of a host is valid until the host changes."""

    def __init__(self, board: TentativePlacement, kind: MachineKind, order: Order) -> None:
        self._board, self._kind, self._order = board, kind, order
        self._seen, self._returned = len(board.log), board.returned
        self._found: dict[int, NetworkFit | None] = {}
        self._refused: set[RequestCode] = set()
        self._keys: dict[int, Key] = {}
        for place in kind.fits:
            self._enter(place)

    def best(self, job: MachineRequest) -> tuple[int, HostEvaluation] | None:
        """The best host that can take the machine now."""
        self._catch_up()
        bars = self._board.bars(job)
        while (key := self._least(bars)) is not None:
            place = int(key[-1])
            trial = self._board.attempt(job, place)
            fit = fit_of(trial)
            if trial.refusal is not None:
                self._refused.add(trial.refusal.code)
            self._found[place] = fit
            self._enter(place)
            if fit is not None and self._keys[place] == key:
                return place, trial
        return None

    def runner_up(self, job: MachineRequest, best: int) -> tuple[str, int] | None:
        """The second-best known host with the reason; call it before the best host is used."""
        bars, first = self._board.bars(job), self._keys[best]
        others = (
            key for place, key in self._keys.items() if place != best and (bars is None or not bars(place))
        )
        second = min(others, default=None)
        if second is None:
            return None
        return next(n for n, a, b in zip(self._order.names, first, second, strict=True) if a != b), int(
            second[-1]
        )

    def lacks(self, code: RequestCode) -> bool:
        """Whether any host was refused with this code."""
        return code in self._refused

    def _least(self, bars: Callable[[int], bool] | None) -> Key | None:
        if bars is None:
            return min(self._keys.values(), default=None)
        return min((key for place, key in self._keys.items() if not bars(place)), default=None)

    def _catch_up(self) -> None:
        """Update changed hosts; released addresses may help any host."""
        board = self._board
        changed = set(board.log[self._seen :])
        self._seen = len(board.log)
        if board.returned != self._returned:
            self._returned = board.returned
            changed |= self._found.keys()
        for place in changed & self._kind.fits.keys():
            self._found.pop(place, None)
            self._enter(place)

    def _enter(self, place: int) -> None:
        fit = self._found[place] if place in self._found else self._kind.fits[place]
        request, board = self._kind.asked.request, self._board
        if fit is None or board.cores[place] < request.cores or board.memory_mib[place] < request.memory_mib:
            self._keys.pop(place, None)
        else:
            self._keys[place] = self._order.key(board, self._kind, place, fit)
