"""What all errors have in common: the families, and how things and values are written in their sentences."""

#: How kinds are written in sentences, where that is not the kind itself.
_KINDS = {"vlan": "VLAN"}
#: Longer values are shortened in messages.
_MAX_SHOWN = 100


class HostloomError(Exception):
    """Anything hostloom reports by name; `code` is stable, `hint` says what to do next."""

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
    """The world outside said no."""

    code = "driver-error"
    retryable = False


def shown_value(value: object) -> str:
    """A value in a sentence: text in quotes, long ones shortened, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(map(shown_value, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def named(kind: str, key: object) -> str:
    """A thing in a sentence: `host 'kvm1'`, `address 10.0.0.5`; without a key the kind alone."""
    return " ".join(filter(None, (_KINDS.get(kind, kind), "" if key == "" else shown_value(key))))


def sentence(problem: str, allowed: str) -> str:
    """What is wrong, and what to do instead where there is something."""
    return f"{problem}; {allowed}" if allowed else problem


def plain(value: object) -> object:
    """As JSON can hold it."""
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)
