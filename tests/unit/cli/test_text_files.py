"""Text files that are named on the command line."""

import io
from pathlib import Path

import pytest
import typer

from hostloom.cli.exit_codes import Exit
from hostloom.cli.text_files import STDIN, read_text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        (b"\xff", "it is not UTF-8 text"),
        (b"12345", "it has more than 4 characters"),
    ],
)
def test_what_cannot_be_read_ends_the_command(
    content: bytes | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(typer.Exit) as end:
        read_text(path, "give another file", 4)
    assert end.value.exit_code == Exit.USAGE
    assert capsys.readouterr().err == f"error: {path}: {message}\nhint: give another file\n"


def test_a_file_of_the_greatest_length_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("äöü\n", encoding="utf-8")
    assert read_text(tmp_path / "file", limit=4) == "äöü\n"


def test_a_hyphen_is_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("12345"))
    with pytest.raises(typer.Exit):
        read_text(STDIN, limit=4)
    assert "standard input: it has more than 4 characters" in capsys.readouterr().err
