"""The process takes no more connections than it may have open files."""

import logging
import resource
from dataclasses import replace

import pytest

from hostloom.model.errors.server import ConfigError
from hostloom.server import open_files
from hostloom.server.config import Settings

UNLIMITED = resource.RLIM_INFINITY


def fit(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, settings: Settings
) -> tuple[Settings, tuple[int, int] | None]:
    """The settings that fit, and the limit that was set."""
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    return open_files.fit(settings), limits[0] if limits else None


@pytest.mark.parametrize(
    ("soft", "hard", "wanted"),
    [
        (1024, 4096, (4096, 4096)),
        (1024, 1_048_576, (open_files.CEILING, 1_048_576)),
        (1024, UNLIMITED, (open_files.CEILING, UNLIMITED)),
        (4096, 4096, None),
        (UNLIMITED, UNLIMITED, None),
        (200_000, 200_000, None),
    ],
)
def test_the_soft_limit_is_raised(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, wanted: tuple[int, int] | None
) -> None:
    settings = Settings(boot_port=5248)
    assert fit(monkeypatch, soft, hard, settings) == (settings, wanted)


def test_connections_are_as_many_as_fit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(workers=8)
    with caplog.at_level(logging.WARNING):
        found, _ = fit(monkeypatch, 400, 400, settings)
    assert found == replace(settings, max_connections=112, max_connections_per_address=112)
    assert (
        "only 400 files may be open: max_connections is 112, not 512; for all of them it takes 800"
        in caplog.text
    )
    # Machines that boot have connections of their own.
    assert fit(monkeypatch, 400, 400, replace(settings, boot_port=5248))[0].max_connections == 56


@pytest.mark.parametrize(("limit", "workers"), [(64, 1), (64, 8), (256, 8), (1024, 256)])
def test_a_limit_that_is_too_low_is_refused(
    monkeypatch: pytest.MonkeyPatch, limit: int, workers: int
) -> None:
    with pytest.raises(ConfigError, match=f"and {limit} are allowed; .* raise the hard limit"):
        fit(monkeypatch, limit, limit, Settings(workers=workers))
