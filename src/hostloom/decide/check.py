"""An independent checker: is this plan legal in this snapshot? It shares no code with the planner."""

from collections.abc import Iterator

from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.host import CorrelationState, InstalledBy, LibvirtNetwork
from hostloom.model.network import RangeKind, Subnet
from hostloom.model.node import InterfaceKind, NodeInterface
from hostloom.model.plan import Plan, PlannedInterface
from hostloom.model.request import AddressMode, ComposeRequest


def check(snapshot: Snapshot, request: ComposeRequest, plan: Plan) -> tuple[str, ...]:
    """The rules that the plan breaks, in words for a developer; empty for a legal one."""
    state = snapshot.host_by_id.get(plan.host_id)
    if state is None:
        return (f"host {plan.host_id} does not exist",)
    return (
        *_host(state, request, plan),
        *_room(state, plan),
        *_disks(state, plan),
        *_nics(snapshot, state, plan),
        *_addresses(snapshot, plan),
        *_boot(snapshot, state, request, plan),
    )


def _host(state: HostState, request: ComposeRequest, plan: Plan) -> Iterator[str]:
    host = state.host
    if not host.reachable:
        yield "the host is not reachable"
    if request.host not in (None, host.name, str(host.id)):
        yield f"the plan is for {host.name}, the request for {request.host}"
    if host.correlation.state is CorrelationState.AMBIGUOUS:
        yield "the host is ambiguous"
    if request.interfaces.strip() and host.correlation.state is not CorrelationState.CORRELATED:
        yield "constraints need a host that is known"
    if plan.spec.emulation not in host.emulations:
        yield "the host does not run this architecture"
    wanted = (request.architecture or plan.spec.emulation.architecture).split("/")[0]
    if plan.spec.emulation.architecture != wanted:
        yield f"the request wants {wanted}"
    if (plan.spec.cores, plan.spec.memory_mib) != (request.cores, request.memory_mib):
        yield "the plan's size is not the request's"


def _room(state: HostState, plan: Plan) -> Iterator[str]:
    host = state.host
    cores = sum(each.cores for each in state.machines) + plan.spec.cores
    memory = sum(each.memory_mib for each in state.machines) + plan.spec.memory_mib
    if cores > host.cores * host.cpu_over_commit_ratio:
        yield "more cores than the host has"
    if memory > host.memory_mib * host.memory_over_commit_ratio:
        yield "more memory than the host has"


def _disks(state: HostState, plan: Plan) -> Iterator[str]:
    pools = {pool.name: pool for pool in state.host.storage_pools if pool.active}
    asked: dict[str, int] = {}
    for disk in plan.disks:
        if disk.pool not in pools:
            yield f"disk {disk.name} is on no pool of the host"
        if plan.spec.uuid[:8] not in disk.volume:
            yield f"volume {disk.volume} could be another machine's"
        asked[disk.pool] = asked.get(disk.pool, 0) + disk.size_bytes
    for name, size in asked.items():
        if name in pools:
            promised = sum(each.reserved_bytes.get(name, 0) for each in state.machines)
            if size > min(pools[name].free_bytes, pools[name].total_bytes - promised):
                yield f"pool {name} has not that much room"
    if len({disk.volume for disk in plan.disks}) != len(plan.disks):
        yield "two disks share a volume"


# -- NICs ----------------------------------------------------------------------------------------------


def _nics(snapshot: Snapshot, state: HostState, plan: Plan) -> Iterator[str]:
    node = snapshot.node_of(state.host)
    interfaces = {each.name: each for each in (node.interfaces if node else ())}
    networks = {each.name: each for each in state.host.libvirt_networks}
    if len({nic.name for nic in plan.interfaces}) != len(plan.interfaces):
        yield "two NICs share a name"
    if len({nic.mac for nic in plan.interfaces}) != len(plan.interfaces):
        yield "two NICs share a MAC"
    if tuple(nic.mac for nic in plan.interfaces) != tuple(nic.mac for nic in plan.spec.interfaces):
        yield "the spec's NICs are not the plan's"
    for nic in plan.interfaces:
        if nic.attachment.kind is AttachKind.NETWORK:
            yield from _on_network(nic, networks.get(nic.attachment.source), interfaces, state)
        else:
            yield from _on_interface(nic, interfaces)
    yield from _passthru(state, plan)


def _on_interface(nic: PlannedInterface, interfaces: dict[str, NodeInterface]) -> Iterator[str]:
    interface = interfaces.get(nic.attachment.source)
    if interface is None:
        yield f"{nic.name}: {nic.attachment.source} is no host interface"
        return
    is_bridge = interface.kind is InterfaceKind.BRIDGE
    if is_bridge is not (nic.attachment.kind is AttachKind.BRIDGE):
        yield f"{nic.name}: {interface.name} cannot be attached as {nic.attachment.kind}"
    if (nic.attachment.mode is None) is not is_bridge:
        yield f"{nic.name}: macvlan has a mode, nothing else has"
    if nic.vlan_id != interface.vlan_id:
        yield f"{nic.name}: its VLAN is not that of {interface.name}"
    yield from _carries(nic, interface, interfaces)


