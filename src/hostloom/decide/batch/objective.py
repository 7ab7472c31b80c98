"""The objectives of strategies, and the local search that improves them."""

from collections.abc import Iterable
from itertools import accumulate
from math import ceil

from hostloom.decide.batch import exhaustive_search
from hostloom.decide.batch.layout import BatchPlacement
from hostloom.decide.batch.read_batch import hardness
from hostloom.decide.batch.tentative_placement import SearchLimits
from hostloom.decide.fleet.fleet import fleet_of
from hostloom.model.decimals import Number
from hostloom.model.request import Strategy

#: Maximum length of a chain of moves that improves a layout.
DEPTH = 2


def cost(layout: BatchPlacement, strategy: Strategy | None) -> int:
    """The cost of a layout: the number of used hosts, or of machines on the fullest host."""
    on = layout.board.on
    if strategy is Strategy.PACK:
        return len(on)
    return max(map(len, on.values()), default=0) if strategy is Strategy.SPREAD else 0


def least_cost(layout: BatchPlacement, strategy: Strategy | None) -> int:
    """A lower bound of the cost of all layouts."""
    board = layout.board
    if strategy is Strategy.SPREAD:
        return ceil(len(board.jobs) / len({place for job in board.jobs for place in job.kind.fits}))
    if strategy is not Strategy.PACK:
        return 0
    rows = fleet_of(board.snapshot).rows
    requests = [job.asked.request for job in board.jobs]
    cores = _so_many((row.cores for row in rows), sum(request.cores for request in requests))
    return max(
        cores, _so_many((row.memory_mib for row in rows), sum(request.memory_mib for request in requests))
    )


def _so_many(room: Iterable[Number], needed: Number) -> int:
    """The number of largest hosts that have this amount together."""
    return 1 + sum(total < needed for total in accumulate(sorted(room, reverse=True)))


def better(layout: BatchPlacement, strategy: Strategy | None) -> None:
    """Move machines until the cost no longer decreases."""
    least = least_cost(layout, strategy)
    layout.grant()
    while cost(layout, strategy) > least and not layout.is_spent:
        gains = _thin_out(layout) if strategy is Strategy.SPREAD else _give_up_a_host(layout)
        if not gains and not _anew(layout, strategy):
            break
    if exhaustive_search.is_small(layout.board):
        while cost(layout, strategy) > least and _start_over(layout, strategy):
            pass
    layout.board.limits = SearchLimits()


def _thin_out(layout: BatchPlacement) -> bool:
    """Move one machine away from every fullest host."""
    board = layout.board
    most = max(map(len, board.on.values()))
    board.limits = SearchLimits(most_on_one=most - 1)
    mark = board.mark()
    for place in sorted(
        place for place, machine_requests in board.on.items() if len(machine_requests) == most
    ):
        if not any(layout.move([job], depth) for depth in range(DEPTH + 1) for job in list(board.on[place])):
            board.rollback(mark)
            return False
    return True


def _give_up_a_host(layout: BatchPlacement) -> bool:
    """Move all machines of one host to other used hosts, beginning with the host with the fewest."""
    board = layout.board
    for place in sorted(board.on, key=lambda place: (len(board.on[place]), place)):
        board.limits = SearchLimits(most_hosts=len(board.on) - 1, closed=frozenset((place,)))
        for depth in range(DEPTH + 1):
            if layout.is_spent:
                return False
            if layout.move(list(board.on[place]), depth):
                return True
    return False


def _anew(layout: BatchPlacement, strategy: Strategy | None) -> bool:
    """Place all machines again with a lower limit for the cost."""
    layout.board.limits = _cheaper(layout, strategy)
    layout.grant()
    return layout.move(sorted(layout.board.jobs, key=hardness), 1)


def _cheaper(layout: BatchPlacement, strategy: Strategy | None) -> SearchLimits:
    less = cost(layout, strategy) - 1
    return SearchLimits(most_hosts=less) if strategy is Strategy.PACK else SearchLimits(most_on_one=less)


def _start_over(layout: BatchPlacement, strategy: Strategy | None) -> bool:
    """Search all cheaper layouts, within limits."""
    board = layout.board
    board.limits = _cheaper(layout, strategy)
    mark = board.mark()
    for job in board.jobs:
        board.remove(job)
    if exhaustive_search.complete(board):
        return True
    board.rollback(mark)
    return False
