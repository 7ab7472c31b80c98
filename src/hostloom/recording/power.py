"""The power of bare machines, for services and sagas: their drivers, and what a person is told to do."""

from hostloom.model.errors.resources import WrongState
from hostloom.model.errors.server import ConfigError
from hostloom.model.event import Event, machine_subject
from hostloom.model.event_kind import EventKind
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine
from hostloom.model.power import PowerKind, PowerSettings
from hostloom.ports.context import Ports, Secrets
from hostloom.ports.power import Power


def settings_of(ports: Ports, machine: Machine) -> PowerSettings | None:
    """The power settings of a bare machine; None for a machine on a host, or without settings."""
    if machine.host_id is not None:
        return None
    with ports.store.begin() as uow:
        return uow.power_settings.find(machine.system_id)


def require_settings(ports: Ports, machine: Machine) -> PowerSettings:
    """The power settings of a bare machine; WrongState if it has none."""
    settings = settings_of(ports, machine)
    if settings is None:
        raise WrongState(
            "machine",
            machine.hostname,
            "without power settings",
            "hostloom cannot switch it",
            f"`hostloom machine power-config {machine.hostname} --kind …` says how, or switch it by hand",
        )
    return settings


def driver_of(ports: Ports, settings: PowerSettings) -> Power:
    """The driver for these settings, with the decrypted password; ConfigError."""
    if ports.power is None:
        raise ConfigError("power", None, "is not available on this server")
    return ports.power.of(settings, decrypt(ports, settings))


def encrypt(ports: Ports, system_id: SystemId, password: str) -> str:
    """A password as it is stored for a machine; ConfigError on a server without a secret."""
    return _require_secrets(ports).encrypt(password, _owner(system_id)) if password else ""


def decrypt(ports: Ports, settings: PowerSettings) -> str:
    """The stored password of a machine; ConfigError."""
    if not settings.secret:
        return ""
    return _require_secrets(ports).decrypt(settings.secret, _owner(settings.system_id))


def ask_person(ports: Ports, machine: Machine, request: str) -> None:
    """Record the event that a person must act, such as `switch it on`."""
    with ports.store.begin() as uow:
        event = Event(EventKind.MACHINE_POWER_BY_HAND, machine_subject(machine), request, ports.clock.now())
        uow.events.add(event)
        uow.commit()


def is_manual(settings: PowerSettings | None) -> bool:
    """Whether a person must act."""
    return settings is not None and settings.kind is PowerKind.MANUAL


def is_switchable(settings: PowerSettings | None) -> bool:
    """Whether hostloom can switch a bare machine with these settings."""
    return settings is not None and not is_manual(settings)


def _owner(system_id: SystemId) -> str:
    """Binds an encrypted password to its machine, so that it cannot be moved to another row."""
    return f"power of machine {system_id}"


def _require_secrets(ports: Ports) -> Secrets:
    if ports.secrets is None:
        raise ConfigError("secret_file", None, "is not set, so that this server stores no passwords")
    return ports.secrets
