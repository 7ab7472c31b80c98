"""Files that list machines: what is read, and every mistake with its place."""

import io
import sys
from pathlib import Path

import pytest
import typer

from hostloom.cli.batch_files import read_batch
from hostloom.cli.exit_codes import Exit

WEB = {"hostname": "web", "count": 2}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- {hostname: web, count: 2}", {"machines": [WEB]}),
        ('[{"hostname": "web", "count": 2}]', {"machines": [WEB]}),
        ("machines:\n- {hostname: web, count: 2}\nstrategy: pack\n", {"machines": [WEB], "strategy": "pack"}),
        ("[]", {"machines": []}),
    ],
)
def test_lists_are_read_from_files_and_standard_input(
    text: str, found: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "machines.yaml"
    file.write_text(text)
    assert read_batch(file) == found
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert read_batch(Path("-")) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- hostname: web\n  tags: [a\n", "line 3, column 1: expected ',' or ']'"),
        ("- web", "machines.0: 'web' is not a mapping of fields"),
        ("hostname: web", "the file is not a list of machines"),
        ("machines: web", "the file is not a list of machines"),
        ("", "the file is not a list of machines"),
        ("- !!python/object:os.system {}", "line 1, column 3: could not determine a constructor"),
        ("\x07", "the file is not YAML"),
    ],
)
def test_mistakes_are_told_with_their_place(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "machines.yaml"
    file.write_text(text)
    with pytest.raises(typer.Exit) as end:
        read_batch(file)
    assert end.value.exit_code == Exit.USAGE
    told = capsys.readouterr().err
    assert str(file) in told
    assert message in told


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, cause in ((tmp_path / "gone", "No such file"), (tmp_path, "directory"), (binary, "UTF-8")):
        with pytest.raises(typer.Exit):
            read_batch(path)
        assert cause in capsys.readouterr().err
