"""`nodes/{system_id}/blockdevices/`: disks of machines."""

from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import MaasResponse, answer, not_found, refuse
from hostloom.compat.maas2.views.machines import MachineView
from hostloom.compat.maas2.views.network import View
from hostloom.services import machines

blockdevices = Resource("BlockDevices", "nodes/{system_id}/blockdevices/", "Manage the disks of a machine.")
blockdevice = Resource(
    "BlockDevice", "nodes/{system_id}/blockdevices/{id}/", "Manage a disk of a machine.",
)  # fmt: skip
RESOURCES = (blockdevices, blockdevice)

_FIELDS = (
    Param("name", "Its name."),
    Param("model", "Its model."),
    Param("serial", "Its serial number."),
    Param("id_path", "Its path."),
    Param("size", "Bytes.", "Int"),
    Param("block_size", "Bytes.", "Int"),
)


@blockdevices.crud("read", "List the disks of a machine.")
def list_blockdevices(call: Call) -> MaasResponse:
    """In the machine's order, the one it boots from first."""
    return answer(_all(call))


@blockdevices.crud("create", "Add a disk: hostloom does not do this.", *_FIELDS)
def create_blockdevice(call: Call) -> MaasResponse:
    """Always refused, with the reason."""
    _all(call)
    raise refuse(409, "The disks of a machine are made with it: compose one with the storage that it needs.")


@blockdevice.crud("read", "Show a disk.")
def read_blockdevice(call: Call) -> MaasResponse:
    """By id or name."""
    return answer(_one(call))


@blockdevice.crud("update", "Change a disk: hostloom does not do this.", *_FIELDS)
def update_blockdevice(call: Call) -> MaasResponse:
    """What is sent as it is changes nothing."""
    shown = _one(call)
    for name in (field.name for field in _FIELDS):
        if call.form.text(name) not in (None, "", str(shown.get(name))):
            raise refuse(409, f"A disk stays as it was made: {name} is {shown.get(name)!r}.")
    return answer(shown)


@blockdevice.crud("delete", "Delete a disk: hostloom does not do this.")
def delete_blockdevice(call: Call) -> MaasResponse:
    """Always refused, with the reason."""
    _one(call)
    raise refuse(409, "The disks of a machine go with it.")


def _all(call: Call) -> list[dict[str, Any]]:
    key = call.places["system_id"]
    with call.begin() as uow:
        machine = machines.get(uow, call.principal, key)
        if machine.system_id != key:
            raise not_found("Machine")
        view = MachineView(View(uow))
        return [view.disk(machine, disk) for disk in machine.disks]


def _one(call: Call) -> dict[str, Any]:
    key = call.places["id"]
    for each in _all(call):
        if key in (str(each["id"]), each["name"]):
            return each
    raise not_found("BlockDevice")
