"""`machines/` and `machines/{system_id}/`: allocation and release."""

import math
from typing import Any, NamedTuple

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Unsupported
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.handlers.machine_filters import UNSUPPORTED
from hostloom.compat.maas2.handlers.machines import COMMENT, find, machine, machines, show
from hostloom.compat.maas2.references import existing_key
from hostloom.compat.maas2.responses import MaasResponse, answer, bad_field, refuse
from hostloom.compat.maas2.storage import with_own_labels
from hostloom.compat.maas2.views.machines import AGENT_NAME, VIRSH, MachineView, disk_id
from hostloom.compat.maas2.views.network import View
from hostloom.compat.maas2.waiting import wait
from hostloom.model.allocation import Allocation, AllocationRequest
from hostloom.model.ids import HostId, ResourcePoolId, SystemId, ZoneId
from hostloom.model.machine import Machine
from hostloom.ports.store import UnitOfWork
from hostloom.services import allocation, lifecycle
from hostloom.services import machines as service
from hostloom.services.groupings import resource_pool_id, zone_id
from hostloom.services.hosts import HOSTS

_NOT_INSIDE = "hostloom does not configure the inside of machines: omit the field."
#: The constraint key of each network filter.
_FILTERS = {
    "subnets": "subnet",
    "fabrics": "fabric",
    "fabric_classes": "fabric_class",
    "vlans": "vlan",
    "spaces": "space",
}
_ERASE = (
    Param("erase", "Whether to erase the disks: virtual ones are replaced by empty ones.", "Boolean"),
    Param(
        "secure_erase", "With `erase`: overwrite the whole disk of a bare machine, as without it.", "Boolean"
    ),
    Param(
        "quick_erase", "With `erase` and without `secure_erase`: overwrite only where data begins.", "Boolean"
    ),
    Param("force", "Accepted and ignored: a release needs no confirmation.", "Boolean"),
)
_NO_SCRIPTS = (Unsupported("scripts", "hostloom does not run users' scripts on machines: omit the field."),)
BRIDGES = ("bridge_all", "bridge_stp", "bridge_type", "bridge_fd")


@machines.op(
    "POST",
    "allocate",
    "Allocate a free machine to the caller; if none fits, compose one.",
    Param("name", "Hostname of the machine."),
    Param("system_id", "System id of the machine."),
    Param("arch", "Architecture, such as `amd64` or `amd64/generic`."),
    Param("cpu_count", "Minimum number of processors.", "Float"),
    Param("mem", "Minimum memory in MiB.", "Float"),
    Param("tags", "Tags that the machine must have."),
    Param("not_tags", "Tags that the machine must not have."),
    Param("zone", "Zone of the machine."),
    Param("not_in_zone", "Zones to exclude."),
    Param("pool", "Resource pool of the machine."),
    Param("not_in_pool", "Resource pools to exclude."),
    Param("pod", "VM host of the machine, by name or id."),
    Param("not_pod", "VM host to exclude, by name or id."),
    Param("pod_type", f"Type of the VM host: `{VIRSH}`."),
    Param("not_pod_type", f"Type of VM hosts to exclude: `{VIRSH}`."),
    Param("interfaces", "Interface constraints, as in a compose request."),
    Param("storage", "Disks with their minimum sizes: `label:GB(pool or tag),…`."),
    *(Param(name, f"Names of {name}; the machine must have a NIC on each of them.") for name in _FILTERS),
    *(
        Param(f"not_{name}", f"Names of {name}; the machine must not have a NIC on any of them.")
        for name in _FILTERS
    ),
    Param("agent_name", "Name of the client's agent; stored with the machine."),
    Param(
        "dry_run",
        "Report the machine that would be allocated, without allocating or composing it.",
        "Boolean",
    ),
    Param("verbose", "Accepted and ignored: the answer always contains the constraints.", "Boolean"),
    *(
        Param(name, "Must be empty or false: hostloom does not configure the systems inside machines.")
        for name in BRIDGES
    ),
    COMMENT,
    unsupported=(
        *UNSUPPORTED,
        Unsupported("link_speed", "hostloom does not know the link speeds of machines: omit the field."),
    ),
    strict=True,
)
def allocate(call: Call) -> MaasResponse:
    """Return the machine with the ids of the NICs and disks that match each label."""
    form = call.form
    dry_run = bool(form.flag("dry_run"))
    form.flag("verbose")
    with call.begin() as uow:
        allocation_request = _request(call, uow)
    allocated = allocation.allocate(call.ports, call.principal, allocation_request, dry_run=dry_run)
    if allocated.operation is not None:
        wait(call, allocated.operation)
    with call.begin() as uow:
        if form.text("agent_name") and not dry_run:
            allocation.keep_with(uow, allocated, {AGENT_NAME: form.text("agent_name")})
            uow.commit()
        item = uow.machines.get(allocated.system_id)
        matches = allocated.matches or allocation.matches_of(uow, item, allocation_request)
        return answer(_with_matches(MachineView(View(uow)), item, matches))


@machines.op(
    "POST",
    "release",
    "Release machines.",
    Param("machines", "System ids of the machines; may be repeated.", required=True),
    *_ERASE,
    COMMENT,
    unsupported=_NO_SCRIPTS,
)
def release_some(call: Call) -> MaasResponse:
    """Return the system ids of the released machines. The first error ends the request."""
    keys = call.form.texts("machines")
    if not keys:
        raise bad_field("machines", "This field is required.")
    with call.begin() as uow:
        system_ids = {item.system_id for item in uow.machines.some([SystemId(key) for key in keys])}
    if missing := [key for key in keys if key not in system_ids]:
        raise refuse(400, f"Unknown machine(s): {', '.join(missing)}.")
    erasing = _erasing(call.form)
    return answer([key for key in dict.fromkeys(keys) if _release(call, key, erasing)])


