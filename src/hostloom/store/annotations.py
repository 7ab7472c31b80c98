"""Annotations (documents that clients attach to objects) in the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, update

from hostloom.model.annotation import Annotated
from hostloom.model.errors.resources import NotFound
from hostloom.store.access_tables import annotations
from hostloom.store.integrity import find_broken
from hostloom.store.transaction import Transaction


class Annotations:
    """One document per record; the database deletes it with the record."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def of(self, kind: Annotated, keys: Sequence[str | int] | None = None) -> dict[str | int, dict[str, Any]]:
        """The annotations of these objects, or of all objects of the kind; one statement."""
        column = annotations.c[kind]
        query = select(column, annotations.c.content).where(column.is_not(None))
        if keys is not None:
            query = query.where(column.in_(keys))
        return {row[0]: row[1] for row in self.tx.rows(query)}

    def put(self, kind: Annotated, key: str | int, values: Mapping[str, Any]) -> None:
        """Replace all annotations of a record; NotFound."""
        column = annotations.c[kind]
        content = {"content": dict(values)}
        self.tx.lock_world()  # two requests may write the first annotations of a record at the same time
        if self.tx.write(update(annotations).where(column == key).values(content)).rowcount:
            return
        row = {kind.value: key, **content}
        with self.tx.guarded(lambda: find_broken(self.tx, annotations, row) or NotFound(kind, key)):
            self.tx.write(insert(annotations).values(row))
