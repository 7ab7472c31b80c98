"""Pinned SSH keys in the database, so that every server trusts the same hosts."""

from sqlalchemy import delete, insert, select, update

from hostloom.ports.hosts import OfferedKey
from hostloom.store.integrity import find_broken
from hostloom.store.transaction import Transaction
from hostloom.store.wire_tables import ssh_keys


class SshKeys:
    """Pinned keys; one row for every URI that needs a key, and rows of one SSH server have the same key."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def find(self, server: str) -> OfferedKey | None:
        """The key of an SSH server, by its name in a known-hosts file."""
        query = select(ssh_keys.c.kind, ssh_keys.c.fingerprint, ssh_keys.c.line)
        row = self.tx.read(query.where(ssh_keys.c.server == server).limit(1)).first()
        return None if row is None else OfferedKey(row.kind, row.fingerprint, row.line)

    def pin(self, uri: str, server: str, key: OfferedKey) -> None:
        """Trust only this key of the server, for every URI that leads to the server."""
        self.tx.lock_world()  # two servers may pin the first key of a host at the same time
        values = {"kind": key.kind, "fingerprint": key.fingerprint, "line": key.line}
        self.tx.write(update(ssh_keys).where(ssh_keys.c.server == server).values(values))
        self.tx.write(delete(ssh_keys).where(ssh_keys.c.uri == uri))
        row = {"uri": uri, "server": server, **values}
        with self.tx.guarded(lambda: find_broken(self.tx, ssh_keys, row)):
            self.tx.write(insert(ssh_keys).values(row))

    def release(self, uri: str) -> None:
        """Release the key for this URI; it stays pinned while another URI needs it."""
        self.tx.write(delete(ssh_keys).where(ssh_keys.c.uri == uri))

    def forget(self, server: str) -> None:
        """Delete the pinned key of the server."""
        self.tx.write(delete(ssh_keys).where(ssh_keys.c.server == server))
