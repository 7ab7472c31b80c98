"""Records the machine that hostloom runs on, and racks, as controller nodes with their interfaces."""

import logging
from dataclasses import replace

from hostloom.decide.hosts.host_identity import Likeness, compare, nic_macs
from hostloom.model.errors.resources import NotFound
from hostloom.model.event import node_subject
from hostloom.model.ids import RackId, SystemId
from hostloom.model.node import Node, NodeKind
from hostloom.model.observed import ObservedNetwork
from hostloom.model.rack import LOCAL, Rack
from hostloom.ports.context import Ports
from hostloom.ports.store import Store, UnitOfWork
from hostloom.recording.hostnames import free_hostname
from hostloom.recording.record import record_network

log = logging.getLogger(__name__)


def ensure_controller(
    ports: Ports, system_id: SystemId | None, observed_network: ObservedNetwork
) -> SystemId:
    """Record this machine: as its former node, a node with its MACs, or a new node."""
    with ports.store.begin() as uow:
        node = ensure_node(uow, ports, system_id, observed_network, NodeKind.REGION_AND_RACK_CONTROLLER)
        uow.commit()
    return node.system_id


def ensure_node(
    uow: UnitOfWork,
    ports: Ports,
    system_id: SystemId | None,
    observed_network: ObservedNetwork,
    kind: NodeKind,
) -> Node:
    """The node of a machine that was read: the known node, a node with its MACs, or a new node."""
    node = _find(uow, system_id) or _by_mac(uow, observed_network)
    if node is None:
        hostname = free_hostname(uow, observed_network.hostname or "controller")
        node = uow.nodes.add(Node(ports.ids.system_id(), hostname, kind))
        log.info("new controller node %s (%s)", node.hostname, node.system_id)
    return record_network(uow, ports, node, observed_network, node_subject(node))


def ensure_local_rack(store: Store, local: SystemId) -> Rack:
    """The rack of the local DHCP server: recorded once, then changed only by users."""
    with store.begin() as uow:
        racks = uow.racks.list()
        rack = next((rack for rack in racks if rack.control == LOCAL), None)
        if rack is None:
            used_names = {rack.name for rack in racks}
            hostname = uow.nodes.get(local).hostname
            name = next(
                candidate for candidate in (hostname, f"{hostname}-{local}") if candidate not in used_names
            )
            rack = uow.racks.add(Rack(RackId(0), name, local))
        elif rack.system_id != local:
            rack = uow.racks.update(replace(rack, system_id=local))
        uow.commit()
    return rack


def _find(uow: UnitOfWork, system_id: SystemId | None) -> Node | None:
    if system_id is None:
        return None
    try:
        return uow.nodes.get(system_id)
    except NotFound:
        return None


def _by_mac(uow: UnitOfWork, observed_network: ObservedNetwork) -> Node | None:
    """The node with these NICs; a locally administered MAC counts only together with an equal address."""
    macs = nic_macs(observed_network.links)
    addresses = {
        address.ip
        for link in observed_network.links
        for address in link.addresses
        if not address.ip.is_loopback
    }
    nodes = []
    for node in uow.nodes.list():
        likeness = compare(macs, nic_macs(node.interfaces))
        has_address = any(ip in addresses for nic in node.interfaces for ip in nic.ips)
        if likeness is Likeness.SAME or (likeness is Likeness.SAME_LOCAL and has_address):
            nodes.append(node)
    return nodes[0] if len(nodes) == 1 else None
