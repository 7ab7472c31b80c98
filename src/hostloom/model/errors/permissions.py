"""A caller who may not do this, or not so often."""

from hostloom.model.errors.base import RequestError


class NotAuthenticated(RequestError):
    """No token, or one that is not known."""

    code = "not-authenticated"
    hint = "send `Authorization: Bearer TOKEN`; `hostloom token create` makes one"


class NotPermitted(RequestError):
    """The user may not do this."""

    code = "not-permitted"

    def __init__(self, who: str, action: str) -> None:
        super().__init__(f"user {who!r} may not {action}")
        self.who, self.action = who, action


class TooManyRequests(RequestError):
    """A client asks too often, or too much is already waiting."""

    code = "too-many-requests"

    def __init__(self, what: str, wait_s: int = 30) -> None:
        super().__init__(f"there are too many {what}; try again in {wait_s} s")
        self.what, self.wait_s = what, wait_s


class ReportRefused(RequestError):
    """A machine reports without permission. Messages never contain its secret."""

    code = "report-refused"

    def __init__(self) -> None:
        super().__init__(
            "this report is refused: its token is wrong, used or expired, or it belongs to another machine; "
            "boot from the network again to get a new token"
        )
