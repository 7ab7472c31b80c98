"""An independent checker: whether a plan obeys the rules in a snapshot.

It shares only the parser of requests with the planner.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from hostloom.decide.check.labels import Scene, check_addresses
from hostloom.decide.check.nics import check_nics
from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.host import CorrelationState, Host, PlacedInterface, PlacedMachine, StoragePool
from hostloom.model.machine import Disk, DiskFormat
from hostloom.model.plan import Plan
from hostloom.model.request import DiskRequest, ParsedBatch, ParsedRequest


def check(snapshot: Snapshot, request: ParsedRequest, plan: Plan) -> tuple[str, ...]:
    """The rules that the plan breaks, as text for developers; empty for a valid plan."""
    return _check(snapshot, request, plan, ())


def check_all(snapshot: Snapshot, batch: ParsedBatch, plans: Sequence[Plan]) -> tuple[str, ...]:
    """The rules that the plans of a batch break; each plan is checked with all others in place."""
    if len(plans) != len(batch.machines):
        return (f"{len(plans)} plans for {len(batch.machines)} machines",)
    beside: dict[int, list[tuple[int, PlacedMachine]]] = {}
    for index, plan in enumerate(plans):
        beside.setdefault(plan.host_id, []).append((index, _taken(plan)))
    problems = list(_clashes(batch, plans))
    for index, (request, plan) in enumerate(zip(batch.machines, plans, strict=True)):
        others = tuple(machine for other, machine in beside[plan.host_id] if other != index)
        problems += [f"machine {index + 1}: {wrong}" for wrong in _check(snapshot, request, plan, others)]
    return tuple(problems)


def _check(
    snapshot: Snapshot, request: ParsedRequest, plan: Plan, others: tuple[PlacedMachine, ...]
) -> tuple[str, ...]:
    host_state = snapshot.host_by_id.get(plan.host_id)
    if host_state is None:
        return (f"host {plan.host_id} does not exist",)
    if request.unreadable is not None:
        return (f"the request cannot be read: {request.unreadable}",)
    state = HostState(host_state.host, (*host_state.machines, *others))
    scene = Scene(snapshot, state, request, plan, request.labels)
    return (
        *_host(scene),
        *_room(scene),
        *_disks(scene, request.disks),
        *check_nics(scene),
        *check_addresses(scene),
        *_boot(scene),
    )


# -- of a batch ------------------------------------------------------------------------------------------


def _taken(plan: Plan) -> PlacedMachine:
    """What the planned machine uses on its host."""
    sizes: Counter[str] = Counter()
    for disk in plan.disks:
        sizes[disk.pool] += disk.size_bytes
    attached = [nic.attachment for nic in plan.interfaces]
    nics = tuple(
        PlacedInterface(attachment.kind, attachment.source, attachment.mode) for attachment in attached
    )
    return PlacedMachine(plan.spec.name, plan.spec.cores, plan.spec.memory_mib, nics, dict(sizes))


def _clashes(batch: ParsedBatch, plans: Sequence[Plan]) -> Iterator[str]:
    """Names, MACs and addresses that two machines share."""
    claims: Counter[tuple[object, ...]] = Counter()
    for request, plan in zip(batch.machines, plans, strict=True):
        spec = plan.spec
        claimed: set[tuple[object, ...]] = {
            ("hostname", spec.name),
            ("UUID", spec.uuid),
            ("system id", spec.system_id),
        }
        claimed |= {("MAC", nic.mac) for nic in plan.interfaces}
        claimed |= {("volume", plan.host_id, disk.pool, disk.volume) for disk in plan.disks}
        for nic, subnet_ids in zip(plan.interfaces, plan.subnet_ids, strict=False):
            claimed |= {("address", *pair) for pair in zip(nic.ips, subnet_ids, strict=False)}
        if request.anti_affinity is not None:
            claimed.add(("anti-affinity", request.anti_affinity, plan.host_id))
        claims.update(claimed)
    for (kind, *which), count in claims.items():
        if count > 1:
            yield f"{kind} {' '.join(map(str, which))} of {count} machines"


# -- host, room and disks ----------------------------------------------------------------------------------


def _host(scene: Scene) -> Iterator[str]:
    host, request, plan = scene.state.host, scene.request, scene.plan
    if not host.reachable:
        yield "the host is not reachable"
    if request.host not in (None, host.name, str(host.id)):
        yield f"the plan is for {host.name}, the request for {request.host}"
    yield from _placement(host, request)
    if plan.host_name != host.name:
        yield f"the host is called {host.name}, not {plan.host_name}"
    if host.correlation.state is CorrelationState.AMBIGUOUS:
        yield "the host is ambiguous"
    if scene.labels and host.correlation.state is not CorrelationState.CORRELATED:
        yield "constraints need a host that is known"
    if plan.spec.emulation not in host.emulations:
        yield "the host does not run this architecture"
    architecture = (request.architecture or next(iter(host.architectures), "")).split("/")[0]
    if plan.spec.emulation.architecture != architecture:
        yield f"the request wants {architecture}"
    if plan.start is not request.start:
        yield "started or not, against the request"


def _placement(host: Host, request: ParsedRequest) -> Iterator[str]:
    if request.in_zone is not None and host.zone_id != request.in_zone:
        yield f"the host is in zone {host.zone_id}, not in {request.in_zone}"
    if request.in_resource_pool is not None and host.resource_pool_id != request.in_resource_pool:
        yield f"the host is in resource pool {host.resource_pool_id}, not in {request.in_resource_pool}"
    if not set(request.host_tags) <= set(host.tags) or not set(host.tags).isdisjoint(request.not_host_tags):
        yield "the host is not tagged as the request wants"


def _room(scene: Scene) -> Iterator[str]:
    host, spec, request = scene.state.host, scene.plan.spec, scene.request
    if (spec.cores, spec.memory_mib) != (request.cores, request.memory_mib):
        yield "the plan's size is not the request's"
    cores = sum(machine.cores for machine in scene.state.machines) + spec.cores
    memory = sum(machine.memory_mib for machine in scene.state.machines) + spec.memory_mib
    if cores > host.cores * host.cpu_over_commit_ratio:
        yield "more cores than the host has"
    if memory > host.memory_mib * host.memory_over_commit_ratio:
        yield "more memory than the host has"


def _disks(scene: Scene, disk_requests: tuple[DiskRequest, ...]) -> Iterator[str]:
    plan = scene.plan
    pools = {pool.name: pool for pool in scene.state.host.storage_pools}
    if [(disk.name, disk.size_bytes) for disk in plan.disks] != [
        (d.label, d.size_bytes) for d in disk_requests
    ]:
        yield "the disks are not the request's"
    for disk, disk_request in zip(plan.disks, disk_requests, strict=False):
        yield from _disk_pool(disk, disk_request, pools)
        if not all(part in disk.volume for part in (plan.spec.name, plan.spec.uuid[:8], disk.name)):
            yield f"volume {disk.volume} could be another machine's"
        if (disk.format is DiskFormat.QCOW2) is not _wants_qcow2(scene, disk):
            yield f"disk {disk.name} is {disk.format}"
    if len({disk.volume for disk in plan.disks}) != len(plan.disks):
        yield "two disks share a volume"
    yield from _pool_room(scene, pools)


def _wants_qcow2(scene: Scene, disk: Disk) -> bool:
    """The last disk of a machine that gets an image is cloud-init's, which is always raw."""
    is_seed = scene.request.deploy is not None and disk is scene.plan.disks[-1]
    return scene.request.qcow2 and not is_seed


