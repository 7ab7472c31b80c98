"""Parses YAML to plain data with the line numbers of all keys and items."""

from dataclasses import dataclass, field
from typing import Any

import yaml

from hostloom.simulation.sections import Path, WorldError

#: libyaml's parser is five times as fast, but its messages differ, so Python's parser reports errors.
_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MISSING = object()
#: `<<` is an ordinary key: mappings are not merged.
_TEXTS = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"})
#: Limit of nested lists and mappings.
DEEPEST = 100


class NotYaml(Exception):
    """The text is not a YAML document; lines count from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class Document:
    """A YAML document as plain data, with the line numbers of all keys and items."""

    def __init__(self) -> None:
        self._lines: dict[Path, int] = {}

    def read(self, text: str) -> Any:
        """Parse the text; NotYaml, or WorldError for YAML that is not allowed here."""
        try:
            return _Builder(self._lines).build(text, _FAST)
        except yaml.YAMLError as first:
            try:
                return _Builder(self._lines).build(text, yaml.SafeLoader)
            except yaml.YAMLError as error:
                raise _told(error, text) from first

    def line(self, path: Path) -> int:
        """The line of a path, or of the nearest parent that exists; counts from 1."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def _told(error: yaml.YAMLError, text: str) -> NotYaml:
    if isinstance(error, yaml.MarkedYAMLError):
        # For a line without a colon, the parser's mark is on the next line.
        is_key = error.context == "while scanning a simple key"
        mark = error.context_mark if is_key else error.problem_mark or error.context_mark
        problem = error.problem or "this is not YAML"
        message = f"{problem} (indent with spaces)" if "\\t" in problem else problem
        return NotYaml(mark.line + 1 if mark else 1, message)
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return NotYaml(line, f"the character {chr(error.character)!r} is not allowed")
    return NotYaml(1, str(error))


@dataclass
class _Open:
    """An unfinished list or mapping."""

    data: Any
    path: Path
    anchor: str | None
    #: For a mapping, the key of the next value.
    key: Any = field(default=_MISSING)


class _Builder:
    """Builds data from the parser's events."""

    def __init__(self, lines: dict[Path, int]) -> None:
        self._lines = lines
        self._loader = yaml.SafeLoader("")
        self._open: list[_Open] = []
        self._anchors: dict[str | None, Any] = {}
        self._documents = 0
        self._data: Any = None

    def build(self, text: str, loader: Any) -> Any:
        """The data of the only document in the text."""
        for event in yaml.parse(text, Loader=loader):
            line = event.start_mark.line + 1 if event.start_mark is not None else 1
            if isinstance(event, yaml.ScalarEvent):
                self._put(self._scalar(event, line), event.value, line, event.anchor)
            elif isinstance(event, yaml.AliasEvent):
                self._put(self._alias(event, line), f"*{event.anchor}", line, None)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin([] if isinstance(event, yaml.SequenceStartEvent) else {}, line, event.anchor)
            elif isinstance(event, yaml.CollectionEndEvent):
                node = self._open.pop()
                if node.anchor is not None:
                    self._anchors[node.anchor] = node.data
            elif isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    raise WorldError(self._at((), line), "expected one document, found another")
        return self._data

    def _at(self, path: Path, line: int) -> Path:
        self._lines[path] = line
        return path

    def _path(self) -> Path:
        """The path of the next value."""
        if not self._open:
            return ()
        around = self._open[-1]
        return (*around.path, len(around.data) if isinstance(around.data, list) else around.key)

    def _expects_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].data, dict) and self._open[-1].key is _MISSING

    def _begin(self, data: Any, line: int, anchor: str | None) -> None:
        if self._expects_key():
            path = self._at((*self._open[-1].path, "?"), line)
            raise WorldError(path, "expected a key, found a list or mapping")
        path = self._path()
        self._place(data, line)
        if len(self._open) == DEEPEST:
            raise WorldError(path, "this is nested too deeply")
        if anchor is not None:
            self._anchors[anchor] = _MISSING
        self._open.append(_Open(data, path, anchor))

    def _put(self, value: Any, text: str, line: int, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = value
        if not self._expects_key():
            self._place(value, line)
            return
        around = self._open[-1]
        key = value if isinstance(value, str | int) and not isinstance(value, bool) else text
        path = self._at((*around.path, key), line)
        if key in around.data:
            raise WorldError(path, f"the key {key!r} appears twice")
        around.key = key

    def _place(self, value: Any, line: int) -> None:
        self._lines.setdefault(self._path(), line)
        if not self._open:
            self._data = value
            return
        around = self._open[-1]
        if isinstance(around.data, list):
            around.data.append(value)
        else:
            around.data[around.key] = value
            around.key = _MISSING

    def _alias(self, event: yaml.AliasEvent, line: int) -> Any:
        value = self._anchors.get(event.anchor, self)
        if value is self:
            raise WorldError(self._at(self._path(), line), f"the anchor {event.anchor!r} does not exist")
        if value is _MISSING:
            raise WorldError(
                self._at(self._path(), line), "this alias refers to a list or mapping that contains it"
            )
        return value

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> Any:
        """A plain value; texts that YAML would read as dates or base-60 numbers stay texts."""
        text, tag = event.value, event.tag
        if tag in (None, "!"):
            tag = self._loader.resolve(yaml.ScalarNode, text, event.implicit)  # type: ignore[no-untyped-call]  # PyYAML
        if tag in _TEXTS:
            return text
        try:
            value = self._loader.construct_object(yaml.ScalarNode(tag, text), deep=True)
        except (ValueError, yaml.constructor.ConstructorError) as error:
            path = self._at(self._path(), line)
            problem = (
                getattr(error, "problem", None) or f"{text[:60]!r} is not a valid {tag.rpartition(':')[2]}"
            )
            raise WorldError(path, problem) from None
        finally:
            self._loader.constructed_objects.clear()
        is_plain = value is None or isinstance(value, str | int | float)
        is_base_60 = isinstance(value, int | float) and ":" in text
        return value if is_plain and not is_base_60 else text
