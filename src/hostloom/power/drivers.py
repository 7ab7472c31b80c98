"""Chooses the driver for a kind of power; the driver of manual power is here too, because it does nothing."""

from hostloom.model.machine import PowerState
from hostloom.model.power import PowerKind, PowerSettings
from hostloom.ports.hypervisor import Hypervisors
from hostloom.ports.power import Power
from hostloom.power.confirm import PowerLimits
from hostloom.power.ipmi import IpmiPower
from hostloom.power.libvirt_domain import LibvirtPower
from hostloom.power.redfish import RedfishPower


class ManualPower:
    """A person switches the machine; the caller tells them what to do (recording/power.py)."""

    def status(self) -> PowerState:
        """Not known."""
        return PowerState.UNKNOWN

    def on(self) -> PowerState:
        """Nothing happens until the person acts."""
        return PowerState.UNKNOWN

    def off(self, *, force: bool = True) -> PowerState:  # noqa: ARG002  (the port has it)
        """Nothing happens until the person acts."""
        return PowerState.UNKNOWN

    def cycle(self) -> PowerState:
        """Nothing happens until the person acts."""
        return PowerState.UNKNOWN

    def boot_from_network(self) -> None:
        """The person chooses it in the firmware's boot menu."""

    def boot_from_disk(self) -> None:
        """The person chooses it in the firmware's boot menu."""


class PowerAdapters:
    """The drivers of all kinds."""

    def __init__(self, hypervisors: Hypervisors, limits: PowerLimits | None = None) -> None:
        self._hypervisors, self._limits = hypervisors, limits or PowerLimits()

    def of(self, settings: PowerSettings, password: str) -> Power:
        """The driver for these settings."""
        match settings.kind:
            case PowerKind.IPMI:
                return IpmiPower(settings, password, self._limits)
            case PowerKind.REDFISH:
                return RedfishPower(settings, password, self._limits)
            case PowerKind.LIBVIRT:
                return LibvirtPower(settings, self._hypervisors, self._limits)
            case PowerKind.MANUAL:
                return ManualPower()
