"""`virtual-machines/` and `vm-clusters/`: read access to the libvirt domains of machines."""

import hashlib
from typing import Any

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Resource
from hostloom.compat.maas2.responses import MaasResponse, answer, not_found, uri
from hostloom.model.machine import Machine
from hostloom.services import machines
from hostloom.services.access import require_user

virtual_machines = Resource("VirtualMachines", "virtual-machines/", "Read the virtual machines of VM hosts.")
virtual_machine = Resource("VirtualMachine", "virtual-machines/{id}/", "Read a virtual machine.")
clusters = Resource("VmClusters", "vm-clusters/", "Read clusters of VM hosts: hostloom has none.")
cluster = Resource("VmCluster", "vm-clusters/{id}/", "Read a cluster of VM hosts: hostloom has none.")
RESOURCES = (virtual_machines, virtual_machine, clusters, cluster)


@virtual_machines.crud("read", "List the virtual machines of VM hosts.")
def list_virtual_machines(call: Call) -> MaasResponse:
    """List in the order of system ids."""
    return answer([_shown(machine) for machine in _all(call)])


@virtual_machine.crud("read", "Show a virtual machine.")
def read_virtual_machine(call: Call) -> MaasResponse:
    """Look up by id."""
    number = call.number("id", "VirtualMachine")
    for machine in _all(call):
        if _number(machine) == number:
            return answer(_shown(machine))
    raise not_found("VirtualMachine")


@clusters.crud("read", "List clusters of VM hosts.")
def list_clusters(call: Call) -> MaasResponse:
    """Return an empty list, because only LXD has clusters."""
    require_user(call.principal, "see clusters")
    return answer([])


@cluster.crud("read", "Show a cluster of VM hosts.")
def read_cluster(call: Call) -> MaasResponse:
    """Always raise 404."""
    require_user(call.principal, "see clusters")
    raise not_found("VMCluster")


def _all(call: Call) -> list[Machine]:
    with call.begin() as uow:
        return [machine for machine in machines.list_(uow, call.principal) if machine.host_id is not None]


def _number(machine: Machine) -> int:
    """Derive an id from the UUID of the domain. It fits 32 bits, as clients expect."""
    return int(hashlib.sha256(machine.uuid.encode()).hexdigest()[:12], 16) % 10**9


def _shown(machine: Machine) -> dict[str, Any]:
    key = _number(machine)
    return {
        "id": key,
        "identifier": machine.hostname,
        "project": "",
        "pinned_cores": [],
        "unpinned_cores": machine.cores,
        "memory": machine.memory_mib,
        "hugepages_backed": False,
        "machine_id": machine.system_id,
        "bmc_id": machine.host_id,
        "resource_uri": uri(f"virtual-machines/{key}"),
    }
