"""Bare machines with power settings: switched by commissioning and by users, on both databases."""

from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN, Principal
from hostloom.model.errors.outside import PowerRefused
from hostloom.model.errors.permissions import NotPermitted
from hostloom.model.errors.resources import NotFound, WrongState
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.machine import MachineState, PowerState
from hostloom.model.operation import OperationState
from hostloom.model.power import PowerKind, PowerSettings
from hostloom.server.secret import FileSecrets
from hostloom.services import commissioning, lifecycle, machines, power, power_settings
from hostloom.services.enlisting import EnlistInput, enlist
from hostloom.services.power_settings import PowerInput
from support.fake_power import PASSWORD, FakeBmc, FakePowerDrivers
from support.little_world import LittleWorld

ADDRESS = "10.0.0.9"
IPMI = PowerInput(PowerKind.IPMI, ADDRESS, user="admin", password=PASSWORD)
ANN = Principal("ann", admin=False)


@pytest.fixture
def bare(world: LittleWorld, tmp_path: Path) -> LittleWorld:
    """The world with a bare machine `bare` without power settings."""
    world.ports = replace(world.ports, secrets=FileSecrets(tmp_path / "secret"))
    with world.ports.store.begin() as uow:
        enlist_input = EnlistInput("bare", "amd64", (MacAddress("52:54:00:99:00:01"),))
        enlist(uow, LOCAL_ADMIN, world.ports.ids, enlist_input)
        uow.commit()
    return world


def configure(world: LittleWorld, power_input: PowerInput = IPMI) -> FakeBmc:
    """Set the power settings; returns the BMC behind them."""
    with world.ports.store.begin() as uow:
        power_settings.put(uow, world.ports, LOCAL_ADMIN, "bare", power_input)
        uow.commit()
    assert isinstance(world.ports.power, FakePowerDrivers)
    return world.ports.power.add(ADDRESS)


def stored(world: LittleWorld) -> PowerSettings:
    with world.ports.store.begin() as uow:
        return power_settings.find(uow, LOCAL_ADMIN, "bare")


def state(world: LittleWorld) -> tuple[MachineState, PowerState]:
    with world.ports.store.begin() as uow:
        machine = machines.get(uow, LOCAL_ADMIN, "bare")
        return machine.state, machine.power


def events(world: LittleWorld, kind: str) -> list[str]:
    with world.ports.store.begin() as uow:
        return [event.message for event in uow.events.list() if event.kind == kind]


@pytest.mark.parametrize("running", [False, True])
def test_commissioning_switches_the_machine_on_from_the_network(bare: LittleWorld, *, running: bool) -> None:
    bmc = configure(bare)
    bmc.state = PowerState.ON if running else PowerState.OFF
    commissioning.commission(bare.ports, LOCAL_ADMIN, "bare")
    assert bare.run().state is OperationState.SUCCEEDED
    assert bmc.calls == [*(["power off"] if running else []), "boot from network", "power on"]
    assert state(bare) == (MachineState.COMMISSIONING, PowerState.ON)


def test_a_bmc_that_lies_fails_the_commissioning_and_changes_nothing(bare: LittleWorld) -> None:
    bmc = configure(bare)
    bmc.lies = True
    commissioning.commission(bare.ports, LOCAL_ADMIN, "bare")
    operation = bare.run()
    assert (operation.state, operation.error_code) == (OperationState.FAILED, "power-unconfirmed")
    assert "reports power off instead of power on" in operation.error
    assert state(bare)[0] is MachineState.NEW


def test_a_wrong_password_fails_the_commissioning_without_showing_it(bare: LittleWorld) -> None:
    bmc = configure(bare)
    bmc.password = "another"
    commissioning.commission(bare.ports, LOCAL_ADMIN, "bare")
    operation = bare.run()
    assert (operation.state, operation.error_code) == (OperationState.FAILED, "power-refused")
    assert state(bare)[0] is MachineState.NEW
    assert PASSWORD not in repr(operation)


@pytest.mark.parametrize("has_settings", [False, True])
def test_without_a_bmc_a_person_is_asked_to_switch_it_on(bare: LittleWorld, *, has_settings: bool) -> None:
    if has_settings:
        configure(bare, PowerInput(PowerKind.MANUAL))
    commissioning.commission(bare.ports, LOCAL_ADMIN, "bare")
    assert bare.run().state is OperationState.SUCCEEDED
    assert events(bare, "machine-power-by-hand") == [
        "switch it on, or restart it, and let it boot from the network"
    ]
    assert state(bare) == (MachineState.COMMISSIONING, PowerState.UNKNOWN)


