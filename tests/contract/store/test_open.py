"""Opening a database: migrations, settings, and what is there from the start."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Inspector, create_engine, inspect

from hostloom.model.errors.server import ConfigError
from hostloom.model.grouping import Tag
from hostloom.model.ids import TagId
from hostloom.ports.store import Store
from hostloom.store.engine import DatabaseStore, open_store
from hostloom.store.tables import metadata


def test_the_migrated_schema_is_that_of_the_tables(url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrating_makes_the_same_constraints_as_the_tables(url: str, tmp_path: Path) -> None:
    """compare_metadata does not look at conditions of indexes and actions of foreign keys."""
    fresh = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    metadata.create_all(fresh)
    migrated = create_engine(url)
    for table in metadata.tables:
        wanted, found = inspect(fresh), inspect(migrated)
        assert _indexes(found, table) == _indexes(wanted, table)
        assert _foreign_keys(found, table) == _foreign_keys(wanted, table)
        assert _uniques(found, table) == _uniques(wanted, table)
    fresh.dispose()
    migrated.dispose()


def _indexes(inspector: Inspector, table: str) -> set[Any]:
    """Name, columns, uniqueness and whether it is partial; PostgreSQL lists unique constraints here too."""
    return {
        (each["name"], tuple(each["column_names"]), bool(each["unique"]), _is_partial(each))
        for each in inspector.get_indexes(table)
        if "duplicates_constraint" not in each
    }


def _is_partial(index: Any) -> bool:
    return any(key.endswith("_where") for key in index.get("dialect_options", {}))


def _foreign_keys(inspector: Inspector, table: str) -> set[Any]:
    """By name, but those of a column that SQLite was given later: SQLAlchemy finds no name there."""
    columns = {"primary_rack_id", "secondary_rack_id"}
    return {
        (
            None if columns & set(each["constrained_columns"]) else each["name"],
            tuple(each["constrained_columns"]),
            each["referred_table"],
            tuple(sorted(each["options"].items())),
        )
        for each in inspector.get_foreign_keys(table)
    }


def _uniques(inspector: Inspector, table: str) -> set[Any]:
    return {(each["name"], tuple(each["column_names"])) for each in inspector.get_unique_constraints(table)}


def test_groups_that_everything_new_is_in_are_there(store: Store) -> None:
    with store.begin() as uow:
        assert [(each.id, each.name) for each in uow.zones.list()] == [(1, "default")]
        assert [(each.id, each.name) for each in uow.resource_pools.list()] == [(1, "default")]
        assert [(each.id, each.name) for each in uow.domains.list()] == [(1, "default")]
        assert uow.tags.list() == []


def test_processes_that_start_together_take_turns_migrating(url: str, tmp_path: Path) -> None:
    if url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path / 'together.db'}"
    with ThreadPoolExecutor(4) as pool:
        for opened in pool.map(open_store, [url] * 4):
            opened.close()


def test_opening_again_keeps_what_was_stored(url: str, store: Store) -> None:
    with store.begin() as uow:
        kept = uow.tags.add(Tag(TagId(0), "kept"))
        uow.commit()
    again = open_store(url)
    with again.begin() as uow:
        assert uow.tags.get(kept.id) == kept
    again.close()


@pytest.mark.parametrize(
    "wrong", ["mysql://u@h/d", "sqlite://", "sqlite:///:memory:", "nonsense", "postgresql://h"]
)
def test_another_database_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match="database_url"):
        open_store(wrong)


def test_a_database_that_does_not_open_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        open_store(f"sqlite:///{tmp_path}/nowhere/hostloom.db")
    with pytest.raises(ConfigError, match=r"hostloom:\*\*\*@") as refused:
        open_store(f"postgresql+psycopg://hostloom:secret@/hostloom?host={tmp_path}")
    assert "secret" not in str(refused.value)


def test_one_server_holds_a_sqlite_database_many_hold_a_postgresql_one(url: str, store: Store) -> None:
    """Operations are gone on with at the start of a server on SQLite: no other one may run any."""
    assert isinstance(store, DatabaseStore)
    other = open_store(url)
    with store.held():
        if store.is_private:
            with pytest.raises(ConfigError, match="in use by another server"), other.held():
                pass
        else:
            with other.held():
                pass
    with other.held():
        pass
    other.close()
