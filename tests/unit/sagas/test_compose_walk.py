"""What one compose with two NICs may cost: parses, decisions, and files that a reader has to open."""

from pathlib import Path

from support.compose_walk import walk_compose

#: Of client, API, service, worker, decisions and store together. Fewer are better; more need a reason.
MOST_FILES = 85


def test_texts_are_parsed_once_and_two_decisions_are_made(tmp_path: Path) -> None:
    request, saga = walk_compose(tmp_path)
    both = request + saga
    assert (both.parses, both.storage_parses) == (1, 1)
    assert (request.decisions, saga.decisions) == (1, 1)
    assert len(both.files) <= MOST_FILES, both.files
