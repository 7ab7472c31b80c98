"""A layered map is what a dictionary with the same changes would be, however many layers were merged."""

from hypothesis import given
from hypothesis import strategies as st

from hostloom.decide import persistent
from hostloom.decide.persistent import LayeredMap

KEYS = st.integers(0, 9)
CHANGES = st.lists(st.dictionaries(KEYS, st.none() | st.integers(0, 3), max_size=4), max_size=8)


@given(st.dictionaries(KEYS, st.integers(0, 3)), CHANGES, st.integers(0, 6))
def test_it_is_what_a_dictionary_would_be(
    base: dict[int, int], changes: list[dict[int, int | None]], upper_size: int
) -> None:
    before, persistent.UPPER_SIZE = persistent.UPPER_SIZE, upper_size
    try:
        plain, layered = dict(base), LayeredMap(base)
        for change in changes:
            older, old = layered, dict(plain)
            plain = {key: value for key, value in {**plain, **change}.items() if value is not None}
            layered = layered.changed(change)
            assert dict(older) == old
            assert dict(layered) == plain
            assert sorted(layered.values()) == sorted(plain.values())
            assert len(layered) == len(plain)
            assert [layered.get(key) for key in range(10)] == [plain.get(key) for key in range(10)]
    finally:
        persistent.UPPER_SIZE = before


def test_a_change_leaves_the_large_layer_alone() -> None:
    large = LayeredMap(dict.fromkeys(range(100_000), 1))
    small = large.changed({5: None, 100_000: 2})
    assert small._base is large._base
    assert (5 in small, small[100_000], len(small)) == (False, 2, 100_000)
