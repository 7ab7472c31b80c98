"""Records of what was seen on the wire."""

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
    """What was seen on the wire lately."""

    def add(self, messages: Sequence[DhcpMessage]) -> None:
        """Keep them, and forget the oldest beyond what is kept; two statements."""
        ...

    def of(self, macs: Sequence[MacAddress], limit: int = 200) -> Sequence[DhcpMessage]:
        """Those of these clients, oldest first; of more than `limit` the latest."""
        ...


class VlanProbes(Protocol):
    """Who else serves DHCP, as probes found."""

    def record(self, probe: VlanProbe, found: Sequence[ForeignDhcp]) -> None:
        """Write what one probe found in place of what that VLAN's last one had found."""
        ...

    def list(self) -> Sequence[VlanProbe]:
        """The last one of each VLAN, by VLAN id."""
        ...

    def foreign(self) -> Sequence[ForeignDhcp]:
        """All foreign servers, by VLAN id, then by address."""
        ...


class Proofs(Protocol):
    """The last proof of each NIC."""

    def put(self, system_id: SystemId, proofs: Sequence[NicProof]) -> None:
        """In place of the NICs' last ones."""
        ...

    def record(self, found: Mapping[SystemId, Sequence[NicProof]]) -> None:
        """The same of many machines; one statement."""
        ...

    def of(self, keys: Sequence[SystemId]) -> dict[SystemId, tuple[NicProof, ...]]:
        """By machine, in the order of its NICs; one statement."""
        ...


class Commissionings(Protocol):
    """What commissioning found, and leave to report it."""

    def put(self, found: Commissioning) -> None:
        """In place of the last one."""
        ...

    def of(self, keys: Sequence[SystemId]) -> dict[SystemId, Commissioning]:
        """By machine; one statement."""
        ...

    def times(self, keys: Sequence[SystemId]) -> dict[SystemId, float]:
        """When each was commissioned last; one statement that reads nothing else."""
        ...

    def permit(self, token: BootToken, now: float) -> None:
        """Keep a token in place of its NIC's last one; forget those that have expired."""
        ...

    def knows(self, secret_sha256: str, now: float) -> bool:
        """Whether a token is there to be spent; it stays."""
        ...

    def spend(self, secret_sha256: str, now: float) -> BootToken | None:
        """Take a token that has not expired, for good; None: there is none, or no more."""
        ...
