"""KVM hosts as machines, because clients follow a host's `host` and a machine's `parent`."""

from hostloom.decide.snapshot import Snapshot
from hostloom.model.host import Host
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine, MachineOrigin, MachineState, PowerState
from hostloom.model.node import NodeKind


def machine_id(host: Host) -> SystemId:
    """Return the system id of the host's node.

    A host without a known node gets a synthetic id. Without one, Terraform releases a machine with an empty
    name when it destroys the host.
    """
    return host.correlation.system_id or SystemId(f"vmhost-{host.id}")


def machine_of(world: Snapshot, key: str) -> Machine | None:
    """Return a host as a deployed machine; None for an unknown key and for a controller."""
    node = world.node_by_system_id.get(SystemId(key))
    if node is not None and node.kind is not NodeKind.MACHINE:
        return None
    state = next((state.host for state in world.hosts if machine_id(state.host) == key), None)
    if state is None:
        return None
    return Machine(
        SystemId(key),
        node.hostname if node else state.name,
        "",
        MachineOrigin.ADOPTED,
        MachineState.DEPLOYED,
        None,
        next(iter(state.architectures), "amd64"),
        state.cores,
        state.memory_mib,
        PowerState.ON if state.reachable else PowerState.UNKNOWN,
        zone_id=state.zone_id,
        resource_pool_id=state.resource_pool_id,
        tags=node.tags if node else (),
    )
