"""Leases that end later than any lease can: a clock was wrong when they were made, so their change counts."""

from collections.abc import Callable, Collection, Sequence

from hostloom.model.operation import Claim

#: A process that does not renew for this long is taken for dead; take-over follows within 30 s.
LEASE_S = 20.0


class StandingLeases:
    """How long each such lease has stood still, by a clock that never jumps.

    The owner of one that is renewed is alive, and its clock is ahead of ours. The owner of one that has not
    changed for LEASE_S is dead.
    """

    def __init__(self, monotonic: Callable[[], float], lease_s: float = LEASE_S) -> None:
        self._monotonic, self._lease_s = monotonic, lease_s
        self._since: dict[Claim, float] = {}

    def dead(self, ahead: Sequence[Claim], own: Collection[str]) -> list[Claim]:
        """Those of the leases ahead that have stood still for long; our own operations are alive."""
        now = self._monotonic()
        self._since = {claim: self._since.get(claim, now) for claim in ahead if claim.operation_id not in own}
        return [claim for claim, since in self._since.items() if now - since >= self._lease_s]
