"""Derives the VLANs of all interfaces again from the records, after subnets have moved.

See docs/explanation/rules.md#the-vlan-of-a-host-interface.
"""

from hostloom.decide.hosts.inventory import private_bridges, take_inventory
from hostloom.model.node import NodeInterface
from hostloom.model.observed import ObservedLink, ObservedNetwork
from hostloom.ports.store import UnitOfWork


def rederive_vlans(uow: UnitOfWork) -> None:
    """Update nodes whose interfaces get other VLANs; VLANs set by an operator stay."""
    snapshot = uow.snapshot()
    local = {s.host.correlation.system_id: private_bridges(s.host) for s in snapshot.hosts}
    for node in snapshot.nodes:
        observed_network = ObservedNetwork(
            node.hostname, tuple(_link(interface) for interface in node.interfaces)
        )
        inventory = take_inventory(observed_network, node, snapshot, local.get(node.system_id, frozenset()))
        before = {interface.name: interface.vlan_id for interface in node.interfaces}
        after = {interface.name: interface.vlan_id for interface in inventory.interfaces}
        if before != after and not inventory.new_subnets:
            uow.nodes.replace_interfaces(node.system_id, inventory.interfaces)


def _link(interface: NodeInterface) -> ObservedLink:
    return ObservedLink(
        interface.name,
        interface.kind,
        interface.mac,
        interface.enabled,
        interface.link,
        interface.mtu,
        interface.addresses,
        interface.parents,
        interface.bridge_kind,
        interface.tag_vid,
        interface.link_speed,
        interface.master,
        role=interface.role,
        bridge_vlans=interface.bridge_vlans,
        child_addresses=interface.child_addresses,
        routers=interface.routers,
    )
