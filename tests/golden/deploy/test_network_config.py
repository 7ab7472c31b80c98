"""The network configuration that machines are deployed with, to the letter.

`UPDATE_GOLDEN=1` writes the files anew.
"""

import os
from pathlib import Path

import pytest

from hostloom.decide.deploy.seed import render_seed
from support.seeds import MODELS, a_seed_input

HERE = Path(__file__).parent
NAMES = (*MODELS, "ovs-bridge")


@pytest.mark.parametrize("name", NAMES)
def test_the_network_config_is_as_written(name: str) -> None:
    file = HERE / f"{name}.yaml"
    text = render_seed(a_seed_input(name)).network_config
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_every_golden_file_belongs_to_a_model() -> None:
    assert {file.stem for file in HERE.glob("*.yaml")} == set(NAMES)
