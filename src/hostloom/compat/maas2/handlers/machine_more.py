"""`machines/` and `machines/{system_id}/`: further actions of MAAS, some of which hostloom refuses."""

import struct

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param
from hostloom.compat.maas2.handlers import deployment
from hostloom.compat.maas2.handlers.absent import ANY
from hostloom.compat.maas2.handlers.machine_power import power_of
from hostloom.compat.maas2.handlers.machines import find, machine, machines, show
from hostloom.compat.maas2.references import existing_key
from hostloom.compat.maas2.responses import MaasResponse, answer, bad_field, refuse
from hostloom.model.ids import MacAddress, SystemId
from hostloom.services import machines as service
from hostloom.services.access import require_admin, require_user
from hostloom.services.machines import MachineChanges

#: The resources with the actions of this module and of `deployment`.
RESOURCES = deployment.RESOURCES

BSON = "application/bson"
_NULL = b"\x0a"
_INSIDE = "hostloom does not configure the systems inside machines."
_NO_DEPLOYMENT = "hostloom installs disk images, and does not use curtin."
_NO_TESTS = "hostloom runs no hardware tests."
_REFUSED = {
    "set_storage_layout": _INSIDE,
    "mount_special": _INSIDE,
    "unmount_special": _INSIDE,
    "restore_default_configuration": _INSIDE,
    "restore_networking_configuration": _INSIDE,
    "restore_storage_configuration": _INSIDE,
    "rescue_mode": "hostloom has no rescue mode: `commission` boots its own environment.",
    "exit_rescue_mode": "hostloom has no rescue mode, and so no machine is in it.",
    "test": _NO_TESTS,
    "override_failed_testing": _NO_TESTS,
}
_REFUSED_ALL = {
    "add_chassis": "hostloom finds machines of a VM host by its URI, others when they boot from the network.",
    "clone": _INSIDE,
}


@machine.op("GET", "details", "Show hardware details of a machine: hostloom stores none.")
def details(call: Call) -> MaasResponse:
    """Return a BSON document (bsonspec.org) whose two values are null, as for a machine without details."""
    with call.begin() as uow:
        find(call, uow)
    return MaasResponse(_bson_of_nulls("lshw", "lldp"), content_type=BSON)


@machine.op(
    "GET", "get_curtin_config", "Show the settings of curtin for a machine: hostloom does not use curtin."
)
def get_curtin_config(call: Call) -> MaasResponse:
    """Always refuse, with the reason."""
    with call.begin() as uow:
        name = find(call, uow).hostname
    raise refuse(409, f"Machine {name} has no such settings. {_NO_DEPLOYMENT}")


@machine.op("GET", "get_token", "Show the credentials of an installed system: hostloom gives it none.")
def get_token(call: Call) -> MaasResponse:
    """Return null, like MAAS for a machine without a token."""
    with call.begin() as uow:
        find(call, uow)
    return answer(None)


@machine.op("POST", "clear_default_gateways", "Remove the chosen gateways of a machine: it never has any.")
def clear_default_gateways(call: Call) -> MaasResponse:
    """Return the unchanged machine. DHCP gives each NIC the gateway of its subnet."""
    with call.begin() as uow:
        item = find(call, uow)
        service.require_owner(call.principal, item, "change")
        return show(uow, item)


def _offer_refused(name: str, reason: str) -> None:
    @machine.op("POST", name, "hostloom does not support this.", ANY)
    def refuse_one(call: Call) -> MaasResponse:
        """Always refuse, with the reason."""
        with call.begin() as uow:
            item = find(call, uow)
        service.require_owner(call.principal, item, "change")
        raise refuse(409, reason)


def _offer_refused_of_all(name: str, reason: str) -> None:
    @machines.op("POST", name, "hostloom does not support this.", ANY)
    def refuse_all(call: Call) -> MaasResponse:
        """Always refuse, with the reason."""
        require_admin(call.principal, "change machines")
        raise refuse(409, reason)


for _name, _reason in _REFUSED.items():
    _offer_refused(_name, _reason)
for _name, _reason in _REFUSED_ALL.items():
    _offer_refused_of_all(_name, _reason)


@machines.op(
    "POST",
    "set_zone",
    "Move machines to another zone.",
    Param("zone", "The zone, by name or id.", required=True),
    Param("nodes", "System ids of the machines; may be repeated.", required=True),
)
def set_zone(call: Call) -> MaasResponse:
    """Move all machines, or none after an error."""
    call.form.required("nodes")
    with call.begin() as uow:
        zone = existing_key("zone", call.form.required("zone"), uow.zones)
        for key in _machines_of(call, "nodes"):
            service.update(uow, call.principal, key, MachineChanges(zone))
        uow.commit()
    return answer(None)


@machines.op(
    "GET",
    "is_registered",
    "Show whether a machine with this MAC is known.",
    Param("mac_address", "The MAC.", required=True),
)
def is_registered(call: Call) -> MaasResponse:
    """Return whether a machine has the MAC."""
    mac = MacAddress.parse(call.form.required("mac_address"), "mac_address")
    require_user(call.principal, "see machines")
    with call.begin() as uow:
        return answer(uow.machines.find_by_mac(mac) is not None)


@machines.op(
    "GET",
    "power_parameters",
    "Show the power parameters of machines.",
    Param("id", "System ids of the machines; may be repeated; all machines by default."),
)
def all_power_parameters(call: Call) -> MaasResponse:
    """List in the order of system ids."""
    require_admin(call.principal, "see how power is switched")
    system_ids = set(call.form.texts("id"))
    with call.begin() as uow:
        items = [
            item
            for item in service.list_(uow, call.principal)
            if not system_ids or item.system_id in system_ids
        ]
        return answer({item.system_id: power_of(call, uow, item) for item in items})


@machines.op(
    "POST",
    "accept",
    "Accept enlisted machines: in hostloom none needs acceptance.",
    Param("machines", "System ids of the machines; may be repeated.", required=True),
)
def accept(call: Call) -> MaasResponse:
    """Return an empty list, because enlisted machines need no acceptance."""
    require_admin(call.principal, "accept machines")
    call.form.required("machines")
    _machines_of(call, "machines")
    return answer([])


@machines.op("POST", "accept_all", "Accept all enlisted machines: in hostloom none needs acceptance.")
def accept_all(call: Call) -> MaasResponse:
    """Return an empty list, because enlisted machines need no acceptance."""
    require_admin(call.principal, "accept machines")
    return answer([])


def _machines_of(call: Call, field: str) -> list[SystemId]:
    keys = [SystemId(key) for key in dict.fromkeys(call.form.texts(field))]
    with call.begin() as uow:
        system_ids = {item.system_id for item in uow.machines.some(keys)}
    if missing := [key for key in keys if key not in system_ids]:
        raise bad_field(field, f"Unknown machines: {', '.join(key[:60] for key in missing[:10])}.")
    return keys


def _bson_of_nulls(*names: str) -> bytes:
    elements = b"".join(_NULL + name.encode() + b"\0" for name in names) + b"\0"
    return struct.pack("<i", len(elements) + 4) + elements
