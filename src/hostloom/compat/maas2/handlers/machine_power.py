"""`machines/{system_id}/`: the power of a machine."""

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Unsupported
from hostloom.compat.maas2.handlers.machines import COMMENT, find, machine, show
from hostloom.compat.maas2.handlers.power_types import power_parameters as power_parameters_of
from hostloom.compat.maas2.responses import MaasResponse, answer
from hostloom.compat.maas2.views.machines import MachineView
from hostloom.compat.maas2.views.network import View
from hostloom.model.machine import Machine
from hostloom.ports.store import UnitOfWork
from hostloom.services import hosts, power
from hostloom.services.access import require_admin


@machine.op(
    "POST",
    "power_on",
    "Power a machine on.",
    COMMENT,
    unsupported=(Unsupported("user_data", "hostloom passes no user data to machines: omit the field."),),
)
def power_on(call: Call) -> MaasResponse:
    """Start a machine. A running machine is no error."""
    with call.begin() as uow:
        item = find(call, uow)
    power.start(call.ports, call.principal, item.system_id)
    with call.begin() as uow:
        return show(uow, uow.machines.get(item.system_id))


@machine.op(
    "POST",
    "power_off",
    "Power a machine off.",
    Param("stop_mode", "`hard` cuts the power (default), `soft` asks the machine to shut down."),
    COMMENT,
)
def power_off(call: Call) -> MaasResponse:
    """Stop a machine, by default with a hard power-off, like MAAS."""
    mode = call.form.choice("stop_mode", ("hard", "soft"))
    with call.begin() as uow:
        item = find(call, uow)
    power.stop(call.ports, call.principal, item.system_id, force=mode != "soft")
    with call.begin() as uow:
        return show(uow, uow.machines.get(item.system_id))


@machine.op("GET", "query_power_state", "Show whether a machine is on.")
def query_power_state(call: Call) -> MaasResponse:
    """Return the state from the last reading of the host; the BMC of a bare machine is asked now."""
    with call.begin() as uow:
        item = find(call, uow)
    if item.host_id is None and power.can_switch(call.ports, item):
        return answer({"state": power.ask(call.ports, call.principal, item.system_id).value})
    with call.begin() as uow:
        return answer({"state": MachineView(View(uow)).power_state(find(call, uow))})


@machine.op("GET", "power_parameters", "Show the power parameters of a machine.")
def power_parameters(call: Call) -> MaasResponse:
    """Return strings only; an empty object for a bare machine without power settings."""
    with call.begin() as uow:
        item = find(call, uow)
        require_admin(call.principal, "see how the power of machines is switched")
        return answer(power_of(call, uow, item))


def power_of(call: Call, uow: UnitOfWork, item: Machine) -> dict[str, str]:
    """Return the power parameters as strings. They contain no secret."""
    if item.host_id is None:
        settings = uow.power_settings.find(item.system_id)
        return {} if settings is None else power_parameters_of(settings)
    address = hosts.uri_of(call.principal, uow.hosts.get(item.host_id))
    return {"power_address": address, "power_id": item.hostname}
