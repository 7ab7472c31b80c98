"""A dump of MAAS's PostgreSQL database: its tables, whatever form pg_dump wrote it in."""

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

#: A table without which nothing is a dump of a MAAS.
NODES = "maasserver_node"
_PREFIX, _USERS = "maasserver_", "auth_user"
_IDENTIFIER = r'"(?:[^"]|"")+"|\w+'
_TABLE = rf"(?:(?P<schema>{_IDENTIFIER})\.)?(?P<table>{_IDENTIFIER})"
_COPY = re.compile(rf"COPY {_TABLE} \((?P<columns>.*)\) FROM stdin;")
_INSERT = re.compile(rf"INSERT INTO {_TABLE} ")
#: pg_dump before 10.3 names the schema of the tables that follow in this way.
_SEARCH_PATH = re.compile(rf"SET search_path = (?P<schema>{_IDENTIFIER})")
#: MAAS's own schema. MAAS 3.5 and later keep others beside it, with tables of equal names.
_PUBLIC = "public"
_END_OF_TABLE = "\\."
_END_OF_DUMP = re.compile(r"-- PostgreSQL database (cluster )?dump complete")
_GZIP, _CUSTOM = b"\x1f\x8b", b"PGDMP"
#: A tar file says so here, and a dump in this form begins with its table of contents.
_TAR, _TOC = (257, b"ustar"), b"toc.dat"
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPED = re.compile(r"\\(.)")
_HINT = "`pg_dump maasdb > maas.sql` makes one that can be read; so does pg_dump's custom form"

Tables = Mapping[str, list[Row]]


def read_dump(path: Path) -> SourceInventory:
    """What the MAAS of a dump managed; SourceError for a file that is none, or is cut off."""
    try:
        tables = _tables(path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(f"{path} is cut off or damaged: {error}", "create the dump again") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"{path} is not a dump of a database: it is not text", _HINT) from error
    if NODES not in tables:
        some = ", ".join(sorted(tables)[:3])
        what = f"has other tables ({some})" if tables else "has no tables with data"
        raise SourceError(f"{path} is not a dump of a MAAS: it {what}, and no {NODES}", _HINT)
    return read_tables(tables, f"dump {path.name}")


def _tables(path: Path) -> Tables:
    """The tables of schema `public`; those of other schemas are not MAAS's."""
    tables: dict[str, list[Row]] = {}
    schema, elsewhere = _PUBLIC, ""
    is_whole = has_inserts = False
    with _open(path) as lines:
        for line in lines:
            is_whole = is_whole or _END_OF_DUMP.match(line) is not None
            if (setting := _SEARCH_PATH.match(line)) is not None:
                schema = _unquoted(setting["schema"])
            has_inserts = has_inserts or _is_insert(line, schema)
            header = _COPY.match(line)
            if header is None:
                continue
            name, where = _unquoted(header["table"]), _unquoted(header["schema"] or schema)
            columns = [_unquoted(column.strip()) for column in header["columns"].split(",")]
            counts = where == _PUBLIC and _matters(name)
            if counts and name in tables:
                raise SourceError(f"{path} holds more than one MAAS: {name} is there twice", _HINT)
            rows = _rows(path, name, columns, lines, is_wanted=counts)
            if where == _PUBLIC:
                tables[name] = rows
            elif name == NODES:
                elsewhere = where
    if has_inserts:
        raise SourceError(f"{path} was made with --inserts", "make it without: " + _HINT)
    if (tables or elsewhere) and not is_whole:
        raise SourceError(f"{path} is cut off: it does not end as pg_dump ends one", "create the dump again")
    if elsewhere and NODES not in tables:
        text = f"{path} is not a dump of a MAAS: {NODES} is in schema {elsewhere}, and MAAS's is {_PUBLIC}"
        raise SourceError(text, _HINT)
    return tables


def _is_insert(line: str, schema: str) -> bool:
    header = _INSERT.match(line)
    if header is None or _unquoted(header["schema"] or schema) != _PUBLIC:
        return False
    return _unquoted(header["table"]).startswith(_PREFIX)


def _matters(table: str) -> bool:
    """Whether an import reads its rows."""
    return table.startswith(_PREFIX) or table == _USERS


def _unquoted(identifier: str) -> str:
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier


def _rows(path: Path, table: str, columns: list[str], lines: Iterator[str], *, is_wanted: bool) -> list[Row]:
    """The rows of one table; none of one that is not wanted, whose end is still looked for."""
    rows: list[Row] = []
    for line in lines:
        text = line.rstrip("\n")
        if text == _END_OF_TABLE:
            return rows
        if not is_wanted:
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
    """As COPY writes it: `\\N` is null, and some signs are escaped."""
    if text == "\\N":
        return None
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), text) if "\\" in text else text


@contextmanager
def _open(path: Path) -> Iterator[Iterator[str]]:
    """The lines of its plain form."""
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
    place, sign = _TAR
    return head.startswith(_CUSTOM) or (head[place:].startswith(sign) and head.startswith(_TOC))


@contextmanager
def _restored(path: Path) -> Iterator[Iterator[str]]:
    """The data of an archive, as PostgreSQL's own tool writes it."""
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
        said = stderr.decode("utf-8", "replace").strip().splitlines()
        raise SourceError(
            f"{path} cannot be read: {said[0] if said else 'pg_restore failed'}",
            "a newer PostgreSQL than the installed one may have made it",
        )
