"""Commissioning results and the tokens that permit reporting them, in the database."""

from collections.abc import Sequence

from sqlalchemy import delete, insert, or_, select

from hostloom.model.commissioning import BootToken, Commissioning, FoundHardware
from hostloom.model.ids import SystemId
from hostloom.serialization import from_json, to_json
from hostloom.store.transaction import Transaction, columns_of
from hostloom.store.wire_tables import boot_tokens, commissionings


class Commissionings:
    """The latest commissioning of each machine; only hashes of tokens are stored."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def put(self, commissioning: Commissioning) -> None:
        """Replace the machine's previous commissioning."""
        row = {
            "system_id": commissioning.system_id,
            "at": commissioning.at,
            "hardware": to_json(commissioning.hardware),
        }
        self.tx.put(commissionings, row)

    def of(self, keys: Sequence[SystemId]) -> dict[SystemId, Commissioning]:
        """By machine."""
        query = select(commissionings).where(commissionings.c.system_id.in_(keys))
        return {
            row.system_id: Commissioning(row.system_id, row.at, from_json(row.hardware, FoundHardware))
            for row in self.tx.rows(query)
        }

    def times(self, keys: Sequence[SystemId]) -> dict[SystemId, float]:
        """When each machine was last commissioned."""
        query = select(commissionings.c.system_id, commissionings.c.at)
        return {
            row.system_id: row.at for row in self.tx.rows(query.where(commissionings.c.system_id.in_(keys)))
        }

    def permit(self, token: BootToken, now: float) -> None:
        """Store a token, replacing the NIC's previous one, and delete expired tokens."""
        self.tx.lock_world()  # a NIC may request its script from two servers at the same time
        over = or_(boot_tokens.c.mac == token.mac, boot_tokens.c.expires_at <= now)
        self.tx.write(delete(boot_tokens).where(over))
        row = {name: getattr(token, name) for name in BootToken.__slots__}
        self.tx.write(insert(boot_tokens).values(row))

    def revoke(self, system_id: SystemId) -> None:
        """Delete the tokens of a machine."""
        self.tx.write(delete(boot_tokens).where(boot_tokens.c.system_id == system_id))

    def find(self, secret_sha256: str, now: float) -> BootToken | None:
        """A valid token; does not consume it."""
        query = select(boot_tokens).where(
            boot_tokens.c.secret_sha256 == secret_sha256, boot_tokens.c.expires_at > now
        )
        row = next(iter(self.tx.rows(query)), None)
        return None if row is None else BootToken(**columns_of(row))

    def spend(self, secret_sha256: str, now: float) -> BootToken | None:
        """Consume the token; of two simultaneous calls only one gets it."""
        statement = (
            delete(boot_tokens)
            .where(boot_tokens.c.secret_sha256 == secret_sha256, boot_tokens.c.expires_at > now)
            .returning(*boot_tokens.c)
        )
        row = self.tx.write(statement).first()
        return None if row is None else BootToken(**columns_of(row))
