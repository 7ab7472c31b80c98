"""Exact decimal numbers: what a user writes as 1.15 is 1.15, not the nearest binary fraction."""

from decimal import Decimal

Number = Decimal | int


def exact(number: float | str | Decimal) -> Decimal:
    """The number as it is written: of a float, its shortest decimal form."""
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def decimal_text(number: Number) -> str:
    """Exactly, without an exponent and without zeros at the end: 8, 2.5, 0.000000001."""
    text = f"{Decimal(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
