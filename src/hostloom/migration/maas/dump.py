"""Reads a dump of MAAS's PostgreSQL database in any format of pg_dump."""

import gzip
import re
import subprocess
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import IO

from hostloom.migration.maas.columns import Row
from hostloom.migration.maas.errors import SourceError
from hostloom.migration.maas.table_rows import read_tables
from hostloom.model.source_inventory import SourceInventory

#: The table that identifies a dump of a MAAS.
NODES = "maasserver_node"
_PREFIX, _USERS = "maasserver_", "auth_user"
_IDENTIFIER = r'"(?:[^"]|"")+"|\w+'
_TABLE = rf"(?:(?P<schema>{_IDENTIFIER})\.)?(?P<table>{_IDENTIFIER})"
_COPY = re.compile(rf"COPY {_TABLE} \((?P<columns>.*)\) FROM stdin;")
_INSERT = re.compile(rf"INSERT INTO {_TABLE} ")
#: pg_dump before 10.3 sets the schema of the following tables with this statement.
_SEARCH_PATH = re.compile(rf"SET search_path = (?P<schema>{_IDENTIFIER})")
#: MAAS's own schema. MAAS 3.5 and later have other schemas with tables of equal names.
_PUBLIC = "public"
_END_OF_TABLE = "\\."
_END_OF_DUMP = re.compile(r"-- PostgreSQL database (cluster )?dump complete")
_GZIP, _CUSTOM = b"\x1f\x8b", b"PGDMP"
#: The offset and magic of a tar file, and its first member in a dump.
_TAR, _TOC = (257, b"ustar"), b"toc.dat"
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPED = re.compile(r"\\(.)")
_HINT = "`pg_dump maasdb > maas.sql` makes one that can be read; so does pg_dump's custom form"

Tables = Mapping[str, list[Row]]


def read_dump(path: Path) -> SourceInventory:
    """Read a dump. Raises SourceError for other files and for truncated dumps."""
    try:
        tables = _tables(path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(f"{path} is cut off or damaged: {error}", "create the dump again") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"{path} is not a dump of a database: it is not text", _HINT) from error
    if NODES not in tables:
        names = ", ".join(sorted(tables)[:3])
        content = f"has other tables ({names})" if tables else "has no tables with data"
        raise SourceError(f"{path} is not a dump of a MAAS: it {content}, and no {NODES}", _HINT)
    return read_tables(tables, f"dump {path.name}")


def _tables(path: Path) -> Tables:
    """Read the tables of schema `public`. Tables of other schemas do not belong to MAAS."""
    reader = _DumpReader(path)
    with _open(path) as lines:
        for line in lines:
            reader.read_line(line, lines)
    return reader.finish()


