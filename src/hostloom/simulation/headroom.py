"""The number of copies of a machine that still fit."""

from collections import Counter
from dataclasses import dataclass, replace

from hostloom.decide.batch.tentative_placement import refused_apart
from hostloom.decide.dry_run import simulate
from hostloom.decide.placement.make_plan import with_plan
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import HostId, natural_key
from hostloom.model.plan import Explanation
from hostloom.model.reasons import Refusal
from hostloom.model.request import ParsedRequest


@dataclass(frozen=True, slots=True)
class Headroom:
    """How many of the wanted machines fit."""

    wanted: int
    #: The number of machines for each host, the largest first, then by natural order of names.
    hosts: tuple[tuple[str, int], ...]
    #: The refusal of the next machine; None if all fit.
    stop: Explanation | None

    @property
    def fit(self) -> int:
        """The number of machines that fit."""
        return sum(count for _, count in self.hosts)


def headroom(snapshot: Snapshot, request: ParsedRequest, wanted: int) -> Headroom:
    """Place copies of a request one after the other until one is refused.

    See docs/explanation/rules.md#choosing-a-host.
    """
    world, counts = snapshot, Counter[str]()
    excluded: dict[HostId, Refusal] = {}
    for index in range(1, wanted + 1):
        copy = replace(request, hostname=f"{request.hostname or 'simulated'}-{index}")
        decision = simulate(world, copy, excluded)
        plan = decision.plan
        if plan is None:
            return Headroom(wanted, _most_first(counts), decision.explanation)
        counts[plan.host_name] += 1
        if request.anti_affinity:
            excluded[plan.host_id] = refused_apart(world.host_by_id[plan.host_id], request.anti_affinity)
        world = with_plan(world, plan)
    return Headroom(wanted, _most_first(counts), None)


def _most_first(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], natural_key(pair[0]))))
