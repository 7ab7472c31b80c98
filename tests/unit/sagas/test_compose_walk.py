"""What one compose with two NICs may cost: parses, decisions, and files that a reader has to open."""

from pathlib import Path

import pytest

from hostloom.sagas.worker import SAGAS
from support.compose_walk import files_of_saga, walk_compose

#: Of client, API, service, worker, decisions and store together. Fewer are better; more need a reason.
MOST_FILES = 83
#: Of a saga, besides the nouns in `model/`.
MOST_FILES_OF_A_SAGA = 25
#: The same, of a saga that has the steps of another one beside its own.
MOST_FILES_OF_BOTH = {"compose-with-image": 35}


def test_texts_are_parsed_once_and_two_decisions_are_made(tmp_path: Path) -> None:
    request, saga = walk_compose(tmp_path)
    both = request + saga
    assert (both.parses, both.storage_parses) == (1, 1)
    assert (request.decisions, saga.decisions) == (1, 1)
    assert len(both.files) <= MOST_FILES, both.files


@pytest.mark.parametrize("name", SAGAS)
def test_a_reader_of_a_saga_opens_few_files(name: str) -> None:
    files = files_of_saga(name.replace("-", "_"))
    assert f"sagas/{name.replace('-', '_')}.py" in files
    assert len(files) <= MOST_FILES_OF_BOTH.get(name, MOST_FILES_OF_A_SAGA), files
