"""World files on disk: YAML to a world, every mistake with file and line."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer
import yaml

from hostloom.cli.exits import Exit, tell
from hostloom.decide.world import Case, World, WorldError, read_world
from hostloom.decide.world_read import Path as KeyPath


@dataclass(frozen=True)
class WorldFile:
    """A world, and the file it is from."""

    path: Path
    world: World

    def with_cases(self, cases: tuple[Case, ...]) -> "WorldFile":
        """The same world with these cases only."""
        return replace(self, world=replace(self.world, cases=cases))


def load_all(paths: Sequence[Path]) -> list[WorldFile]:
    """Read them all; the first mistake of each file is told before the command ends."""
    found = [load(path) for path in paths]
    wrong = [each for each in found if isinstance(each, str)]
    for message in wrong:
        tell(message)
    if wrong:
        raise typer.Exit(Exit.USAGE)
    return [each for each in found if isinstance(each, WorldFile)]


def load(path: Path) -> WorldFile | str:
    """Read one; a mistake in words, with file and line."""
    document = _Document()
    try:
        return WorldFile(path, read_world(document.read(path.read_text(encoding="utf-8"))))
    except OSError as error:
        return f"{path}: {error.strerror}"
    except UnicodeDecodeError as error:
        lines_before = error.object.count(b"\n", 0, error.start)
        return f"{path}:{lines_before + 1}: this is not UTF-8 text"
    except _NotYaml as error:
        return f"{path}:{error.line}: {error}"
    except WorldError as error:
        return f"{path}:{document.line(error.path)}: {error}"


class _NotYaml(Exception):
    """Text that is no YAML document; the line counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class _Document:
    """A YAML document as plain data, and the line of every key and item in it."""

    def __init__(self) -> None:
        self._lines: dict[KeyPath, int] = {}
        self._loader = yaml.SafeLoader("")

    def read(self, text: str) -> Any:
        """The data; _NotYaml, or WorldError for what is YAML and makes no sense."""
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            return self._construct(node, (), ()) if node is not None else None
        except yaml.MarkedYAMLError as error:
            # Of a line without a colon the next line is the problem's mark.
            is_key = error.context == "while scanning a simple key"
            mark = error.context_mark if is_key else error.problem_mark or error.context_mark
            raise _NotYaml(mark.line + 1 if mark else 1, error.problem or "this is not YAML") from error
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise _NotYaml(line, f"the character {chr(error.character)!r} is not allowed") from error
        except RecursionError as error:
            raise _NotYaml(1, "this is nested too deeply") from error

    def line(self, path: KeyPath) -> int:
        """Where it is, or what it would be in; counts from 1."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _construct(self, node: yaml.Node, path: KeyPath, around: tuple[yaml.Node, ...]) -> Any:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if any(each is node for each in around):
            raise WorldError(path, "this alias stands for what it is a part of")
        around = (*around, node)
        if isinstance(node, yaml.SequenceNode):
            return [self._construct(each, (*path, at), around) for at, each in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            return self._scalar(node, path)
        found: dict[str | int, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            here = (*path, key)
            self._lines[here] = key_node.start_mark.line + 1
            if key in found:
                raise WorldError(here, f"the key {key!r} is there twice")
            found[key] = self._construct(value_node, here, around)
        return found

    def _key(self, node: yaml.Node, path: KeyPath) -> str | int:
        if not isinstance(node, yaml.ScalarNode):
            here = (*path, "?")
            self._lines[here] = node.start_mark.line + 1
            raise WorldError(here, "expected a key, found a list or mapping")
        value = self._scalar(node, path)
        return value if isinstance(value, str | int) and not isinstance(value, bool) else str(node.value)

    def _scalar(self, node: yaml.Node, path: KeyPath) -> Any:
        """A plain value; what YAML takes for a date or a number to the base 60 stays the text that it is."""
        try:
            value = self._loader.construct_object(node, deep=True)
        except ValueError:
            kind = node.tag.rpartition(":")[2]
            raise WorldError(path, f"{str(node.value)[:60]!r} is no {kind}") from None
        is_plain = value is None or isinstance(value, str | int | float)
        is_base_60 = isinstance(value, int | float) and ":" in node.value
        return value if is_plain and not is_base_60 else node.value
