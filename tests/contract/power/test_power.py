"""What every implementation of the Power port does."""

from dataclasses import replace

import pytest

from contract.power.conftest import Subject, elsewhere
from hostloom.model.errors.outside import PowerRefused, PowerUnreachable
from hostloom.model.machine import PowerState
from hostloom.model.power import PowerKind


def test_a_machine_is_switched_on_and_off_also_twice(subject: Subject) -> None:
    power = subject.power
    assert power.status() is PowerState.OFF
    for _ in range(2):
        assert power.on() is PowerState.ON
        assert power.status() is PowerState.ON
    for _ in range(2):
        assert power.off() is PowerState.OFF
        assert power.status() is PowerState.OFF


def test_a_cycle_ends_with_a_machine_that_is_on(subject: Subject) -> None:
    assert subject.power.cycle() is PowerState.ON
    assert subject.power.cycle() is PowerState.ON
    assert subject.power.status() is PowerState.ON


def test_a_machine_that_is_off_can_be_asked_to_shut_down(subject: Subject) -> None:
    assert subject.power.off(force=False) is PowerState.OFF


def test_the_next_boot_is_from_the_network_or_from_disk(subject: Subject) -> None:
    for _ in range(2):
        subject.power.boot_from_network()
        assert subject.boots_from() == "network"
    subject.power.boot_from_disk()
    assert subject.boots_from() == "disk"


def test_a_running_machine_accepts_a_boot_device_for_its_next_start(subject: Subject) -> None:
    subject.power.on()
    subject.power.boot_from_network()
    subject.power.cycle()
    assert subject.boots_from() == "network"


def test_a_wrong_password_is_refused_and_changes_nothing(subject: Subject) -> None:
    """libvirt has no password: the connection is that of hosts."""
    if subject.settings.kind is PowerKind.LIBVIRT:
        assert subject.with_password("wr0ng-h0rse").status() is PowerState.OFF
        return
    with pytest.raises(PowerRefused) as caught:
        subject.with_password("wr0ng-h0rse").on()
    assert "user or password is wrong" in str(caught.value)
    assert "wr0ng-h0rse" not in str(caught.value)
    assert subject.power.status() is PowerState.OFF


def test_an_unknown_machine_is_refused(subject: Subject) -> None:
    """A BMC with IPMI has one machine, so no name is sent."""
    unknown = replace(subject.settings, power_id="no-such-machine")
    if subject.settings.kind is PowerKind.IPMI:
        assert subject.drivers.of(unknown, subject.password).status() is PowerState.OFF
        return
    with pytest.raises(PowerRefused, match="has no"):
        subject.drivers.of(unknown, subject.password).status()


def test_an_address_that_does_not_answer_is_unreachable(subject: Subject) -> None:
    with pytest.raises(PowerUnreachable):
        subject.drivers.of(elsewhere(subject.settings), subject.password).status()


def test_no_log_contains_the_password(subject: Subject, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    subject.power.cycle()
    if subject.settings.kind is not PowerKind.LIBVIRT:
        with pytest.raises(PowerRefused):
            subject.with_password("wr0ng-h0rse").status()
    assert subject.password not in caplog.text
    assert "wr0ng-h0rse" not in caplog.text