@machines.op("GET", "list_allocated", "List the caller's machines.")
def list_allocated(call: Call) -> MaasResponse:
    """List in the order of system ids."""
    with call.begin() as uow:
        view = MachineView(View(uow))
        owned = [item for item in service.list_(uow, call.principal) if item.owner == call.principal.name]
        view.foresee(owned)
        return answer([view.machine(item) for item in owned])


@machine.op(
    "POST",
    "release",
    "Release a machine: hostloom powers it off, and decomposes it if it was composed on demand.",
    *_ERASE,
    COMMENT,
    unsupported=_NO_SCRIPTS,
)
def release(call: Call) -> MaasResponse:
    """Return the released machine."""
    erasing = _erasing(call.form)
    with call.begin() as uow:
        item = find(call, uow)
        maas_response = show(uow, item)
    return _release(call, item.system_id, erasing) or maas_response


class _Erasing(NamedTuple):
    """Whether to erase the disks, and how."""

    erase: bool
    quick: bool


def _erasing(form: Form) -> _Erasing:
    """As in MAAS, the other fields only say how. The thorough way has precedence."""
    flags = {name: bool(form.flag(name)) for name in ("erase", "quick_erase", "secure_erase", "force")}
    is_quick = flags["erase"] and flags["quick_erase"] and not flags["secure_erase"]
    return _Erasing(flags["erase"], is_quick)


def _release(call: Call, key: str, erasing: _Erasing) -> MaasResponse | None:
    """Release a machine and return it; None if hostloom decomposed it."""
    released = lifecycle.release(call.ports, call.principal, key, erase=erasing.erase, quick=erasing.quick)
    if released.operation is not None:
        wait(call, released.operation)
    with call.begin() as uow:
        remaining = uow.machines.some([released.machine.system_id])
        return show(uow, remaining[0]) if remaining else None


def _request(call: Call, uow: UnitOfWork) -> AllocationRequest:
    form = call.form
    refuse_bridges(form)
    return AllocationRequest(
        hostname=form.text("name") or "",
        system_id=form.text("system_id") or "",
        architecture=(form.text("arch") or "").partition("/")[0],
        cores=_at_least(form, "cpu_count"),
        memory_mib=_at_least(form, "mem"),
        tags=tuple(form.texts("tags")),
        not_tags=tuple(form.texts("not_tags")),
        zone=next((_zone(uow, "zone", text) for text in _nonempty(form, "zone")), None),
        not_zones=tuple(_zone(uow, "not_in_zone", text) for text in form.texts("not_in_zone")),
        resource_pool=next((_pool(uow, "pool", text) for text in _nonempty(form, "pool")), None),
        not_resource_pools=tuple(_pool(uow, "not_in_pool", text) for text in form.texts("not_in_pool")),
        host=_host(call, uow, "pod"),
        not_host=_host(call, uow, "not_pod"),
        on_host=_on_host(form),
        interfaces=form.text("interfaces") or "",
        storage=with_own_labels(form.text("storage") or ""),
        nics=_network_terms(form),
    )


def refuse_bridges(form: Form) -> None:
    """Raise 400 for bridges inside a machine."""
    for name in BRIDGES:
        if form.text(name) and (name != "bridge_all" or form.flag(name)):
            raise bad_field(name, _NOT_INSIDE)


def _nonempty(form: Form, name: str) -> list[str]:
    text = form.text(name)
    return [text] if text else []


def _network_terms(form: Form) -> tuple[str, ...]:
    return tuple(
        f"{sign}{key}={value}"
        for name, key in _FILTERS.items()
        for sign in ("", "not_")
        for value in form.texts(f"{sign}{name}")
    )


def _at_least(form: Form, name: str) -> int:
    """Round a minimum up, because clients may send floats."""
    value = form.number(name) or 0
    if not 0 <= value <= 2**31:
        raise bad_field(name, f"Enter a number from 0 to {2**31}.")
    return math.ceil(value)


def _zone(uow: UnitOfWork, field: str, key: str) -> ZoneId:
    return zone_id(uow, existing_key(field, key, uow.zones))


def _pool(uow: UnitOfWork, field: str, key: str) -> ResourcePoolId:
    return resource_pool_id(uow, existing_key(field, key, uow.resource_pools))


def _host(call: Call, uow: UnitOfWork, name: str) -> HostId | None:
    key = call.form.text(name)
    return HOSTS.get(uow, call.principal, key).id if key else None


def _on_host(form: Form) -> bool | None:
    """Read the filters for the type of VM host. hostloom has hosts of one type only."""
    kind, excluded_kind = form.choice("pod_type", (VIRSH, "lxd")), form.choice("not_pod_type", (VIRSH, "lxd"))
    if kind == VIRSH and excluded_kind == VIRSH:
        raise bad_field("not_pod_type", "It excludes the type that pod_type requires.")
    if kind == "lxd":
        raise refuse(409, "No machine fits: hostloom has only KVM hosts with libvirt, and no LXD hosts.")
    if excluded_kind == VIRSH:
        return False
    return True if kind == VIRSH else None


def _with_matches(view: MachineView, item: Machine, matches: Allocation) -> dict[str, Any]:
    """Make the document of a machine with ids by label. A pending machine already has its NICs."""
    document = view.machine(item)
    nics = [nic["id"] for nic in document["interface_set"]]
    disks = [disk_id(item, disk) for disk in item.disks]
    by_type = {
        "interfaces": {
            label: [nics[index] for index in indexes] for label, indexes in matches.interfaces.items()
        },
        "storage": {label: [disks[index] for index in indexes] for label, indexes in matches.storage.items()},
    }
    return document | {"constraints_by_type": by_type}
