"""Machines, their NICs and disks as MAAS's clients read them."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from hostloom.compat.maas2.disk_images import CUSTOM, system_of
from hostloom.compat.maas2.responses import uri
from hostloom.compat.maas2.views.host_machines import machine_id
from hostloom.compat.maas2.views.interfaces import InterfaceView
from hostloom.compat.maas2.views.network import View
from hostloom.model.ids import HostId
from hostloom.model.machine import Disk, Machine, MachineState
from hostloom.model.node import Node, NodeKind

_S = MachineState
#: MAAS's number and name of each state. Clients compare the names.
STATUS: Mapping[MachineState, tuple[int, str]] = {
    _S.NEW: (0, "New"),
    _S.COMMISSIONING: (1, "Commissioning"),
    _S.FAILED_COMMISSIONING: (2, "Failed commissioning"),
    _S.MISSING: (3, "Missing"),
    _S.READY: (4, "Ready"),
    _S.DEPLOYED: (6, "Deployed"),
    _S.BROKEN: (8, "Broken"),
    _S.DEPLOYING: (9, "Deploying"),
    _S.ALLOCATED: (10, "Allocated"),
    _S.FAILED_DEPLOYMENT: (11, "Failed deployment"),
    _S.RELEASING: (12, "Releasing"),
}
#: The names of annotations that clients store with a machine.
OWNER_DATA, AGENT_NAME = "owner_data", "agent_name"
SWAP_SIZE = "swap_size"
#: The power type of machines on VM hosts.
VIRSH = "virsh"
_BLOCK_BYTES = 512
#: Fields that hostloom does not manage, with MAAS's values for a machine that was never deployed.
_CONSTANTS: Mapping[str, Any] = {
    "hwe_kernel": None,
    "min_hwe_kernel": "",
    "hardware_info": {},
    "ephemeral_deploy": False,
    "enable_hw_sync": False,
    "last_sync": None,
    "next_sync": None,
    "sync_interval": None,
    "address_ttl": None,
    "cpu_speed": 0,
    "disable_ipv4": False,
    "error_description": "",
    "node_type": 0,
    "node_type_name": "Machine",
    "special_filesystems": [],
    "virtualblockdevice_set": [],
    "volume_groups": [],
    "raids": [],
    "bcaches": [],
    "cache_sets": [],
    "numanode_set": [],
}
_NO_GATEWAYS = {version: {"gateway_ip": None, "link_id": None} for version in ("ipv4", "ipv6")}


def disk_id(machine: Machine, disk: Disk) -> int:
    """Return a 48-bit id that is stable while the disk keeps its name."""
    return int(hashlib.sha256(f"{machine.uuid}/{disk.name}".encode()).hexdigest()[:12], 16)


class MachineView:
    """Makes the documents of machines from one unit of work."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._world = view.world
        self._interfaces = InterfaceView(view)

    def power_state(self, item: Machine) -> str:
        """Return `on` or `off`; `unknown` while the host is unreachable."""
        state = None if item.host_id is None else self._world.host_by_id.get(item.host_id)
        return item.power.value if state is None or state.host.reachable else "unknown"

    def system(self, item: Machine) -> tuple[str, str]:
        """Return the system of a machine and its series; empty if hostloom installed none."""
        deployment = self._view.deployment_of(item.system_id)
        if deployment is None:
            return "", ""
        image = self._view.disk_images.get(deployment.image)
        return system_of(image) if image else (CUSTOM, deployment.image)

    def _failure(self, item: Machine) -> str | None:
        deployment = self._view.deployment_of(item.system_id)
        return deployment.failure or None if deployment else None

    def foresee(self, items: Sequence[Machine]) -> None:
        """Read what the documents of these machines need at once, instead of one by one."""
        self._view.foresee([item.system_id for item in items])

    def machine(self, item: Machine, message: str | None = None) -> dict[str, Any]:
        """Make the document of a machine, which may be a pending one without a node."""
        node = self.node(item)
        notes = self._view.notes_of(item.system_id)
        domain = self._view.domain(node.domain_id)
        number, name = STATUS[item.state]
        path = f"machines/{item.system_id}/"
        return {
            **_CONSTANTS,
            **dict(zip(("osystem", "distro_series"), self.system(item), strict=True)),
            "system_id": item.system_id,
            "hostname": item.hostname,
            "fqdn": f"{item.hostname}.{domain['name']}",
            "domain": domain,
            "zone": self._view.zone(item.zone_id),
            "pool": self._view.resource_pool(item.resource_pool_id),
            "tag_names": list(item.tags),
            "description": node.description,
            "owner": item.owner or None,
            "status": number,
            "status_name": name,
            "status_message": message or self._failure(item),
            "locked": item.locked,
            "dynamic": item.on_demand,
            "owner_data": notes.get(OWNER_DATA, {}),
            "workload_annotations": notes.get(OWNER_DATA, {}),
            "agent_name": notes.get(AGENT_NAME, ""),
            "swap_size": notes.get(SWAP_SIZE),
            "power_type": self._view.power_type(item) if item.host_id is None else VIRSH,
            "power_state": self.power_state(item),
            "netboot": item.netboot,
            "architecture": f"{item.architecture}/generic",
            "cpu_count": item.cores,
            "memory": item.memory_mib,
            **self._hardware(item, node),
            "pod": self._pod(item.host_id),
            "parent": self._parent(item.host_id),
            "default_gateways": _NO_GATEWAYS,
            "resource_uri": uri(path),
        }

    def _hardware(self, item: Machine, node: Node) -> dict[str, Any]:
        nics = self.interfaces(item, node)
        disks = [self.disk(item, disk) for disk in item.disks]
        return {
            # MAAS shows only this size in MB.
            "storage": sum(disk.size_bytes for disk in item.disks) / 10**6,
            "ip_addresses": [
                link["ip_address"] for nic in nics for link in nic["links"] if "ip_address" in link
            ],
            "interface_set": nics,
            "boot_interface": self._boot(item, nics),
            "blockdevice_set": disks,
            "physicalblockdevice_set": disks,
            "boot_disk": disks[0] if disks else None,
        }

    def node(self, item: Machine) -> Node:
        """Return the node of a machine. A pending machine gets a placeholder."""
        node = self._world.node_by_system_id.get(item.system_id)
        return node or Node(item.system_id, item.hostname, NodeKind.MACHINE)

    def interfaces(self, item: Machine, node: Node) -> list[dict[str, Any]]:
        """Make the documents of the NICs of a machine. A bare machine has those that it reported."""
        return self._interfaces.of_machine(item, node)

    def node_interfaces(self, node: Node) -> list[dict[str, Any]]:
        """Make the documents of the interfaces of a node."""
        return self._interfaces.of_node(node)

    def disk(self, item: Machine, disk: Disk) -> dict[str, Any]:
        """Make the document of a disk. Sizes are in bytes."""
        key = disk_id(item, disk)
        return {
            "id": key,
            "system_id": item.system_id,
            "name": disk.name,
            "type": "physical",
            "uuid": None,
            "model": None,
            "serial": disk.volume,
            "id_path": None,
            "path": f"/dev/disk/by-dname/{disk.name}",
            "used_for": "Unused",
            "tags": [],
            "block_size": _BLOCK_BYTES,
            "size": disk.size_bytes,
            "used_size": 0,
            "available_size": disk.size_bytes,
            "filesystem": None,
            "partition_table_type": None,
            "partitions": [],
            "storage_pool": disk.pool,
            "firmware_version": None,
            "numa_node": 0,
            "resource_uri": uri(f"nodes/{item.system_id}/blockdevices/{key}/"),
        }

    def _boot(self, item: Machine, nics: list[dict[str, Any]]) -> dict[str, Any] | None:
        boot_indexes = [index for index, nic in enumerate(item.interfaces) if nic.boot]
        if not nics:
            return None
        return nics[boot_indexes[0]] if boot_indexes and item.netboot else nics[0]

    def _pod(self, host_id: HostId | None) -> dict[str, Any] | None:
        if host_id is None:
            return None
        name = self._world.host_by_id[host_id].host.name
        return {"id": host_id, "name": name, "resource_uri": uri(f"pods/{host_id}/")}

    def _parent(self, host_id: HostId | None) -> dict[str, Any] | None:
        if host_id is None:
            return None
        system_id = machine_id(self._world.host_by_id[host_id].host)
        return {"system_id": system_id, "resource_uri": uri(f"machines/{system_id}/"), "__incomplete__": True}
