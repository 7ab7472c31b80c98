"""`machines/`."""

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import OFF, Param, Resource, Unsupported
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.handlers.machine_filters import PARAMS, UNSUPPORTED, machine_filter
from hostloom.compat.maas2.references import optional_key
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, bad_field, refuse
from hostloom.compat.maas2.views.host_machines import machine_of
from hostloom.compat.maas2.views.machines import SWAP_SIZE, VIRSH, MachineView
from hostloom.compat.maas2.views.network import View
from hostloom.compat.maas2.waiting import wait
from hostloom.model.annotation import Annotated
from hostloom.model.errors.resources import NotFound
from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.keep import KEEP
from hostloom.model.machine import Machine, MachineOrigin, MachineState
from hostloom.ports.store import UnitOfWork
from hostloom.services import annotations, commissioning, nodes, pending_machines
from hostloom.services import machines as service
from hostloom.services.access import require_admin
from hostloom.services.enlisting import EnlistInput, enlist
from hostloom.services.machines import MachineChanges
from hostloom.services.nodes import NodeChanges

machines = Resource("Machines", "machines/", "Manage machines.")
machine = Resource("Machine", "machines/{system_id}/", "Manage a machine.")

COMMENT = Param("comment", "Accepted; hostloom's events say who asked for what.")
#: The power type of machines that hostloom cannot switch.
MANUAL = "manual"
_MAX_SWAP_BYTES = 2**53

_NO_SCRIPTS = "hostloom runs no scripts of its users on machines: leave it out."
_SCRIPTS = (
    Unsupported("commissioning_scripts", _NO_SCRIPTS, OFF),
    Unsupported("testing_scripts", _NO_SCRIPTS, OFF),
    Unsupported(
        "enable_ssh", "The commissioning environment of hostloom takes no SSH logins: leave it out.", OFF
    ),
)
_SKIP_CHECK = Param("power_parameters_skip_check", "Accepted: no power is checked.", "Boolean")
_NO_KERNEL = Unsupported("min_hwe_kernel", "hostloom installs no kernels: leave it out.")
_NO_POWER = "hostloom has nothing to switch this machine by but its VM host: leave it out."


@machines.crud("read", "List machines.", *PARAMS, unsupported=UNSUPPORTED)
def list_machines(call: Call) -> MaasResponse:
    """List in the order of system ids, without pages, because clients search the complete list."""
    with call.begin() as uow:
        view = View(uow)
        machine_view = MachineView(view)
        matches = machine_filter(call.form, view, machine_view)
        return answer([machine_view.machine(item) for item in _all(call, uow) if matches(item)])


@machines.crud(
    "create",
    "Enlist a machine that is on no VM host: it is found out when it boots from the network.",
    Param("architecture", "Such as `amd64/generic`.", required=True),
    Param("mac_addresses", "The MACs of its NICs; may be repeated.", required=True),
    Param("hostname", "Its name; without one it is made up."),
    Param("domain", "Its domain, by name or id."),
    Param("description", "A description."),
    Param("power_type", f"`{MANUAL}`: its operator switches it."),
    Param("power_parameters", "Empty: there is nothing to switch it by."),
    Param("commission", "Whether it is commissioned when it boots next.", "Boolean"),
    Param("zone", "The zone, by name or id."),
    Param("pool", "The resource pool, by name or id."),
    _SKIP_CHECK,
    unsupported=(
        *_SCRIPTS,
        _NO_KERNEL,
        Unsupported(
            "deployed", "hostloom enlists machines that are to boot from the network: leave it out.", OFF
        ),
        Unsupported("power_parameters_*", _NO_POWER),
    ),
)
def create_machine(call: Call) -> MaasResponse:
    """Return the machine, new or commissioning."""
    form = call.form
    _refuse_power(form)
    macs = tuple(MacAddress.parse(text, "mac_addresses") for text in form.texts("mac_addresses"))
    if not macs:
        raise bad_field("mac_addresses", "This field is required.")
    commission = form.flag("commission")
    with call.begin() as uow:
        enlist_input = EnlistInput(
            form.text("hostname") or call.ports.ids.hostname(),
            form.required("architecture").partition("/")[0],
            macs,
            optional_key(form, "domain", uow.domains),
            form.text("description") or "",
        )
        zone, pool = optional_key(form, "zone", uow.zones), optional_key(form, "pool", uow.resource_pools)
        enlisted = enlist(uow, call.principal, call.ports.ids, enlist_input)
        if zone is not None or pool is not None:
            service.update(
                uow, call.principal, enlisted.system_id, MachineChanges(zone or KEEP, pool or KEEP)
            )
        uow.commit()
    if commission:
        wait(call, commissioning.commission(call.ports, call.principal, enlisted.system_id))
    with call.begin() as uow:
        return show(uow, uow.machines.get(enlisted.system_id))


def _refuse_power(form: Form) -> None:
    if form.text("power_type") not in (None, "", MANUAL):
        raise bad_field("power_type", f"hostloom switches machines of its hosts alone: give {MANUAL}.")
    if form.text("power_parameters") not in (None, "", "{}"):
        raise bad_field("power_parameters", "There is nothing to switch it by: leave it out.")


