"""What can go wrong with the MAAS, or the dump of one, that is read."""


class SourceError(Exception):
    """It is not what it should be; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SourceMisnamed(SourceError):
    """The URL or key that was given cannot be one."""


class SourceUnreachable(SourceError):
    """It does not answer at all."""
