"""Filters of the list of machines."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from hostloom.compat.maas2.catalogue import Param, Unsupported
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.handlers.machine_filter_values import read_values
from hostloom.compat.maas2.views.host_machines import machine_id
from hostloom.compat.maas2.views.machine_networks import Networks
from hostloom.compat.maas2.views.machines import AGENT_NAME, OWNER_DATA, STATUS, VIRSH, MachineView
from hostloom.compat.maas2.views.network import View
from hostloom.model.machine import Machine
from hostloom.model.network import HeldAddress
from hostloom.model.node import Node


@dataclass(frozen=True)
class _MachineFacts:
    """A machine and the records with its attributes."""

    item: Machine
    node: Node
    view: View
    machine_view: MachineView
    networks: Networks

    @property
    def addresses(self) -> list[HeldAddress]:
        return [
            address
            for nic in self.node.interfaces
            for address in self.view.held_by_nic(self.node.system_id, nic.name)
        ]


def _macs(facts: _MachineFacts) -> list[str]:
    nics = facts.item.interfaces or facts.node.interfaces
    return [str(nic.mac) for nic in nics if nic.mac is not None]


def _addresses(facts: _MachineFacts) -> list[str]:
    addresses = [ip for nic in facts.item.interfaces for ip in nic.ips]
    addresses += [ip for nic in facts.node.interfaces for ip in nic.ips]
    return [str(ip) for ip in (*addresses, *(address.ip for address in facts.addresses))]


def _host(facts: _MachineFacts) -> list[str]:
    if facts.item.host_id is None:
        return []
    return [str(facts.item.host_id), facts.view.world.host_by_id[facts.item.host_id].host.name]


def _parent(facts: _MachineFacts) -> list[str]:
    if facts.item.host_id is None:
        return []
    return [machine_id(facts.view.world.host_by_id[facts.item.host_id].host)]


def _architecture(facts: _MachineFacts) -> list[str]:
    return [facts.item.architecture, f"{facts.item.architecture}/generic"]


def _workloads(facts: _MachineFacts) -> list[str]:
    owner_data = facts.view.notes_of(facts.item.system_id).get(OWNER_DATA, {})
    return [
        *owner_data,
        *(f"{name}:{value}" for name, value in owner_data.items()),
        *(f"{k}={v}" for k, v in owner_data.items()),
    ]


def _zone(facts: _MachineFacts) -> list[str]:
    return [facts.view.zone(facts.item.zone_id)["name"], str(facts.item.zone_id)]


def _pool(facts: _MachineFacts) -> list[str]:
    return [facts.view.resource_pool(facts.item.resource_pool_id)["name"], str(facts.item.resource_pool_id)]


def _domain(facts: _MachineFacts) -> list[str]:
    return [facts.view.domain(facts.node.domain_id)["name"]]


def _agent(facts: _MachineFacts) -> list[str]:
    return [facts.view.notes_of(facts.item.system_id).get(AGENT_NAME, "")]


@dataclass(frozen=True)
class _Filter:
    """A filter parameter, the attribute of a machine that it matches, and its negation."""

    name: str
    doc: str
    values_of: Callable[[_MachineFacts], Collection[str]]
    #: Other names of the same parameter.
    aliases: tuple[str, ...] = ()
    #: A second name of the negation, besides `not_NAME`.
    negative: str = ""
    #: Whether a machine must have all values instead of one.
    match_all: bool = False

    @property
    def negatives(self) -> tuple[str, ...]:
        plain = f"not_{self.name}"
        return (plain, self.negative) if self.negative else (plain,)


_FILTERS = (
    _Filter("hostname", "with these hostnames", lambda facts: [facts.item.hostname]),
    _Filter("mac_address", "with a NIC of these MACs", _macs),
    _Filter("id", "with these system ids", lambda facts: [facts.item.system_id], ("system_id",)),
    _Filter("domain", "in these domains, by name", _domain),
    _Filter("zone", "in these zones", _zone, negative="not_in_zone"),
    _Filter("pool", "in these resource pools", _pool, negative="not_in_pool"),
    _Filter("pod", "on these VM hosts, by name or id", _host),
    _Filter(
        "pod_type",
        "on VM hosts of these types",
        lambda facts: [VIRSH] if facts.item.host_id is not None else [],
    ),
    _Filter("parent", "on the VM hosts with these system ids", _parent),
    _Filter("agent_name", "allocated by these agents", _agent),
    _Filter("owner", "owned by these users", lambda facts: [facts.item.owner]),
    _Filter("tags", "with all of these tags", lambda facts: facts.item.tags, match_all=True),
    _Filter(
        "status",
        "in these states, by name: `ready`, `deployed`, …",
        lambda facts: [STATUS[facts.item.state][1]],
    ),
    _Filter(
        "power_state",
        "in these power states: `on`, `off` or `unknown`",
        lambda facts: [facts.machine_view.power_state(facts.item)],
    ),
    _Filter("arch", "of these architectures", _architecture, ("architecture",)),
    _Filter("ip_addresses", "with one of these addresses", _addresses),
    _Filter("description", "with these descriptions", lambda facts: [facts.node.description]),
    _Filter("error_description", "with these errors; hostloom records none", lambda _: [""]),
    _Filter("osystem", "with these systems", lambda facts: [facts.machine_view.system(facts.item)[0]]),
    _Filter("distro_series", "with these releases", lambda facts: [facts.machine_view.system(facts.item)[1]]),
    _Filter("workloads", "with these annotations: `key` or `key:value`", _workloads),
    _Filter(
        "fabrics", "with a NIC on these fabrics", lambda facts: facts.networks.fabrics(facts.item, facts.node)
    ),
    _Filter(
        "fabric_classes",
        "with a NIC on fabrics of these classes",
        lambda facts: facts.networks.classes(facts.item, facts.node),
    ),
    _Filter(
        "vlans",
        "with a NIC on these VLANs; a number is a tag",
        lambda facts: facts.networks.vlans(facts.item, facts.node),
    ),
    _Filter(
        "subnets",
        "with an address in these subnets",
        lambda facts: facts.networks.subnets(facts.item, facts.node),
    ),
    _Filter(
        "spaces", "with a NIC in these spaces", lambda facts: facts.networks.spaces(facts.item, facts.node)
    ),
)
#: Numeric filters with a minimum: the unit and the attribute.
_LEAST: dict[str, tuple[str, Callable[[_MachineFacts], float]]] = {
    "cpu_count": ("processors", lambda facts: facts.item.cores),
    "mem": ("MiB", lambda facts: facts.item.memory_mib),
    "cpu_speed": ("MHz; hostloom does not know the speeds", lambda _: 0),
    "link_speed": (
        "Mbit/s on a NIC",
        lambda facts: max((nic.link_speed for nic in facts.node.interfaces), default=0),
    ),
}
_UNKNOWN = "hostloom does not record this: omit the field."
UNSUPPORTED = (
    Unsupported("connected_to", _UNKNOWN),
    Unsupported("not_connected_to", _UNKNOWN),
    Unsupported("devices", _UNKNOWN),
    Unsupported("numa_nodes_count", _UNKNOWN),
    Unsupported("sriov_support", _UNKNOWN),
)


def _params() -> Iterator[Param]:
    for filter_ in _FILTERS:
        for name in (filter_.name, *filter_.aliases):
            yield Param(name, f"List only machines {filter_.doc}; may be repeated.")
        for name in filter_.negatives:
            yield Param(name, f"Exclude machines {filter_.doc}; may be repeated.")
    for name, (unit, _) in _LEAST.items():
        yield Param(name, f"List only machines with at least this number of {unit}.", "Float")
        yield Param(f"not_{name}", f"Exclude machines with exactly this number of {unit}; may be repeated.")
    yield Param("free_text", "Text that the hostname, tags, description, MACs or addresses must contain.")


PARAMS = tuple(_params())


def machine_filter(form: Form, view: View, machine_view: MachineView) -> Callable[[Machine], bool]:
    """Make a predicate for the machines that match the query."""
    tests = [*_named(form), *_numbered(form)]
    if text := (form.text("free_text") or "").strip().lower():
        tests.append(lambda facts: any(text in word.lower() for word in _words(facts)))
    networks = Networks(view)

    def matches(item: Machine) -> bool:
        facts = _MachineFacts(item, machine_view.node(item), view, machine_view, networks)
        return all(test(facts) for test in tests)

    return matches


def _named(form: Form) -> Iterator[Callable[[_MachineFacts], bool]]:
    for filter_ in _FILTERS:
        for name in (filter_.name, *filter_.aliases):
            if values := read_values(form, name, filter_.name):
                yield _having(filter_, values)
        for name in filter_.negatives:
            if values := read_values(form, name, filter_.name):
                yield _lacking(filter_, values)


def _having(filter_: _Filter, values: frozenset[str]) -> Callable[[_MachineFacts], bool]:
    if filter_.match_all:
        return lambda facts: values <= set(filter_.values_of(facts))
    return lambda facts: not values.isdisjoint(filter_.values_of(facts))


def _lacking(filter_: _Filter, values: frozenset[str]) -> Callable[[_MachineFacts], bool]:
    return lambda facts: values.isdisjoint(filter_.values_of(facts))


def _numbered(form: Form) -> Iterator[Callable[[_MachineFacts], bool]]:
    for name, (_, fact) in _LEAST.items():
        least = form.number(name)
        if least is not None:
            yield lambda facts, least=least, fact=fact: fact(facts) >= least  # type: ignore[misc]
        opposite = f"not_{name}"
        unwanted = {Form({opposite: [value]}).number(opposite) for value in form.texts(opposite)}
        if unwanted:
            yield lambda facts, unwanted=unwanted, fact=fact: fact(facts) not in unwanted  # type: ignore[misc]


def _words(facts: _MachineFacts) -> Iterator[str]:
    yield facts.item.hostname
    yield facts.item.system_id
    yield facts.node.description
    yield from facts.item.tags
    yield from _macs(facts)
    yield from _addresses(facts)
