import pytest

from hostloom import quotas
from hostloom.model.errors.permissions import TooManyRequests
from hostloom.quotas import Quota


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_a_rate_for_each_key() -> None:
    clock = Clock()
    tries = Quota(3, 0.5, clock)
    assert [tries.take("a") for _ in range(5)] == [True, True, True, False, False]
    assert tries.take("b")
    clock.now = 2.0
    assert [tries.take("a") for _ in range(2)] == [True, False]
    clock.now = 1000.0
    assert [tries.take("a") for _ in range(4)] == [True, True, True, False]


def test_no_more_keys_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "MAX_KEYS", 10)
    tries = Quota(1, 0.0)
    for key in range(100):
        tries.take(key)
    assert len(tries._left) == 10
    assert not tries.take(99)


def test_who_asks_too_often_is_told_to_wait() -> None:
    tries = Quota(1, 0.0)
    tries.check("a", "reports")
    with pytest.raises(TooManyRequests, match="too many reports; try again in 30 s"):
        tries.check("a", "reports")
