"""Fakes the power of bare machines; the contract suite of the port keeps it honest."""

from dataclasses import dataclass, field

from hostloom.model.errors.outside import PowerRefused, PowerUnconfirmed, PowerUnreachable
from hostloom.model.machine import PowerState
from hostloom.model.power import PowerKind, PowerSettings
from hostloom.ports.power import Power
from hostloom.power.drivers import ManualPower

PASSWORD = "c0rrect-h0rse"


@dataclass
class FakeBmc:
    """One BMC; the methods of the port are called through `FakePower`."""

    password: str = PASSWORD
    state: PowerState = PowerState.OFF
    boots_from: str = ""
    is_silent: bool = False
    #: It answers OK and does nothing.
    lies: bool = False
    #: Every change so far.
    calls: list[str] = field(default_factory=list)


@dataclass
class FakePower:
    """Fills ports.Power."""

    address: str
    bmc: FakeBmc
    password: str

    def status(self) -> PowerState:
        self._admit("read the power state")
        return self.bmc.state

    def on(self) -> PowerState:
        return self._switch("power on", PowerState.ON)

    def off(self, *, force: bool = True) -> PowerState:
        return self._switch("power off", PowerState.OFF)

    def cycle(self) -> PowerState:
        self.off()
        return self.on()

    def boot_from_network(self) -> None:
        self._boot("network")

    def boot_from_disk(self) -> None:
        self._boot("disk")

    def _admit(self, action: str) -> None:
        if self.bmc.is_silent:
            raise PowerUnreachable(self.address, "no answer")
        if self.password != self.bmc.password:
            raise PowerRefused(self.address, action, "user or password is wrong")

    def _switch(self, action: str, state: PowerState) -> PowerState:
        self._admit(action)
        if self.bmc.state is state:
            return state
        self.bmc.calls.append(action)
        if self.bmc.lies:
            raise PowerUnconfirmed(self.address, action, f"power {state}", f"power {self.bmc.state}", 60)
        self.bmc.state = state
        return state

    def _boot(self, device: str) -> None:
        self._admit(f"boot from {device}")
        self.bmc.calls.append(f"boot from {device}")
        self.bmc.boots_from = device


class FakePowerDrivers:
    """Fills ports.PowerDrivers: BMCs by address, which are silent unless a test adds them."""

    def __init__(self) -> None:
        self.bmcs: dict[str, FakeBmc] = {}

    def add(self, address: str) -> FakeBmc:
        """A BMC that answers at this address."""
        self.bmcs[address] = FakeBmc()
        return self.bmcs[address]

    def of(self, settings: PowerSettings, password: str) -> Power:
        if settings.kind is PowerKind.MANUAL:
            return ManualPower()
        bmc = self.bmcs.setdefault(settings.address, FakeBmc(is_silent=True))
        return FakePower(settings.address, bmc, password)
