"""What would come of a change: who is hurt, where they could go, which requests fare otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

from hostloom.decide.snapshot import Snapshot
from hostloom.decide.what_if.compared_cases import ComparedCase, Turn, compare_cases
from hostloom.decide.what_if.fates import Fate, fates
from hostloom.decide.what_if.harm import Harm, harms
from hostloom.decide.worlds.world import Case


@dataclass(frozen=True, slots=True)
class Consequences:
    """All that a change does."""

    #: How many machines there are.
    machines: int
    harms: tuple[Harm, ...]
    #: Of each hurt machine, in the order of `harms`.
    fates: tuple[Fate, ...]
    #: The requests that were held against both.
    cases: tuple[ComparedCase, ...]

    @property
    def changed(self) -> tuple[ComparedCase, ...]:
        """The requests that fare otherwise."""
        return tuple(each for each in self.cases if each.turn is not Turn.SAME)

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
    compared = compare_cases(before, after, cases, later)
    return Consequences(machines, found, fates(before, after, found), compared)
