"""No text makes the parser slow, and no request makes a decision endless."""

import pytest

from hostloom.decide.deadline import limited, tick
from hostloom.decide.request import constraints, storage
from hostloom.model.errors.values import ConstraintError


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("e0:vid=" + "9" * 5000, 4097, "4096 characters"),
        ("".join(f"e{n}:vid=1;" for n in range(9000)), 4097, "4096 characters"),
        (";".join(f"e{n}:vid=1" for n in range(65)), 1 + len(";".join(f"e{n}:vid=1" for n in range(64))) + 1,
         "64 labels"),
        ("e0:" + ",".join(["vid=1"] * 65), 4 + 64 * 6, "64 terms"),
    ],
)  # fmt: skip
def test_too_much_is_a_mistake_at_its_column(text: str, column: int, words: str) -> None:
    with pytest.raises(ConstraintError, match=words) as refused:
        constraints.parse(text)
    assert refused.value.column == column


def test_what_fits_is_read() -> None:
    assert len(constraints.parse(";".join(f"e{n}:vid=1" for n in range(64)))) == 64
    assert len(constraints.parse("e0:" + ",".join(["vid=1"] * 64))[0].terms) == 64
    assert len(storage.parse(",".join(["1"] * 64))) == 64


@pytest.mark.parametrize(
    "text", [",".join(["1"] * 65), "root:" + "9" * 5000, "a:1(" + "x," * 3000 + "y)", "(" * 5000]
)
def test_disks_have_limits_too(text: str) -> None:
    with pytest.raises(ConstraintError):
        storage.parse(text)


@pytest.mark.parametrize("key", ["vid", "id", "vlan", "subnet", "fabric", "space", "link_speed", "ip"])
@pytest.mark.parametrize(
    "value", ["9" * 4000, "0x" + "f" * 4000, "0b" + "1" * 4000, "id:" + "9" * 4000, "-1", "1e9"]
)
def test_long_numbers_are_read_or_refused_but_never_more(key: str, value: str) -> None:
    try:
        constraints.parse(f"e0:{key}={value}")
    except ConstraintError as refused:
        assert refused.column >= 1


def test_a_decision_ends_when_it_is_told_to() -> None:
    class Enough(Exception):
        pass

    def enough() -> None:
        raise Enough

    tick()
    with pytest.raises(Enough), limited(enough):
        tick()
    tick()
