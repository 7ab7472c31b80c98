"""Leases with an end too far in the future, written with a wrong clock: only their renewal counts."""

from collections.abc import Callable, Collection, Sequence

from hostloom.model.operation import Claim

#: A process that does not renew its lease for this long counts as dead; take-over follows within 30 s.
LEASE_S = 20.0


class StandingLeases:
    """How long each such lease has not changed, measured with a clock that never jumps.

    The owner of one that is renewed is alive, and its clock is ahead of ours. The owner of one that has not
    changed for LEASE_S is dead.
    """

    def __init__(self, monotonic: Callable[[], float], lease_s: float = LEASE_S) -> None:
        self._monotonic, self._lease_s = monotonic, lease_s
        self._since: dict[Claim, float] = {}

    def dead(self, ahead: Sequence[Claim], own_ids: Collection[str]) -> list[Claim]:
        """The leases that have not changed for that long, without this worker's own operations."""
        now = self._monotonic()
        self._since = {
            claim: self._since.get(claim, now) for claim in ahead if claim.operation_id not in own_ids
        }
        return [claim for claim, since in self._since.items() if now - since >= self._lease_s]
