"""Is there room: cores, memory, and a storage pool for every disk (DESIGN 2.6, 2.7)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hostloom.decide.refuse import RefuseRequest, refuse
from hostloom.decide.snapshot import HostState
from hostloom.model.host import bytes_left, cores_left, memory_left_mib
from hostloom.model.ids import natural_key
from hostloom.model.plan import RequestCode, SubjectKind
from hostloom.model.request import GB, ComposeRequest, DiskRequest

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
        wanted=f"{wanted} {unit.removesuffix('s') if wanted == 1 else unit}",
        found=f"{max(left, 0):g} {unit} free",
    )


@dataclass(frozen=True)
class PoolLayout:
    """The active storage pools of a host by natural name, whatever is left in them."""

    pools: tuple[tuple[str, frozenset[str], bool], ...]

    def fitting(self, disk: DiskRequest) -> tuple[int, ...]:
        """Positions of the pools that the disk may go to, in order; without words the default ones."""
        known = {word for _, words, _ in self.pools for word in words}
        wanted = {word for word in disk.words if word != ANY_POOL_WORD or word in known}
        everywhere = range(len(self.pools))
        if not wanted:
            return tuple(at for at in everywhere if self.pools[at][2]) or tuple(everywhere)
        return tuple(at for at in everywhere if wanted <= self.pools[at][1])

    def named(self, places: Iterable[int]) -> str:
        """Names of pools, for people."""
        return ", ".join(self.pools[at][0] for at in places) or "no pool"


@lru_cache(maxsize=4096)
def _layout(pools: tuple[tuple[str, frozenset[str], bool], ...]) -> PoolLayout:
    """Hosts with the same pools share one layout."""
    return PoolLayout(pools)


def pools_of(state: HostState) -> tuple[PoolLayout, tuple[int, ...]]:
    """The layout of a host's pools, and the bytes left in each."""
    pools = sorted((p for p in state.host.storage_pools if p.active), key=lambda p: natural_key(p.name))
    layout = _layout(tuple((p.name, frozenset((p.name, *p.tags)), p.is_default) for p in pools))
    return layout, tuple(bytes_left(pool, state.machines) for pool in pools)


def allot(
    left: Sequence[int], fitting: Sequence[tuple[int, ...]], disks: Sequence[DiskRequest]
) -> tuple[int, ...]:
    """The first pool with room for each disk, in order; shorter than `disks` when one finds none."""
    room, chosen = list(left), []
    for places, disk in zip(fitting, disks, strict=True):
        at = next((each for each in places if room[each] >= disk.size_bytes), None)
        if at is None:
            break
        room[at] -= disk.size_bytes
        chosen.append(at)
    return tuple(chosen)


def choose_pools(state: HostState, disks: tuple[DiskRequest, ...]) -> tuple[str, ...]:
    """A pool for every disk, in order; the first mistake refuses."""
    layout, left = pools_of(state)
    fitting = [layout.fitting(disk) for disk in disks]
    chosen = allot(left, fitting, disks)
    if len(chosen) < len(disks):
        raise _no_pool(state, layout, disks, fitting, chosen)
    return tuple(layout.pools[at][0] for at in chosen)


def _no_pool(
    state: HostState,
    layout: PoolLayout,
    disks: tuple[DiskRequest, ...],
    fitting: list[tuple[int, ...]],
    chosen: tuple[int, ...],
) -> RefuseRequest:
    disk, places = disks[len(chosen)], fitting[len(chosen)]
    if not places:
        everywhere = layout.named(range(len(layout.pools)))
        return _refuse_disk(state, disk, RequestCode.UNKNOWN_POOL, _words(disk), everywhere)
    room = list(pools_of(state)[1])
    for at, before in zip(chosen, disks, strict=False):
        room[at] -= before.size_bytes
    most = max(0, *(room[at] for at in places))
    found = f"{most / GB:g} GB in {layout.named(places)}"
    return _refuse_disk(state, disk, RequestCode.POOL_FULL, f"{disk.size_bytes / GB:g} GB", found)


def _words(disk: DiskRequest) -> str:
    return f"a pool with {', '.join(disk.words)}" if disk.words else "a storage pool"


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
