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
    Param("name", "Name of the disk."),
    Param("model", "Model of the disk."),
    Param("serial", "Serial number of the disk."),
    Param("id_path", "Path of the disk below `/dev/disk/by-id`."),
    Param("size", "Size in bytes.", "Int"),
    Param("block_size", "Block size in bytes.", "Int"),
)


@blockdevices.crud("read", "List the disks of a machine.")
def list_blockdevices(call: Call) -> MaasResponse:
    """List in the order of the machine, the boot disk first."""
    return answer(_all(call))


@blockdevices.crud("create", "Add a disk: hostloom does not support this.", *_FIELDS)
def create_blockdevice(call: Call) -> MaasResponse:
    """Always refuse, with the reason."""
    _all(call)
    raise refuse(
        409, "Disks are created only with their machine: compose a machine with the storage that it needs."
    )


@blockdevice.crud("read", "Show a disk.")
def read_blockdevice(call: Call) -> MaasResponse:
    """Look up by id or name."""
    return answer(_one(call))


@blockdevice.crud("update", "Change a disk: hostloom does not support this.", *_FIELDS)
def update_blockdevice(call: Call) -> MaasResponse:
    """Accept unchanged values and refuse others."""
    document = _one(call)
    for name in (field.name for field in _FIELDS):
        if call.form.text(name) not in (None, "", str(document.get(name))):
            raise refuse(409, f"A disk cannot be changed: {name} is {document.get(name)!r}.")
    return answer(document)


@blockdevice.crud("delete", "Delete a disk: hostloom does not support this.")
def delete_blockdevice(call: Call) -> MaasResponse:
    """Always refuse, with the reason."""
    _one(call)
    raise refuse(409, "The disks of a machine are deleted only with the machine.")


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
    for document in _all(call):
        if key in (str(document["id"]), document["name"]):
            return document
    raise not_found("BlockDevice")
