"""Trouble of the server: its database, its settings, and operations that it must stop."""

from enum import StrEnum

from hostloom.model.errors.base import HostloomError, RequestError, plain, sentence, shown_value


class DatabaseTrouble(StrEnum):
    """The trouble of the database, as the end of a sentence about it."""

    LOCKED = "another process has locked it"
    FULL = "its disk is full"
    READ_ONLY = "it is read-only"
    GONE = "it is gone or does not answer"
    BUSY = "it accepts no more connections"
    DAMAGED = "it is damaged"
    FAILING = "its disk or its server fails"


_DATABASE_HINTS = {
    DatabaseTrouble.LOCKED: "try again; if this persists, find the process that holds the lock and end it",
    DatabaseTrouble.FULL: "make room on the disk of the database; operations then continue by themselves",
    DatabaseTrouble.READ_ONLY: "let hostloom write to the database; operations then continue by themselves",
    DatabaseTrouble.BUSY: "try again; if this persists, allow the database more connections",
    DatabaseTrouble.DAMAGED: "restore the database from a backup",
}


class DatabaseUnavailable(HostloomError):
    """The database cannot be used now; nothing was changed. The server's log has the driver's error."""

    code = "database-unavailable"

    def __init__(self, trouble: DatabaseTrouble) -> None:
        super().__init__(f"the database cannot be used: {trouble.value}")
        self.trouble = trouble.name.lower().replace("_", "-")
        self.hint = _DATABASE_HINTS.get(
            trouble, "check that the database is there; operations continue by themselves when it is back"
        )

    @property
    def is_lost(self) -> bool:
        """Whether the connection was lost: a commit that was under way may count or not."""
        return self.trouble == "gone"

    @property
    def details(self) -> dict[str, object]:
        """The trouble alone."""
        return {"trouble": self.trouble}


class ConfigError(HostloomError):
    """A setting is wrong; hostloom does not start."""

    code = "config-error"

    def __init__(self, setting: str, value: object, problem: str, allowed: str = "") -> None:
        words = ("setting", setting, shown_value(value), sentence(problem, allowed))
        super().__init__(" ".join(filter(None, words)))
        self.setting, self.value, self.problem, self.allowed = setting, plain(value), problem, allowed

    @property
    def details(self) -> dict[str, object]:
        """With `expected`, the older name of what is allowed."""
        return super().details | {"expected": self.allowed or self.problem}


class Cancelled(RequestError):
    """The user asked the operation to stop while it was in a long step."""

    code = "cancelled"


class LeaseLost(HostloomError):
    """Another process took the operation over; this one must not continue it."""

    code = "lease-lost"

    def __init__(self, operation: str) -> None:
        super().__init__(f"operation {operation} was taken over by another process")
        self.operation = operation
