"""IPMI by a recorded ipmitool: what it is called with, and a BMC that answers OK and does nothing."""

import threading
from pathlib import Path
from typing import Self

import pytest

from hostloom.model.disk_image import BootMode
from hostloom.model.errors.outside import PowerRefused, PowerUnconfirmed, PowerUnreachable
from hostloom.model.ids import SystemId
from hostloom.model.machine import PowerState
from hostloom.model.power import PowerKind, PowerSettings
from hostloom.power.confirm import PowerLimits
from hostloom.power.ipmi import IpmiPower
from support.fake_power import PASSWORD

LIMITS = PowerLimits(call_s=10, settle_s=0, poll_s=0)
#: Notes its arguments and its environment, and answers as the file `answers` says.
PROGRAM = """#!/bin/sh
echo "$@" >> {directory}/argv
env > {directory}/environment
. {directory}/answers
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is first on the PATH, with an ipmitool."""
    program = tmp_path / "ipmitool"
    program.write_text(PROGRAM.format(directory=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("HOSTLOOM_TOKEN", "not for children")
    return tmp_path


def power(**changes: object) -> IpmiPower:
    values: dict[str, object] = {"address": "10.0.0.9", "user": "admin"} | changes
    settings = PowerSettings(SystemId("bare01"), PowerKind.IPMI, **values)  # type: ignore[arg-type]
    return IpmiPower(settings, PASSWORD, LIMITS)


def test_a_bmc_that_answers_ok_and_does_nothing_is_an_error(directory: Path) -> None:
    (directory / "answers").write_text("echo Chassis Power is off")
    with pytest.raises(PowerUnconfirmed) as caught:
        power().on()
    assert (caught.value.wanted, caught.value.found) == ("power on", "power off")
    assert "chassis power on" in (directory / "argv").read_text()


def test_a_boot_device_that_reads_back_otherwise_is_an_error(directory: Path) -> None:
    (directory / "answers").write_text(
        'case "$*" in *bootparam*) echo " - Boot Device Selector : No override";; '
        "*status*) echo Chassis Power is off;; esac"
    )
    with pytest.raises(PowerUnconfirmed, match="reports boot device No override"):
        power().boot_from_network()


def test_the_boot_device_of_a_running_machine_is_not_read_back(directory: Path) -> None:
    (directory / "answers").write_text("echo Chassis Power is on")
    power().boot_from_network()
    assert "bootparam" not in (directory / "argv").read_text()


def test_the_password_is_in_the_environment_only(directory: Path) -> None:
    (directory / "answers").write_text("echo Chassis Power is on")
    assert power().status() is PowerState.ON
    environment = (directory / "environment").read_text()
    assert f"IPMI_PASSWORD={PASSWORD}" in environment
    assert "not for children" not in environment
    assert PASSWORD not in (directory / "argv").read_text()


def test_the_options_of_the_settings_are_passed_on(directory: Path) -> None:
    (directory / "answers").write_text("echo Chassis Power is on")
    power(port=6230, cipher_suite=17, boot_mode=BootMode.UEFI).boot_from_disk()
    first = (directory / "argv").read_text().splitlines()[0]
    for part in (
        "-I lanplus",
        "-p 6230",
        "-U admin",
        "-L ADMINISTRATOR",
        "-C 17",
        "bootdev disk options=efiboot",
    ):
        assert part in first


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("> RAKP 2 HMAC is invalid\nError: Unable to establish IPMI v2 / RMCP+ session", PowerRefused),
        ("> Error: no response from RAKP 1 message", PowerRefused),
        ("Get Auth Capabilities error\nError: Unable to establish IPMI v2 / RMCP+ session", PowerUnreachable),
        ("Address lookup for bmc failed", PowerUnreachable),
        ("Set Chassis Power Control to Up/On failed: Command not supported in present state", PowerRefused),
    ],
)
def test_messages_of_ipmitool_become_errors(
    directory: Path, message: str, error: type[PowerRefused | PowerUnreachable]
) -> None:
    (directory / "answers").write_text(f"echo '{message} {PASSWORD}' >&2; exit 1")
    with pytest.raises(error) as caught:
        power().status()
    assert PASSWORD not in str(caught.value)


def test_a_hanging_ipmitool_ends_at_the_deadline(directory: Path) -> None:
    (directory / "answers").write_text("exec sleep 60")
    settings = PowerSettings(SystemId("bare01"), PowerKind.IPMI, "10.0.0.9")
    with pytest.raises(PowerUnreachable, match=r"did not end within 0\.2 s"):
        IpmiPower(settings, PASSWORD, PowerLimits(call_s=0.2)).status()


def test_no_process_list_shows_the_password_while_ipmitool_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real ipmitool, which waits for a port that does not answer."""
    settings = PowerSettings(SystemId("bare01"), PowerKind.IPMI, "127.0.0.1", 9, "admin")
    with pytest.raises(PowerUnreachable), _Watch() as watch:
        IpmiPower(settings, PASSWORD, PowerLimits(call_s=2)).status()
    assert any(b"ipmitool" in line for line in watch.lines)
    assert not any(PASSWORD.encode() in line for line in watch.lines)


class _Watch:
    """Reads the command lines of all processes until it is left."""

    def __init__(self) -> None:
        self.lines: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.wait(0.01):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.lines.add(file.read_bytes())
                except OSError:
                    continue  # the process has ended