def _disk_pool(disk: Disk, disk_request: DiskRequest, pools: dict[str, StoragePool]) -> Iterator[str]:
    if disk.pool not in pools:
        yield f"disk {disk.name} is on no pool of the host"
    elif not _can_hold(pools[disk.pool], disk.format):
        yield f"pool {disk.pool} cannot hold disk {disk.name}"
    elif not _suits(pools[disk.pool], disk_request, disk.format, list(pools.values())):
        yield f"pool {disk.pool} is not one that disk {disk.name} asks for"


def _pool_room(scene: Scene, pools: dict[str, StoragePool]) -> Iterator[str]:
    for name, size in _taken(scene.plan).reserved_bytes.items():
        promised = sum(machine.reserved_bytes.get(name, 0) for machine in scene.state.machines)
        if name in pools and size > min(pools[name].free_bytes, pools[name].total_bytes - promised):
            yield f"pool {name} has not that much room"


#: libvirt's pool types, by the disk formats that hostloom creates in them.
_FILES, _DEVICES = ("dir", "fs", "netfs"), ("logical", "zfs")


def _can_hold(pool: StoragePool, kind: DiskFormat) -> bool:
    types = _FILES if kind is DiskFormat.QCOW2 else _FILES + _DEVICES
    return pool.active and pool.kind in types


def _suits(pool: StoragePool, disk_request: DiskRequest, kind: DiskFormat, pools: list[StoragePool]) -> bool:
    """Whether the pool has every word as name or tag; without words, whether it is a usable default."""
    said = {word for pool in pools for word in (pool.name, *pool.tags)}
    words = [word for word in disk_request.words if word != "local" or word in said]
    if words:
        return all(word in (pool.name, *pool.tags) for word in words)
    return pool.is_default or not any(pool.is_default and _can_hold(pool, kind) for pool in pools)


# -- boot --------------------------------------------------------------------------------------------------


def _is_netbooted(scene: Scene) -> bool:
    """Whether the request wants network boot and the architecture supports it."""
    return scene.request.netboot and scene.plan.spec.emulation.architecture == "amd64"


def _bootable(scene: Scene) -> list[str]:
    """The NICs that could boot; without constraints every NIC of an unknown host could."""
    if not _is_netbooted(scene):
        return []
    any_vlan = not scene.labels and not scene.is_known
    vlans = scene.snapshot.bootable_vlans
    return [nic.name for nic in scene.plan.interfaces if any_vlan or nic.vlan_id in vlans]


def _boot(scene: Scene) -> Iterator[str]:
    plan = scene.plan
    boots = [nic.name for nic in plan.interfaces if nic.boot]
    bootable = _bootable(scene)
    if boots != bootable[:1]:
        yield f"{', '.join(boots) or 'no NIC'} boots, of {', '.join(bootable) or 'none'} that could"
    if _is_netbooted(scene) and scene.labels and not boots:
        yield "no NIC boots"
    if plan.spec.netboot is not bool(boots):
        yield "netboot without a boot NIC, or the other way round"
