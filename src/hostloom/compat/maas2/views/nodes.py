"""Devices and controllers as MAAS's clients read them."""

from collections.abc import Mapping, Sequence
from typing import Any

from hostloom.compat.maas2.responses import uri
from hostloom.compat.maas2.views.machines import OWNER_DATA, MachineView
from hostloom.compat.maas2.views.network import View
from hostloom.compat.maas2.views.subnet_usage import NODE_TYPES
from hostloom.model.annotation import OWNER, PARENT
from hostloom.model.machine import Machine
from hostloom.model.node import Node, NodeKind

#: MAAS's name and path of each kind.
KINDS: Mapping[NodeKind, tuple[str, str]] = {
    NodeKind.MACHINE: ("Machine", "machines"),
    NodeKind.DEVICE: ("Device", "devices"),
    NodeKind.RACK_CONTROLLER: ("Rack controller", "rackcontrollers"),
    NodeKind.REGION_CONTROLLER: ("Region controller", "regioncontrollers"),
    NodeKind.REGION_AND_RACK_CONTROLLER: ("Region and rack controller", "rackcontrollers"),
}


class NodeView:
    """Makes the documents of nodes from one unit of work."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._machines = MachineView(view)

    def device(self, node: Node) -> dict[str, Any]:
        """Make the document of a device."""
        notes = self._view.notes_of(node.system_id)
        parent = notes.get(PARENT)
        is_there = parent in self._view.world.node_by_system_id
        return self.node(node) | {
            "owner": notes.get(OWNER),
            "parent": parent if is_there else None,
            "address_ttl": None,
        }

    def controller(self, node: Node, *, region: bool = False) -> dict[str, Any]:
        """Make the document of a controller, as a rack or as a region controller."""
        document = self.node(node) | {
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
        return document | {"resource_uri": uri(f"{path}/{node.system_id}/")}

    def documents(self, nodes: Sequence[Node], machines: Sequence[Machine]) -> list[dict[str, Any]]:
        """Make the documents of nodes of any kind."""
        by_key = {machine.system_id: machine for machine in machines}
        self._machines.foresee(machines)
        return [
            self._machines.machine(by_key[node.system_id]) if node.system_id in by_key else self.other(node)
            for node in nodes
        ]

    def other(self, node: Node) -> dict[str, Any]:
        """Make the document of a node other than a machine."""
        if node.kind is NodeKind.DEVICE:
            return self.device(node)
        return self.controller(node, region=node.kind is NodeKind.REGION_CONTROLLER)

    def node(self, node: Node) -> dict[str, Any]:
        """Make the fields that all kinds have."""
        nics = self._machines.node_interfaces(node)
        domain = self._view.domain(node.domain_id)
        type_name, path = KINDS[node.kind]
        owner_data = self._view.notes_of(node.system_id).get(OWNER_DATA, {})
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
            "owner_data": owner_data,
            "workload_annotations": owner_data,
            "node_type": NODE_TYPES[node.kind],
            "node_type_name": type_name,
            "interface_set": nics,
            "ip_addresses": [
                link["ip_address"] for nic in nics for link in nic["links"] if "ip_address" in link
            ],
            "resource_uri": uri(f"{path}/{node.system_id}/"),
        }
