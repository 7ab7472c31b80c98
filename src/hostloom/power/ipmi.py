"""IPMI 2.0 over LAN, by ipmitool."""

import os
import re
import subprocess

from hostloom.model.disk_image import BootMode
from hostloom.model.errors.outside import PowerRefused, PowerUnreachable
from hostloom.model.machine import PowerState
from hostloom.power.bmc import BmcPower, Switch
from hostloom.power.confirm import confirm_boot

_STATUS = re.compile(r"Chassis Power is (on|off)", re.IGNORECASE)
_DEVICE = re.compile(r"Boot Device Selector\s*:\s*(.+)")
_COMMANDS = {Switch.ON: "on", Switch.OFF: "off", Switch.SHUT_DOWN: "soft"}
#: How ipmitool prints the two devices that are requested.
_REPORTED = {"pxe": "Force PXE", "disk": "Force Boot from default Hard-Drive"}
#: Messages of ipmitool that mean that nothing answered; they come before others.
_SILENT = re.compile(
    r"Get Auth Capabilities error|Get Channel Authentication|address lookup|could not open socket",
    re.IGNORECASE,
)
#: Messages of ipmitool that mean that the BMC refused the user, the password or the privilege level.
_DENIED = re.compile(
    r"RAKP|HMAC|unauthorized name|invalid user name|password|insufficient privilege", re.IGNORECASE
)
#: Lines of `ipmitool -v` that are no messages.
_CHATTER = re.compile(r"^(Loading IANA|Using best available).*$|^>\s*", re.MULTILINE)
#: Seconds before a packet is sent again, and how often it is sent.
_RETRY_S, _RETRIES = 1, 3


class IpmiPower(BmcPower):
    """One BMC; each method runs ipmitool, which gets the password through its environment only."""

    def status(self) -> PowerState:
        """The state that the BMC reports."""
        output = self._run("read the power state", "chassis", "power", "status")
        match = _STATUS.search(output)
        return PowerState.UNKNOWN if match is None else PowerState(match[1].lower())

    def boot_from_network(self) -> None:
        """Once, by PXE."""
        self._boot_from("pxe", "boot from the network")

    def boot_from_disk(self) -> None:
        """Once, from the first disk."""
        self._boot_from("disk", "boot from disk")

    def _switch(self, switch: Switch) -> None:
        self._run(switch, "chassis", "power", _COMMANDS[switch])

    def _boot_from(self, device: str, action: str) -> None:
        options = ["options=efiboot"] if self._settings.boot_mode is BootMode.UEFI else []
        self._run(action, "chassis", "bootdev", device, *options)
        if self.status() is not PowerState.OFF:
            return  # the BMC may report the device that the running system was booted from
        match = _DEVICE.search(self._run(action, "chassis", "bootparam", "get", "5"))
        if match is not None:
            confirm_boot(self._settings.address, action, _REPORTED[device], match[1].strip())

    def _run(self, action: str, *command: str) -> str:
        """The output of ipmitool; PowerRefused, PowerUnreachable."""
        address = self._settings.address
        environment = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
        environment |= {"LC_ALL": "C", "IPMI_PASSWORD": self._password}
        try:
            result = subprocess.run(
                [*self._options(), *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self._limits.call_s,
                check=False,
            )
        except FileNotFoundError:
            raise PowerUnreachable(address, "ipmitool is not installed on the server") from None
        except subprocess.TimeoutExpired:
            cause = f"ipmitool did not end within {self._limits.call_s:g} s"
            raise PowerUnreachable(address, cause) from None
        if result.returncode != 0:
            raise self._error(action, result.stderr or result.stdout)
        return result.stdout

    def _options(self) -> list[str]:
        settings = self._settings
        options = [
            "ipmitool",
            "-v",
            "-I",
            "lanplus",
            "-H",
            settings.address,
            "-p",
            str(settings.port or 623),
            "-E",
        ]
        options += ["-L", settings.privilege.upper(), "-N", str(_RETRY_S), "-R", str(_RETRIES)]
        if settings.user:
            options += ["-U", settings.user]
        if settings.cipher_suite is not None:
            options += ["-C", str(settings.cipher_suite)]
        return options

    def _error(self, action: str, message: str) -> PowerRefused | PowerUnreachable:
        """The error for a message of ipmitool; the message never contains the password."""
        address = self._settings.address
        cause = ": ".join(line.strip() for line in _CHATTER.sub("", message).splitlines() if line.strip())
        cause = self._without_password(cause)
        if _SILENT.search(message):
            return PowerUnreachable(address, cause)
        if _DENIED.search(message):
            return PowerRefused(address, action, f"user or password is wrong: {cause}")
        return PowerRefused(address, action, cause)
