"""Checks capacity: cores, memory, and a storage pool for every disk.

See docs/explanation/rules.md#choosing-a-host.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol

from hostloom.decide.refuse import RefuseRequest, refuse
from hostloom.decide.request.storage import gigabytes
from hostloom.decide.snapshot import HostState
from hostloom.model.decimals import Number, decimal_text
from hostloom.model.host import StoragePool, bytes_left, cores_left, holds_disks, memory_left_mib
from hostloom.model.ids import natural_key
from hostloom.model.machine import Disk
from hostloom.model.plan import Plan
from hostloom.model.reasons import Refusal, Rejection, RejectionCode, RequestCode, SubjectKind
from hostloom.model.request import DiskRequest

#: In MAAS this word means any pool. It has no effect unless a pool has it as name or tag.
ANY_POOL_WORD = "local"


class _Sized(Protocol):
    @property
    def cores(self) -> int: ...

    @property
    def memory_mib(self) -> int: ...


def lacking(state: HostState, plan: Plan) -> Refusal | None:
    """Why the machine of a plan no longer fits on its host; None if it fits."""
    try:
        check_room(state, plan.spec)
        _check_pools(state, plan.disks)
    except RefuseRequest as error:
        return error.refusal
    return None


def _check_pools(state: HostState, disks: Sequence[Disk]) -> None:
    left = {pool.name: bytes_left(pool, state.machines) for pool in state.host.storage_pools}
    for disk in disks:
        if disk.pool not in left:
            code, wanted = RequestCode.UNKNOWN_POOL, f"storage pool {disk.pool}"
            found = ", ".join(sorted(left, key=natural_key)) or "no pool"
        elif left[disk.pool] < disk.size_bytes:
            code, wanted = RequestCode.POOL_FULL, f"{gigabytes(disk.size_bytes)} GB"
            found = f"{gigabytes(max(0, left[disk.pool]))} GB in {disk.pool}"
        else:
            left[disk.pool] -= disk.size_bytes
            continue
        found = f"{found} on {state.host.name}"
        raise refuse("disk_has_a_pool", code, SubjectKind.DISK, disk.name, wanted=wanted, found=found)


def check_room(state: HostState, request: _Sized) -> None:
    """Refuse a host without enough cores or memory."""
    cores, memory_mib = cores_left(state.host, state.machines), memory_left_mib(state.host, state.machines)
    if cores < request.cores:
        raise _too_small(state, RequestCode.NOT_ENOUGH_CORES, request.cores, cores, "cores")
    if memory_mib < request.memory_mib:
        raise _too_small(state, RequestCode.NOT_ENOUGH_MEMORY, request.memory_mib, memory_mib, "MiB")


def _too_small(state: HostState, code: RequestCode, wanted: int, left: Number, unit: str) -> RefuseRequest:
    return refuse(
        "host_has_room",
        code,
        SubjectKind.HOST,
        state.host.name,
        wanted=f"{wanted} {unit.removesuffix('s') if wanted == 1 else unit}",
        found=f"{decimal_text(max(left, 0))} {unit} free",
    )


class PoolFacts(NamedTuple):
    """The properties of a storage pool that rules use, except its free space."""

    name: str
    #: Its name and its tags.
    words: frozenset[str]
    is_default: bool
    kind: str
    active: bool
    #: Why it is not active, if the operator did not stop it.
    trouble: str = ""

    def barred(self, *, qcow2: bool) -> Rejection | None:
        """Why no disk of this format can be created in it, regardless of free space."""
        if not self.active:
            return self.reject(
                "pool_is_active", RejectionCode.POOL_INACTIVE, "active", self.trouble or "not active"
            )
        if not holds_disks(self.kind, qcow2=qcow2):
            wanted = f"a pool that holds {'qcow2' if qcow2 else 'raw'} disks of machines"
            return self.reject(
                "pool_holds_disks", RejectionCode.POOL_HOLDS_NO_DISKS, wanted, f"type {self.kind}"
            )
        return None

    def reject(self, rule: str, code: RejectionCode, wanted: str, found: str) -> Rejection:
        """A reason against it."""
        return Rejection(rule, code, SubjectKind.STORAGE_POOL, self.name, wanted, found)


@dataclass(frozen=True)
class PoolLayout:
    """The storage pools of a host in natural order, without their free space."""

    pools: tuple[PoolFacts, ...]

    @cached_property
    def _known_words(self) -> frozenset[str]:
        return frozenset(word for pool in self.pools for word in pool.words)

    @cached_property
    def _usable(self) -> tuple[frozenset[int], frozenset[int]]:
        """Positions of the pools that can hold raw disks, and of those that can hold qcow2 ones."""
        positions = range(len(self.pools))
        raw, qcow2 = (
            frozenset(place for place in positions if self.pools[place].barred(qcow2=is_qcow2) is None)
            for is_qcow2 in (False, True)
        )
        return raw, qcow2

    def usable(self, *, qcow2: bool) -> frozenset[int]:
        """Positions of the pools in which disks of this format can be created."""
        return self._usable[qcow2]

    def asked(self, disk: DiskRequest) -> tuple[int, ...]:
        """Positions of the pools that have every word of the disk, usable or not; all pools without words."""
        words = {word for word in disk.words if word != ANY_POOL_WORD or word in self._known_words}
        return tuple(place for place, pool in enumerate(self.pools) if words <= pool.words)

    def fitting(self, disk: DiskRequest, *, qcow2: bool = False) -> tuple[int, ...]:
        """Positions of the pools that may hold the disk, in order; the default ones without words."""
        usable = self._usable[qcow2]
        places = tuple(place for place in self.asked(disk) if place in usable)
        if not self._is_worded(disk):
            return tuple(place for place in places if self.pools[place].is_default) or places
        return places

    def _is_worded(self, disk: DiskRequest) -> bool:
        return any(word != ANY_POOL_WORD or word in self._known_words for word in disk.words)

    def passed_over(self, disk: DiskRequest, *, qcow2: bool = False) -> Iterator[Rejection]:
        """The pools that would have been chosen if they could hold the disk, each with a reason."""
        is_default_used = not self._is_worded(disk) and any(
            self.pools[place].is_default for place in self.fitting(disk, qcow2=qcow2)
        )
        for place in self.asked(disk):
            pool = self.pools[place]
            rejection = pool.barred(qcow2=qcow2)
            if rejection is not None and (pool.is_default or not is_default_used):
                yield rejection

    def lacking(self, disks: Sequence[DiskRequest], *, qcow2: bool) -> tuple[RequestCode, DiskRequest] | None:
        """The first disk whose words no pool has; otherwise the first disk that no matching pool can hold."""
        for disk in disks:
            if not self.asked(disk):
                return RequestCode.UNKNOWN_POOL, disk
        for disk in disks:
            if not self.fitting(disk, qcow2=qcow2):
                return RequestCode.POOL_UNUSABLE, disk
        return None

    def named(self, places: Sequence[int]) -> str:
        """The names of pools as text."""
        return ", ".join(self.pools[place].name for place in places) or "no pool"


@lru_cache(maxsize=4096)
def _layout(pools: tuple[PoolFacts, ...]) -> PoolLayout:
    """Hosts with the same pools share one layout."""
    return PoolLayout(pools)


def pools_of(state: HostState) -> tuple[PoolLayout, tuple[int, ...]]:
    """The layout of a host's pools, and the bytes left in each."""
    pools = sorted(state.host.storage_pools, key=lambda pool: natural_key(pool.name))
    layout = _layout(tuple(map(_facts, pools)))
    return layout, tuple(bytes_left(pool, state.machines) for pool in pools)


