"""`fabrics/{fabric_id}/vlans/` and `vlans/{id}/`."""

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.references import key_of
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, bad_field
from hostloom.compat.maas2.views.network import NO_SPACE, View
from hostloom.model.errors.base import HostloomError
from hostloom.model.keep import KEEP, Keep
from hostloom.model.network import MAX_MTU, MAX_VID, MIN_MTU, Fabric, Vlan
from hostloom.model.rack import Rack
from hostloom.ports.store import UnitOfWork
from hostloom.services.fabrics import FABRICS
from hostloom.services.vlans import VLANS, DhcpInput, DhcpMode, VlanChanges, VlanInput, set_dhcp

vlans = Resource("Vlans", "fabrics/{fabric_id}/vlans/", "Manage the VLANs of a fabric.")
vlan = Resource("Vlan", "fabrics/{fabric_id}/vlans/{vid}/", "Manage a VLAN.", aliases=("vlans/{id}/",))
RESOURCES = (vlans, vlan)

_PARAMS = (
    Param("name", "The name."),
    Param("description", "Free-text description."),
    Param("vid", "The 802.1Q tag, 1 to 4094.", "Int"),
    Param("mtu", f"The MTU, {MIN_MTU} to {MAX_MTU}.", "Int"),
    Param(
        "space", f"The space, by name or id; an empty value or `{NO_SPACE}` removes the VLAN from its space."
    ),
)
_DHCP = (
    Param("dhcp_on", "Whether DHCP serves the VLAN.", "Boolean"),
    Param("primary_rack", "System id of the rack controller that serves the VLAN."),
    Param("secondary_rack", "System id of the standby rack controller."),
    Param(
        "relay_vlan", "Id of the relay VLAN through which DHCP serves this one; an empty value removes it."
    ),
)


@vlans.crud("read", "List the VLANs of a fabric.")
def list_vlans(call: Call) -> MaasResponse:
    """List in the order of tags."""
    with call.begin() as uow:
        fabric = _fabric(call, uow)
        view = View(uow)
        return answer(view.fabric(fabric)["vlans"])


@vlans.crud("create", "Create a tagged VLAN.", *_PARAMS, *_DHCP)
def create_vlan(call: Call) -> MaasResponse:
    """Create a VLAN. The default name contains the tag."""
    form = call.form
    form.required("vid")
    vid, mtu = form.whole("vid", 0, MAX_VID), form.whole("mtu", MIN_MTU, MAX_MTU)
    with call.begin() as uow:
        vlan_input = VlanInput(
            str(_fabric(call, uow).id),
            vid or 0,
            form.text("name") or None,
            space=_space(form, uow) or None,
            description=form.text("description") or "",
            **({} if mtu is None else {"mtu": mtu}),
        )
        created = VLANS.create(uow, call.principal, vlan_input)
        dhcp_input = _dhcp_input(form, uow, created)
        uow.commit()
    if dhcp_input is not None and dhcp_input.mode is not DhcpMode.OFF:
        try:
            _serve(call, created, dhcp_input)
        except HostloomError:
            with call.begin() as uow:
                VLANS.delete(uow, call.principal, str(created.id))
                uow.commit()
            raise
    with call.begin() as uow:
        return answer(View(uow).vlan(uow.vlans.get(created.id)))


@vlan.crud("read", "Show a VLAN.")
def read_vlan(call: Call) -> MaasResponse:
    """Look up by fabric and tag, or by id."""
    with call.begin() as uow:
        return answer(View(uow).vlan(_find(call, uow)))


@vlan.crud("update", "Change a VLAN and its DHCP service.", *_PARAMS, *_DHCP)
def update_vlan(call: Call) -> MaasResponse:
    """Apply the fields that the client sent."""
    form = call.form
    with call.begin() as uow:
        item = _find(call, uow)
        dhcp_input = _dhcp_input(form, uow, item)
        changes = _changes(form, uow, item)
    if dhcp_input is not None:
        _serve(call, item, dhcp_input)
    if changes != VlanChanges():
        VLANS.publish_changes(call.ports, call.principal, str(item.id), changes)
    with call.begin() as uow:
        return answer(View(uow).vlan(uow.vlans.get(item.id)))


