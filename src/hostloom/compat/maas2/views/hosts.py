"""KVM hosts as MAAS's clients read them."""

from typing import Any

from hostloom.compat.maas2.responses import uri
from hostloom.compat.maas2.views.host_machines import machine_id
from hostloom.compat.maas2.views.machines import VIRSH
from hostloom.compat.maas2.views.network import View
from hostloom.decide.snapshot import HostState
from hostloom.model.host import StoragePool, bytes_left, cores_offered, memory_offered_mib

CAPABILITIES = ("composable", "dynamic_local_storage", "over_commit", "storage_pools")


def host_document(view: View, state: HostState, path: str) -> dict[str, Any]:
    """Make the document of a host. `path` is the path of the collection."""
    host = state.host
    pools = [_shown_pool(storage_pool, state) for storage_pool in host.storage_pools]
    total = _amounts(host.cores, host.memory_mib, sum(pool["total"] for pool in pools))
    offered = total | {"cores": int(cores_offered(host)), "memory": int(memory_offered_mib(host))}
    used = _amounts(
        sum(machine.cores for machine in state.machines),
        sum(machine.memory_mib for machine in state.machines),
        sum(pool["used"] for pool in pools),
    )
    return {
        "id": host.id,
        "name": host.name,
        "type": VIRSH,
        "version": "",
        "tags": list(host.tags),
        "architectures": [f"{architecture}/generic" for architecture in host.architectures],
        "capabilities": list(CAPABILITIES),
        "total": total,
        "used": used,
        "available": {name: offered[name] - used[name] for name in offered},
        "cpu_over_commit_ratio": float(host.cpu_over_commit_ratio),
        "memory_over_commit_ratio": float(host.memory_over_commit_ratio),
        "storage_pools": pools,
        "zone": view.zone(host.zone_id),
        "pool": view.resource_pool(host.resource_pool_id),
        "host": {"system_id": machine_id(host), "__incomplete__": True},
        "default_macvlan_mode": host.default_macvlan_mode,
        # hostloom's own field: the reason why the host is unusable.
        "status_message": host.unreachable_cause,
        "resource_uri": uri(f"{path}/{host.id}/"),
    }


def _shown_pool(pool: StoragePool, state: HostState) -> dict[str, Any]:
    available = bytes_left(pool, state.machines)
    return {
        "id": pool.name,
        "name": pool.name,
        "type": pool.kind,
        "path": pool.path,
        "total": pool.total_bytes,
        "used": pool.total_bytes - available,
        "available": available,
        "default": pool.is_default,
    }


def _amounts(cores: int, memory_mib: int, storage_bytes: int) -> dict[str, int]:
    return {"cores": cores, "memory": memory_mib, "local_storage": storage_bytes}
