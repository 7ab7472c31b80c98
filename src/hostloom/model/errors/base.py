"""The families of errors, and the format of names and values in their messages."""

#: Texts for kinds in messages, if they differ from the kinds.
_KINDS = {"vlan": "VLAN"}
#: Longer values are shortened in messages.
_MAX_SHOWN = 100


class HostloomError(Exception):
    """The base of all errors; `code` is stable, `hint` is the next step for the user."""

    code = "error"
    hint = ""

    @property
    def details(self) -> dict[str, object]:
        """The structured fields, for the API."""
        return {key: value for key, value in vars(self).items() if not key.startswith("_") and key != "hint"}


class RequestError(HostloomError):
    """The caller can fix the request."""

    code = "bad-request"


class DriverError(HostloomError):
    """A failure outside hostloom."""

    code = "driver-error"
    retryable = False


def shown_value(value: object) -> str:
    """A value in a message: text and words of enums in quotes, shortened if long, empty for None."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(map(shown_value, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(str(value)) if isinstance(value, str) else str(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def named(kind: str, key: object) -> str:
    """A record in a message: `host 'kvm1'`, `address 10.0.0.5`; only the kind if it has no key."""
    return " ".join(filter(None, (_KINDS.get(kind, kind), "" if key == "" else shown_value(key))))


def sentence(problem: str, allowed: str) -> str:
    """The problem and, if there is one, the remedy."""
    return f"{problem}; {allowed}" if allowed else problem


def plain(value: object) -> object:
    """The value in a form that JSON supports."""
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)
