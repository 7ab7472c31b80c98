"""The hypervisor of a host, as sagas use it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from hostloom.model.deployment import ImageCopy
from hostloom.model.ids import (
    MacAddress,
    SystemId,
)
from hostloom.model.machine import Disk, MachineSpec, PowerState
from hostloom.model.network_fix import LibvirtDhcp, LibvirtLease, NetworkSpec
from hostloom.model.observed import ObservedHost, ObservedMachine
from hostloom.ports.disk_images import Progress


class BootDevice(StrEnum):
    """What a domain tries to boot from first."""

    NETWORK = "network"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class ImageFile:
    """The qcow2 file of a disk image on this server."""

    path: Path
    virtual_size_bytes: int


class Hypervisor(Protocol):
    """One host's hypervisor.

    Every method raises HostUnreachable, HostRefused, HypervisorRejected, or OutcomeUnknown if a changing call
    timed out. Changing methods are idempotent, and deletions ignore missing objects. They change only objects
    with our mark (or with the volume name of the plan).
    """

    @property
    def networks(self) -> "LibvirtNetworks":
        """The host's libvirt networks."""
        ...

    @property
    def volumes(self) -> "Volumes":
        """The volumes of the host's machines."""
        ...

    @property
    def domains(self) -> "Domains":
        """Domains that stand in for bare machines."""
        ...

    def describe(self, pools: Sequence[str] = ()) -> ObservedHost:
        """Read the whole host in bulk; unreadable parts become findings.

        `pools`: names of known storage pools, in case the host does not list them.
        """
        ...

    def ping(self) -> None:
        """Return if the hypervisor answers; a host that is busy with another reading also counts."""
        ...

    def find_machine(self, uuid: str) -> ObservedMachine | None:
        """Read one machine, or None."""
        ...

    def render(self, spec: MachineSpec) -> str:
        """The domain XML that ensure_machine would define; changes nothing."""
        ...

    def ensure_machine(self, spec: MachineSpec) -> None:
        """Define the machine; a machine of that UUID without our mark is HypervisorRejected."""
        ...

    def delete_machine(self, uuid: str) -> None:
        """Stop and undefine the machine (with its nvram), but keep its volumes; refused without our mark."""
        ...

    def start(self, uuid: str, mark: SystemId | None = None) -> None:
        """Power on. With `mark`, HypervisorRejected, without any change, for a machine without this mark.

        Composed machines need their mark, because another machine may have their UUID by now. Adopted
        machines have no mark, or that of another hostloom, so a user's request switches them without a check.
        """
        ...

    def stop(self, uuid: str, mark: SystemId | None = None, *, force: bool = False) -> None:
        """Ask the machine to shut down, or with `force` cut its power; `mark` as for `start`."""
        ...

    def set_autostart(self, uuid: str, mark: SystemId | None = None, *, enabled: bool) -> None:
        """Set whether the machine starts with its host; `mark` as for `start`."""
        ...

    def remove_interface(self, uuid: str, mac: MacAddress, mark: SystemId) -> None:
        """Remove a NIC from the machine with this mark; a running machine keeps it until it is off."""
        ...

    def power(self, uuid: str) -> PowerState:
        """The power state; UNKNOWN for a machine that does not exist."""
        ...

    def console_log(self, uuid: str, limit_bytes: int = 65536) -> str:
        """The end of the serial console's log."""
        ...


class LibvirtNetworks(Protocol):
    """The libvirt networks of one host; errors as for Hypervisor."""

    def dhcp(self, name: str) -> LibvirtDhcp:
        """libvirt's own DHCP of a network, for restoring it; HypervisorRejected for an unknown network."""
        ...

    def leases(self, name: str) -> Sequence[LibvirtLease]:
        """The leases of that DHCP by address; HypervisorRejected if libvirt cannot report them."""
        ...

    def stop_dhcp(self, name: str) -> None:
        """Turn DHCP off immediately and permanently; running machines keep their NICs on the network."""
        ...

    def restore_dhcp(self, name: str, before: LibvirtDhcp) -> None:
        """Restore DHCP; on a running network, `<bootp>` takes effect only at its next start."""
        ...

    def ensure(self, spec: NetworkSpec) -> None:
        """Define the network with our mark, start it, and enable its autostart.

        HypervisorRejected for another network with this name, or one with this UUID without our mark.
        """
        ...

    def delete(self, uuid: str) -> None:
        """Stop and undefine a network; HypervisorRejected for one without our mark."""
        ...


class Volumes(Protocol):
    """The volumes of one host's machines; errors as for Hypervisor."""

    def ensure(self, disk: Disk) -> None:
        """Create the disk's volume; an existing one with this name, size and format is used."""
        ...

    def delete(self, disk: Disk) -> None:
        """Delete the disk's volume if it exists."""
        ...

    def erase(self, disk: Disk) -> None:
        """Replace the disk's volume by an empty one, from which the old content cannot be read."""
        ...

    def write(self, disk: Disk, content: bytes) -> None:
        """Create the disk's volume if it does not exist, and write its beginning."""
        ...

    def has_image(self, copy: ImageCopy) -> bool:
        """Whether the volume of an image's copy exists; does not tell whether it is complete."""
        ...

    def upload_image(self, copy: ImageCopy, image: ImageFile, progress: Progress) -> None:
        """Make an image's copy from its qcow2 file, in place of an existing one.

        If it fails or `progress` raises, no copy is left, unless the host does not answer.
        """
        ...

    def delete_image(self, copy: ImageCopy) -> None:
        """Delete an image's copy if it exists."""
        ...

    def clone(self, disk: Disk, copy: ImageCopy) -> None:
        """Make the disk's volume from an image's copy, in place of an existing one, and grow it."""
        ...


class Domains(Protocol):
    """Domains of one host that stand in for bare machines, without our mark; errors as for Hypervisor."""

    def find_uuid(self, name: str) -> str | None:
        """The UUID of a domain by name, or None."""
        ...

    def boot_first(self, uuid: str, device: BootDevice) -> None:
        """Let the domain try these devices before all others from its next start on.

        HypervisorRejected if it does not exist, or if hostloom composed it.
        """
        ...


class Hypervisors(Protocol):
    """The hypervisors of all hosts; a dead host never delays another."""

    def of(self, host: str, uri: str) -> Hypervisor:
        """The hypervisor at a URI; connects on first use. `host` names it in errors."""
        ...

    def forget(self, uri: str) -> None:
        """Close the connection to a host that is no longer managed."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
