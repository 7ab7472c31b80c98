"""Which machines a list of `machines/` shows: what its query says of them."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from hostloom.compat.maas2.catalogue import Param, Unsupported
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.responses import bad_field
from hostloom.compat.maas2.views.host_machines import machine_id
from hostloom.compat.maas2.views.machine_networks import Networks
from hostloom.compat.maas2.views.machines import AGENT_NAME, OWNER_DATA, STATUS, VIRSH, MachineView
from hostloom.compat.maas2.views.network import View
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Machine, PowerState
from hostloom.model.network import HeldAddress
from hostloom.model.node import Node

#: MAAS's states that no machine is in here: nothing has them, and asking for them is no mistake.
_OTHER_STATES = {
    5: "Reserved",
    7: "Retired",
    13: "Failed releasing",
    14: "Disk erasing",
    15: "Failed disk erasing",
    16: "Rescue mode",
    17: "Entering rescue mode",
    18: "Failed to enter rescue mode",
    19: "Exiting rescue mode",
    20: "Failed to exit rescue mode",
    21: "Testing",
    22: "Failed testing",
}
#: Names of states by what a client may call them: the name in any case, with blanks or `_`, or the number.
_STATES = {
    word: name
    for number, name in (*STATUS.values(), *_OTHER_STATES.items())
    for word in (str(number), name.lower(), name.lower().replace(" ", "_"))
}


@dataclass(frozen=True)
class _Seen:
    """A machine, and what its facts are read from."""

    item: Machine
    node: Node
    view: View
    shown: MachineView
    networks: Networks

    @property
    def addresses(self) -> list[HeldAddress]:
        return [
            address
            for nic in self.node.interfaces
            for address in self.view.held_by_nic(self.node.system_id, nic.name)
        ]


def _macs(seen: _Seen) -> list[str]:
    nics = seen.item.interfaces or seen.node.interfaces
    return [str(nic.mac) for nic in nics if nic.mac is not None]


def _addresses(seen: _Seen) -> list[str]:
    addresses = [ip for nic in seen.item.interfaces for ip in nic.ips]
    addresses += [ip for nic in seen.node.interfaces for ip in nic.ips]
    return [str(ip) for ip in (*addresses, *(address.ip for address in seen.addresses))]


def _host(seen: _Seen) -> list[str]:
    if seen.item.host_id is None:
        return []
    return [str(seen.item.host_id), seen.view.world.host_by_id[seen.item.host_id].host.name]


def _parent(seen: _Seen) -> list[str]:
    if seen.item.host_id is None:
        return []
    return [machine_id(seen.view.world.host_by_id[seen.item.host_id].host)]


def _architecture(seen: _Seen) -> list[str]:
    return [seen.item.architecture, f"{seen.item.architecture}/generic"]


def _workloads(seen: _Seen) -> list[str]:
    kept = seen.view.notes_of(seen.item.system_id).get(OWNER_DATA, {})
    return [
        *kept,
        *(f"{name}:{value}" for name, value in kept.items()),
        *(f"{k}={v}" for k, v in kept.items()),
    ]


def _zone(seen: _Seen) -> list[str]:
    return [seen.view.zone(seen.item.zone_id)["name"], str(seen.item.zone_id)]


def _pool(seen: _Seen) -> list[str]:
    return [seen.view.resource_pool(seen.item.resource_pool_id)["name"], str(seen.item.resource_pool_id)]


def _domain(seen: _Seen) -> list[str]:
    return [seen.view.domain(seen.node.domain_id)["name"]]


def _agent(seen: _Seen) -> list[str]:
    return [seen.view.notes_of(seen.item.system_id).get(AGENT_NAME, "")]


@dataclass(frozen=True)
class _Filter:
    """A parameter, what of a machine it is compared with, and the parameter that says the opposite."""

    name: str
    doc: str
    facts: Callable[[_Seen], Collection[str]]
    #: Other names of the same parameter.
    aliases: tuple[str, ...] = ()
    #: Without one it is `not_NAME`.
    negative: str = ""
    #: Every value must be met, and not one of them.
    every: bool = False

    @property
    def negatives(self) -> tuple[str, ...]:
        plain = f"not_{self.name}"
        return (plain, self.negative) if self.negative else (plain,)


_FILTERS = (
    _Filter("hostname", "of these names", lambda seen: [seen.item.hostname]),
    _Filter("mac_address", "with a NIC of these MACs", _macs),
    _Filter("id", "of these system ids", lambda seen: [seen.item.system_id], ("system_id",)),
    _Filter("domain", "in these domains, by name", _domain),
    _Filter("zone", "in these zones", _zone, negative="not_in_zone"),
    _Filter("pool", "in these resource pools", _pool, negative="not_in_pool"),
    _Filter("pod", "on these VM hosts, by name or id", _host),
    _Filter(
        "pod_type",
        "on VM hosts of these types",
        lambda seen: [VIRSH] if seen.item.host_id is not None else [],
    ),
    _Filter("parent", "on the VM hosts with these system ids", _parent),
    _Filter("agent_name", "allocated by these agents", _agent),
    _Filter("owner", "that these users have", lambda seen: [seen.item.owner]),
    _Filter("tags", "with all of these tags", lambda seen: seen.item.tags, every=True),
    _Filter(
        "status",
        "in these states, by name: `ready`, `deployed`, …",
        lambda seen: [STATUS[seen.item.state][1]],
    ),
    _Filter(
        "power_state",
        "whose power is `on`, `off` or `unknown`",
        lambda seen: [seen.shown.power_state(seen.item)],
    ),
    _Filter("arch", "of these architectures", _architecture, ("architecture",)),
    _Filter("ip_addresses", "with one of these addresses", _addresses),
    _Filter("description", "with these descriptions", lambda seen: [seen.node.description]),
    _Filter("error_description", "with these errors; there are none", lambda _: [""]),
    _Filter("osystem", "with these systems; none is installed", lambda _: [""]),
    _Filter("distro_series", "with these releases; none is installed", lambda _: [""]),
    _Filter("workloads", "with these annotations: `key` or `key:value`", _workloads),
    _Filter(
        "fabrics", "with a NIC on these fabrics", lambda seen: seen.networks.fabrics(seen.item, seen.node)
    ),
    _Filter(
        "fabric_classes",
        "with a NIC on fabrics of these classes",
        lambda seen: seen.networks.classes(seen.item, seen.node),
    ),
    _Filter(
        "vlans",
        "with a NIC on these VLANs; a number is a tag",
        lambda seen: seen.networks.vlans(seen.item, seen.node),
    ),
    _Filter(
        "subnets",
        "with an address in these subnets",
        lambda seen: seen.networks.subnets(seen.item, seen.node),
    ),
    _Filter("spaces", "with a NIC in these spaces", lambda seen: seen.networks.spaces(seen.item, seen.node)),
)
#: The least that a machine must have.
_LEAST: dict[str, tuple[str, Callable[[_Seen], float]]] = {
    "cpu_count": ("processors", lambda seen: seen.item.cores),
    "mem": ("MiB", lambda seen: seen.item.memory_mib),
    "cpu_speed": ("MHz; speeds are not known", lambda _: 0),
    "link_speed": (
        "Mbit/s on a NIC",
        lambda seen: max((nic.link_speed for nic in seen.node.interfaces), default=0),
    ),
}
_UNKNOWN = "hostloom does not know this of machines: leave it out."
UNSUPPORTED = (
    Unsupported("connected_to", _UNKNOWN),
    Unsupported("not_connected_to", _UNKNOWN),
    Unsupported("devices", _UNKNOWN),
    Unsupported("numa_nodes_count", _UNKNOWN),
    Unsupported("sriov_support", _UNKNOWN),
)


def _params() -> Iterator[Param]:
    for each in _FILTERS:
        for name in (each.name, *each.aliases):
            yield Param(name, f"Only those {each.doc}; may be repeated.")
        for name in each.negatives:
            yield Param(name, f"None {each.doc}; may be repeated.")
    for name, (unit, _) in _LEAST.items():
        yield Param(name, f"Only those with at least so many {unit}.", "Float")
        yield Param(f"not_{name}", f"None with exactly so many {unit}; may be repeated.")
    yield Param("free_text", "Only those with this in their name, tags, description, MACs or addresses.")


PARAMS = tuple(_params())


def wanted(form: Form, view: View, machine_view: MachineView) -> Callable[[Machine], bool]:
    """Whether a machine is what the query asks for."""
    tests = [*_named(form), *_numbered(form)]
    if text := (form.text("free_text") or "").strip().lower():
        tests.append(lambda seen: any(text in word.lower() for word in _words(seen)))
    networks = Networks(view)

    def is_wanted(item: Machine) -> bool:
        seen = _Seen(item, machine_view.node(item), view, machine_view, networks)
        return all(test(seen) for test in tests)

    return is_wanted


def _named(form: Form) -> Iterator[Callable[[_Seen], bool]]:
    for each in _FILTERS:
        for name in (each.name, *each.aliases):
            if values := _values(form, name, each.name):
                yield _having(each, values)
        for name in each.negatives:
            if values := _values(form, name, each.name):
                yield _lacking(each, values)


def _having(each: _Filter, values: frozenset[str]) -> Callable[[_Seen], bool]:
    if each.every:
        return lambda seen: values <= set(each.facts(seen))
    return lambda seen: not values.isdisjoint(each.facts(seen))


def _lacking(each: _Filter, values: frozenset[str]) -> Callable[[_Seen], bool]:
    return lambda seen: values.isdisjoint(each.facts(seen))


def _values(form: Form, name: str, kind: str) -> frozenset[str]:
    """What a parameter asks for, as facts are written; 400 for what no machine could have."""
    found = form.texts(name)
    if kind == "mac_address":
        return frozenset(str(MacAddress.parse(word, name)) for word in found)
    if kind == "ip_addresses":
        return frozenset(str(form.parse_address(name, word)) for word in found)
    if kind == "status":
        for word in found:
            if word.lower() not in _STATES:
                names = ", ".join(sorted({state.lower() for state in _STATES.values()}))
                raise bad_field(name, f"{word[:60]!r} is not one of: {names}.")
        return frozenset(_STATES[word.lower()] for word in found)
    if kind == "power_state":
        for word in found:
            if word not in (*PowerState, "error"):
                raise bad_field(name, f"{word[:60]!r} is not one of: {', '.join(PowerState)}, error.")
    return frozenset(found)


def _numbered(form: Form) -> Iterator[Callable[[_Seen], bool]]:
    for name, (_, fact) in _LEAST.items():
        least = form.number(name)
        if least is not None:
            yield lambda seen, least=least, fact=fact: fact(seen) >= least  # type: ignore[misc]
        opposite = f"not_{name}"
        unwanted = {Form({opposite: [word]}).number(opposite) for word in form.texts(opposite)}
        if unwanted:
            yield lambda seen, unwanted=unwanted, fact=fact: fact(seen) not in unwanted  # type: ignore[misc]


def _words(seen: _Seen) -> Iterator[str]:
    yield seen.item.hostname
    yield seen.item.system_id
    yield seen.node.description
    yield from seen.item.tags
    yield from _macs(seen)
    yield from _addresses(seen)
