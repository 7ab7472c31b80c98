"""MAAS's power types and their parameters, as hostloom's power settings."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.responses import bad_field
from hostloom.compat.maas2.views.network import POWER_TYPES
from hostloom.model.disk_image import BootMode
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import SystemId
from hostloom.model.power import IpmiPrivilege, PowerKind, PowerSettings
from hostloom.ports.store import UnitOfWork
from hostloom.services import power_settings
from hostloom.services.power_settings import PowerInput

T = TypeVar("T")

PREFIX = "power_parameters_"
#: Part of the name of a field that is no parameter.
_SKIP_CHECK = "skip_check"
KINDS = {name: kind for kind, name in POWER_TYPES.items()}
PARAMS = (
    Param("power_type", f"What switches the machine: {', '.join(f'`{name}`' for name in KINDS)}."),
    Param(
        "power_parameters",
        "The parameters as a JSON object, or one field for each: `power_parameters_power_address` and so on. "
        "`power_address`, `power_user` and `power_pass` for `ipmi` and `redfish`; `cipher_suite_id`, "
        "`privilege_level` and `power_boot_type` for `ipmi`; `node_id` for `redfish`; `power_address` and "
        "`power_id` for `virsh`.",
    ),
)
_PRIVILEGES = {
    "USER": IpmiPrivilege.USER,
    "OPERATOR": IpmiPrivilege.OPERATOR,
    "ADMIN": IpmiPrivilege.ADMINISTRATOR,
}
_BOOT_TYPES = {"auto": None, "legacy": BootMode.BIOS, "efi": BootMode.UEFI}
#: The names of hostloom's fields in MAAS, by kind; values are texts in both.
_TEXTS: Mapping[PowerKind, Mapping[str, str]] = {
    PowerKind.MANUAL: {},
    PowerKind.IPMI: {"power_address": "address", "power_user": "user", "power_pass": "password"},
    PowerKind.REDFISH: {
        "power_address": "address",
        "power_user": "user",
        "power_pass": "password",
        "node_id": "power_id",
    },
    PowerKind.LIBVIRT: {"power_address": "address", "power_id": "power_id"},
}
#: Parameters that hostloom does not use, with the values that it accepts.
_HARMLESS: Mapping[str, frozenset[str] | None] = {
    "power_driver": frozenset({"LAN_2_0"}),
    "mac_address": None,
    "workaround_flags": None,
    "k_g": frozenset(),
    "power_pass": frozenset(),
}


def set_power(call: Call, uow: UnitOfWork, system_id: SystemId) -> None:
    """Store the power settings of a request, if it has any; parameters that it omits are kept."""
    before = uow.power_settings.find(system_id)
    power_input = _read(call.form, before)
    if power_input is None:
        return
    try:
        power_settings.put(uow, call.ports, call.principal, system_id, power_input)
    except InvalidValue as error:
        raise bad_field(_name(power_input.kind, error.field), f"The value {error.predicate}.") from None


def is_given(form: Form) -> bool:
    """Whether a request has power parameters."""
    return bool(_parameters(form))


def power_parameters(settings: PowerSettings) -> dict[str, str]:
    """MAAS's parameters of a machine; the password is empty, because it is never shown."""
    texts = _TEXTS[settings.kind]
    shown = {name: "" if field == "password" else getattr(settings, field) for name, field in texts.items()}
    if settings.kind is PowerKind.IPMI:
        shown |= {
            "power_driver": "LAN_2_0",
            "cipher_suite_id": "" if settings.cipher_suite is None else str(settings.cipher_suite),
            "privilege_level": _key(_PRIVILEGES, settings.privilege),
            "power_boot_type": _key(_BOOT_TYPES, settings.boot_mode),
        }
    return shown


def _read(form: Form, before: PowerSettings | None) -> PowerInput | None:
    """The new settings; None if the request has none."""
    power_type, parameters = form.choice("power_type", list(KINDS)), _parameters(form)
    if power_type is None and not parameters:
        return None
    if power_type is None and before is None:
        raise bad_field("power_type", "This field is required with power parameters.")
    kind = before.kind if power_type is None and before is not None else KINDS[power_type or ""]
    power_input = _as_input(before) if before is not None and before.kind is kind else PowerInput(kind)
    for name, value in parameters.items():
        power_input = _with(power_input, name, value)
    return power_input


def _as_input(settings: PowerSettings) -> PowerInput:
    """The stored settings, with the stored password."""
    names = [field.name for field in fields(PowerInput) if field.name != "password"]
    return PowerInput(**{name: getattr(settings, name) for name in names})


def _parameters(form: Form) -> dict[str, str]:
    """The parameters of both forms."""
    text = form.text("power_parameters") or "{}"
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise bad_field("power_parameters", "This is not a JSON object.")
    parameters = {str(name): "" if value is None else str(value) for name, value in document.items()}
    for name in form.names:
        if name.startswith(PREFIX) and name != PREFIX + _SKIP_CHECK:
            parameters[name.removeprefix(PREFIX)] = form.text(name) or ""
    return parameters


def _with(power_input: PowerInput, name: str, value: str) -> PowerInput:
    """The input with one parameter of MAAS; 400 for an unknown one."""
    kind, field = power_input.kind, _TEXTS[power_input.kind].get(name)
    if field == "address" and kind is PowerKind.REDFISH and value and "://" not in value:
        value = f"https://{value}"
    if field is not None:
        changes: dict[str, Any] = {field: value}
        return replace(power_input, **changes)
    if kind is PowerKind.IPMI and name in ("cipher_suite_id", "privilege_level", "power_boot_type"):
        return _with_ipmi(power_input, name, value)
    allowed = _HARMLESS.get(name, frozenset())
    if value and allowed is not None and value not in allowed:
        raise bad_field(
            PREFIX + name, f"hostloom does not use this parameter of {POWER_TYPES[kind]}: omit the field."
        )
    return power_input


def _with_ipmi(power_input: PowerInput, name: str, value: str) -> PowerInput:
    if name == "cipher_suite_id":
        if value and not (value.isascii() and value.isdigit() and len(value) <= 2):
            raise bad_field(PREFIX + name, "This is not the number of a cipher suite.")
        return replace(power_input, cipher_suite=int(value) if value else None)
    if name == "privilege_level":
        return replace(power_input, privilege=_choice(name, value or "ADMIN", _PRIVILEGES))
    return replace(power_input, boot_mode=_choice(name, value or "auto", _BOOT_TYPES))


def _choice(name: str, value: str, choices: Mapping[str, T]) -> T:
    if value not in choices:
        raise bad_field(PREFIX + name, f"This is not one of: {', '.join(choices)}.")
    return choices[value]


def _key(choices: Mapping[str, object], value: object) -> str:
    return next(name for name, choice in choices.items() if choice == value)


def _name(kind: PowerKind, field: str) -> str:
    """The name of a field of hostloom in MAAS."""
    names = {known: name for name, known in _TEXTS[kind].items()}
    return PREFIX + names.get(field, {"cipher_suite": "cipher_suite_id"}.get(field, field))
