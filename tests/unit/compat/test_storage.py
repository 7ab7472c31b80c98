"""Labels that are used again are left out; nothing else changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostloom.compat.maas2.storage import with_own_labels
from hostloom.decide.request.storage import parse


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ""),
        ("8", "8"),
        ("label:3,label:5", "label:3,5"),
        ("a:1(x,y),b:2,a:3(fast)", "a:1(x,y),b:2,3(fast)"),
        ("a:1,a:", "a:1,"),
        ("a:1(", "a:1("),
        ("a:1),b:2", "a:1),b:2"),
        ("a:1((x)),a:2", "a:1((x)),a:2"),
    ],
)
def test_by_example(text: str, wanted: str) -> None:
    assert with_own_labels(text) == wanted


DISKS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 99), st.sampled_from(["", "(x)", "(x,y)"])), min_size=1
)


@given(DISKS)
def test_sizes_pools_and_order_stay(disks: list[tuple[str, int, str]]) -> None:
    text = ",".join(f"{label}:{size}{words}" for label, size, words in disks)
    found = parse(with_own_labels(text))
    assert [each.size_bytes for each in found] == [size * 10**9 for _, size, _ in disks]
    assert [len(each.words) for each in found] == [len(words) // 2 for _, _, words in disks]


@given(st.text("ab:,()1 .", max_size=20))
def test_what_is_wrong_stays_wrong(text: str) -> None:
    changed = with_own_labels(text)
    assert with_own_labels(changed) == changed
