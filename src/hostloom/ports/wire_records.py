"""Records of observations on the wire, of commissionings and of deployments."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from hostloom.model.commissioning import BootToken, Commissioning
from hostloom.model.deployment import Deployment, ImageCopy
from hostloom.model.dhcp_exchange import DhcpMessage, ForeignDhcp, VlanProbe
from hostloom.model.ids import (
    HostId,
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

    def record(self, probe: VlanProbe, servers: Sequence[ForeignDhcp]) -> None:
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

    def record(self, proofs: Mapping[SystemId, Sequence[NicProof]]) -> None:
        """Replace the proofs of many machines in one statement."""
        ...

    def of(self, keys: Sequence[SystemId]) -> dict[SystemId, tuple[NicProof, ...]]:
        """Proofs by machine, in the order of its NICs, in one statement."""
        ...


class Commissionings(Protocol):
    """Results of commissioning, and tokens for reports."""

    def put(self, commissioning: Commissioning) -> None:
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

    def revoke(self, system_id: SystemId) -> None:
        """Delete the tokens of a machine: what it runs now is refused when it reports."""
        ...

    def find(self, secret_sha256: str, now: float) -> BootToken | None:
        """A token that is valid; it is not used up."""
        ...

    def spend(self, secret_sha256: str, now: float) -> BootToken | None:
        """Use up a token that has not expired; None if it does not exist or has been used."""
        ...


class Deployments(Protocol):
    """The deployments of machines, which are deleted with their machines."""

    def put(self, deployment: Deployment) -> None:
        """Replace the machine's deployment."""
        ...

    def find(self, system_id: SystemId) -> Deployment | None:
        """The deployment of a machine."""
        ...

    def of(self, keys: Sequence[SystemId]) -> dict[SystemId, Deployment]:
        """Deployments by machine, in one statement."""
        ...

    def find_by_token(self, token_sha256: str) -> Deployment | None:
        """The deployment of the machine that reports with this token."""
        ...

    def overdue(self, now: float) -> list[Deployment]:
        """Unfinished deployments with a deadline that has passed, by machine."""
        ...

    def with_image(self, sha256: str) -> list[Deployment]:
        """The deployments of a disk image, by machine."""
        ...

    def delete(self, system_id: SystemId) -> None:
        """Delete a machine's deployment; does nothing if there is none."""
        ...


class ImageCopies(Protocol):
    """The copies of disk images on hosts; one for each image and storage pool."""

    def put(self, copy: ImageCopy) -> None:
        """Record a copy, in place of its previous record."""
        ...

    def find(self, host_id: HostId, pool: str, sha256: str) -> ImageCopy | None:
        """The copy of an image in a storage pool."""
        ...

    def of_image(self, sha256: str) -> list[ImageCopy]:
        """All copies of an image, by host and pool."""
        ...

    def of_no_image(self) -> list[ImageCopy]:
        """Copies of contents that no image has, by host and pool."""
        ...

    def delete(self, copy: ImageCopy) -> None:
        """Delete the record; does nothing if there is none."""
        ...
