"""Errors of reading a MAAS or its dump."""


class SourceError(Exception):
    """The source is invalid. `hint` is the advice to the operator."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SourceMisnamed(SourceError):
    """The URL or the API key is malformed."""


class SourceUnreachable(SourceError):
    """The server does not respond."""