def _facts(pool: StoragePool) -> PoolFacts:
    words = frozenset((pool.name, *pool.tags))
    return PoolFacts(pool.name, words, pool.is_default, pool.kind, pool.active, pool.trouble)


def allot(
    left: Sequence[int], fitting: Sequence[tuple[int, ...]], disks: Sequence[DiskRequest]
) -> tuple[int, ...]:
    """The first pool with room for each disk, in order; shorter than `disks` if a disk finds none."""
    room, chosen = list(left), []
    for places, disk in zip(fitting, disks, strict=True):
        place = next((position for position in places if room[position] >= disk.size_bytes), None)
        if place is None:
            break
        room[place] -= disk.size_bytes
        chosen.append(place)
    return tuple(chosen)


def choose_pools(state: HostState, disks: tuple[DiskRequest, ...], *, qcow2: bool) -> tuple[str, ...]:
    """A pool for every disk, in order. Unknown and unusable pools are reported before full ones."""
    layout, left = pools_of(state)
    if (lacking := layout.lacking(disks, qcow2=qcow2)) is not None:
        raise _no_pool(state, layout, *lacking, qcow2=qcow2)
    fitting = [layout.fitting(disk, qcow2=qcow2) for disk in disks]
    chosen = allot(left, fitting, disks)
    if len(chosen) < len(disks):
        disk, places = disks[len(chosen)], fitting[len(chosen)]
        room = list(left)
        for place, earlier in zip(chosen, disks, strict=False):
            room[place] -= earlier.size_bytes
        most = max(0, *(room[place] for place in places))
        found = f"{gigabytes(most)} GB in {layout.named(places)}"
        wanted = f"{gigabytes(disk.size_bytes)} GB"
        raise _refuse_disk(state, disk, RequestCode.POOL_FULL, wanted, found)
    return tuple(layout.pools[place].name for place in chosen)


def rejected_pools(state: HostState, disks: tuple[DiskRequest, ...], *, qcow2: bool) -> tuple[Rejection, ...]:
    """The pools that would have been chosen for some disk but cannot hold it, each with a reason."""
    layout, _ = pools_of(state)
    rejections = (rejection for disk in disks for rejection in layout.passed_over(disk, qcow2=qcow2))
    return tuple(dict.fromkeys(rejections))


def _no_pool(
    state: HostState, layout: PoolLayout, code: RequestCode, disk: DiskRequest, *, qcow2: bool
) -> RefuseRequest:
    wanted = f"a pool with {', '.join(disk.words)}" if disk.words else "a storage pool"
    if code is RequestCode.UNKNOWN_POOL:
        return _refuse_disk(state, disk, code, wanted, layout.named(range(len(layout.pools))))
    reasons = layout.passed_over(disk, qcow2=qcow2)
    return _refuse_disk(
        state, disk, code, wanted, ", ".join(f"{reason.subject} ({reason.found})" for reason in reasons)
    )


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
