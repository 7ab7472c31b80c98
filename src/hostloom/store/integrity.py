"""Finds the violated constraint by queries, so that the errors of both databases are equal."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Table, UniqueConstraint, and_, select, true

from hostloom.model.errors.base import HostloomError
from hostloom.model.errors.resources import AlreadyExists, NotFound
from hostloom.store.tables import KINDS
from hostloom.store.transaction import Transaction


def find_broken(
    tx: Transaction, table: Table, values: Mapping[str, Any], owner: Table | None = None
) -> HostloomError | None:
    """The missing reference (NotFound) or the taken key (AlreadyExists) that refuses `values`.

    `owner` is the table of a row that is inserted together with this one, and that may not exist yet.
    """
    return _missing_reference(tx, table, values, owner) or _taken_key(tx, table, values)


def _missing_reference(
    tx: Transaction, table: Table, values: Mapping[str, Any], owner: Table | None
) -> HostloomError | None:
    for constraint in table.foreign_key_constraints:
        if constraint.referred_table is owner:
            continue
        pairs = [(key.column, values.get(key.parent.name)) for key in constraint.elements]
        if any(value is None for _, value in pairs):
            continue
        if not tx.exists(and_(*(column == value for column, value in pairs))):
            return NotFound(KINDS[constraint.referred_table.name], pairs[0][1])
    return None


def _taken_key(tx: Transaction, table: Table, values: Mapping[str, Any]) -> HostloomError | None:
    itself = and_(true(), *(column == values.get(column.name) for column in table.primary_key))
    for columns in _unique_columns(table):
        key = [values.get(column.name) for column in columns]
        same = and_(*(column == value for column, value in zip(columns, key, strict=True)))
        is_primary = list(columns) == list(table.primary_key)
        is_other = same if is_primary else and_(same, ~itself)
        if (
            None not in key
            and tx.read(select(*table.primary_key).where(is_other).limit(1)).first() is not None
        ):
            return AlreadyExists(KINDS[table.name], ", ".join(str(value) for value in key))
    return None


def _unique_columns(table: Table) -> list[list[ColumnElement[Any]]]:
    unique_columns: list[list[ColumnElement[Any]]] = [
        list(constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    unique_columns += [list(index.columns) for index in table.indexes if index.unique]
    return [
        *sorted(unique_columns, key=lambda columns: [str(column) for column in columns]),
        list(table.primary_key),
    ]
