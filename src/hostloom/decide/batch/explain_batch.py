"""Explains the placement of every machine of a batch, and the other hosts after all are placed."""

from functools import cache

from hostloom.decide.batch.layout import BatchPlacement
from hostloom.decide.batch.read_batch import MachineKind, MachineRequest
from hostloom.decide.batch.tentative_placement import TentativePlacement
from hostloom.decide.fleet.fleet import fleet_of
from hostloom.decide.fleet.survey import Survey, survey
from hostloom.decide.placement.addresses import address_index_of
from hostloom.decide.placement.compose import FEW, grouped
from hostloom.decide.placement.host_evaluation import evaluate_host
from hostloom.model.plan import Explanation, HostExplanation, HostGroup
from hostloom.model.request import Strategy


def explain_all(
    board: TentativePlacement, layout: BatchPlacement, strategy: Strategy | None
) -> tuple[Explanation, ...]:
    """Explanations in the order of the batch: the chosen host when it was chosen, the others at the end."""
    others = _Others(board)
    return tuple(_explain(board, job, others, _reason(board, job, layout, strategy)) for job in board.jobs)


def _explain(
    board: TentativePlacement, job: MachineRequest, others: "_Others", reason: tuple[str, str]
) -> Explanation:
    machine = board.placed[job]
    explanation = machine.trial.explain(job.asked)
    hosts: tuple[HostExplanation, ...] = ()
    many: tuple[HostGroup, ...] = ()
    if job.asked.request.host is None:
        hosts, many = others.few(job, machine.place), others.many(job, machine.place)
    name = machine.plan.host_name
    return Explanation(name, None, (explanation, *hosts), machine.plan.warnings, many, reason[0], reason[1])


def _reason(
    board: TentativePlacement, job: MachineRequest, layout: BatchPlacement, strategy: Strategy | None
) -> tuple[str, str]:
    """The reason for the host, and the second-best host; for a moved machine, its previous host."""
    layout_reason = layout.reasons.get(job)
    if layout_reason is None:
        return "", ""
    if layout_reason.place != board.placed[job].place:
        return strategy or "batch", board.states[layout_reason.place].host.name
    return layout_reason.name, board.states[layout_reason.second].host.name


class _Others:
    """Hosts in the state in which the whole batch is placed."""

    def __init__(self, board: TentativePlacement) -> None:
        self._board, self._snapshot = board, board.world()
        self._address_index, self._fleet = address_index_of(self._snapshot), fleet_of(self._snapshot)
        self._hosts = cache(self._hosts_of)
        self._verdicts = cache(self._verdicts_of)
        self._groups = cache(self._groups_of)

    def few(self, job: MachineRequest, place: int) -> tuple[HostExplanation, ...]:
        """Full explanations of all hosts except the chosen one; none if there are many."""
        if len(self._fleet.rows) > FEW:
            return ()
        host_explanations = self._hosts(job.kind, job.word)
        return (*host_explanations[:place], *host_explanations[place + 1 :])

    def many(self, job: MachineRequest, place: int) -> tuple[HostGroup, ...]:
        """Counts by code, without the chosen host; none if there are few hosts."""
        return self._groups(job.kind, job.word, place) if len(self._fleet.rows) > FEW else ()

    def _hosts_of(self, kind: MachineKind, word: str | None) -> tuple[HostExplanation, ...]:
        barred, resolved_request = self._board.kept_apart(word), kind.asked
        return tuple(
            HostExplanation(state.host.name, barred[state.host.id], facts_at=state.host.facts_at)
            if state.host.id in barred
            else evaluate_host(self._snapshot, self._address_index, state, resolved_request).explain(
                resolved_request
            )
            for state in self._board.states
        )

    def _verdicts_of(self, kind: MachineKind, word: str | None) -> Survey:
        barred = {host_id: no.code for host_id, no in self._board.kept_apart(word).items()}
        return survey(self._snapshot, self._address_index, self._fleet, kind.asked, barred)

    def _groups_of(self, kind: MachineKind, word: str | None, place: int) -> tuple[HostGroup, ...]:
        return grouped(self._fleet, self._verdicts(kind, word), frozenset((place,)))
