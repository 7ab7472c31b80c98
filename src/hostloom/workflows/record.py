"""Record what a reading of a host found: its facts, its node, its machines; nothing is ever deleted."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hostloom.decide.correlate import correlate
from hostloom.decide.drift import drift
from hostloom.decide.inventory import Inventory, take_inventory
from hostloom.decide.networks import network_vids, own_bridges
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.event import Event
from hostloom.model.host import Correlation, CorrelationEvidence, CorrelationState, Host, with_default
from hostloom.model.ids import FabricId, MacAddress, SubnetId, VlanId
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin, MachineState
from hostloom.model.network import Address, AddressKind, Vlan
from hostloom.model.node import Node, NodeKind
from hostloom.model.observed import ObservedHost, ObservedInterface, ObservedMachine, ObservedNetwork
from hostloom.ports import Ports, UnitOfWork
from hostloom.workflows.findings import findings_of, is_unread, networks_after, pools_after, tell_findings
from hostloom.workflows.names import free_hostname
from hostloom.workflows.observation import Observation
from hostloom.workflows.power import tell_power

#: Machines in these states are in the hands of a saga: a reading does not judge them.
_IN_WORK = frozenset({MachineState.COMMISSIONING, MachineState.RELEASING, MachineState.DEPLOYING})


def record_observation(
    uow: UnitOfWork, ports: Ports, host: Host, seen: Observation, *, adopt: bool = False
) -> Host:
    """Write facts, correlation, interfaces and machines of a host; `adopt` makes a node if none matches."""
    was_lost = host.facts_at is not None and not host.reachable
    correlation = _correlate(uow, ports, host, seen)
    if correlation.state is CorrelationState.UNKNOWN and adopt and seen.network is not None:
        correlation = _adopt(uow, ports, host, seen.network)
    if correlation.state is CorrelationState.UNKNOWN and seen.network is None and seen.findings:
        # The links could not be read this time: that is no evidence against what was known.
        correlation = host.correlation
    _tell_correlation(uow, ports, host, correlation)
    node = None if correlation.system_id is None else uow.nodes.get(correlation.system_id)
    if node is not None and seen.network is not None:
        fresh = replace(host, libvirt_networks=seen.host.libvirt_networks)
        bridges, vids = own_bridges(fresh), network_vids(fresh)
        node = record_network(uow, ports, node, seen.network, f"host {host.name}", bridges, vids)
    findings = findings_of(seen)
    tell_findings(uow, ports, host, findings)
    host = uow.hosts.record_facts(
        host,
        replace(
            host,
            correlation=correlation,
            cores=seen.host.cores,
            memory_mib=seen.host.memory_mib,
            huge_pages_mib=seen.host.huge_pages_mib,
            emulations=seen.host.emulations or host.emulations,
            storage_pools=with_default(pools_after(host, seen), host.default_pool),
            libvirt_networks=networks_after(host, seen),
            reachable=True,
            unreachable_cause="",
            facts_at=seen.at,
            findings=findings,
        ),
    )
    if was_lost:
        uow.events.add(Event("host-back", f"host {host.name}", "it answers again", ports.clock.now()))
    _record_machines(uow, ports, host, node, seen.host)
    return host


def record_network(
    uow: UnitOfWork,
    ports: Ports,
    node: Node,
    seen: ObservedNetwork,
    subject: str,
    bridges: frozenset[str] = frozenset(),
    network_vids: Mapping[str, frozenset[int]] | None = None,
) -> Node:
    """Write a node's interfaces, making the fabrics, VLANs and subnets that are seen for the first time."""
    now = ports.clock.now()
    for change in drift(node, seen):
        text = f"{change.subject}: {change.recorded or 'nothing'} is now {change.observed or 'gone'}"
        if node.scanned_at is not None:
            uow.events.add(Event("drift", subject, f"{change.kind} {text}", now))
    inventory = take_inventory(seen, node, uow.snapshot(), bridges, network_vids)
    vlans = _create_network(uow, inventory)
    interfaces = [
        replace(each, vlan_id=vlans.get(each.vlan_id, each.vlan_id)) if each.vlan_id is not None else each
        for each in inventory.interfaces
    ]
    interfaces += [interface for interface in node.interfaces if interface.name in seen.unread]
    return uow.nodes.replace_interfaces(node.system_id, interfaces)


