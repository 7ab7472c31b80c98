"""What the checker checks, and its own evaluation of interface constraints."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address, ip_network

from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.host import CorrelationState
from hostloom.model.ids import SpaceId, VlanId
from hostloom.model.network import Subnet, Vlan
from hostloom.model.node import Node, NodeInterface
from hostloom.model.plan import Plan
from hostloom.model.request import LabelConstraints, ParsedRequest, Term

_VLAN_KEYS = ("fabric", "fabric_class", "vlan", "vid", "space", "subnet", "subnet_cidr")
_OWN_KEYS = ("id", "name", "hostname", "type", "tag", "link_speed", "ip")


@dataclass(frozen=True)
class Scene:
    """A plan that is to be checked."""

    snapshot: Snapshot
    #: The host including the other machines of the batch.
    state: HostState
    request: ParsedRequest
    plan: Plan
    #: The labels of the request; none without interface constraints.
    labels: tuple[LabelConstraints, ...]

    @property
    def is_known(self) -> bool:
        """Whether the host is correlated with a node."""
        return self.state.host.correlation.state is CorrelationState.CORRELATED

    @cached_property
    def node(self) -> Node | None:
        """The node that the host is."""
        return self.snapshot.node_of(self.state.host)

    @cached_property
    def interfaces(self) -> dict[str, NodeInterface]:
        """Host interfaces by name."""
        return {interface.name: interface for interface in (self.node.interfaces if self.node else ())}


def unmet_keys(
    snapshot: Snapshot, hostname: str, interface: NodeInterface | None, label: LabelConstraints
) -> Iterator[str]:
    """The keys that the interface does not meet; an unknown interface meets none."""
    signs = {(term.key, term.negated) for term in label.terms if _selects(term)}
    for key, negated in sorted(signs):
        values = [term.value for term in label.terms if (term.key, term.negated) == (key, negated)]
        if interface is None:
            yield key
        elif any(_is(snapshot, hostname, interface, key, value) for value in values) is negated:
            yield f"{'not_' * negated}{key}"


def names_subnet(snapshot: Snapshot, subnet: Subnet, label: LabelConstraints) -> bool:
    """Whether the label allows addresses of this subnet: it names this subnet, or none."""
    for key in ("subnet", "subnet_cidr"):
        values = [term.value for term in label.terms if term.key == key and not term.negated]
        if values and not any(_subnet_is(snapshot, subnet, value) for value in values):
            return False
    return True


def _selects(term: Term) -> bool:
    return term.key in _VLAN_KEYS or (term.key in _OWN_KEYS and (term.key != "ip" or term.negated))


def _is(snapshot: Snapshot, hostname: str, interface: NodeInterface, key: str, value: str) -> bool:
    if key in _VLAN_KEYS:
        vlan = snapshot.vlan_by_id.get(interface.vlan_id or VlanId(0))
        return vlan is not None and _vlan_is(snapshot, vlan, key, value)
    if key == "tag":
        return all(tag.strip() in interface.tags for tag in value.split("&&"))
    if key == "link_speed":
        return interface.link_speed > 0 and interface.link_speed >= int(value)
    if key == "ip":
        return any(ip == ip_address(value) for ip in interface.ips)
    facts = {"id": str(interface.id), "name": interface.name, "hostname": hostname, "type": interface.kind}
    return facts[key] == (str(int(value)) if key == "id" else value)


def _vlan_is(snapshot: Snapshot, vlan: Vlan, key: str, value: str) -> bool:
    fabric = snapshot.fabric_by_id[vlan.fabric_id]
    if key == "vid":
        return vlan.vid == _vid(value)
    if key == "fabric_class" or (key == "fabric" and value.startswith("class:")):
        return fabric.class_type == value.removeprefix("class:")
    if key == "fabric":
        return _is_called(
            value, "fabric", fabric.id, fabric.name, {fabric.name for fabric in snapshot.fabrics}
        )
    if key == "space":
        return _space_is(snapshot, vlan.space_id, value)
    if key == "vlan":
        return _vlan_is_called(snapshot, vlan, value)
    return any(_subnet_is(snapshot, subnet, value) for subnet in snapshot.subnets_by_vlan.get(vlan.id, ()))


def _space_is(snapshot: Snapshot, space_id: SpaceId | None, value: str) -> bool:
    space = None if space_id is None else snapshot.space_by_id[space_id]
    if space is None or value == "undefined":
        return space is None and value == "undefined"
    names = {other.name for other in snapshot.spaces}
    return _is_called(value, "space", space.id, space.name, names)


def _vlan_is_called(snapshot: Snapshot, vlan: Vlan, value: str) -> bool:
    form, _, rest = value.partition(":")
    if rest and form in ("vid", "fabric", "subnet", "space"):
        return _vlan_is(snapshot, vlan, form, rest)
    if rest and form == "id":
        return vlan.id == int(rest)
    if rest and form == "name":
        return vlan.name == rest
    return vlan.name == value if _vid(value) is None else vlan.vid == _vid(value)


def _subnet_is(snapshot: Snapshot, subnet: Subnet, value: str) -> bool:
    form, _, rest = value.partition(":")
    if rest and form in ("vid", "vlan", "space", "fabric"):
        return _vlan_is(snapshot, snapshot.vlan_by_id[subnet.vlan_id], form, rest)
    if rest and form == "ip":
        return ip_address(rest) in subnet.cidr
    text = value.removeprefix("cidr:").removeprefix("name:")
    if "/" in text and not value.startswith("name:"):
        return ip_network(text, strict=False) == subnet.cidr
    return _is_called(
        value.removeprefix("cidr:"), "subnet", subnet.id, subnet.name, {s.name for s in snapshot.subnets}
    )


def _is_called(value: str, noun: str, number: int, name: str, names: set[str]) -> bool:
    """Whether the value is its name or, if nothing has that name, its id as `5`, `id:5` or `fabric-5`."""
    text = value.removeprefix("name:")
    if text in names:
        return name == text
    return value in (str(number), f"id:{number}", f"{noun}-{number}")


def _vid(value: str) -> int | None:
    """`untagged`, or a number in decimal, 0x or 0b."""
    if value == "untagged":
        return 0
    try:
        return int(value, 0) if value[:2].lower() in ("0x", "0b") else int(value)
    except ValueError:
        return None
