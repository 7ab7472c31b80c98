"""KVM hosts as the machines that they are: clients follow a host's `host` and a machine's `parent`."""

from hostloom.decide.snapshot import Snapshot
from hostloom.model.host import Host
from hostloom.model.ids import SystemId
from hostloom.model.machine import Machine, MachineOrigin, MachineState, PowerState
from hostloom.model.node import NodeKind


def machine_id(host: Host) -> SystemId:
    """Of the node that the host is.

    Made up for a host that is no known node: Terraform, told of none, releases a machine without a name
    when it destroys the host.
    """
    return host.correlation.system_id or SystemId(f"vmhost-{host.id}")


def machine_of(world: Snapshot, key: str) -> Machine | None:
    """The host that is this machine, deployed, as long as it is a host; controllers are no machines."""
    node = world.node_by_system_id.get(SystemId(key))
    if node is not None and node.kind is not NodeKind.MACHINE:
        return None
    host = next((host.host for host in world.hosts if machine_id(host.host) == key), None)
    if host is None:
        return None
    return Machine(
        SystemId(key),
        node.hostname if node else host.name,
        "",
        MachineOrigin.ADOPTED,
        MachineState.DEPLOYED,
        None,
        next(iter(host.architectures), "amd64"),
        host.cores,
        host.memory_mib,
        PowerState.ON if host.reachable else PowerState.UNKNOWN,
        zone_id=host.zone_id,
        resource_pool_id=host.resource_pool_id,
        tags=node.tags if node else (),
    )
