"""The power settings of bare machines, over HTTP; no answer contains a password."""

from dataclasses import fields

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import Flag, In, Int, Out, Text
from hostloom.model.disk_image import BootMode
from hostloom.model.machine import PowerState
from hostloom.model.power import IpmiPrivilege, PowerKind, PowerSettings
from hostloom.services import power_settings as service
from hostloom.services.power_settings import PowerInput

router = APIRouter(prefix="/machines", tags=["machines"])


class PowerSettingsIn(In):
    """How a bare machine is switched.

    Without `password`, the stored one is kept, but only for the same kind, address, port, user and power_id.
    """

    kind: PowerKind
    address: Text = ""
    port: Int | None = None
    user: Text = ""
    password: Text | None = None
    power_id: Text = ""
    privilege: IpmiPrivilege = IpmiPrivilege.ADMINISTRATOR
    cipher_suite: Int | None = None
    verify_tls: Flag = True
    boot_mode: BootMode | None = None

    def to_input(self) -> PowerInput:
        """The input of the service."""
        return PowerInput(**{field.name: getattr(self, field.name) for field in fields(PowerInput)})


class PowerSettingsOut(Out):
    """How a bare machine is switched; `user` is empty unless an administrator asks."""

    kind: PowerKind
    address: str
    port: int | None
    user: str
    has_password: bool
    power_id: str
    privilege: IpmiPrivilege
    cipher_suite: int | None
    verify_tls: bool
    boot_mode: BootMode | None

    @classmethod
    def of(cls, settings: PowerSettings) -> "PowerSettingsOut":
        """Everything but the secret."""
        names = [name for name in cls.model_fields if name != "has_password"]
        shown = {name: getattr(settings, name) for name in names}
        return cls(has_password=bool(settings.secret), **shown)


class PowerCheckOut(Out):
    """What a BMC answered."""

    power: PowerState


@router.get("/{key}/power-settings", response_model=PowerSettingsOut)
def get_power_settings(call: Reading, key: str) -> Response:
    """Show how a bare machine is switched."""
    with call.begin() as uow:
        return call.one(PowerSettingsOut.of(service.find(uow, call.principal, key)))


@router.put("/{key}/power-settings", response_model=PowerSettingsOut)
def set_power_settings(call: Changing, key: str, body: PowerSettingsIn) -> Response:
    """Set how a bare machine is switched; replaces all settings."""
    return call.commit(
        200,
        lambda uow: PowerSettingsOut.of(service.put(uow, call.ports, call.principal, key, body.to_input())),
    )


@router.delete("/{key}/power-settings", status_code=204)
def delete_power_settings(call: Changing, key: str) -> Response:
    """Delete the power settings, with the password; hostloom no longer switches the machine."""
    return call.commit(204, lambda uow: service.delete(uow, call.ports, call.principal, key))


@router.post("/{key}/power-settings/check", response_model=PowerCheckOut)
def check_power_settings(call: Changing, key: str) -> Response:
    """Ask the BMC for the power state, without changing anything."""
    return call.perform(200, lambda: PowerCheckOut(power=service.check(call.ports, call.principal, key)))
