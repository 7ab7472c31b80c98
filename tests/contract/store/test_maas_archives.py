"""Dumps in the forms of PostgreSQL's own tools, made by these of a database that looks like MAAS's."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from hostloom.migration.maas import SourceError, read_dump
from support.maas_dump import OTHER_SCHEMAS, Table, as_sql, tables
from support.postgres import PostgresServer

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def address(postgres: PostgresServer) -> str:
    """libpq's address of such a database; all columns are text, as COPY writes them."""
    statement = b"CREATE DATABASE maasdb"
    with psycopg.connect(postgres.url.replace("/?", "/postgres?", 1), autocommit=True) as connection:
        connection.execute(b"DROP DATABASE IF EXISTS maasdb")
        connection.execute(statement)
    found = postgres.url.replace("/?", "/maasdb?", 1)
    with psycopg.connect(found) as connection:
        for schema, contents in {"public": tables(), **OTHER_SCHEMAS}.items():
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'.encode())
            for name, table in contents.items():
                _fill(connection, f'"{schema}".{name}', table)
    return found


def _fill(connection: psycopg.Connection, name: str, table: Table) -> None:
    columns, rows = table
    words = columns.split()
    connection.execute(f"CREATE TABLE {name} ({', '.join(f'{word} text' for word in words)})".encode())
    marks = ", ".join(["%s"] * len(words))
    for row in rows:
        cells = [{True: "t", False: "f"}[cell] if isinstance(cell, bool) else cell for cell in row]
        values = [None if cell is None else str(cell) for cell in cells]
        connection.execute(f"INSERT INTO {name} VALUES ({marks})".encode(), values)  # noqa: S608  (our names)


@pytest.mark.parametrize("form", ["plain", "custom", "tar", "directory"])
def test_every_form_of_pg_dump_is_read(address: str, tmp_path: Path, form: str) -> None:
    by_hand = tmp_path / "by-hand.sql"
    by_hand.write_text(as_sql(tables()))
    path = tmp_path / "by-hand.dump"
    argv = ["pg_dump", "--format", form, "--file", str(path), "--dbname", address]
    subprocess.run(argv, check=True, capture_output=True)
    found, wanted = read_dump(path), read_dump(by_hand)
    assert found.source == "MAAS, dump by-hand.dump"
    for kind in ("zones", "fabrics", "vlans", "subnets", "ranges", "nodes", "machines", "held", "hosts"):
        assert getattr(found, kind) == getattr(wanted, kind)


def test_an_archive_that_is_cut_off(address: str, tmp_path: Path) -> None:
    path = tmp_path / "maas.dump"
    argv = ["pg_dump", "--format", "custom", "--file", str(path), "--dbname", address]
    subprocess.run(argv, check=True, capture_output=True)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(SourceError, match=r"cut off|cannot be read"):
        read_dump(path)


def test_inserts_are_not_read(address: str, tmp_path: Path) -> None:
    path = tmp_path / "maas.sql"
    argv = ["pg_dump", "--inserts", "--file", str(path), "--dbname", address]
    subprocess.run(argv, check=True, capture_output=True)
    with pytest.raises(SourceError, match="made with --inserts"):
        read_dump(path)