def _create_network(uow: UnitOfWork, inventory: Inventory) -> Mapping[VlanId, VlanId]:
    """Create what is new; the answer maps the inventory's negative placeholder VLANs to real ones."""
    fabrics: dict[FabricId, FabricId] = {}
    vlans: dict[VlanId, VlanId] = {}
    for fabric in inventory.new_fabrics:
        fabrics[fabric.id] = uow.fabrics.add(replace(fabric, id=FabricId(0))).id
    for vlan in inventory.new_vlans:
        fabric_id = fabrics.get(vlan.fabric_id, vlan.fabric_id)
        vlans[vlan.id] = _ensure_vlan(uow, replace(vlan, id=VlanId(0), fabric_id=fabric_id)).id
    for subnet in inventory.new_subnets:
        uow.subnets.add(replace(subnet, id=SubnetId(0), vlan_id=vlans.get(subnet.vlan_id, subnet.vlan_id)))
    return vlans


def _ensure_vlan(uow: UnitOfWork, vlan: Vlan) -> Vlan:
    """A new fabric comes with its untagged VLAN, which takes the MTU that was seen."""
    found = uow.vlans.find_by_vid(vlan.fabric_id, vlan.vid)
    if found is None:
        return uow.vlans.add(vlan)
    return found if found.mtu == vlan.mtu else uow.vlans.update(replace(found, mtu=vlan.mtu))


def _correlate(uow: UnitOfWork, ports: Ports, host: Host, seen: Observation) -> Correlation:
    snapshot = uow.snapshot()
    links = seen.network.links if seen.network is not None else ()
    macs = tuple(each.mac for each in links if each.mac is not None and each.kind is not None)
    local = ports.local if host.uri == "qemu:///system" else None
    by_operator = host.correlation.evidence is CorrelationEvidence.OPERATOR
    chosen = host.correlation.system_id if by_operator else None
    return correlate(seen.addresses, macs, snapshot.nodes, snapshot.held, local, chosen)


def _adopt(uow: UnitOfWork, ports: Ports, host: Host, network: ObservedNetwork) -> Correlation:
    """Make the node that the host is, from its own interfaces (DESIGN 2.1)."""
    hostname = free_hostname(uow, network.hostname or host.name)
    node = uow.nodes.add(Node(ports.ids.system_id(), hostname, NodeKind.MACHINE))
    return Correlation(
        CorrelationState.CORRELATED, node.system_id, CorrelationEvidence.ADDRESS, "its own interfaces"
    )


def _tell_correlation(uow: UnitOfWork, ports: Ports, host: Host, now: Correlation) -> None:
    before = host.correlation
    if (before.state, before.system_id) == (now.state, now.system_id):
        return
    kind = "host-match-gained" if now.system_id is not None else f"host-match-{now.state}"
    if before.system_id is not None and now.system_id is None:
        kind = "host-match-lost"
    message = f"was {before.state} ({before.system_id}), is {now.state} ({now.system_id}) by {now.evidence}"
    uow.events.add(Event(kind, f"host {host.name}", f"{message} {now.matched}", ports.clock.now()))


# -- machines ------------------------------------------------------------------------------------------


def _record_machines(
    uow: UnitOfWork, ports: Ports, host: Host, node: Node | None, seen: ObservedHost
) -> None:
    recorded = {each.uuid: each for each in uow.machines.of_host(host.id)}
    for one in seen.machines:
        if one.uuid in recorded:
            _record_machine(uow, ports, recorded.pop(one.uuid), one)
        else:
            _adopt_machine(uow, ports, host, node, one)
    for machine in recorded.values():
        if is_unread(seen, machine.uuid):
            continue
        if machine.state not in _IN_WORK and machine.state is not MachineState.MISSING:
            uow.machines.update(replace(machine, state=MachineState.MISSING))
            _tell(uow, ports, "machine-missing", machine, f"not seen on host {host.name}")


def _record_machine(uow: UnitOfWork, ports: Ports, machine: Machine, seen: ObservedMachine) -> None:
    autostart = machine.autostart if seen.autostart is None else seen.autostart
    changed = replace(machine, power=seen.power, autostart=autostart)
    if machine.state not in _IN_WORK:
        tell_power(uow, ports, machine, seen.power)
    if machine.state is MachineState.MISSING:
        back = MachineState.READY if machine.origin is MachineOrigin.COMPOSED else MachineState.DEPLOYED
        changed = replace(changed, state=back)
        _tell(uow, ports, "machine-found", machine, "seen again")
    if changed != machine:
        uow.machines.update(changed)