def _carries(
    nic: PlannedInterface, interface: NodeInterface, interfaces: dict[str, NodeInterface]
) -> Iterator[str]:
    if interface.kind is InterfaceKind.LOOPBACK or not interface.enabled or not interface.link:
        yield f"{nic.name}: {interface.name} cannot carry a machine"
    for other in interfaces.values():
        if other.kind in (InterfaceKind.BRIDGE, InterfaceKind.BOND) and interface.name in other.parents:
            yield f"{nic.name}: {interface.name} is a member of {other.name}"


def _on_network(
    nic: PlannedInterface,
    network: LibvirtNetwork | None,
    interfaces: dict[str, NodeInterface],
    state: HostState,
) -> Iterator[str]:
    if network is None or not network.active:
        yield f"{nic.name}: no active network {nic.attachment.source}"
        return
    if nic.attachment.mode is not None:
        yield f"{nic.name}: a network has no macvlan mode"
    is_known = state.host.correlation.state is CorrelationState.CORRELATED
    if is_known and network.dhcp:
        yield f"{nic.name}: libvirt's DHCP is on in {network.name}"
    bridge = interfaces.get(network.bridge or "")
    if bridge is not None:
        yield from _carries(nic, bridge, interfaces)
    if nic.vlan_id != (bridge.vlan_id if bridge else None):
        yield f"{nic.name}: its VLAN is not that of {network.name}"


def _passthru(state: HostState, plan: Plan) -> Iterator[str]:
    users: dict[str, list[MacvlanMode | None]] = {}
    for machine in state.machines:
        for placed in machine.interfaces:
            if placed.kind is AttachKind.MACVLAN:
                users.setdefault(placed.source, []).append(placed.mode)
    for nic in plan.interfaces:
        if nic.attachment.kind is AttachKind.MACVLAN:
            users.setdefault(nic.attachment.source, []).append(nic.attachment.mode)
    planned = {nic.attachment.source for nic in plan.interfaces}
    for source, modes in users.items():
        if source in planned and MacvlanMode.PASSTHRU in modes and len(modes) > 1:
            yield f"{source} is shared with a passthru machine"


# -- addresses and boot ----------------------------------------------------------------------------------


def _addresses(snapshot: Snapshot, plan: Plan) -> Iterator[str]:
    given = [ip for nic in plan.interfaces for ip in nic.ips]
    if len(set(given)) != len(given):
        yield "one address for two NICs"
    for nic in plan.interfaces:
        if nic.mode is not AddressMode.AUTO and nic.ips:
            yield f"{nic.name}: mode={nic.mode} has no address"
        if len(nic.ips) != len(nic.subnet_ids):
            yield f"{nic.name}: every address has its subnet"
        for ip, subnet_id in zip(nic.ips, nic.subnet_ids, strict=False):
            subnet = snapshot.subnet_by_id.get(subnet_id)
            if subnet is None or ip not in subnet.cidr or subnet.vlan_id != nic.vlan_id:
                yield f"{nic.name}: {ip} is not of a subnet on its VLAN"
                continue
            for held in snapshot.held:
                if held.ip == ip and held.subnet_id in (None, subnet_id):
                    yield f"{nic.name}: {ip} is held"
            if not _is_ours(snapshot, subnet, int(ip)):
                yield f"{nic.name}: {ip} is not ours to give"


def _is_ours(snapshot: Snapshot, subnet: Subnet, number: int) -> bool:
    ranges = snapshot.ranges_by_subnet.get(subnet.id, ())
    inside = {each.kind for each in ranges if int(each.start) <= number <= int(each.end)}
    if RangeKind.DYNAMIC in inside or (subnet.gateway is not None and number == int(subnet.gateway)):
        return False
    if (RangeKind.RESERVED in inside) is subnet.managed:
        return False
    if subnet.cidr.num_addresses <= 2:
        return True
    ends = {int(subnet.cidr.network_address)}
    if subnet.cidr.version == 4:
        ends.add(int(subnet.cidr.broadcast_address))
    return number not in ends


def _boot(snapshot: Snapshot, state: HostState, request: ComposeRequest, plan: Plan) -> Iterator[str]:
    boots = [nic for nic in plan.interfaces if nic.boot]
    if len(boots) > 1:
        yield "two NICs boot"
    if boots and not request.netboot:
        yield "a NIC boots, though the request wants none to"
    is_known = state.host.correlation.state is CorrelationState.CORRELATED
    if is_known and any(nic.vlan_id not in snapshot.bootable_vlans for nic in boots):
        yield "the boot NIC is on no bootable VLAN"
    must_boot = bool(request.interfaces.strip()) or state.host.installed_by is InstalledBy.HOSTLOOM
    if request.netboot and must_boot and is_known and not boots:
        yield "no NIC boots"
    if plan.netboot is not bool(boots):
        yield "netboot without a boot NIC, or the other way round"
