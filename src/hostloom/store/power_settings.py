"""Power settings of bare machines in the database."""

from collections.abc import Sequence
from dataclasses import fields

from sqlalchemy import delete, select

from hostloom.model.ids import SystemId
from hostloom.model.power import PowerSettings
from hostloom.store.integrity import find_broken
from hostloom.store.node_tables import power_settings
from hostloom.store.transaction import Transaction, columns_of


class PowerRecords:
    """One row for each machine with settings."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def put(self, settings: PowerSettings) -> None:
        """Replace the settings of a machine."""
        values = {field.name: getattr(settings, field.name) for field in fields(settings)}
        with self.tx.guarded(lambda: find_broken(self.tx, power_settings, values)):
            self.tx.put(power_settings, values)

    def find(self, system_id: SystemId) -> PowerSettings | None:
        """The settings of a machine."""
        return self.of([system_id]).get(system_id)

    def of(self, keys: Sequence[SystemId] | None = None) -> dict[SystemId, PowerSettings]:
        """The settings of these machines, or of all."""
        query = select(power_settings)
        if keys is not None:
            query = query.where(power_settings.c.system_id.in_(keys))
        return {row.system_id: PowerSettings(**columns_of(row)) for row in self.tx.rows(query)}

    def delete(self, system_id: SystemId) -> None:
        """Delete the settings of a machine."""
        self.tx.write(delete(power_settings).where(power_settings.c.system_id == system_id))
