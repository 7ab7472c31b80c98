"""Redfish, by sushy."""

from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import sushy
from sushy.auth import BasicAuth
from sushy.connector import Connector

from hostloom.model.disk_image import BootMode
from hostloom.model.errors.outside import PowerRefused, PowerUnreachable
from hostloom.model.machine import PowerState
from hostloom.model.power import PowerSettings
from hostloom.power.confirm import PowerLimits, confirm_boot, confirm_power

T = TypeVar("T")

_CONNECT_S = 5.0
#: A machine that is being switched on or off has not arrived yet.
_STATES = {sushy.PowerState.ON: PowerState.ON, sushy.PowerState.OFF: PowerState.OFF}
_MODES = {
    None: None,
    BootMode.BIOS: sushy.BootSourceOverrideMode.LEGACY,
    BootMode.UEFI: sushy.BootSourceOverrideMode.UEFI,
}


class RedfishPower:
    """One system of a Redfish service; each method opens and closes a connection."""

    def __init__(self, settings: PowerSettings, password: str, limits: PowerLimits) -> None:
        self._settings, self._password, self._limits = settings, password, limits

    def status(self) -> PowerState:
        """The state that the BMC reports."""
        return self._with_system(
            "read the power state", lambda system: _STATES.get(system.power_state, PowerState.UNKNOWN)
        )

    def on(self) -> PowerState:
        """Power on, and wait until the BMC reports it."""
        if self.status() is not PowerState.ON:
            self._reset("power on", sushy.ResetType.ON)
        return confirm_power(self._settings.address, "power on", PowerState.ON, self.status, self._limits)

    def off(self, *, force: bool = True) -> PowerState:
        """Cut the power and wait for it, or ask for a shutdown and return."""
        state = self.status()
        if state is PowerState.OFF:
            return state
        if not force:
            self._reset("shut down", sushy.ResetType.GRACEFUL_SHUTDOWN)
            return state
        self._reset("power off", sushy.ResetType.FORCE_OFF)
        return confirm_power(self._settings.address, "power off", PowerState.OFF, self.status, self._limits)

    def cycle(self) -> PowerState:
        """Off and on: a restart of a machine that is off may be answered with OK and do nothing."""
        self.off()
        return self.on()

    def boot_from_network(self) -> None:
        """Once, by PXE."""
        self._boot_from(sushy.BootSource.PXE, "boot from the network")

    def boot_from_disk(self) -> None:
        """Once, from the first disk."""
        self._boot_from(sushy.BootSource.HDD, "boot from disk")

    def _reset(self, action: str, kind: sushy.ResetType) -> None:
        self._with_system(action, lambda system: system.reset_system(kind))

    def _boot_from(self, target: sushy.BootSource, action: str) -> None:
        mode = _MODES[self._settings.boot_mode]

        def set_boot(system: Any) -> None:
            system.set_system_boot_options(
                target=target, enabled=sushy.BootSourceOverrideEnabled.ONCE, mode=mode
            )

        self._with_system(action, set_boot)
        if self.status() is PowerState.OFF:
            observed = self._with_system(action, lambda system: system.boot.target)
            confirm_boot(
                self._settings.address, action, target.value, getattr(observed, "value", str(observed))
            )

    def _with_system(self, action: str, use: Callable[[Any], T]) -> T:
        """The result of `use`; PowerRefused, PowerUnreachable."""
        address = self._settings.address
        try:
            url = urlsplit(address)
            connector = Connector(
                f"{url.scheme}://{url.netloc}",
                verify=self._settings.verify_tls,
                default_request_timeout=self._limits.call_s,
                connect_timeout=_CONNECT_S,
            )
            with closing(connector):
                prefix = url.path if url.path.strip("/") else "/redfish/v1/"
                # Basic authentication leaves no sessions behind, of which BMCs have few.
                auth = BasicAuth(self._settings.user, self._password) if self._settings.user else None
                root = sushy.Sushy(
                    f"{url.scheme}://{url.netloc}", root_prefix=prefix, auth=auth, connector=connector
                )
                return use(self._find_system(root, action))
        except sushy.exceptions.AccessError as error:
            raise PowerRefused(address, action, f"user or password is wrong: {self._cause(error)}") from None
        except (sushy.exceptions.ConnectionError, requests.RequestException) as error:
            raise PowerUnreachable(address, self._cause(error)) from None
        except sushy.exceptions.SushyError as error:
            raise PowerRefused(address, action, self._cause(error)) from None

    def _find_system(self, root: Any, action: str) -> Any:
        systems = root.get_system_collection().get_members()
        names = [system.identity for system in systems]
        matching = [
            system
            for system in systems
            if self._settings.power_id in ("", system.identity, system.uuid, system.name)
        ]
        if len(matching) == 1:
            return matching[0]
        problem = "the BMC has several systems" if matching else "the BMC has no such system"
        raise PowerRefused(
            self._settings.address, action, f"{problem}: set power_id to one of {', '.join(names[:20])}"
        )

    def _cause(self, error: Exception) -> str:
        text = str(error)
        return (text.replace(self._password, "…") if self._password else text)[:300]
