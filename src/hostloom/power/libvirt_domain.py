"""A domain of a libvirt host as a bare machine, over the connections of the hypervisors."""

from hostloom.model.errors.base import DriverError
from hostloom.model.errors.outside import HostUnreachable, OutcomeUnknown, PowerRefused, PowerUnreachable
from hostloom.model.machine import PowerState
from hostloom.model.power import PowerSettings
from hostloom.ports.hypervisor import BootDevice, Hypervisor, Hypervisors
from hostloom.power.confirm import PowerLimits, confirm_power


class LibvirtPower:
    """One domain, by name; it has no mark of hostloom, because hostloom did not compose it."""

    def __init__(self, settings: PowerSettings, hypervisors: Hypervisors, limits: PowerLimits) -> None:
        self._settings, self._hypervisors, self._limits = settings, hypervisors, limits

    def status(self) -> PowerState:
        """The state of the domain."""
        try:
            return self._hypervisor.power(self._uuid("read the power state"))
        except DriverError as error:
            raise self._error("read the power state", error) from error

    def on(self) -> PowerState:
        """Start the domain."""
        try:
            self._hypervisor.start(self._uuid("power on"))
        except DriverError as error:
            raise self._error("power on", error) from error
        return confirm_power(self._settings.address, "power on", PowerState.ON, self.status, self._limits)

    def off(self, *, force: bool = True) -> PowerState:
        """Destroy the domain, or ask it to shut down."""
        try:
            self._hypervisor.stop(self._uuid("power off"), force=force)
        except DriverError as error:
            raise self._error("power off", error) from error
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
        action = f"boot from {device}"
        try:
            self._hypervisor.domains.boot_first(self._uuid(action), device)
        except DriverError as error:
            raise self._error(action, error) from error

    @property
    def _hypervisor(self) -> Hypervisor:
        return self._hypervisors.of(self._settings.address, self._settings.address)

    def _uuid(self, action: str) -> str:
        name = self._settings.power_id
        uuid = self._hypervisor.domains.find_uuid(name)
        if uuid is None:
            raise PowerRefused(self._settings.address, action, f"the host has no domain {name!r}")
        return uuid

    def _error(self, action: str, error: DriverError) -> DriverError:
        if isinstance(error, PowerRefused):
            return error
        if isinstance(error, HostUnreachable | OutcomeUnknown):
            return PowerUnreachable(self._settings.address, str(error))
        return PowerRefused(self._settings.address, action, str(error))
