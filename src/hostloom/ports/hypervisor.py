"""The hypervisor of a host, as sagas use it."""

from collections.abc import Sequence
from typing import Protocol

from hostloom.model.ids import (
    MacAddress,
    SystemId,
)
from hostloom.model.machine import Disk, MachineSpec, PowerState
from hostloom.model.network_fix import LibvirtDhcp, LibvirtLease, NetworkSpec
from hostloom.model.observed import ObservedHost, ObservedMachine


class Hypervisor(Protocol):
    """One host's hypervisor.

    Every method raises HostUnreachable, HostRefused, HypervisorRejected, or OutcomeUnknown when a changing
    call ran out of time. Changing methods are ensure-shaped: twice is once, and what is gone is gone.
    They touch only what carries our mark (or the volume name of the plan).
    """

    @property
    def networks(self) -> "LibvirtNetworks":
        """Its libvirt networks."""
        ...

    @property
    def volumes(self) -> "Volumes":
        """The volumes of its machines."""
        ...

    def describe(self, pools: Sequence[str] = ()) -> ObservedHost:
        """Read the whole host in bulk; what cannot be read is named in its findings.

        `pools`: names of storage pools that are known, for when the host does not list them.
        """
        ...

    def ping(self) -> None:
        """Return if the hypervisor answers; a host that is busy with another reading counts as answering."""
        ...

    def find_machine(self, uuid: str) -> ObservedMachine | None:
        """Read one machine, or None."""
        ...

    def render(self, spec: MachineSpec) -> str:
        """The domain XML that ensure_machine defines; touches nothing."""
        ...

    def ensure_machine(self, spec: MachineSpec) -> None:
        """Define the machine; a machine of that UUID without our mark is HypervisorRejected."""
        ...

    def delete_machine(self, uuid: str) -> None:
        """Stop and undefine the machine (with its nvram), never its volumes; one not ours is refused."""
        ...

    def start(self, uuid: str, mark: SystemId | None = None) -> None:
        """Power on. With `mark`, one that does not carry it is HypervisorRejected, and not touched.

        Composed machines need their mark, because another machine may have got their UUID. Adopted machines
        carry none, or another hostloom's, and are switched without, when a user asks for it.
        """
        ...

    def stop(self, uuid: str, mark: SystemId | None = None, *, force: bool = False) -> None:
        """Ask the machine to shut down, or with `force` cut its power; `mark` as for `start`."""
        ...

    def set_autostart(self, uuid: str, mark: SystemId | None = None, *, enabled: bool) -> None:
        """Let the machine start with its host, or not; `mark` as for `start`."""
        ...

    def remove_interface(self, uuid: str, mac: MacAddress, mark: SystemId) -> None:
        """Take a NIC from the machine with this mark; one that runs keeps it until it is switched off."""
        ...

    def power(self, uuid: str) -> PowerState:
        """Whether it runs; UNKNOWN for a machine that does not exist."""
        ...

    def console_log(self, uuid: str, limit_bytes: int = 65536) -> str:
        """The end of the serial console's log."""
        ...


class LibvirtNetworks(Protocol):
    """The libvirt networks of one host; errors as for Hypervisor."""

    def dhcp(self, name: str) -> LibvirtDhcp:
        """libvirt's own DHCP of a network, to be given back; HypervisorRejected when it is not there."""
        ...

    def leases(self, name: str) -> Sequence[LibvirtLease]:
        """What that DHCP has handed out, by address; HypervisorRejected where libvirt cannot say."""
        ...

    def stop_dhcp(self, name: str) -> None:
        """Turn it off, now and for good; machines that run keep their NICs on the network."""
        ...

    def restore_dhcp(self, name: str, before: LibvirtDhcp) -> None:
        """As it was; of a running network all but `<bootp>`, which comes back at its next start."""
        ...

    def ensure(self, spec: NetworkSpec) -> None:
        """Make the network with our mark, start it, let it start with the host.

        Another network of that name, or one of that UUID without our mark, is HypervisorRejected.
        """
        ...

    def delete(self, uuid: str) -> None:
        """Stop and undefine a network that we made; one without our mark is HypervisorRejected."""
        ...


class Volumes(Protocol):
    """The volumes of one host's machines; errors as for Hypervisor."""

    def ensure(self, disk: Disk) -> None:
        """Make the disk's volume; one of that name, size and format that exists is taken."""
        ...

    def delete(self, disk: Disk) -> None:
        """Delete the disk's volume if it exists."""
        ...


class Hypervisors(Protocol):
    """The hypervisors of all hosts; one dead host never slows another."""

    def of(self, host: str, uri: str) -> Hypervisor:
        """The hypervisor at a URI; connects on first use. `host` names it in errors."""
        ...

    def forget(self, uri: str) -> None:
        """Close the connection to a host that is no longer managed."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
