"""The consequences of a hypothetical change: affected machines, relocations and changed requests."""

from collections.abc import Sequence
from dataclasses import dataclass

from hostloom.decide.snapshot import Snapshot
from hostloom.simulation.comparison import ComparedCase, OutcomeChange, compare_cases
from hostloom.simulation.impact import Impact, impacts
from hostloom.simulation.relocation import Relocation, relocations
from hostloom.simulation.world_file import Case


@dataclass(frozen=True, slots=True)
class Consequences:
    """The consequences of a change."""

    #: The number of machines before the change.
    machines: int
    harms: tuple[Impact, ...]
    #: The relocation of each affected machine, in the order of `harms`.
    fates: tuple[Relocation, ...]
    #: The compared requests.
    cases: tuple[ComparedCase, ...]

    @property
    def changed(self) -> tuple[ComparedCase, ...]:
        """The requests with a changed outcome."""
        return tuple(case for case in self.cases if case.turn is not OutcomeChange.SAME)

    @property
    def hurt(self) -> tuple[tuple[str, str], ...]:
        """The affected machines as (host, machine)."""
        return tuple(dict.fromkeys((harm.host, harm.machine) for harm in self.harms))


def consequences(
    before: Snapshot, after: Snapshot, cases: Sequence[Case] = (), later: Sequence[Case] | None = None
) -> Consequences:
    """Compare the machines and the requests in `before` and `after`.

    `later` are the cases for `after`, if the change also affects the requests.
    """
    new_impacts = impacts(before, after)
    machines = sum(len(host.machines) for host in before.hosts)
    compared = compare_cases(before, after, cases, later)
    return Consequences(machines, new_impacts, relocations(before, after, new_impacts), compared)