@machine.crud("read", "Show a machine.")
def read_machine(call: Call) -> MaasResponse:
    """Look up by system id. Clients also know the ids of pending machines and of KVM hosts."""
    key = SystemId(call.places["system_id"])
    with call.begin() as uow:
        # Read pending machines first, because one may become a record in between.
        promised = {pending.system_id: pending for pending in pending_machines.list_(uow, call.principal)}
        try:
            return show(uow, find(call, uow))
        except NotFound:
            substitute = promised.get(key) or machine_of(uow.snapshot(), key)
            if substitute is not None:
                return show(uow, substitute)
            failed = pending_machines.find_lost(uow, call.principal, key)
            if failed is None:
                raise
            return answer(MachineView(View(uow)).machine(failed.machine, failed.error))


@machine.crud(
    "update",
    "Change a machine.",
    Param("zone", "The zone, by name or id."),
    Param("pool", "The resource pool, by name or id."),
    Param("domain", "The domain, by name or id."),
    Param("description", "A description."),
    Param("hostname", "Its name, which stays on a VM host: libvirt knows it by that."),
    Param("swap_size", "Bytes of swap; kept for clients, since hostloom installs no systems.", "Int"),
    Param("power_type", "How it is switched, which stays."),
    Param("architecture", "Its architecture, which stays."),
    Param("cpu_count", "Its processors, which stay.", "Int"),
    Param("memory", "Its memory in MiB, which stays.", "Int"),
    _SKIP_CHECK,
    unsupported=(
        Unsupported("power_parameters", _NO_POWER, frozenset({"{}"})),
        Unsupported("power_parameters_*", _NO_POWER),
        _NO_KERNEL,
        Unsupported("enable_hw_sync", "hostloom does not watch the inside of machines: leave it out.", OFF),
        Unsupported("disable_ipv4", "hostloom cannot turn IPv4 off inside a machine: leave it out.", OFF),
    ),
)
def update_machine(call: Call) -> MaasResponse:
    """Apply the fields that the client sent."""
    form = call.form
    swap = form.whole("swap_size", 0, _MAX_SWAP_BYTES)
    with call.begin() as uow:
        item = find(call, uow)
        _refuse_other_hardware(form, item)
        name = form.text("hostname") or item.hostname
        if name != item.hostname and item.host_id is not None:
            raise bad_field("hostname", f"The name of a machine stays: {item.hostname}.")
        zone, pool = optional_key(form, "zone", uow.zones), optional_key(form, "pool", uow.resource_pools)
        changes = MachineChanges(zone or KEEP, pool or KEEP)
        if changes != MachineChanges():
            service.update(uow, call.principal, item.system_id, changes)
        node_changes = NodeChanges(
            KEEP if name == item.hostname else name,
            domain=optional_key(form, "domain", uow.domains) or KEEP,
            description=form.changed("description"),
        )
        if node_changes != NodeChanges():
            nodes.update(uow, call.principal, item.system_id, node_changes)
        if swap is not None:
            require_admin(call.principal, "change machines")
            annotations.merge(uow, call.principal, Annotated.NODE, item.system_id, {SWAP_SIZE: swap})
        maas_response = show(uow, uow.machines.get(item.system_id))
        uow.commit()
    return maas_response


@machine.crud(
    "delete",
    "Take a composed machine apart, or forget one that booted by itself.",
    Param("force", "Accepted: nothing is in the way but locks, and they stay.", "Boolean"),
)
def delete_machine(call: Call) -> MaasResponse:
    """Delete a machine that hostloom composed or enlisted. A long operation continues as `Releasing`."""
    call.form.flag("force")
    with call.begin() as uow:
        item = find(call, uow)
    is_gone = item.origin is MachineOrigin.ADOPTED and item.state is MachineState.MISSING
    if item.origin is MachineOrigin.ENLISTED or is_gone:
        commissioning.forget(call.ports, call.principal, item.system_id)
        return GONE
    wait(call, service.decompose(call.ports, call.principal, item.system_id))
    return GONE


@machine.op("POST", "commission", "Have a machine report what it is.", unsupported=_SCRIPTS)
def commission(call: Call) -> MaasResponse:
    """Return the commissioning machine."""
    with call.begin() as uow:
        item = find(call, uow)
    wait(call, commissioning.commission(call.ports, call.principal, item.system_id))
    with call.begin() as uow:
        return show(uow, uow.machines.get(item.system_id))


def _all(call: Call, uow: UnitOfWork) -> list[Machine]:
    """List recorded and pending machines in the order of system ids."""
    promised = pending_machines.list_(uow, call.principal)
    recorded = service.list_(uow, call.principal)
    system_ids = {item.system_id for item in recorded}
    items = [*recorded, *(item for item in promised if item.system_id not in system_ids)]
    return sorted(items, key=lambda item: item.system_id)


def find(call: Call, uow: UnitOfWork) -> Machine:
    """Look up by system id, not by hostname, like MAAS."""
    item = service.get(uow, call.principal, call.places["system_id"])
    if item.system_id != call.places["system_id"]:
        raise refuse(404, "No Machine matches the given query.")
    return item


def _refuse_other_hardware(form: Form, item: Machine) -> None:
    """Accept unchanged values of fixed attributes and refuse others."""
    power = MANUAL if item.host_id is None else VIRSH
    current = {"power_type": power, "cpu_count": str(item.cores), "memory": str(item.memory_mib)}
    for name, value in current.items():
        if form.text(name) not in (None, "", value):
            raise bad_field(name, f"It stays: {value}. hostloom changes no machine that is there.")
    architecture = (form.text("architecture") or item.architecture).partition("/")[0]
    if architecture != item.architecture:
        raise bad_field("architecture", f"It stays: {item.architecture}/generic.")


def show(uow: UnitOfWork, item: Machine) -> MaasResponse:
    """Make the response with a machine."""
    return answer(MachineView(View(uow)).machine(item))
