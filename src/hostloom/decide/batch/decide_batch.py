"""Decides batches: a plan for every machine, or for none.

The search uses first fit, then moves machines if it gets stuck, then improves the result by local search for
the strategy. Every machine is legal in the state in which all others are placed.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

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


class _Beginning(NamedTuple):
    """An order of hosts, and the machines in the order in which they are placed."""

    hosts: Order
    machines: Sequence[MachineRequest]
    #: Whether it is also tried if an earlier beginning led to a complete layout.
    is_rival: bool


def decide_all(snapshot: Snapshot, batch: ParsedBatch, identities: tuple[Identities, ...]) -> JointDecision:
    """Place every machine of the batch, or refuse all with the reasons of one that does not fit."""
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
        return JointDecision((), (laid.explanation,), laid.index)
    board = _in_turn(laid)
    plans = tuple(board.placed[job].plan for job in board.jobs)
    return JointDecision(plans, explain_all(board, laid, batch.strategy))


def _lay_out(
    snapshot: Snapshot, jobs: tuple[MachineRequest, ...], strategy: Strategy | None
) -> BatchPlacement | Stuck:
    """The best layout; if none is complete, the machine that does not fit in the order of the batch."""
    first_fit, stuck = _first_fit(snapshot, jobs, strategy)
    layout = first_fit or _with_moves(snapshot, jobs, strategy)
    if layout is None:
        return stuck[0]
    objective.better(layout, strategy)
    return layout


def _first_fit(
    snapshot: Snapshot, jobs: tuple[MachineRequest, ...], strategy: Strategy | None
) -> tuple[BatchPlacement | None, list[Stuck]]:
    """The cheapest complete layout of several beginnings, and where the order of the batch got stuck."""
    best: BatchPlacement | None = None
    best_cost: int | None = None
    stuck_in_turn: list[Stuck] = []
    for beginning in _beginnings(jobs, strategy):
        if best is not None and not beginning.is_rival:
            continue
        layout = BatchPlacement(TentativePlacement(snapshot, jobs), beginning.hosts)
        gives_up = partial(_is_worse, strategy=strategy, best_cost=best_cost)
        stuck = layout.fill(beginning.machines, gives_up=gives_up)
        if stuck is not None and beginning.machines is jobs:
            stuck_in_turn.append(stuck)
        if layout.board.is_complete and not _is_worse(layout, strategy, best_cost):
            best, best_cost = layout, objective.cost(layout, strategy)
            if best_cost <= objective.least_cost(layout, strategy):
                break
    return best, stuck_in_turn


def _is_worse(layout: BatchPlacement, strategy: Strategy | None, best_cost: int | None) -> bool:
    """Whether it will cost at least as much as a known layout, because every further machine adds cost."""
    return best_cost is not None and objective.cost(layout, strategy) >= best_cost


def _beginnings(jobs: tuple[MachineRequest, ...], strategy: Strategy | None) -> Iterator[_Beginning]:
    """The orders of hosts and machines to try, one after another."""
    hard = sorted(jobs, key=hardness)
    if strategy is None:
        yield _Beginning(BY_RULES, jobs, is_rival=False)
        yield _Beginning(BY_RULES, hard, is_rival=False)
    else:
        yield _Beginning(_ORDERS[strategy], hard, is_rival=False)
        yield _Beginning(BY_RULES, jobs, is_rival=True)
    yield _Beginning(FIRST, jobs, is_rival=strategy is not None)


def _with_moves(
    snapshot: Snapshot, jobs: tuple[MachineRequest, ...], strategy: Strategy | None
) -> BatchPlacement | None:
    """A layout in which machines of the batch move to make room, or the first complete one of all layouts."""
    layout = BatchPlacement(TentativePlacement(snapshot, jobs), _ORDERS[strategy])
    if layout.fill(sorted(jobs, key=hardness), with_moves=True) is not None:
        layout.board.rollback(0)
        if not exhaustive_search.is_small(layout.board) or not exhaustive_search.complete(layout.board):
            return None
    return layout


def _in_turn(layout: BatchPlacement) -> TentativePlacement:
    """Place the machines on the same hosts again in the order of the batch, which determines their addresses.

    If a machine gets no NICs or disks in that order, the layout stays as it was.
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
