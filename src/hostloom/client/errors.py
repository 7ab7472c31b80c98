"""Errors of a client: an invalid URL, a server that does not answer, an answer with a problem."""

from typing import Any


class ClientError(Exception):
    """Any error of the client."""

    hint = ""


class InvalidTarget(ClientError):
    """The URL or token is malformed."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class Unsendable(ClientError):
    """A value cannot be sent in a request."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field


class ServerUnreachable(ClientError):
    """The server does not answer at all."""

    def __init__(self, where: str, cause: str) -> None:
        super().__init__(f"the hostloom server at {where} cannot be reached: {cause}")
        self.where, self.cause = where, cause


class Problem(ClientError):
    """The server's problem document (RFC 9457)."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        super().__init__(str(document.get("detail") or f"the server answered {status}"))
        self.status, self.document = status, document
        self.code = str(document.get("code", ""))
        self.hint = str(document.get("hint", ""))

    @property
    def details(self) -> dict[str, Any]:
        """The structured fields of the error."""
        value = self.document.get("details")
        return value if isinstance(value, dict) else {}

    @property
    def text(self) -> list[str]:
        """The explanation of a refusal as text."""
        value = self.document.get("text")
        return [str(line) for line in value] if isinstance(value, list) else []
