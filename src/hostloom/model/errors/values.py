"""A value of a request that cannot be used."""

from hostloom.model.errors.base import RequestError, plain, sentence, shown_value


class InvalidValue(RequestError):
    """A field's value cannot be used.

    The message is a sentence: field and value are its subject, `problem` is its verb and object ("is the
    gateway of 10.0.0.0/24"). `allowed` is what the caller can do instead ("choose a free host address").
    Text is shown in quotes, addresses and numbers without; None stands for a missing or hidden value.
    """

    code = "invalid-value"

    def __init__(self, field: str, value: object, problem: str, allowed: str = "") -> None:
        super().__init__(" ".join(filter(None, (field, shown_value(value), sentence(problem, allowed)))))
        self.field, self.value, self.problem, self.allowed = field, plain(value), problem, allowed

    @property
    def predicate(self) -> str:
        """The message without field and value, for places that show those by themselves."""
        return sentence(self.problem, self.allowed)

    @property
    def details(self) -> dict[str, object]:
        """With `expected`, the older name of what is allowed."""
        return super().details | {"expected": self.allowed or self.problem}


class Conflict(InvalidValue):
    """The value is well formed but collides with `other`, which already exists."""

    def __init__(self, field: str, value: object, relation: str, other: str, allowed: str = "") -> None:
        super().__init__(field, value, f"{relation} {other}", allowed)
        self.other = other


class NotTogether(InvalidValue):
    """Two options that exclude each other were given."""

    def __init__(self, option: str, other: str, allowed: str = "give one of them") -> None:
        super().__init__(option, None, f"and {other} exclude each other", allowed)
        self.options = (option, other)


class ConstraintError(RequestError):
    """A constraint or storage string does not parse; `column` counts from 1."""

    def __init__(self, code: str, field: str, column: int, value: str, expected: str) -> None:
        super().__init__(f"{field}, column {column}: found {value!r}, expected {expected}")
        self.code = code
        self.field, self.column, self.value, self.expected = field, column, value, expected
