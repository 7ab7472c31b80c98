"""Many machines at once: a plan for each of a batch, or for none.

First fit, then moves where that ends, then local search for what the strategy is after. Every machine is
legal in the world in which all others are placed.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from hostloom.decide.batch import exhaustive_search, objective
from hostloom.decide.batch.explain_batch import explain_all
from hostloom.decide.batch.layout import BatchPlacement
from hostloom.decide.batch.ranking import BY_RULES, FIRST, PACK, SPREAD, Order
from hostloom.decide.batch.read_batch import MachineRequest, Stuck, fit_of, hardness, read_batch
from hostloom.decide.batch.tentative_placement import TentativePlacement
from hostloom.decide.placement.compose import decide
from hostloom.decide.snapshot import Snapshot
from hostloom.model.plan import JointDecision
from hostloom.model.request import Identities, ParsedBatch, Strategy

_ORDERS = {None: BY_RULES, Strategy.SPREAD: SPREAD, Strategy.PACK: PACK}


def decide_all(snapshot: Snapshot, batch: ParsedBatch, identities: tuple[Identities, ...]) -> JointDecision:
    """Place every machine of the batch, or refuse them all with the reasons of one that finds no place."""
    if not batch.machines:
        return JointDecision((), ())
    if len(batch.machines) == 1:
        decision = decide(snapshot, batch.machines[0], identities[0])
        if decision.plan is None:
            return JointDecision((), (decision.explanation,), 0)
        return JointDecision((decision.plan,), (decision.explanation,))
    jobs = read_batch(snapshot, batch, identities)
    laid = jobs if isinstance(jobs, Stuck) else _lay_out(snapshot, jobs, batch.strategy)
    if isinstance(laid, Stuck):
        return JointDecision((), (laid.explanation,), laid.at)
    board = _in_turn(laid)
    plans = tuple(board.placed[job].plan for job in board.jobs)
    return JointDecision(plans, explain_all(board, laid, batch.strategy))


def _lay_out(
    snapshot: Snapshot, jobs: tuple[MachineRequest, ...], strategy: Strategy | None
) -> BatchPlacement | Stuck:
    """The best of several beginnings; without any, the machine at which taking them in turn ends."""
    best: BatchPlacement | None = None
    refused: list[Stuck] = []
    for order, in_order, is_rival in _beginnings(jobs, strategy):
        if best is not None and not is_rival:
            continue
        layout = BatchPlacement(TentativePlacement(snapshot, jobs), order)
        best_cost = None if best is None else objective.cost(best, strategy)
        stuck = layout.fill(in_order, gives_up=partial(_is_worse, strategy=strategy, best_cost=best_cost))
        if not layout.board.is_complete:
            refused += [stuck] if stuck is not None and in_order is jobs else []
            continue
        if best_cost is None or objective.cost(layout, strategy) < best_cost:
            best = layout
            if objective.cost(best, strategy) <= objective.least_cost(best, strategy):
                break
    return _improved(best or _with_moves(snapshot, jobs, strategy), strategy) or refused[0]


def _improved(layout: BatchPlacement | None, strategy: Strategy | None) -> BatchPlacement | None:
    if layout is not None:
        objective.better(layout, strategy)
    return layout


def _is_worse(layout: BatchPlacement, strategy: Strategy | None, best_cost: int | None) -> bool:
    """Whether it will cost no less than a layout that is known: what is laid out only gets dearer."""
    return best_cost is not None and objective.cost(layout, strategy) >= best_cost


def _beginnings(
    jobs: tuple[MachineRequest, ...], strategy: Strategy | None
) -> Iterator[tuple[Order, Sequence[MachineRequest], bool]]:
    """Orders of hosts and of machines to begin with; rivals are tried even when others came to an end."""
    hard = sorted(jobs, key=hardness)
    if strategy is None:
        yield BY_RULES, jobs, False
        yield BY_RULES, hard, False
    else:
        yield _ORDERS[strategy], hard, False
        yield BY_RULES, jobs, True
    yield FIRST, jobs, strategy is not None


def _with_moves(
    snapshot: Snapshot, jobs: tuple[MachineRequest, ...], strategy: Strategy | None
) -> BatchPlacement | None:
    """No beginning came to an end by itself: others make room, or every layout is looked at."""
    layout = BatchPlacement(TentativePlacement(snapshot, jobs), _ORDERS[strategy])
    if layout.fill(sorted(jobs, key=hardness), with_moves=True) is not None:
        layout.board.rollback(0)
        if not exhaustive_search.is_small(layout.board) or not exhaustive_search.complete(layout.board):
            return None
    return layout


def _in_turn(layout: BatchPlacement) -> TentativePlacement:
    """The same machines on the same hosts, taken in the order of the batch: so they get their addresses.

    Where that order leaves one without its NICs or disks, the layout is kept as it was found.
    """
    tentative_placement = layout.board
    if tentative_placement.is_in_turn:
        return tentative_placement
    board = TentativePlacement(tentative_placement.snapshot, tentative_placement.jobs)
    for job in tentative_placement.jobs:
        place = tentative_placement.placed[job].place
        trial = board.attempt(job, place)
        if fit_of(trial) is None:
            return tentative_placement
        board.put(job, place, trial)
    return board
