"""How the power of bare machines is switched: the settings, and a check that they work."""

from dataclasses import dataclass, field, replace

from hostloom.model.access import Principal
from hostloom.model.disk_image import BootMode
from hostloom.model.errors.resources import NotFound, WrongState
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.host_uri import parse_host_uri
from hostloom.model.machine import Machine, PowerState
from hostloom.model.power import (
    IpmiPrivilege,
    PowerKind,
    PowerSettings,
    check_password,
    check_power_settings,
)
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording import power
from hostloom.services.access import require_admin
from hostloom.services.machines import get as get_machine


@dataclass(frozen=True)
class PowerInput:
    """New power settings of a machine."""

    kind: PowerKind
    address: str = ""
    port: int | None = None
    user: str = ""
    #: None: the stored password is kept if it stays with the same BMC and user.
    password: str | None = field(default=None, repr=False)
    power_id: str = ""
    privilege: IpmiPrivilege = IpmiPrivilege.ADMINISTRATOR
    cipher_suite: int | None = None
    verify_tls: bool = True
    boot_mode: BootMode | None = None


def put(
    uow: UnitOfWork, ports: Ports, principal: Principal, key: str, power_input: PowerInput
) -> PowerSettings:
    """Replace the settings of a bare machine; InvalidValue, or WrongState for a machine on a host."""
    require_admin(principal, "set how machines are switched")
    machine = get_machine(uow, principal, key)
    if machine.host_id is not None:
        raise WrongState(
            "machine",
            machine.hostname,
            "on a host",
            "its power is that of its domain: only bare machines have power settings",
        )
    settings = _parse(ports, machine, power_input, uow.power_settings.find(machine.system_id))
    uow.power_settings.put(settings)
    _record(uow, ports, machine, f"{principal.name} set that it is switched by {settings.kind}")
    return settings


def find(uow: UnitOfWork, principal: Principal, key: str) -> PowerSettings:
    """The settings of a machine; the secret is encrypted, and the user is blank unless an admin asks."""
    machine = get_machine(uow, principal, key)
    settings = uow.power_settings.find(machine.system_id)
    if settings is None:
        raise NotFound("power settings", "", f"machine {machine.hostname!r}")
    if principal.admin:
        return settings
    # How hosts are reached is for administrators.
    address = "" if settings.kind is PowerKind.LIBVIRT else settings.address
    return replace(settings, user="", address=address)


def delete(uow: UnitOfWork, ports: Ports, principal: Principal, key: str) -> None:
    """Delete the settings, with the password; hostloom no longer switches the machine."""
    require_admin(principal, "set how machines are switched")
    machine = get_machine(uow, principal, key)
    if uow.power_settings.find(machine.system_id) is not None:
        uow.power_settings.delete(machine.system_id)
        _record(uow, ports, machine, f"its power settings were deleted by {principal.name}")


def check(ports: Ports, principal: Principal, key: str) -> PowerState:
    """Ask the BMC for the power state, and change nothing; PowerRefused, PowerUnreachable."""
    require_admin(principal, "check how machines are switched")
    with ports.store.begin() as uow:
        settings = find(uow, principal, key)
    return power.driver_of(ports, settings).status()


def _parse(
    ports: Ports, machine: Machine, power_input: PowerInput, before: PowerSettings | None
) -> PowerSettings:
    """Check the fields, and encrypt the password."""
    settings = PowerSettings(
        machine.system_id,
        power_input.kind,
        power_input.address.strip(),
        power_input.port,
        power_input.user,
        power_id=power_input.power_id,
        privilege=power_input.privilege,
        cipher_suite=power_input.cipher_suite,
        verify_tls=power_input.verify_tls,
        boot_mode=power_input.boot_mode,
    )
    if power_input.password is None:
        settings = replace(settings, secret=_kept_secret(settings, before))
    else:
        check_password(settings.kind, power_input.password)
        settings = replace(settings, secret=power.encrypt(ports, machine.system_id, power_input.password))
    check_power_settings(settings)
    if settings.kind is PowerKind.LIBVIRT:
        parse_host_uri(settings.address, ports.settings.uris, "address")
    return settings


def _kept_secret(settings: PowerSettings, before: PowerSettings | None) -> str:
    """The stored password, which is never sent to another address, or for another user."""
    if before is None:
        return ""
    is_same = all(
        getattr(settings, name) == getattr(before, name)
        for name in ("kind", "address", "port", "user", "power_id")
    )
    return before.secret if is_same and settings.verify_tls >= before.verify_tls else ""


def _record(uow: UnitOfWork, ports: Ports, machine: Machine, text: str) -> None:
    kind = EventKind.MACHINE_POWER_CHANGED
    uow.events.add(Event(kind, machine_subject(machine), text, ports.clock.now()))
