"""Batches for tests: read, and decided with made-up identities."""

from collections.abc import Sequence
from typing import Any

from hostloom.decide.batch.decide_batch import decide_all
from hostloom.decide.dry_run import identities_of
from hostloom.decide.snapshot import Snapshot
from hostloom.model.plan import JointDecision
from hostloom.model.request import ParsedBatch, Strategy
from hostloom.simulation.sections import Section
from hostloom.simulation.world_file import read_request


def batch_of(requests: Sequence[dict[str, Any]], strategy: Strategy | None = None) -> ParsedBatch:
    """Machines as requests of world files write them."""
    return ParsedBatch(tuple(read_request(Section(each, ())) for each in requests), strategy)


def decided(snapshot: Snapshot, batch: ParsedBatch) -> JointDecision:
    """Decide with identities of which no two are alike."""
    return decide_all(
        snapshot, batch, tuple(identities_of(each, at) for at, each in enumerate(batch.machines))
    )
