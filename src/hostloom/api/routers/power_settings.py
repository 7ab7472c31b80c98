"""The power settings of bare machines, over HTTP; no answer contains a password."""

from typing import Self

from fastapi import APIRouter, Response

from hostloom.api.calls import Changing, Reading
from hostloom.api.forms import In, Out, like, made
from hostloom.model.machine import PowerState
from hostloom.model.power import PowerSettings
from hostloom.services import power_settings as service
from hostloom.services.power_settings import PowerInput

router = APIRouter(prefix="/machines", tags=["machines"])


@like(PowerInput)
class PowerSettingsIn(In):
    """How a bare machine is switched.

    Without `password`, the stored one is kept, but only for the same kind, address, port, user and power_id.
    """


@like(PowerSettings, hide=("system_id",), instead={"secret": "has_password"})
class PowerSettingsOut(Out):
    """How a bare machine is switched; `user` is empty unless an administrator asks."""

    has_password: bool

    @classmethod
    def of(cls, settings: PowerSettings) -> Self:
        """Everything but the secret."""
        return cls.made(settings, has_password=bool(settings.secret))


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
    power_input = made(PowerInput, body)
    return call.commit(
        200, lambda uow: PowerSettingsOut.of(service.put(uow, call.ports, call.principal, key, power_input))
    )


@router.delete("/{key}/power-settings", status_code=204)
def delete_power_settings(call: Changing, key: str) -> Response:
    """Delete the power settings, with the password; hostloom no longer switches the machine."""
    return call.commit(204, lambda uow: service.delete(uow, call.ports, call.principal, key))


@router.post("/{key}/power-settings/check", response_model=PowerCheckOut)
def check_power_settings(call: Changing, key: str) -> Response:
    """Ask the BMC for the power state, without changing anything."""
    return call.perform(200, lambda: PowerCheckOut(power=service.check(call.ports, call.principal, key)))
