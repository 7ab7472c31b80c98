"""A domain of a libvirt host as a bare machine, over the connections of the hypervisors."""

from collections.abc import Callable
from typing import TypeVar

from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import HostUnreachable, OutcomeUnknown, PowerRefused, PowerUnreachable
from hostloom.model.machine import PowerState
from hostloom.model.power import PowerSettings
from hostloom.ports.hypervisor import BootDevice, Hypervisor, Hypervisors
from hostloom.power.confirm import PowerLimits, confirm_power

T = TypeVar("T")


class LibvirtPower:
    """One domain, by name; it has no mark of hostloom, because hostloom did not compose it."""

    def __init__(self, settings: PowerSettings, hypervisors: Hypervisors, limits: PowerLimits) -> None:
        self._settings, self._hypervisors, self._limits = settings, hypervisors, limits

    def status(self) -> PowerState:
        """The state of the domain."""
        return self._with_domain("read the power state", lambda host, uuid: host.power(uuid))

    def on(self) -> PowerState:
        """Start the domain."""
        self._with_domain("power on", lambda host, uuid: host.start(uuid))
        return confirm_power(self._settings.address, "power on", PowerState.ON, self.status, self._limits)

    def off(self, *, force: bool = True) -> PowerState:
        """Destroy the domain, or ask it to shut down."""
        self._with_domain("power off", lambda host, uuid: host.stop(uuid, force=force))
        if not force:
            return self.status()
        return confirm_power(self._settings.address, "power off", PowerState.OFF, self.status, self._limits)

    def cycle(self) -> PowerState:
        """Destroy and start it."""
        self.off()
        return self.on()

    def boot_from_network(self) -> None:
        """Put NICs first; libvirt has no order for one boot only, so it stays until `boot_from_disk`."""
        self._boot_from(BootDevice.NETWORK)

    def boot_from_disk(self) -> None:
        """Put disks first."""
        self._boot_from(BootDevice.DISK)

    def _boot_from(self, device: BootDevice) -> None:
        self._with_domain(f"boot from {device}", lambda host, uuid: host.domains.boot_first(uuid, device))

    def _with_domain(self, action: str, use: Callable[[Hypervisor, str], T]) -> T:
        """The result of `use` with the host and the UUID of the domain; PowerRefused, PowerUnreachable."""
        address, name = self._settings.address, self._settings.power_id
        try:
            host = self._hypervisors.of(address, address)
            uuid = host.domains.find_uuid(name)
            if uuid is None:
                raise PowerRefused(address, action, f"the host has no domain {name!r}")
            return use(host, uuid)
        except PowerRefused:
            raise
        except (HostUnreachable, OutcomeUnknown) as error:
            raise PowerUnreachable(address, str(error)) from error
        except DriverError as error:
            raise PowerRefused(address, action, str(error)) from error