class _DumpReader:
    """Collects the tables of a dump in plain format."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tables: dict[str, list[Row]] = {}
        self._schema, self._other_schema = _PUBLIC, ""
        self._is_complete = self._has_inserts = False

    def read_line(self, line: str, lines: Iterator[str]) -> None:
        """Read a line, and after a COPY statement also the rows of its table."""
        self._is_complete = self._is_complete or _END_OF_DUMP.match(line) is not None
        if (setting := _SEARCH_PATH.match(line)) is not None:
            self._schema = _unquoted(setting["schema"])
        self._has_inserts = self._has_inserts or _is_insert(line, self._schema)
        if (header := _COPY.match(line)) is not None:
            self._read_table(header, lines)

    def _read_table(self, header: re.Match[str], lines: Iterator[str]) -> None:
        name, schema = _unquoted(header["table"]), _unquoted(header["schema"] or self._schema)
        columns = [_unquoted(column.strip()) for column in header["columns"].split(",")]
        is_relevant = schema == _PUBLIC and _matters(name)
        if is_relevant and name in self._tables:
            raise SourceError(f"{self._path} holds more than one MAAS: {name} appears twice", _HINT)
        rows = _rows(self._path, name, columns, lines, is_relevant=is_relevant)
        if schema == _PUBLIC:
            self._tables[name] = rows
        elif name == NODES:
            self._other_schema = schema

    def finish(self) -> Tables:
        """Return the tables. Raises SourceError for a dump that cannot be imported."""
        path, schema = self._path, self._other_schema
        if self._has_inserts:
            raise SourceError(f"{path} was made with --inserts", "make it without: " + _HINT)
        if (self._tables or schema) and not self._is_complete:
            message = f"{path} is cut off: it does not end as pg_dump ends one"
            raise SourceError(message, "create the dump again")
        if schema and NODES not in self._tables:
            message = (
                f"{path} is not a dump of a MAAS: {NODES} is in schema {schema}, and MAAS's is {_PUBLIC}"
            )
            raise SourceError(message, _HINT)
        return self._tables


def _is_insert(line: str, schema: str) -> bool:
    header = _INSERT.match(line)
    if header is None or _unquoted(header["schema"] or schema) != _PUBLIC:
        return False
    return _unquoted(header["table"]).startswith(_PREFIX)


def _matters(table: str) -> bool:
    """Whether an import reads the rows of a table."""
    return table.startswith(_PREFIX) or table == _USERS


def _unquoted(identifier: str) -> str:
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier


def _rows(
    path: Path, table: str, columns: list[str], lines: Iterator[str], *, is_relevant: bool
) -> list[Row]:
    """Read to the end of a table. Returns the rows; no rows for an irrelevant table."""
    rows: list[Row] = []
    for line in lines:
        text = line.rstrip("\n")
        if text == _END_OF_TABLE:
            return rows
        if not is_relevant:
            continue
        values = text.split("\t")
        if len(values) != len(columns):
            text = (
                f"{path} is cut off or damaged: a row of {table} has {len(values)} of {len(columns)} columns"
            )
            raise SourceError(text, "create the dump again")
        rows.append({name: _value(value) for name, value in zip(columns, values, strict=True)})
    raise SourceError(f"{path} is cut off in the middle of table {table}", "create the dump again")


def _value(text: str) -> str | None:
    """Decode a value of COPY: `\\N` is null, and some characters have escapes."""
    if text == "\\N":
        return None
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), text) if "\\" in text else text


@contextmanager
def _open(path: Path) -> Iterator[Iterator[str]]:
    """Open a dump of any format as lines of the plain format."""
    if path.is_dir() or _is_archive(path):
        with _restored(path) as lines:
            yield lines
        return
    if _head(path).startswith(_GZIP):
        with gzip.open(path, "rb") as packed:
            is_archive = packed.read(len(_CUSTOM)) == _CUSTOM
        if is_archive:
            raise SourceError(f"{path} is compressed twice", f"`gunzip {path.name}` unpacks it")
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as text:
            yield iter(text)
        return
    with path.open(encoding="utf-8", newline="\n") as text:
        yield iter(text)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(512)


def _is_archive(path: Path) -> bool:
    head = _head(path)
    offset, magic = _TAR
    return head.startswith(_CUSTOM) or (head[offset:].startswith(magic) and head.startswith(_TOC))


@contextmanager
def _restored(path: Path) -> Iterator[Iterator[str]]:
    """Convert an archive to the plain format with pg_restore."""
    if which("pg_restore") is None:
        raise SourceError(
            f"{path} is in pg_dump's archive form, and pg_restore is needed to read it",
            "install postgresql-client, or turn it into text elsewhere: `pg_restore -f maas.sql FILE`",
        )
    argv = ["pg_restore", "--data-only", "-f", "-", str(path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        stdout: IO[bytes] = process.stdout  # type: ignore[assignment]  # a pipe, as was asked for
        try:
            yield (line.decode("utf-8") for line in stdout)
        finally:
            stdout.close()
            stderr = process.stderr.read() if process.stderr else b""
            process.wait()
    if process.returncode:
        messages = stderr.decode("utf-8", "replace").strip().splitlines()
        raise SourceError(
            f"{path} cannot be read: {messages[0] if messages else 'pg_restore failed'}",
            "a newer PostgreSQL than the installed one may have made it",
        )
