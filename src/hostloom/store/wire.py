"""Observations on the wire in the database: DHCP messages, foreign DHCP servers, NIC proofs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import delete, func, insert, select

from hostloom.model.dhcp_exchange import DhcpMessage, ForeignDhcp, VlanProbe
from hostloom.model.ids import MacAddress, SystemId, VlanId
from hostloom.model.machine import Evidence, NicProof
from hostloom.serialization import from_json, to_json
from hostloom.store.integrity import find_broken
from hostloom.store.tables import machine_interfaces
from hostloom.store.transaction import Transaction, columns_of
from hostloom.store.wire_tables import dhcp_messages, foreign_dhcp, nic_proofs, vlan_probes

#: Maximum number of stored messages.
KEPT_MESSAGES = 20_000


class DhcpMessages:
    """Messages in a ring buffer."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def add(self, messages: Sequence[DhcpMessage]) -> None:
        """Store messages, and delete the oldest ones, in two statements."""
        if not messages:
            return
        # asdict would also convert values that are dataclasses.
        rows = [{name: getattr(message, name) for name in DhcpMessage.__slots__} for message in messages]
        self.tx.write(insert(dhcp_messages), rows)
        newest = select(func.max(dhcp_messages.c.id)).scalar_subquery()
        self.tx.write(delete(dhcp_messages).where(dhcp_messages.c.id <= newest - KEPT_MESSAGES))

    def of(self, macs: Sequence[MacAddress], limit: int = 200) -> Sequence[DhcpMessage]:
        """Messages of these clients, oldest first."""
        columns = [dhcp_messages.c[name] for name in DhcpMessage.__slots__]
        query = select(*columns).where(dhcp_messages.c.mac.in_(macs)).order_by(dhcp_messages.c.id.desc())
        return [DhcpMessage(**columns_of(row)) for row in reversed(self.tx.rows(query.limit(limit)))]


class VlanProbes:
    """The latest probe of each VLAN; snapshots include its result."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def record(self, probe: VlanProbe, servers: Sequence[ForeignDhcp]) -> None:
        """Replace the VLAN's latest probe; NotFound for an unknown VLAN.

        The revision changes only if the probe's result differs, because a changed topology makes decisions
        rebuild their indexes. New times alone do not change it.
        """
        self.tx.lock_world()  # two servers may probe a VLAN at the same time
        if self._as_decided(probe.vlan_id) != _as_decided(probe, servers):
            self.tx.change_world(topology=True)
        for table in (vlan_probes, foreign_dhcp):
            self.tx.write(delete(table).where(table.c.vlan_id == probe.vlan_id))
        row = asdict(probe)
        with self.tx.guarded(lambda: find_broken(self.tx, vlan_probes, row)):
            self.tx.write(insert(vlan_probes).values(row))
        if servers:
            rows = [{name: getattr(server, name) for name in ForeignDhcp.__slots__} for server in servers]
            self.tx.write(insert(foreign_dhcp), rows)

    def _as_decided(self, vlan_id: VlanId) -> object:
        last_probe = next((probe for probe in self.list() if probe.vlan_id == vlan_id), None)
        return _as_decided(last_probe, [server for server in self.foreign() if server.vlan_id == vlan_id])

    def list(self) -> Sequence[VlanProbe]:
        """Probes by VLAN id."""
        rows = self.tx.rows(select(vlan_probes).order_by(vlan_probes.c.vlan_id))
        return [VlanProbe(**columns_of(row)) for row in rows]

    def foreign(self) -> Sequence[ForeignDhcp]:
        """Foreign servers by VLAN id, then by address."""
        order = (foreign_dhcp.c.vlan_id, foreign_dhcp.c.server, foreign_dhcp.c.mac)
        rows = self.tx.rows(select(foreign_dhcp).order_by(*order))
        return [ForeignDhcp(**columns_of(row)) for row in rows]


def _as_decided(probe: VlanProbe | None, servers_found: Sequence[ForeignDhcp]) -> object:
    """The parts of a probe that decisions use."""
    servers = {(server.server, server.mac) for server in servers_found}
    return probe is not None and probe.ours_answered is False, servers


class Proofs:
    """The latest proof of each NIC."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def put(self, system_id: SystemId, proofs: Sequence[NicProof]) -> None:
        """Replace the latest proofs of these NICs."""
        self.record({system_id: proofs})

    def record(self, proofs: Mapping[SystemId, Sequence[NicProof]]) -> None:
        """Replace the latest proofs of several machines; one statement."""
        rows = [
            {"system_id": key, "nic": proof.nic, "at": proof.at, "evidence": to_json(proof.evidence)}
            for key, machine_proofs in proofs.items()
            for proof in machine_proofs
        ]
        if not rows:
            return
        self.tx.write(self.tx.upsert(nic_proofs), rows)

    def of(self, keys: Sequence[SystemId]) -> dict[SystemId, tuple[NicProof, ...]]:
        """Proofs by machine, in the order of its NICs; proofs of deleted NICs are left out."""
        nics = machine_interfaces
        query = (
            select(nic_proofs)
            .join(nics, (nics.c.system_id == nic_proofs.c.system_id) & (nics.c.name == nic_proofs.c.nic))
            .where(nic_proofs.c.system_id.in_(keys))
            .order_by(nic_proofs.c.system_id, nics.c.position)
        )
        proofs_by_machine: dict[SystemId, tuple[NicProof, ...]] = {}
        for row in self.tx.rows(query):
            proof = NicProof(row.nic, row.at, from_json(row.evidence, tuple[Evidence, ...]))
            proofs_by_machine[row.system_id] = (*proofs_by_machine.get(row.system_id, ()), proof)
        return proofs_by_machine
