"""`machines/`."""

from collections.abc import Callable

from hostloom.compat.maas2.answers import GONE, Answer, answer, bad_field, refuse
from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.host_machines import machine_of
from hostloom.compat.maas2.machine_view import STATUS, MachineView
from hostloom.compat.maas2.references import key_of
from hostloom.compat.maas2.view import View
from hostloom.compat.maas2.waiting import wait
from hostloom.model.errors import NotFound
from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.machine import Machine, MachineOrigin
from hostloom.ports import UnitOfWork
from hostloom.services import coming, commissioning, nodes
from hostloom.services import machines as service
from hostloom.services.machines import MachineChanges
from hostloom.services.naming import KEEP
from hostloom.services.nodes import NodeChanges

machines = Resource("Machines", "machines/", "Manage machines.")
machine = Resource("Machine", "machines/{system_id}/", "Manage a machine.")
RESOURCES = (machines, machine)

_COMMENT = Param("comment", "Accepted; hostloom's events say who asked for what.")


@machines.crud(
    "read",
    "List machines.",
    Param("hostname", "Only those of these names; may be repeated."),
    Param("mac_address", "Only those with a NIC of these MACs; may be repeated."),
    Param("id", "Only those of these system ids; may be repeated."),
    Param("domain", "Only those in this domain, by name."),
    Param("zone", "Only those in this zone, by name."),
    Param("pool", "Only those in this resource pool, by name."),
    Param("tags", "Only those with all of these tags."),
    Param("status", "Only those in this state, by name: `ready`, `deployed`, …"),
)
def list_machines(call: Call) -> Answer:
    """By system id; all of them, since clients look for one among all."""
    with call.begin() as uow:
        view = View(uow)
        shown = MachineView(view)
        wanted = _filter(call.form, view, shown)
        return answer([shown.machine(each) for each in _all(call, uow) if wanted(each)])


@machine.crud("read", "Show a machine.")
def read_machine(call: Call) -> Answer:
    """By system id; also one that is only promised, and a KVM host: clients were given their ids."""
    key = SystemId(call.places["system_id"])
    with call.begin() as uow:
        # The promised ones first: meanwhile one may be reserved.
        promised = {each.system_id: each for each in coming.list_(uow, call.principal)}
        try:
            found = _find(call, uow)
        except NotFound:
            other = promised.get(key) or machine_of(uow.snapshot(), key)
            if other is None:
                raise
            found = other
        return _show(uow, found)


@machine.crud(
    "update",
    "Change a machine.",
    Param("zone", "The zone, by name or id."),
    Param("pool", "The resource pool, by name or id."),
    Param("domain", "The domain, by name or id."),
    Param("description", "A description."),
    Param("hostname", "Its name, which stays: libvirt knows it by that."),
)
def update_machine(call: Call) -> Answer:
    """What is not sent stays."""
    form = call.form
    with call.begin() as uow:
        found = _find(call, uow)
        if form.text("hostname") not in (None, "", found.hostname):
            raise bad_field("hostname", f"The name of a machine stays: {found.hostname}.")
        zone, pool, domain = form.text("zone"), form.text("pool"), form.text("domain")
        changes = MachineChanges(
            key_of(uow.zones, zone) if zone else None,
            key_of(uow.resource_pools, pool) if pool else None,
        )
        if changes != MachineChanges():
            service.update(uow, call.principal, found.system_id, changes)
        of_node = NodeChanges(
            domain=key_of(uow.domains, domain) if domain else KEEP, description=form.changed("description")
        )
        if of_node != NodeChanges():
            nodes.update(uow, call.principal, found.system_id, of_node)
        shown = _show(uow, uow.machines.get(found.system_id))
        uow.commit()
    return shown


@machine.crud("delete", "Take a composed machine apart, or forget one that booted by itself.")
def delete_machine(call: Call) -> Answer:
    """Refused for machines that hostloom did not make; what takes long goes on, and shows as releasing."""
    with call.begin() as uow:
        found = _find(call, uow)
        if found.origin is MachineOrigin.ENLISTED:
            commissioning.forget(uow, call.principal, found.system_id)
            uow.commit()
            return GONE
    wait(call, service.decompose(call.ports, call.principal, found.system_id))
    return GONE


