"""Which machines a list of `machines/` shows: what its query says of them."""

from collections.abc import Callable

from hostloom.compat.maas2.catalogue import Param
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.machine_view import AGENT_NAME, STATUS, MachineView
from hostloom.compat.maas2.view import View
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Machine

PARAMS = (
    Param("hostname", "Only those of these names; may be repeated."),
    Param("mac_address", "Only those with a NIC of these MACs; may be repeated."),
    Param("id", "Only those of these system ids; may be repeated."),
    Param("domain", "Only those in this domain, by name."),
    Param("zone", "Only those in this zone, by name."),
    Param("pool", "Only those in this resource pool, by name."),
    Param("pod", "Only those on this VM host, by name or id."),
    Param("agent_name", "Only those allocated by this agent."),
    Param("owner", "Only those that this user has."),
    Param("tags", "Only those with all of these tags."),
    Param("not_tags", "Only those with none of these tags."),
    Param("status", "Only those in this state, by name: `ready`, `deployed`, …"),
)


def wanted(form: Form, view: View, shown: MachineView) -> Callable[[Machine], bool]:
    """Whether a machine is what the query asks for."""
    by_name = _named(form, view, shown)
    macs = {MacAddress.parse(each, "mac_address") for each in form.texts("mac_address")}
    status = form.choice("status", [name.lower() for _, name in STATUS.values()])
    tags, not_tags = set(form.texts("tags")), set(form.texts("not_tags"))
    hosts = {str(each.host.id): each.host.name for each in view.world.hosts}

    def is_wanted(item: Machine) -> bool:
        own = {nic.mac for nic in item.interfaces}
        if macs and not own:
            own = {nic.mac for nic in shown.node(item).interfaces if nic.mac}
        pod = form.text("pod")
        return (
            (not macs or bool(macs & own))
            and tags <= set(item.tags)
            and not not_tags & set(item.tags)
            and status in (None, STATUS[item.state][1].lower())
            and (not pod or pod in (str(item.host_id), hosts.get(str(item.host_id))))
            and by_name(item)
        )

    return is_wanted


def _named(form: Form, view: View, shown: MachineView) -> Callable[[Machine], bool]:
    """Whether its names and groups are the wanted ones."""
    hostnames, ids = form.texts("hostname"), form.texts("id")
    groups = {name: form.text(name) for name in ("zone", "pool", "domain", "agent_name", "owner")}
    asked = {name: text for name, text in groups.items() if text}

    def of_groups(item: Machine) -> dict[str, str]:
        node = shown.node(item)
        return {
            "zone": view.zone(item.zone_id)["name"],
            "pool": view.resource_pool(item.resource_pool_id)["name"],
            "domain": view.domain(node.domain_id)["name"],
            "agent_name": view.notes_of(item.system_id).get(AGENT_NAME, ""),
            "owner": item.owner,
        }

    def is_named(item: Machine) -> bool:
        if hostnames and item.hostname not in hostnames:
            return False
        if ids and item.system_id not in ids:
            return False
        return not asked or asked.items() <= of_groups(item).items()

    return is_named
