"""Answers by idempotency key in the database."""

from dataclasses import asdict

from sqlalchemy import delete, insert, select, update

from hostloom.ports.operation_records import StoredAnswer
from hostloom.store.integrity import find_broken
from hostloom.store.tables import answers
from hostloom.store.transaction import Transaction, columns_of


class Answers:
    """Answers to be given again."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def find(self, key: str) -> StoredAnswer | None:
        """By key."""
        row = self.tx.read(select(answers).where(answers.c.key == key)).first()
        return None if row is None else StoredAnswer(**columns_of(row))

    def add(self, answer: StoredAnswer) -> None:
        """Keep one; AlreadyExists when a parallel request was first."""
        values = asdict(answer)
        with self.tx.guarded(lambda: find_broken(self.tx, answers, values)):
            self.tx.write(insert(answers).values(values))

    def settle(self, answer: StoredAnswer) -> None:
        """Replace a claim by the answer."""
        self.tx.write(update(answers).where(answers.c.key == answer.key).values(asdict(answer)))

    def forget(self, key: str) -> None:
        """Give a key back."""
        self.tx.write(delete(answers).where(answers.c.key == key))

    def prune(self, before: float) -> None:
        """Forget those made before a time."""
        self.tx.write(delete(answers).where(answers.c.created_at < before))
