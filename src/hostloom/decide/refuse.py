"""The exception with which rules inside decide/ refuse a request."""

from hostloom.model.reasons import Refusal, RequestCode, SubjectKind


class RefuseRequest(Exception):
    """Raised by a rule, caught in decide/placement/compose.py; it never leaves this package."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def refuse(
    rule: str,
    code: RequestCode,
    kind: SubjectKind,
    subject: str,
    *,
    wanted: str = "",
    found: str = "",
    column: int = 0,
) -> RefuseRequest:
    """Build the exception for a refusal."""
    return RefuseRequest(Refusal(rule, code, kind, subject, wanted, found, column))
