"""Is there room: cores, memory, and a storage pool for every disk (DESIGN 2.6, 2.7)."""

from hostloom.decide.refuse import RefuseRequest, refuse
from hostloom.decide.snapshot import HostState
from hostloom.model.host import StoragePool, bytes_left, cores_left, memory_left_mib
from hostloom.model.ids import natural_key
from hostloom.model.plan import RequestCode, SubjectKind
from hostloom.model.request import ComposeRequest, DiskRequest

#: MAAS's own word for any pool; it asks for nothing unless a pool has it.
ANY_POOL_WORD = "local"


def check_room(state: HostState, request: ComposeRequest) -> None:
    """Refuse a host without enough cores or memory."""
    cores, memory_mib = cores_left(state.host, state.machines), memory_left_mib(state.host, state.machines)
    if cores < request.cores:
        raise _too_small(state, RequestCode.NOT_ENOUGH_CORES, request.cores, cores, "cores")
    if memory_mib < request.memory_mib:
        raise _too_small(state, RequestCode.NOT_ENOUGH_MEMORY, request.memory_mib, memory_mib, "MiB")


def _too_small(state: HostState, code: RequestCode, wanted: int, left: float, unit: str) -> RefuseRequest:
    return refuse(
        "host_has_room",
        code,
        SubjectKind.HOST,
        state.host.name,
        wanted=f"{wanted} {unit}",
        found=f"{max(left, 0):g} {unit} free",
    )


def choose_pools(state: HostState, disks: tuple[DiskRequest, ...]) -> tuple[str, ...]:
    """A pool for every disk, in order; the default first where no word is given, else by name."""
    pools = sorted(
        (pool for pool in state.host.storage_pools if pool.active), key=lambda p: natural_key(p.name)
    )
    left = {pool.name: bytes_left(pool, state.machines) for pool in pools}
    chosen = []
    for disk in disks:
        fitting = _pools_for(disk, pools)
        if not fitting:
            raise _refuse_disk(state, disk, RequestCode.UNKNOWN_POOL, _words(disk), _named(pools))
        pool = next((each for each in fitting if left[each.name] >= disk.size_bytes), None)
        if pool is None:
            most = max(left[each.name] for each in fitting)
            found = f"{max(most, 0) / 10**9:g} GB in {_named(fitting)}"
            wanted = f"{disk.size_bytes / 10**9:g} GB"
            raise _refuse_disk(state, disk, RequestCode.POOL_FULL, wanted, found)
        left[pool.name] -= disk.size_bytes
        chosen.append(pool.name)
    return tuple(chosen)


def _pools_for(disk: DiskRequest, pools: list[StoragePool]) -> list[StoragePool]:
    known = {word for pool in pools for word in (pool.name, *pool.tags)}
    words = {word for word in disk.words if word != ANY_POOL_WORD or word in known}
    if not words:
        return [pool for pool in pools if pool.is_default] or pools
    return [pool for pool in pools if words <= {pool.name, *pool.tags}]


def _words(disk: DiskRequest) -> str:
    return f"a pool with {', '.join(disk.words)}" if disk.words else "a storage pool"


def _named(pools: list[StoragePool]) -> str:
    return ", ".join(pool.name for pool in pools) or "no pool"


def _refuse_disk(
    state: HostState, disk: DiskRequest, code: RequestCode, wanted: str, found: str
) -> RefuseRequest:
    return refuse(
        "disk_has_a_pool",
        code,
        SubjectKind.DISK,
        disk.label,
        wanted=wanted,
        found=f"{found} on {state.host.name}",
        column=disk.column,
    )
