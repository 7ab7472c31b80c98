"""Record the interfaces of a node as a reading found them, and the network that they show."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hostloom.decide.hosts.drift import drift
from hostloom.decide.hosts.interface_match import match_interfaces
from hostloom.decide.hosts.inventory import Inventory, take_inventory
from hostloom.model.drift import Drift
from hostloom.model.event import EventSubject
from hostloom.model.ids import FabricId, SubnetId, VlanId
from hostloom.model.network import Vlan
from hostloom.model.node import Node, NodeInterface, VlanSource
from hostloom.model.observed import ObservedNetwork
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.findings import record_drift


def record_network(
    uow: UnitOfWork,
    ports: Ports,
    node: Node,
    observed_network: ObservedNetwork,
    subject: EventSubject,
    bridges: frozenset[str] = frozenset(),
    network_vids: Mapping[str, frozenset[int]] | None = None,
) -> Node:
    """Write a node's interfaces, making the fabrics, VLANs and subnets that are seen for the first time."""
    if node.scanned_at is not None:
        record_drift(uow, ports, subject, (), _told(node.interfaces, drift(node, observed_network)))
    read_interfaces = [nic for nic in node.interfaces if nic.name not in observed_network.unread]
    absent = uow.nodes.absent(node.system_id)
    matched = match_interfaces(read_interfaces, absent, observed_network.links)
    matching = replace(node, interfaces=matched)
    inventory = take_inventory(observed_network, matching, uow.snapshot(), bridges, network_vids)
    vlans = _create_network(uow, inventory)
    interfaces = [
        replace(nic, vlan_id=vlans.get(nic.vlan_id, nic.vlan_id)) if nic.vlan_id is not None else nic
        for nic in inventory.interfaces
    ]
    interfaces += [nic for nic in node.interfaces if nic.name in observed_network.unread]
    return uow.nodes.replace_interfaces(node.system_id, interfaces, ports.clock.now())


def _told(recorded: Sequence[NodeInterface], changes: Sequence[Drift]) -> Sequence[Drift]:
    """The changes; for a vanished interface, with what is kept of it."""
    kept = {nic.name for nic in recorded if nic.vlan_source is VlanSource.OPERATOR}
    return [
        replace(change, observed="gone (the VLAN that was set for it is kept until it is back)")
        if change.kind == "interface-vanished" and change.subject in kept
        else change
        for change in changes
    ]


def _create_network(uow: UnitOfWork, inventory: Inventory) -> Mapping[VlanId, VlanId]:
    """Create what is new; returns a map from the inventory's negative placeholder ids to real VLANs."""
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
    """A new fabric has an untagged VLAN, which gets the observed MTU."""
    existing = uow.vlans.find_by_vid(vlan.fabric_id, vlan.vid)
    if existing is None:
        return uow.vlans.add(vlan)
    return existing if existing.mtu == vlan.mtu else uow.vlans.update(replace(existing, mtu=vlan.mtu))
