"""Switches machines by their BMCs, whatever protocol they understand."""

from abc import ABC, abstractmethod
from enum import StrEnum

from hostloom.model.machine import PowerState
from hostloom.model.power import PowerSettings
from hostloom.power.confirm import PowerLimits, confirm_power


class Switch(StrEnum):
    """A command to a BMC; errors name it by its value."""

    ON = "power on"
    OFF = "power off"
    SHUT_DOWN = "shut down"


class BmcPower(ABC):
    """The power of one machine; a command is sent only if the BMC reports another state, and is confirmed."""

    def __init__(self, settings: PowerSettings, password: str, limits: PowerLimits) -> None:
        self._settings, self._password, self._limits = settings, password, limits

    @abstractmethod
    def status(self) -> PowerState:
        """The state that the BMC reports."""

    @abstractmethod
    def _switch(self, switch: Switch) -> None:
        """Send the command; PowerRefused, PowerUnreachable."""

    def on(self) -> PowerState:
        """Power on, and wait until the BMC reports it."""
        if self.status() is not PowerState.ON:
            self._switch(Switch.ON)
        return self._confirm(Switch.ON, PowerState.ON)

    def off(self, *, force: bool = True) -> PowerState:
        """Cut the power and wait for it, or ask for a shutdown and return."""
        state = self.status()
        if state is PowerState.OFF:
            return state
        if not force:
            self._switch(Switch.SHUT_DOWN)
            return state
        self._switch(Switch.OFF)
        return self._confirm(Switch.OFF, PowerState.OFF)

    def cycle(self) -> PowerState:
        """Off and on in two commands: BMCs differ in how they restart a machine that is off."""
        self.off()
        return self.on()

    def _confirm(self, switch: Switch, wanted: PowerState) -> PowerState:
        return confirm_power(self._settings.address, switch, wanted, self.status, self._limits)

    def _without_password(self, message: str) -> str:
        """The message of a program or library for an error, shortened."""
        return (message.replace(self._password, "…") if self._password else message)[:300]
