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
from hostloom.power.bmc import BmcPower, Switch
from hostloom.power.confirm import confirm_boot

T = TypeVar("T")

_CONNECT_S = 5.0
#: The states in between, while a machine is being switched on or off, count as unknown.
_STATES = {sushy.PowerState.ON: PowerState.ON, sushy.PowerState.OFF: PowerState.OFF}
_RESETS = {
    Switch.ON: sushy.ResetType.ON,
    Switch.OFF: sushy.ResetType.FORCE_OFF,
    Switch.SHUT_DOWN: sushy.ResetType.GRACEFUL_SHUTDOWN,
}
_MODES = {
    None: None,
    BootMode.BIOS: sushy.BootSourceOverrideMode.LEGACY,
    BootMode.UEFI: sushy.BootSourceOverrideMode.UEFI,
}


class RedfishPower(BmcPower):
    """One system of a Redfish service; each method opens and closes a connection."""

    def status(self) -> PowerState:
        """The state that the BMC reports."""
        return self._with_system(
            "read the power state", lambda system: _STATES.get(system.power_state, PowerState.UNKNOWN)
        )

    def boot_from_network(self) -> None:
        """Once, by PXE."""
        self._boot_from(sushy.BootSource.PXE, "boot from the network")

    def boot_from_disk(self) -> None:
        """Once, from the first disk."""
        self._boot_from(sushy.BootSource.HDD, "boot from disk")

    def _switch(self, switch: Switch) -> None:
        self._with_system(switch, lambda system: system.reset_system(_RESETS[switch]))

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
            raise PowerRefused(
                address, action, f"user or password is wrong: {self._without_password(str(error))}"
            ) from None
        except (sushy.exceptions.ConnectionError, requests.RequestException) as error:
            raise PowerUnreachable(address, self._without_password(str(error))) from None
        except sushy.exceptions.SushyError as error:
            raise PowerRefused(address, action, self._without_password(str(error))) from None

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
