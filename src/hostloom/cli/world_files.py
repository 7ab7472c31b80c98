"""Reads world files; errors name the file and line."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from hostloom.cli.exit_codes import Exit, tell
from hostloom.cli.text_files import STDIN
from hostloom.cli.yaml_lines import Document, NotYaml
from hostloom.simulation.world_file import Case, WorldDocument, WorldError, read_world


@dataclass(frozen=True)
class WorldFile:
    """A world and its file."""

    path: Path
    world: WorldDocument

    def with_cases(self, cases: tuple[Case, ...]) -> "WorldFile":
        """The same world with only these cases."""
        return replace(self, world=replace(self.world, cases=cases))


def load_all(paths: Sequence[Path]) -> list[WorldFile]:
    """Read all files; the first error of every file is reported before the command ends."""
    documents = [load(path) for path in paths]
    wrong = [item for item in documents if isinstance(item, str)]
    for message in wrong:
        tell(message)
    if wrong:
        raise typer.Exit(Exit.USAGE)
    return [item for item in documents if isinstance(item, WorldFile)]


def load(path: Path) -> WorldFile | str:
    """Read one file; an error is a message with file and line."""
    document = Document()
    try:
        text = sys.stdin.read() if path == STDIN else path.read_text(encoding="utf-8")
        return WorldFile(path, read_world(document.read(text)))
    except OSError as error:
        return f"{path}: {error.strerror}"
    except UnicodeDecodeError as error:
        lines_before = error.object.count(b"\n", 0, error.start)
        return f"{path}:{lines_before + 1}: this is not UTF-8 text"
    except NotYaml as error:
        return f"{path}:{error.line}: {error}"
    except WorldError as error:
        return f"{path}:{document.line(error.path)}: {error}"
