"""The power of bare machines."""

from collections.abc import Sequence
from typing import Protocol

from hostloom.model.ids import SystemId
from hostloom.model.machine import PowerState
from hostloom.model.power import PowerSettings


class Power(Protocol):
    """Switches one machine.

    Every method raises PowerUnreachable, PowerRefused (a wrong password, an unknown machine, a refused
    command) or PowerUnconfirmed (the answer was OK, but the machine's state did not follow), and ends within
    a bounded time. All methods may be called twice. UNKNOWN as an answer: a person switches the power.
    """

    def status(self) -> PowerState:
        """The current state."""
        ...

    def on(self) -> PowerState:
        """Power on, and return when the machine is on."""
        ...

    def off(self, *, force: bool = True) -> PowerState:
        """Cut the power, and return when the machine is off; without `force`, only ask it to shut down."""
        ...

    def cycle(self) -> PowerState:
        """Power off if it is on, then on."""
        ...

    def boot_from_network(self) -> None:
        """Let the next boot be from the network.

        Call it while the machine is off: some BMCs report the device of the running system until then.
        """
        ...

    def boot_from_disk(self) -> None:
        """Let the next boot be from the first disk; call it while the machine is off."""
        ...


class PowerDrivers(Protocol):
    """Makes the driver for a kind of power."""

    def of(self, settings: PowerSettings, password: str) -> Power:
        """The driver; it connects at the first call. `password` is the decrypted secret."""
        ...


class PowerRecords(Protocol):
    """The power settings of bare machines; they are deleted with their machines."""

    def put(self, settings: PowerSettings) -> None:
        """Replace the settings of a machine; NotFound for an unknown machine."""
        ...

    def find(self, system_id: SystemId) -> PowerSettings | None:
        """The settings of a machine."""
        ...

    def of(self, keys: Sequence[SystemId] | None = None) -> dict[SystemId, PowerSettings]:
        """The settings of these machines, or of all, in one statement."""
        ...

    def delete(self, system_id: SystemId) -> None:
        """Delete the settings; does nothing if there are none."""
        ...
