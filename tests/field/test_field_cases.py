"""What public reports say of real estates: each case in cases/ has the outcome that it states."""

from pathlib import Path

import pytest

from field.run import play

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in CASES])
def test_a_field_case_has_the_outcome_it_states(path: Path, tmp_path: Path) -> None:
    assert [str(check) for check in play(path, tmp_path) if not check.is_met] == []
