"""Kinds of events: their reference page, and what each kind must have."""

import pytest

from hostloom.model.event import EventSubject, EventSubjectKind
from hostloom.model.event_kind import EventKind, Severity, kinds_of
from support.events_reference import FILE, render


def test_the_reference_page_is_generated_from_the_kinds() -> None:
    message = "generate it again: PYTHONPATH=tests python -m support.events_reference"
    assert FILE.read_text(encoding="utf-8") == render(), message


@pytest.mark.parametrize("kind", EventKind)
def test_a_kind_is_described_in_one_sentence(kind: EventKind) -> None:
    assert kind.description[0].isupper() or kind.description[0] == "`"
    assert kind.description.endswith(".")
    assert ". " not in kind.description


def test_kinds_of_a_severity_include_more_severe_ones() -> None:
    assert kinds_of(Severity.INFO) == tuple(EventKind)
    warnings, errors = set(kinds_of(Severity.WARNING)), set(kinds_of(Severity.ERROR))
    assert EventKind.HOST_LOST in errors < warnings
    assert EventKind.DRIFT in warnings - errors
    assert EventKind.HOST_BACK not in warnings


def test_a_subject_reads_as_text() -> None:
    assert str(EventSubject(EventSubjectKind.MACHINE, "abc123", "web1")) == "machine web1"
    assert str(EventSubject(EventSubjectKind.WORLD)) == "world"
