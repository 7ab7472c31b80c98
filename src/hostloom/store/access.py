"""Users, their tokens, API keys and passwords in the database."""

from dataclasses import asdict, replace

from sqlalchemy import delete, insert, select

from hostloom.model.access import ApiKey, Token, User, UserSshKey
from hostloom.model.ids import UserId, UserSshKeyId
from hostloom.store import tables
from hostloom.store.access_tables import api_keys, passwords, user_ssh_keys
from hostloom.store.integrity import find_broken
from hostloom.store.records import Records
from hostloom.store.transaction import Transaction, columns_of


class Users(Records[User, UserId]):
    """Users; their tokens are deleted with them."""

    def users(self, item: User) -> list[str]:
        """The machines of the user."""
        query = (
            select(tables.nodes.c.hostname)
            .select_from(tables.nodes.join(tables.machines))
            .where(tables.machines.c.owner == item.name)
            .order_by(tables.nodes.c.hostname)
        )
        return [f"machine {name}" for (name,) in self.tx.rows(query)]


class Tokens:
    """API tokens."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def add(self, token: Token) -> None:
        """Store a record; AlreadyExists."""
        values = asdict(token)
        with self.tx.guarded(lambda: find_broken(self.tx, tables.tokens, values)):
            self.tx.write(insert(tables.tokens).values(values))

    def find(self, token_id: str) -> Token | None:
        """A token by its public part."""
        row = self.tx.read(select(tables.tokens).where(tables.tokens.c.id == token_id)).first()
        return None if row is None else Token(**columns_of(row))

    def list(self) -> list[Token]:
        """Oldest first."""
        order = (tables.tokens.c.created_at, tables.tokens.c.id)
        return [Token(**columns_of(row)) for row in self.tx.rows(select(tables.tokens).order_by(*order))]

    def delete(self, token_id: str) -> None:
        """Delete a token; does nothing if it does not exist."""
        self.tx.write(delete(tables.tokens).where(tables.tokens.c.id == token_id))


class ApiKeys:
    """Keys in MAAS's format, without their secrets."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def add(self, key: ApiKey) -> None:
        """Store a record; AlreadyExists."""
        values = asdict(key)
        with self.tx.guarded(lambda: find_broken(self.tx, api_keys, values)):
            self.tx.write(insert(api_keys).values(values))

    def find(self, token_key: str) -> ApiKey | None:
        """A key by its second part."""
        row = self.tx.read(select(api_keys).where(api_keys.c.token_key == token_key)).first()
        return None if row is None else ApiKey(**columns_of(row))

    def list(self) -> list[ApiKey]:
        """Oldest first."""
        order = (api_keys.c.created_at, api_keys.c.token_key)
        return [ApiKey(**columns_of(row)) for row in self.tx.rows(select(api_keys).order_by(*order))]

    def delete(self, token_key: str) -> None:
        """Delete a key; does nothing if it does not exist."""
        self.tx.write(delete(api_keys).where(api_keys.c.token_key == token_key))


class Passwords:
    """Hashes of passwords; they are deleted with their users."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def of(self, user_id: UserId) -> str | None:
        """The hash of a user's password."""
        row = self.tx.read(select(passwords.c.hash).where(passwords.c.user_id == user_id)).first()
        return None if row is None else str(row[0])

    def put(self, user_id: UserId, hashed: str) -> None:
        """Replace the hash; NotFound."""
        values = {"user_id": user_id, "hash": hashed}
        with self.tx.guarded(lambda: find_broken(self.tx, passwords, values)):
            self.tx.put(passwords, values)


class UserSshKeys:
    """Public SSH keys of users; they are deleted with their users."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def add(self, key: UserSshKey) -> UserSshKey:
        """Store a key with a new id; AlreadyExists, NotFound."""
        values = asdict(key)
        del values["id"]
        with self.tx.guarded(lambda: find_broken(self.tx, user_ssh_keys, values)):
            statement = insert(user_ssh_keys).values(values).returning(user_ssh_keys.c.id)
            key_id = self.tx.write(statement).scalar_one()
        return replace(key, id=UserSshKeyId(key_id))

    def list(self, user_id: UserId | None = None) -> list[UserSshKey]:
        """The keys of a user, or all keys, by id."""
        query = select(user_ssh_keys).order_by(user_ssh_keys.c.id)
        if user_id is not None:
            query = query.where(user_ssh_keys.c.user_id == user_id)
        return [UserSshKey(**columns_of(row)) for row in self.tx.rows(query)]

    def delete(self, key_id: UserSshKeyId) -> None:
        """Delete a key; does nothing if it does not exist."""
        self.tx.write(delete(user_ssh_keys).where(user_ssh_keys.c.id == key_id))