def test_a_machine_is_switched_on_and_off_by_users(bare: LittleWorld) -> None:
    bmc = configure(bare)
    assert power.start(bare.ports, LOCAL_ADMIN, "bare").power is PowerState.ON
    assert bmc.state is PowerState.ON
    assert power.ask(bare.ports, LOCAL_ADMIN, "bare") is PowerState.ON
    assert power.stop(bare.ports, LOCAL_ADMIN, "bare", force=True).power is PowerState.OFF
    assert bmc.calls == ["power on", "power off"]
    with pytest.raises(NotPermitted):
        power.start(bare.ports, ANN, "bare")


def test_a_release_switches_the_machine_off(bare: LittleWorld) -> None:
    bmc = configure(bare)
    power.start(bare.ports, LOCAL_ADMIN, "bare")
    with bare.ports.store.begin() as uow:
        machine = machines.get(uow, LOCAL_ADMIN, "bare")
        uow.machines.update(replace(machine, state=MachineState.ALLOCATED, owner="ann"))
        uow.commit()
    lifecycle.release(bare.ports, ANN, "bare")
    assert (bmc.state, state(bare)) == (PowerState.OFF, (MachineState.READY, PowerState.OFF))


def test_manual_power_asks_a_person(bare: LittleWorld) -> None:
    configure(bare, PowerInput(PowerKind.MANUAL))
    assert power.start(bare.ports, LOCAL_ADMIN, "bare").power is PowerState.UNKNOWN
    power.stop(bare.ports, LOCAL_ADMIN, "bare")
    assert sorted(events(bare, "machine-power-by-hand")) == ["shut it down", "switch it on"]


def test_a_machine_without_settings_says_how_to_set_them(bare: LittleWorld) -> None:
    for change in (power.start, power.stop, power.ask):
        with pytest.raises(WrongState, match="without power settings") as caught:
            change(bare.ports, LOCAL_ADMIN, "bare")
        assert "power-config bare" in caught.value.hint


def test_a_check_asks_the_bmc_and_changes_nothing(bare: LittleWorld) -> None:
    bmc = configure(bare)
    assert power_settings.check(bare.ports, LOCAL_ADMIN, "bare") is PowerState.OFF
    bmc.password = "another"
    with pytest.raises(PowerRefused):
        power_settings.check(bare.ports, LOCAL_ADMIN, "bare")
    assert bmc.calls == []
    with pytest.raises(NotPermitted):
        power_settings.check(bare.ports, ANN, "bare")


def test_the_password_is_kept_only_for_the_same_bmc_and_user(bare: LittleWorld) -> None:
    configure(bare)
    secret = stored(bare).secret
    configure(bare, replace(IPMI, password=None, cipher_suite=3))
    assert (stored(bare).secret, stored(bare).cipher_suite) == (secret, 3)
    configure(bare, replace(IPMI, password=None, address="10.0.0.66"))
    assert stored(bare).secret == ""


def test_settings_come_back_without_the_password_and_go_with_the_machine(bare: LittleWorld) -> None:
    configure(bare)
    settings = stored(bare)
    assert (settings.kind, settings.address, settings.user) == (PowerKind.IPMI, ADDRESS, "admin")
    assert PASSWORD not in settings.secret
    with bare.ports.store.begin() as uow:
        assert power_settings.find(uow, ANN, "bare").user == ""
        assert list(uow.power_settings.of()) == [settings.system_id]
    commissioning.forget(bare.ports, LOCAL_ADMIN, "bare")
    with bare.ports.store.begin() as uow:
        assert uow.power_settings.of() == {}
        with pytest.raises(NotFound):
            uow.power_settings.put(replace(settings, system_id=SystemId("absent")))


def test_settings_can_be_deleted_twice(bare: LittleWorld) -> None:
    configure(bare)
    for _ in range(2):
        with bare.ports.store.begin() as uow:
            power_settings.delete(uow, bare.ports, LOCAL_ADMIN, "bare")
            uow.commit()
    with pytest.raises(NotFound):
        stored(bare)


def test_bad_settings_change_nothing(bare: LittleWorld) -> None:
    configure(bare)
    before = stored(bare)
    for wrong in (replace(IPMI, address=""), replace(IPMI, password="x" * 21), replace(IPMI, power_id="1")):
        with pytest.raises(InvalidValue):
            configure(bare, wrong)
    assert stored(bare) == before


def test_no_event_or_operation_contains_the_password(bare: LittleWorld) -> None:
    configure(bare)
    commissioning.commission(bare.ports, LOCAL_ADMIN, "bare")
    assert bare.run().state is OperationState.SUCCEEDED
    with bare.ports.store.begin() as uow:
        records = repr((uow.events.list(), uow.operations.list(), uow.power_settings.of()))
    assert "machine-power-changed" in records or "MACHINE_POWER_CHANGED" in records
    assert PASSWORD not in records