@machine.op("POST", "power_on", "Switch a machine on.", _COMMENT)
def power_on(call: Call) -> Answer:
    """Nothing happens to one that runs."""
    with call.begin() as uow:
        found = _find(call, uow)
    service.start(call.ports, call.principal, found.system_id)
    with call.begin() as uow:
        return _show(uow, uow.machines.get(found.system_id))


@machine.op(
    "POST",
    "power_off",
    "Switch a machine off.",
    Param("stop_mode", "`hard` cuts the power, `soft` asks the machine to shut down; `hard` by default."),
    _COMMENT,
)
def power_off(call: Call) -> Answer:
    """Hard by default, as with MAAS."""
    mode = call.form.choice("stop_mode", ("hard", "soft"))
    with call.begin() as uow:
        found = _find(call, uow)
    service.stop(call.ports, call.principal, found.system_id, force=mode != "soft")
    with call.begin() as uow:
        return _show(uow, uow.machines.get(found.system_id))


@machine.op("GET", "query_power_state", "Show whether a machine is on.")
def query_power_state(call: Call) -> Answer:
    """As the last reading of its host found it."""
    with call.begin() as uow:
        return answer({"state": _find(call, uow).power.value})


@machine.op("GET", "power_parameters", "Show how the power of a machine is switched.")
def power_parameters(call: Call) -> Answer:
    """Strings only; empty for a bare machine."""
    with call.begin() as uow:
        found = _find(call, uow)
        if found.host_id is None:
            return answer({})
        return answer({"power_address": uow.hosts.get(found.host_id).uri, "power_id": found.hostname})


@machine.op("POST", "commission", "Have a machine report what it is.")
def commission(call: Call) -> Answer:
    """The machine, commissioning."""
    with call.begin() as uow:
        found = _find(call, uow)
    wait(call, commissioning.commission(call.ports, call.principal, found.system_id))
    with call.begin() as uow:
        return _show(uow, uow.machines.get(found.system_id))


def _all(call: Call, uow: UnitOfWork) -> list[Machine]:
    """Also those that are only promised, as when they are asked for by id."""
    promised = coming.list_(uow, call.principal)
    recorded = service.list_(uow, call.principal)
    known = {each.system_id for each in recorded}
    found = [*recorded, *(each for each in promised if each.system_id not in known)]
    return sorted(found, key=lambda each: each.system_id)


def _find(call: Call, uow: UnitOfWork) -> Machine:
    """By system id alone: a hostname in a path is nothing that MAAS knew."""
    found = service.get(uow, call.principal, call.places["system_id"])
    if found.system_id != call.places["system_id"]:
        raise refuse(404, "No Machine matches the given query.")
    return found


def _show(uow: UnitOfWork, found: Machine) -> Answer:
    return answer(MachineView(View(uow)).machine(found))


def _filter(form: Form, view: View, shown: MachineView) -> Callable[[Machine], bool]:
    """Whether a machine is what the query asks for."""
    hostnames, ids, tags = form.texts("hostname"), form.texts("id"), form.texts("tags")
    macs = {MacAddress.parse(each, "mac_address") for each in form.texts("mac_address")}
    names = [name.lower() for _, name in STATUS.values()]
    status = form.choice("status", names)
    groups = {name: form.text(name) for name in ("zone", "pool", "domain")}

    def is_wanted(item: Machine) -> bool:
        node = shown.node(item)
        own = {nic.mac for nic in item.interfaces} | {nic.mac for nic in node.interfaces}
        of_groups = {
            "zone": view.zone(item.zone_id)["name"],
            "pool": view.resource_pool(item.resource_pool_id)["name"],
            "domain": view.domain(node.domain_id)["name"],
        }
        return (
            (not hostnames or item.hostname in hostnames)
            and (not ids or item.system_id in ids)
            and (not macs or bool(macs & own))
            and set(tags) <= set(item.tags)
            and status in (None, STATUS[item.state][1].lower())
            and all(wanted in (None, "", of_groups[name]) for name, wanted in groups.items())
        )

    return is_wanted
