"""The power of machines on hosts and of bare ones: start, stop, query, and autostart."""

from dataclasses import replace

from hostloom.model.access import Principal
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine, MachineOrigin, PowerState
from hostloom.ports.context import Ports
from hostloom.ports.hypervisor import Hypervisor
from hostloom.ports.store import Store
from hostloom.recording.host_readings import hypervisor_of
from hostloom.recording.machines import record_power_events
from hostloom.recording.power import (
    ask_person,
    driver_of,
    is_manual,
    is_switchable,
    require_settings,
    settings_of,
)
from hostloom.sagas.machine_power import require_as_composed
from hostloom.services import machines
from hostloom.services.access import require_admin


def start(ports: Ports, principal: Principal, key: str) -> Machine:
    """Power a machine on; does nothing if it is running.

    A bare machine with manual power is not switched: an event says that a person must do it.
    """
    machine = _get(ports.store, principal, key)
    machines.require_owner(principal, machine, "start")
    if machine.host_id is None:
        settings = require_settings(ports, machine)
        if is_manual(settings):
            ask_person(ports, machine, "switch it on")
        return _write_power(ports.store, machine, driver_of(ports, settings).on())
    hypervisor = _reach(ports, machine)
    require_as_composed(hypervisor, machine)
    hypervisor.start(machine.uuid, _mark(machine))
    return _record_power(ports.store, machine, hypervisor)


def stop(ports: Ports, principal: Principal, key: str, *, force: bool = False) -> Machine:
    """Ask the machine to shut down, or cut its power."""
    machine = _get(ports.store, principal, key)
    machines.require_owner(principal, machine, "stop")
    machines.require_unlocked(machine)
    return power_off(ports, machine, force=force)


def power_off(ports: Ports, machine: Machine, *, force: bool) -> Machine:
    """Stop a machine without a check of permissions; WrongState."""
    if machine.host_id is None:
        settings = require_settings(ports, machine)
        if is_manual(settings):
            ask_person(ports, machine, "switch it off" if force else "shut it down")
        return _write_power(ports.store, machine, driver_of(ports, settings).off(force=force))
    hypervisor = _reach(ports, machine)
    hypervisor.stop(machine.uuid, _mark(machine), force=force)
    return _record_power(ports.store, machine, hypervisor)


def ask(ports: Ports, principal: Principal, key: str) -> PowerState:
    """The current power state; a change since the last reading is recorded with an event."""
    machine = _get(ports.store, principal, key)
    if machine.host_id is None:
        power = driver_of(ports, require_settings(ports, machine)).status()
    else:
        power = _reach(ports, machine).power(machine.uuid)
    if power in (machine.power, PowerState.UNKNOWN):
        return power
    with ports.store.begin() as uow:
        current = uow.machines.get(machine.system_id)
        record_power_events(uow, ports, current, power)
        uow.machines.update(replace(current, power=power))
        uow.commit()
    return power


def can_switch(ports: Ports, machine: Machine) -> bool:
    """Whether hostloom itself can switch the machine."""
    return machine.host_id is not None or is_switchable(settings_of(ports, machine))


def set_autostart(ports: Ports, principal: Principal, key: str, *, enabled: bool) -> Machine:
    """Switch the machine's autostart on or off; WrongState for a machine without a host."""
    require_admin(principal, "change machines")
    machine = _get(ports.store, principal, key)
    machines.require_unlocked(machine)
    _reach(ports, machine).set_autostart(machine.uuid, _mark(machine), enabled=enabled)
    with ports.store.begin() as uow:
        current = uow.machines.get(machine.system_id)
        changed = uow.machines.update(replace(current, autostart=enabled))
        uow.commit()
    return changed


def _reach(ports: Ports, machine: Machine) -> Hypervisor:
    """The hypervisor of a machine that exists and that no saga is changing; WrongState."""
    machines.require_reachable(machine)
    return hypervisor_of(ports, machine)


def _get(store: Store, principal: Principal, key: str) -> Machine:
    with store.begin() as uow:
        return machines.get(uow, principal, key)


def _mark(machine: Machine) -> SystemId | None:
    """The mark to check before a change of power: composed machines have one, adopted ones do not."""
    return machine.system_id if machine.origin is MachineOrigin.COMPOSED else None


def _record_power(store: Store, machine: Machine, hypervisor: Hypervisor) -> Machine:
    return _write_power(store, machine, hypervisor.power(machine.uuid))


def _write_power(store: Store, machine: Machine, power: PowerState) -> Machine:
    with store.begin() as uow:
        current = uow.machines.get(machine.system_id)
        changed = uow.machines.update(replace(current, power=power))
        uow.commit()
    return changed