@vlan.crud("delete", "Delete a tagged VLAN without subnets, interfaces and machines.")
def delete_vlan(call: Call) -> MaasResponse:
    """Delete a VLAN. Raises an error while subnets, interfaces or machines use it."""
    with call.begin() as uow:
        VLANS.delete(uow, call.principal, str(_find(call, uow).id))
        uow.commit()
    return GONE


def _serve(call: Call, vlan: Vlan, dhcp_input: DhcpInput) -> None:
    set_dhcp(call.ports, call.principal, str(vlan.id), dhcp_input)


def _dhcp_input(form: Form, uow: UnitOfWork, item: Vlan) -> DhcpInput | None:
    """Read the DHCP fields; None if the client sent none."""
    if not any(param.name in form for param in _DHCP):
        return None
    relay = form.text("relay_vlan")
    dhcp_on = form.flag("dhcp_on")
    if relay:
        if dhcp_on:
            raise bad_field("relay_vlan", "DHCP serves this VLAN directly, so it cannot have a relay VLAN.")
        return DhcpInput(DhcpMode.RELAY, relay=relay)
    on = item.dhcp_on if dhcp_on is None else dhcp_on
    if not on:
        keeps_relay = item.relay_vlan_id is not None and relay is None and dhcp_on is None
        return (
            DhcpInput(DhcpMode.RELAY, relay=str(item.relay_vlan_id))
            if keeps_relay
            else DhcpInput(DhcpMode.OFF)
        )
    primary = _rack(form, uow, "primary_rack", item.primary_rack_id)
    secondary = _rack(form, uow, "secondary_rack", item.secondary_rack_id)
    return DhcpInput(DhcpMode.ON, primary=primary, secondary=secondary)


def _rack(form: Form, uow: UnitOfWork, name: str, current: int | None) -> str | None:
    """Look up a rack by the system id of its node, like MAAS."""
    system_id = form.text(name)
    if system_id is None:
        return None if current is None else str(current)
    if not system_id:
        return None
    racks: dict[str, Rack] = {rack.system_id: rack for rack in uow.racks.list()}
    if system_id not in racks:
        names = ", ".join(sorted(racks)) or "there are none"
        raise bad_field(name, f"{system_id!r} is not the system id of a rack controller; known: {names}.")
    return str(racks[system_id].id)


def _changes(form: Form, uow: UnitOfWork, item: Vlan) -> VlanChanges:
    vid, mtu = form.whole("vid", 0, MAX_VID), form.whole("mtu", MIN_MTU, MAX_MTU)
    space: str | Keep | None = KEEP
    if "space" in form:
        space = _space(form, uow) or None
    name = form.changed("name")
    if name == "":
        # Restore the default name. An imported VLAN without a name stays unnamed.
        name = f"vlan-{item.vid if vid is None else vid}" if item.name else KEEP
    return VlanChanges(
        name,
        KEEP if vid is None else vid,
        KEEP if mtu is None else mtu,
        space,
        form.changed("description"),
    )


def _space(form: Form, uow: UnitOfWork) -> str:
    """Return the key of the space; empty for no space."""
    text = (form.text("space") or "").strip()
    return "" if text in ("", NO_SPACE) else key_of(uow.spaces, text)


def _fabric(call: Call, uow: UnitOfWork) -> Fabric:
    return FABRICS.get(uow, call.principal, key_of(uow.fabrics, call.places["fabric_id"]))


def _find(call: Call, uow: UnitOfWork) -> Vlan:
    if "id" in call.places:
        return VLANS.get(uow, call.principal, str(call.number("id", "VLAN")))
    return VLANS.get(uow, call.principal, f"{_fabric(call, uow).id}/{call.number('vid', 'VLAN')}")
