"""The client's types are those of the committed OpenAPI document."""

import json

import pytest

from hostloom.client.api import Client
from hostloom.client.transport import Target
from support.client_types import CLIENT, DOCUMENT, PREFIX, files, is_collection


@pytest.mark.parametrize("name", ["answers.py", "keys.py", "nouns.py"])
def test_generated_files_are_those_of_the_document(name: str) -> None:
    assert (CLIENT / name).read_text(encoding="utf-8") == files()[name], (
        "write them anew: PYTHONPATH=tests python -m support.client_types"
    )


def test_the_client_has_every_collection_of_the_document() -> None:
    paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    tops = {path.removeprefix(PREFIX) for path, item in paths.items() if is_collection(item)}
    with Client(Target()) as client:
        assert {top for top in tops if not hasattr(client, top.replace("-", "_"))} == set()
