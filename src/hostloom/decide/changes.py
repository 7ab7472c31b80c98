"""What the world, or a request, would be after a change that is only thought of."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

from hostloom.decide.request_changes import positive
from hostloom.decide.snapshot import Delta, HostState, Snapshot
from hostloom.model.attachment import MacvlanMode
from hostloom.model.change import Change, ChangeKind
from hostloom.model.errors import InvalidValue
from hostloom.model.host import Correlation, CorrelationEvidence, CorrelationState, Host, LibvirtNetwork
from hostloom.model.ids import InterfaceId, SystemId
from hostloom.model.network import UNTAGGED, Subnet, Vlan
from hostloom.model.node import InterfaceKind, Node, NodeInterface

#: The greatest over-commit ratio that hosts take.
MAX_RATIO = 100.0


def apply(snapshot: Snapshot, change: Change) -> Snapshot:
    """The world after the change; InvalidValue where what it names is not there, or it makes no sense.

    A change of the request (CHANGE_REQUEST) leaves the world as it is.
    """
    return _APPLY[change.kind](snapshot, change)


# -- finding what is named -------------------------------------------------------------------------------


def find_vlan(snapshot: Snapshot, name: str, field: str = "vlan") -> Vlan:
    """The VLAN called FABRIC/VID."""
    for vlan in snapshot.vlans:
        if f"{snapshot.fabric_by_id[vlan.fabric_id].name}/{vlan.vid}" == name:
            return vlan
    raise InvalidValue(field, name, "a VLAN that exists, as FABRIC/VID")


def _state(snapshot: Snapshot, change: Change) -> HostState:
    found = [each for each in snapshot.hosts if each.host.name == change.host]
    if not found:
        raise InvalidValue("host", change.host, "a host that exists")
    return found[0]


def _node(snapshot: Snapshot, change: Change) -> Node:
    node = snapshot.node_of(_state(snapshot, change).host)
    if node is None:
        raise InvalidValue("host", change.host, "a host whose interfaces are known")
    return node


def _interface(snapshot: Snapshot, change: Change) -> NodeInterface:
    node = _node(snapshot, change)
    for each in node.interfaces:
        if each.name == change.subject:
            return each
    raise InvalidValue("interface", change.subject, f"an interface of {change.host}")


def _subnet(snapshot: Snapshot, change: Change) -> Subnet:
    for each in snapshot.subnets:
        if str(each.cidr) == change.subject:
            return each
    raise InvalidValue("subnet", change.subject, "a subnet that exists, by its CIDR")


# -- putting it back -------------------------------------------------------------------------------------


def _with_host(snapshot: Snapshot, state: HostState, host: Host) -> Snapshot:
    later = replace(state, host=host)
    after = replace(snapshot, hosts=tuple(later if each is state else each for each in snapshot.hosts))
    return after.carry(snapshot, Delta(hosts={host.id: later}))


def _with_interfaces(snapshot: Snapshot, node: Node, interfaces: tuple[NodeInterface, ...]) -> Snapshot:
    later = replace(node, interfaces=interfaces)
    after = replace(snapshot, nodes=tuple(later if each is node else each for each in snapshot.nodes))
    return after.carry(snapshot, Delta(nodes={node.system_id: later}))


def _with_interface(
    snapshot: Snapshot, change: Change, alter: Callable[[NodeInterface], NodeInterface]
) -> Snapshot:
    node, interface = _node(snapshot, change), _interface(snapshot, change)
    interfaces = tuple(alter(each) if each is interface else each for each in node.interfaces)
    return _with_interfaces(snapshot, node, interfaces)


def _with_vlan(snapshot: Snapshot, vlan: Vlan, later: Vlan) -> Snapshot:
    vlans = tuple(later if each is vlan else each for each in snapshot.vlans)
    return replace(snapshot, vlans=vlans).carry(snapshot, Delta())


# -- one function a kind ---------------------------------------------------------------------------------


def _serve(snapshot: Snapshot, change: Change) -> Snapshot:
    vlan = find_vlan(snapshot, change.subject)
    return _with_vlan(snapshot, vlan, replace(vlan, dhcp_on=True))


def _stop_serving(snapshot: Snapshot, change: Change) -> Snapshot:
    vlan = find_vlan(snapshot, change.subject)
    return _with_vlan(snapshot, vlan, replace(vlan, dhcp_on=False, relay_vlan_id=None))


def _network(
    snapshot: Snapshot, change: Change, alter: Callable[[LibvirtNetwork], LibvirtNetwork]
) -> Snapshot:
    state = _state(snapshot, change)
    networks = state.host.libvirt_networks
    if all(each.name != change.subject for each in networks):
        raise InvalidValue("network", change.subject, f"a libvirt network of {change.host}")
    changed = tuple(alter(each) if each.name == change.subject else each for each in networks)
    return _with_host(snapshot, state, replace(state.host, libvirt_networks=changed))


def _add_vlan_interface(snapshot: Snapshot, change: Change) -> Snapshot:
    node, parent = _node(snapshot, change), _interface(snapshot, change)
    vlan = find_vlan(snapshot, change.value, "value")
    name = f"{parent.name}.{vlan.vid}"
    if vlan.vid == UNTAGGED:
        raise InvalidValue("value", change.value, "a tagged VLAN")
    if any(each.name == name for each in node.interfaces):
        raise InvalidValue("interface", name, f"one that {change.host} does not have yet")
    highest = max(each.id for one in snapshot.nodes for each in one.interfaces)
    new = NodeInterface(
        InterfaceId(highest + 1), name, InterfaceKind.VLAN, vlan_id=vlan.id, parents=(parent.name,)
    )
    return _with_interfaces(snapshot, node, (*node.interfaces, replace(new, tag_vid=vlan.vid)))


def _free_address(snapshot: Snapshot, change: Change) -> Snapshot:
    subnet = _subnet(snapshot, change)
    try:
        ip = ip_address(change.value)
    except ValueError as error:
        raise InvalidValue("value", change.value, f"an address of {subnet.cidr}") from error
    lost = tuple(each for each in snapshot.held_by_ip.get(ip, ()) if each.subnet_id in (None, subnet.id))
    if not lost:
        raise InvalidValue("value", change.value, f"an address of {subnet.cidr} that somebody has")
    held = tuple(each for each in snapshot.held if each not in lost)
    return replace(snapshot, held=held).carry(snapshot, Delta(lost=lost))


def _ratio(change: Change) -> float:
    value = positive("value", change.value)
    if value > MAX_RATIO:
        raise InvalidValue("value", change.value, f"a ratio up to {MAX_RATIO:g}")
    return value


def _cpu_ratio(snapshot: Snapshot, change: Change) -> Snapshot:
    state = _state(snapshot, change)
    return _with_host(snapshot, state, replace(state.host, cpu_over_commit_ratio=_ratio(change)))


def _memory_ratio(snapshot: Snapshot, change: Change) -> Snapshot:
    state = _state(snapshot, change)
    return _with_host(snapshot, state, replace(state.host, memory_over_commit_ratio=_ratio(change)))


def _grow_pool(snapshot: Snapshot, change: Change) -> Snapshot:
    state, more = _state(snapshot, change), int(positive("value", change.value))
    pools = []
    for each in state.host.storage_pools:
        grown = replace(each, total_bytes=each.total_bytes + more, free_bytes=each.free_bytes + more)
        pools.append(grown if each.name == change.subject else each)
    if all(each.name != change.subject for each in pools):
        raise InvalidValue("pool", change.subject, f"a storage pool of {change.host}")
    return _with_host(snapshot, state, replace(state.host, storage_pools=tuple(pools)))


def _reach(snapshot: Snapshot, change: Change) -> Snapshot:
    state = _state(snapshot, change)
    return _with_host(snapshot, state, replace(state.host, reachable=True, unreachable_cause=""))


def _lose_host(snapshot: Snapshot, change: Change) -> Snapshot:
    state = _state(snapshot, change)
    return _with_host(snapshot, state, replace(state.host, reachable=False, unreachable_cause="it is lost"))


def _choose_node(snapshot: Snapshot, change: Change) -> Snapshot:
    state, system_id = _state(snapshot, change), SystemId(change.value)
    if system_id not in snapshot.node_by_system_id:
        raise InvalidValue("value", change.value, "the system id of a node")
    chosen = Correlation(CorrelationState.CORRELATED, system_id, CorrelationEvidence.OPERATOR)
    return _with_host(snapshot, state, replace(state.host, correlation=chosen))


def _set_mode(snapshot: Snapshot, change: Change) -> Snapshot:
    state = _state(snapshot, change)
    if change.value not in tuple(MacvlanMode):
        raise InvalidValue("value", change.value, f"one of {', '.join(MacvlanMode)}")
    return _with_host(snapshot, state, replace(state.host, default_macvlan_mode=MacvlanMode(change.value)))


def _lose_interface(snapshot: Snapshot, change: Change) -> Snapshot:
    """Whatever rests on it alone has no link any more: VLAN interfaces, bonds, and bridges, too, whose
    machines reach nothing beyond the host then."""
    node, lost = _node(snapshot, change), _interface(snapshot, change)
    left = []
    for each in node.interfaces:
        if each is lost:
            continue
        parents = tuple(name for name in each.parents if name != lost.name)
        is_cut_off = bool(each.parents) and not parents
        left.append(replace(each, parents=parents, link=each.link and not is_cut_off))
    return _with_interfaces(snapshot, node, tuple(left))


def _lose_vlan(snapshot: Snapshot, change: Change) -> Snapshot:
    """Interfaces on it are on no VLAN that we know; its subnets go, and what it relayed is not served."""
    lost = find_vlan(snapshot, change.subject)
    gone = {each.id for each in snapshot.subnets if each.vlan_id == lost.id}
    vlans = [
        replace(each, relay_vlan_id=None) if each.relay_vlan_id == lost.id else each
        for each in snapshot.vlans
        if each is not lost
    ]
    nodes = tuple(_without_vlan(each, lost) for each in snapshot.nodes)
    return replace(
        snapshot,
        vlans=tuple(vlans),
        subnets=tuple(each for each in snapshot.subnets if each.id not in gone),
        ranges=tuple(each for each in snapshot.ranges if each.subnet_id not in gone),
        held=tuple(each for each in snapshot.held if each.subnet_id not in gone),
        nodes=nodes,
    )


def _without_vlan(node: Node, lost: Vlan) -> Node:
    interfaces = tuple(
        replace(each, vlan_id=None) if each.vlan_id == lost.id else each for each in node.interfaces
    )
    return replace(node, interfaces=interfaces)


def _set_ports(snapshot: Snapshot, change: Change) -> Snapshot:
    node, bridge = _node(snapshot, change), _interface(snapshot, change)
    names = tuple(name for name in change.value.split(",") if name)
    known = {each.name for each in node.interfaces} - {bridge.name}
    if bridge.kind is not InterfaceKind.BRIDGE:
        raise InvalidValue("interface", change.subject, f"a bridge of {change.host}")
    for name in names:
        if name not in known:
            raise InvalidValue("value", name, f"another interface of {change.host}")
    return _with_interface(snapshot, change, lambda each: replace(each, parents=names))


def _move_interface(snapshot: Snapshot, change: Change) -> Snapshot:
    vlan = find_vlan(snapshot, change.value, "value")
    return _with_interface(snapshot, change, lambda each: replace(each, vlan_id=vlan.id))


_APPLY: dict[ChangeKind, Callable[[Snapshot, Change], Snapshot]] = {
    ChangeKind.SERVE_VLAN: _serve,
    ChangeKind.STOP_SERVING_VLAN: _stop_serving,
    ChangeKind.LIBVIRT_DHCP_OFF: lambda snapshot, change: _network(
        snapshot, change, lambda each: replace(each, dhcp=False)
    ),
    ChangeKind.START_NETWORK: lambda snapshot, change: _network(
        snapshot, change, lambda each: replace(each, active=True)
    ),
    ChangeKind.ADD_VLAN_INTERFACE: _add_vlan_interface,
    ChangeKind.ENABLE_INTERFACE: lambda snapshot, change: _with_interface(
        snapshot, change, lambda each: replace(each, enabled=True)
    ),
    ChangeKind.LINK_UP: lambda snapshot, change: _with_interface(
        snapshot, change, lambda each: replace(each, link=True)
    ),
    ChangeKind.FREE_ADDRESS: _free_address,
    ChangeKind.RAISE_CPU_RATIO: _cpu_ratio,
    ChangeKind.RAISE_MEMORY_RATIO: _memory_ratio,
    ChangeKind.GROW_POOL: _grow_pool,
    ChangeKind.REACH_HOST: _reach,
    ChangeKind.CHOOSE_NODE: _choose_node,
    ChangeKind.CHANGE_REQUEST: lambda snapshot, _change: snapshot,
    ChangeKind.LOSE_INTERFACE: _lose_interface,
    ChangeKind.LOSE_VLAN: _lose_vlan,
    ChangeKind.LOSE_HOST: _lose_host,
    ChangeKind.SET_MACVLAN_MODE: _set_mode,
    ChangeKind.SET_BRIDGE_PORTS: _set_ports,
    ChangeKind.MOVE_INTERFACE: _move_interface,
}
