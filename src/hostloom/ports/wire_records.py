"""Records of observations on the wire."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from hostloom.model.commissioning import BootToken, Commissioning
from hostloom.model.dhcp_exchange import DhcpMessage, ForeignDhcp, VlanProbe
from hostloom.model.ids import (
    MacAddress,
    SystemId,
)
from hostloom.model.machine import NicProof


class DhcpMessages(Protocol):
    """Recent DHCP messages on the wire."""

    def add(self, messages: Sequence[DhcpMessage]) -> None:
        """Store messages, and delete the oldest above the limit, in two statements."""
        ...

    def of(self, macs: Sequence[MacAddress], limit: int = 200) -> Sequence[DhcpMessage]:
        """The messages of these clients, oldest first; at most the `limit` latest."""
        ...


class VlanProbes(Protocol):
    """Foreign DHCP servers that probes found."""

    def record(self, probe: VlanProbe, found: Sequence[ForeignDhcp]) -> None:
        """Write the results of a probe, replacing those of the VLAN's last probe."""
        ...

    def list(self) -> Sequence[VlanProbe]:
        """The last probe of every VLAN, by VLAN id."""
        ...

    def foreign(self) -> Sequence[ForeignDhcp]:
        """All foreign servers, by VLAN id, then by address."""
        ...


class Proofs(Protocol):
    """The last proof of every NIC."""

    def put(self, system_id: SystemId, proofs: Sequence[NicProof]) -> None:
        """Replace the last proofs of the NICs."""
        ...

    def record(self, found: Mapping[SystemId, Sequence[NicProof]]) -> None:
        """Replace the proofs of many machines in one statement."""
        ...

    def of(self, keys: Sequence[SystemId]) -> dict[SystemId, tuple[NicProof, ...]]:
        """Proofs by machine, in the order of its NICs, in one statement."""
        ...


class Commissionings(Protocol):
    """Results of commissioning, and tokens for reports."""

    def put(self, found: Commissioning) -> None:
        """Replace the last result."""
        ...

    def of(self, keys: Sequence[SystemId]) -> dict[SystemId, Commissioning]:
        """Results by machine, in one statement."""
        ...

    def times(self, keys: Sequence[SystemId]) -> dict[SystemId, float]:
        """The times of the last commissionings, in one statement that reads nothing else."""
        ...

    def permit(self, token: BootToken, now: float) -> None:
        """Store a token, replacing the NIC's last one; delete expired tokens."""
        ...

    def knows(self, secret_sha256: str, now: float) -> bool:
        """Whether a token is valid; it is not used up."""
        ...

    def spend(self, secret_sha256: str, now: float) -> BootToken | None:
        """Use up a token that has not expired; None if it does not exist or has been used."""
        ...
