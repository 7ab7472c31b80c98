"""A database in the schema of an earlier version, for tests of upgrades on both databases."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text

import hostloom.store
from support.postgres import PostgresServer

MIGRATIONS = Path(hostloom.store.__file__).parent / "migrations"
#: The parameters of a fixture that gives the database.
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@contextmanager
def old_database(
    request: pytest.FixtureRequest, directory: Path, revision: str, fill: Callable[[Connection], None]
) -> Iterator[str]:
    """The URL of a database, of the kind that the request's parameter names, at a revision and filled."""
    if request.param == "sqlite":
        url = f"sqlite:///{directory / 'old.db'}"
        _build(url, revision, fill)
        yield url
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        _build(url, revision, fill)
        yield url


def _build(url: str, revision: str, fill: Callable[[Connection], None]) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # it was copied from a migrated template
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        fill(connection)
    engine.dispose()
