"""`machines/` and `machines/{system_id}/`: allocation and release."""

import math
from typing import Any

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
from hostloom.services import allocation, hosts, lifecycle
from hostloom.services import machines as service
from hostloom.services.groupings import resource_pool_id, zone_id

_NOT_INSIDE = "hostloom does not configure the inside of machines: leave it out."
#: The constraint key of each network filter.
_FILTERS = {
    "subnets": "subnet",
    "fabrics": "fabric",
    "fabric_classes": "fabric_class",
    "vlans": "vlan",
    "spaces": "space",
}
BRIDGES = ("bridge_all", "bridge_stp", "bridge_type", "bridge_fd")


@machines.op(
    "POST",
    "allocate",
    "Give the caller a free machine, or one that is composed for it.",
    Param("name", "The one of this name."),
    Param("system_id", "The one with this system id."),
    Param("arch", "Such as `amd64` or `amd64/generic`."),
    Param("cpu_count", "Processors, at least.", "Float"),
    Param("mem", "MiB, at least.", "Float"),
    Param("tags", "With all of these tags."),
    Param("not_tags", "With none of these tags."),
    Param("zone", "In this zone."),
    Param("not_in_zone", "In none of these zones."),
    Param("pool", "In this resource pool."),
    Param("not_in_pool", "In none of these resource pools."),
    Param("pod", "On this VM host, by name or id."),
    Param("not_pod", "Not on this VM host."),
    Param("pod_type", f"On a host of this type: `{VIRSH}`."),
    Param("not_pod_type", f"On no host of this type: `{VIRSH}`."),
    Param("interfaces", "Interface constraints, as for composing."),
    Param("storage", "Disks: `label:GB(pool or tag),…`; sizes are the least."),
    *(Param(name, f"With a NIC on each of these {name}.") for name in _FILTERS),
    *(Param(f"not_{name}", f"With no NIC on any of these {name}.") for name in _FILTERS),
    Param("agent_name", "Kept with the machine."),
    Param("dry_run", "Change nothing, and compose nothing.", "Boolean"),
    Param("verbose", "Accepted: the constraints are always shown.", "Boolean"),
    *(Param(name, "Empty or false: the inside of machines is not configured.") for name in BRIDGES),
    COMMENT,
    unsupported=(
        *UNSUPPORTED,
        Unsupported("link_speed", "hostloom does not know the speed of the NICs of machines: leave it out."),
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
    "Give machines back.",
    Param("machines", "Their system ids; may be repeated.", required=True),
    COMMENT,
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
    return answer([key for key in dict.fromkeys(keys) if _release(call, key)])


@machines.op("GET", "list_allocated", "List the caller's machines.")
def list_allocated(call: Call) -> MaasResponse:
    """List in the order of system ids."""
    with call.begin() as uow:
        view = MachineView(View(uow))
        owned = [item for item in service.list_(uow, call.principal) if item.owner == call.principal.name]
        return answer([view.machine(item) for item in owned])


@machine.op(
    "POST",
    "release",
    "Give a machine back: it is switched off and free; one that was composed on demand is taken apart.",
    Param("erase", "False: disks are not erased.", "Boolean"),
    Param("secure_erase", "False: disks are not erased.", "Boolean"),
    Param("quick_erase", "False: disks are not erased.", "Boolean"),
    Param("force", "Accepted: nothing is asked.", "Boolean"),
    COMMENT,
    unsupported=(Unsupported("scripts", "hostloom runs no scripts of its users on machines: leave it out."),),
)
def release(call: Call) -> MaasResponse:
    """Return the released machine."""
    for name in ("erase", "secure_erase", "quick_erase"):
        if call.form.flag(name):
            raise bad_field(name, "hostloom does not erase disks yet: leave it out.")
    call.form.flag("force")
    with call.begin() as uow:
        item = find(call, uow)
        maas_response = show(uow, item)
    return _release(call, item.system_id) or maas_response


def _release(call: Call, key: str) -> MaasResponse | None:
    """Release a machine and return it; None if hostloom decomposed it."""
    released = lifecycle.release(call.ports, call.principal, key)
    if released.operation is not None:
        wait(call, released.operation)
    with call.begin() as uow:
        remaining = uow.machines.some([released.machine.system_id])
        return show(uow, remaining[0]) if remaining else None


def _request(call: Call, uow: UnitOfWork) -> AllocationRequest:
    form = call.form
    _refuse_bridges(form)
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


def _refuse_bridges(form: Form) -> None:
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
    return hosts.get(uow, call.principal, key).id if key else None


def _on_host(form: Form) -> bool | None:
    """Read the filters for the type of VM host. hostloom has hosts of one type only."""
    kind, excluded_kind = form.choice("pod_type", (VIRSH, "lxd")), form.choice("not_pod_type", (VIRSH, "lxd"))
    if kind == VIRSH and excluded_kind == VIRSH:
        raise bad_field("not_pod_type", "It excludes what pod_type asks for.")
    if kind == "lxd":
        raise refuse(409, "No machine fits: hostloom has KVM hosts through libvirt, and none of LXD's.")
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
