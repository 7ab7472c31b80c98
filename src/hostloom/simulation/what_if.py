"""What would come of a change: who is hurt, where they could go, which requests fare otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

from hostloom.decide.snapshot import Snapshot
from hostloom.simulation.comparison import ComparedCase, OutcomeChange, compare_cases
from hostloom.simulation.impact import Impact, impacts
from hostloom.simulation.relocation import Relocation, relocations
from hostloom.simulation.world_file import Case


@dataclass(frozen=True, slots=True)
class Consequences:
    """All that a change does."""

    #: How many machines there are.
    machines: int
    harms: tuple[Impact, ...]
    #: Of each hurt machine, in the order of `harms`.
    fates: tuple[Relocation, ...]
    #: The requests that were held against both.
    cases: tuple[ComparedCase, ...]

    @property
    def changed(self) -> tuple[ComparedCase, ...]:
        """The requests that fare otherwise."""
        return tuple(case for case in self.cases if case.turn is not OutcomeChange.SAME)

    @property
    def hurt(self) -> tuple[tuple[str, str], ...]:
        """(host, machine) of each machine that is hurt."""
        return tuple(dict.fromkeys((harm.host, harm.machine) for harm in self.harms))


def consequences(
    before: Snapshot, after: Snapshot, cases: Sequence[Case] = (), later: Sequence[Case] | None = None
) -> Consequences:
    """Hold the machines and the requests of `before` against `after`.

    `later` are the cases as they are asked in `after`, where the change is one of the requests too.
    """
    found = impacts(before, after)
    machines = sum(len(host.machines) for host in before.hosts)
    compared = compare_cases(before, after, cases, later)
    return Consequences(machines, found, relocations(before, after, found), compared)
