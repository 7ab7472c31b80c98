"""How MAAS's fields of a release choose the way to erase."""

import pytest

from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.handlers.allocation import _erasing


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), (False, False)),
        (("quick_erase",), (False, False)),
        (("erase",), (True, False)),
        (("erase", "quick_erase"), (True, True)),
        (("erase", "secure_erase"), (True, False)),
        (("erase", "quick_erase", "secure_erase"), (True, False)),
    ],
)
def test_only_a_quick_erase_without_a_secure_one_is_quick(
    names: tuple[str, ...], expected: tuple[bool, bool]
) -> None:
    assert _erasing(Form({name: ["true"] for name in names})) == expected
