"""Devices and controllers in the shapes that MAAS's clients read."""

from collections.abc import Mapping, Sequence
from typing import Any

from hostloom.compat.maas2.responses import uri
from hostloom.compat.maas2.views.machines import OWNER_DATA, MachineView
from hostloom.compat.maas2.views.network import View
from hostloom.compat.maas2.views.subnet_usage import NODE_TYPES
from hostloom.model.annotation import OWNER, PARENT
from hostloom.model.machine import Machine
from hostloom.model.node import Node, NodeKind

#: What MAAS calls each kind, and where it is found.
KINDS: Mapping[NodeKind, tuple[str, str]] = {
    NodeKind.MACHINE: ("Machine", "machines"),
    NodeKind.DEVICE: ("Device", "devices"),
    NodeKind.RACK_CONTROLLER: ("Rack controller", "rackcontrollers"),
    NodeKind.REGION_CONTROLLER: ("Region controller", "regioncontrollers"),
    NodeKind.REGION_AND_RACK_CONTROLLER: ("Region and rack controller", "rackcontrollers"),
}


class NodeView:
    """Nodes that are no machines as one unit of work sees them."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._nics = MachineView(view)

    def device(self, node: Node) -> dict[str, Any]:
        """All that clients read of a device."""
        notes = self._view.notes_of(node.system_id)
        parent = notes.get(PARENT)
        is_there = parent in self._view.world.node_by_system_id
        return self.node(node) | {
            "owner": notes.get(OWNER),
            "parent": parent if is_there else None,
            "address_ttl": None,
        }

    def controller(self, node: Node, *, region: bool = False) -> dict[str, Any]:
        """All that clients read of a rack or region controller, under the one name or the other."""
        shown = self.node(node) | {
            "architecture": "",
            "cpu_count": 0,
            "memory": 0,
            "cpu_speed": 0,
            "swap_size": None,
            "osystem": "",
            "distro_series": "",
            "power_type": "",
            "power_state": "unknown",
            "status_action": "",
            "service_set": [],
            "version": "",
            "hardware_info": {},
            "boot_interface": None,
        }
        path = "regioncontrollers" if region else "rackcontrollers"
        return shown | {"resource_uri": uri(f"{path}/{node.system_id}/")}

    def some(self, nodes: Sequence[Node], machines: Sequence[Machine]) -> list[dict[str, Any]]:
        """Nodes of any kind, each as its own noun shows it."""
        by_key = {machine.system_id: machine for machine in machines}
        return [
            self._nics.machine(by_key[node.system_id]) if node.system_id in by_key else self.other(node)
            for node in nodes
        ]

    def other(self, node: Node) -> dict[str, Any]:
        """A node that is no machine."""
        if node.kind is NodeKind.DEVICE:
            return self.device(node)
        return self.controller(node, region=node.kind is NodeKind.REGION_CONTROLLER)

    def node(self, node: Node) -> dict[str, Any]:
        """What all kinds have."""
        nics = self._nics.found(node)
        domain = self._view.domain(node.domain_id)
        words, path = KINDS[node.kind]
        kept = self._view.notes_of(node.system_id).get(OWNER_DATA, {})
        return {
            "system_id": node.system_id,
            "hostname": node.hostname,
            "fqdn": f"{node.hostname}.{domain['name']}",
            "domain": domain,
            "zone": self._view.zone(node.zone_id),
            "pool": self._view.resource_pool(node.resource_pool_id),
            "tag_names": list(node.tags),
            "description": node.description,
            "owner": None,
            "owner_data": kept,
            "workload_annotations": kept,
            "node_type": NODE_TYPES[node.kind],
            "node_type_name": words,
            "interface_set": nics,
            "ip_addresses": [
                link["ip_address"] for nic in nics for link in nic["links"] if "ip_address" in link
            ],
            "resource_uri": uri(f"{path}/{node.system_id}/"),
        }
