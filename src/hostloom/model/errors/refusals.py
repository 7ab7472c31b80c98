"""Refusals: the request is well formed, but a rule refuses it or nothing fits."""

from collections.abc import Sequence

from hostloom.model.errors.base import HostloomError, RequestError


class Refused(HostloomError):
    """The request is well formed, but a rule refuses it.

    `explanation` is a model.plan.Explanation (typed as object: errors are imported by everything).
    """

    def __init__(self, code: str, message: str, explanation: object = None) -> None:
        super().__init__(message)
        self.code = code
        self._explanation = explanation

    @property
    def explanation(self) -> object:
        """The model.plan.Explanation of the refusal, or None."""
        return self._explanation


class HostFull(Refused):
    """The host has no room for `subject`: the wanted amount, and the amount that is left."""

    def __init__(
        self, code: str, message: str, explanation: object, subject: str, *, wanted: str, found: str
    ) -> None:
        super().__init__(code, message, explanation)
        self.subject, self.wanted, self.found = subject, wanted, found


class NothingFits(RequestError):
    """No free machine meets the request, and none can be composed."""

    code = "nothing-fits"

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"no machine fits: {'; '.join(reasons) or 'there is none'}")
        self._reasons = tuple(reasons)


class DecisionTooLong(RequestError):
    """A decision took more CPU time than allowed."""

    code = "decision-too-long"
    hint = "ask for fewer machines, labels or constraints at a time"

    def __init__(self, limit_s: float) -> None:
        super().__init__(
            f"there was no decision within {limit_s:g} s: the request is too large for so many hosts"
        )
        self.limit_s = limit_s