def _adopt_machine(
    uow: UnitOfWork, ports: Ports, host: Host, node: Node | None, seen: ObservedMachine
) -> None:
    """Record a machine that somebody else made: read-only, whatever it is called there."""
    vlans = _vlans(host, node)
    enlisted = _enlisted(uow, seen)
    nics = _free_nics(uow, seen.interfaces)
    known = {} if enlisted is None else _known_nics(uow, enlisted)
    names = _nic_names([nic.mac for nic in nics], known)
    machine = Machine(
        system_id=ports.ids.system_id(),
        hostname=free_hostname(uow, seen.name),
        uuid=seen.uuid,
        origin=MachineOrigin.ADOPTED,
        state=MachineState.DEPLOYED,
        host_id=host.id,
        architecture=seen.architecture,
        cores=seen.cores,
        memory_mib=seen.memory_mib,
        power=seen.power,
        interfaces=tuple(
            MachineInterface(
                names[nic.mac],
                nic.mac,
                nic.attachment,
                vlans.get(_key(nic.attachment)),
                ips=known[nic.mac][1] if nic.mac in known else (),
                model=nic.model,
            )
            for nic in nics
        ),
        disks=seen.disks,
        netboot=False,
        autostart=bool(seen.autostart),
    )
    if enlisted is None:
        uow.machines.add(machine)
    else:
        kept = (
            "system_id",
            "hostname",
            "zone_id",
            "resource_pool_id",
            "tags",
            "owner",
            "locked",
            "generation",
        )
        machine = replace(machine, **{name: getattr(enlisted, name) for name in kept})
        uow.machines.update(machine)
    _tell(uow, ports, "machine-adopted", machine, f"found on host {host.name}")


def _enlisted(uow: UnitOfWork, seen: ObservedMachine) -> Machine | None:
    """One that booted from the network before anybody knew which host it is on."""
    found = uow.machines.find_by_smbios(seen.uuid)
    for nic in seen.interfaces:
        found = found or uow.machines.find_by_mac(nic.mac)
    return found if found is not None and found.origin is MachineOrigin.ENLISTED else None


def _known_nics(uow: UnitOfWork, machine: Machine) -> Mapping[MacAddress, tuple[str, tuple[Address, ...]]]:
    """Name and addresses of each NIC that its node was known by: it was imported, or had reported."""
    held: dict[str | None, list[Address]] = {}
    for each in uow.snapshot().held:
        if each.system_id == machine.system_id and each.kind is AddressKind.STATIC:
            held.setdefault(each.interface_name, []).append(each.ip)
    nics = uow.nodes.get(machine.system_id).interfaces
    return {nic.mac: (nic.name, tuple(held.get(nic.name, ()))) for nic in nics if nic.mac is not None}


def _nic_names(
    macs: Sequence[MacAddress], known: Mapping[MacAddress, tuple[str, tuple[Address, ...]]]
) -> Mapping[MacAddress, str]:
    """The names that are known; the other NICs are numbered, past those."""
    found = {mac: known[mac][0] for mac in macs if mac in known}
    free = (name for n in itertools.count() if (name := f"eth{n}") not in found.values())
    return {mac: found.get(mac) or next(free) for mac in macs}


def _free_nics(uow: UnitOfWork, nics: tuple[ObservedInterface, ...]) -> tuple[ObservedInterface, ...]:
    """NICs whose MAC no other machine has: clones that share one keep it with the first that was seen."""
    taken = {nic.mac for machine in uow.machines.list() for nic in machine.interfaces}
    return tuple(nic for nic in nics if nic.mac not in taken)


def _key(attachment: Attachment) -> tuple[AttachKind, str]:
    is_interface = attachment.kind is AttachKind.MACVLAN
    return AttachKind.BRIDGE if is_interface else attachment.kind, attachment.source


def _vlans(host: Host, node: Node | None) -> dict[tuple[AttachKind, str], VlanId | None]:
    """The VLAN of each host interface, and of each libvirt network by its bridge."""
    by_name = {each.name: each.vlan_id for each in (node.interfaces if node else ())}
    found = {(AttachKind.BRIDGE, name): vlan for name, vlan in by_name.items()}
    for network in host.libvirt_networks:
        if network.bridge in by_name:
            found[AttachKind.NETWORK, network.name] = by_name[network.bridge]
    return found


def _tell(uow: UnitOfWork, ports: Ports, kind: str, machine: Machine, message: str) -> None:
    uow.events.add(Event(kind, f"machine {machine.hostname}", message, ports.clock.now()))
