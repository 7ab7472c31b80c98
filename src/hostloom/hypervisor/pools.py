"""Reads storage pools, each with its own deadline, so that a hanging pool does not delay other readings.

libvirt updates a pool's free space only on a refresh. A refresh locks the pool and libvirt's list of pools;
if a file server is unreachable, the lock lasts until the server is back.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

import libvirt

from hostloom.hypervisor import xml_in
from hostloom.hypervisor.errors import cause_of, is_missing
from hostloom.hypervisor.partial_reads import raise_if_lost, reading
from hostloom.hypervisor.pool_calls import DEADLINE_S, MAX_HANGING, OpenSide, PoolCalls, PoolHangs
from hostloom.model.finding import Findings, printable
from hostloom.model.host import StoragePool

log = logging.getLogger(__name__)

#: Kinds of pools whose free space libvirt updates only on a refresh.
_STALE_KINDS = frozenset({"dir", "fs", "netfs", "logical"})
#: Seconds between refreshes: a refresh opens every volume of the pool, so not every reading needs one.
LOOK_AGAIN_S = 60.0
#: A slow refresh is repeated only after this multiple of its duration.
SLOW_FACTOR = 30
#: Maximum number of pools that are read of one host.
MAX_POOLS = 500
#: Subject of the call that lists all pools.
_LIST = ""


@dataclass(frozen=True)
class PoolsRead:
    """The storage pools of a host that could be read."""

    pools: tuple[StoragePool, ...]
    #: Whether this includes every pool of the host.
    listed: bool = True


class PoolReader:
    """The pools of one host. Only one thread may read at a time; `check` may be called meanwhile."""

    def __init__(self, open_side: OpenSide | None = None, deadline_s: float = DEADLINE_S) -> None:
        self._calls = PoolCalls(open_side, deadline_s)
        #: When each pool is due for a refresh.
        self._due_at: dict[str, float] = {}
        self._may_look = True
        #: The last reading of each pool.
        self._known: dict[str, StoragePool] = {}

    def read(
        self,
        connection: libvirt.virConnect,
        findings: Findings,
        names: Iterable[str] = (),
        *,
        look: bool = True,
    ) -> PoolsRead:
        """All pools by name, with the default pool marked.

        `names`: pools to read if libvirt does not list them. Without `look` no pool is refreshed.
        """
        self._may_look = look
        listed = self._list(connection, findings)
        names_to_read = sorted({*self._known, *names}) if listed is None else listed
        if len(names_to_read) > MAX_POOLS:
            findings.add(
                "storage pools", f"at most {MAX_POOLS}", f"{len(names_to_read)}, of which some are read"
            )
        pools = [self._read(connection, name, findings) for name in names_to_read[:MAX_POOLS]]
        storage_pools = with_default(
            sorted((pool for pool in pools if pool is not None), key=lambda pool: pool.name)
        )
        self._known = {pool.name: pool for pool in storage_pools}
        return PoolsRead(storage_pools, listed is not None and len(listed) <= MAX_POOLS)

    def trouble(self, name: str) -> str:
        """Why a call about the pool would probably hang; empty if no problem is known."""
        hangs_s = self._calls.hangs_for_s(name)
        return "" if hangs_s is None else f"storage pool {name} has not answered for {hangs_s:.0f} s"

    def close(self) -> None:
        """End the thread and the connection for pools."""
        self._calls.close()

    # -- one pool ----------------------------------------------------------------------------------------

    def _list(self, connection: libvirt.virConnect, findings: Findings) -> list[str] | None:
        """Names of all pools; None if libvirt does not answer because it waits for a hanging pool."""
        if self._calls.count_hanging():
            return None
        names: list[str] = []
        try:
            with reading(findings, connection, "storage pools", "libvirt's list of them"):
                for pool in self._calls.make(connection, _LIST, lambda side: side.listAllStoragePools()):
                    with findings.reading("storage pools", "names that can be written"):
                        names.append(pool.name())
                return names
        except PoolHangs as hangs:
            findings.add("storage pools", "libvirt's list of them", hangs)
        return None

    def _read(self, connection: libvirt.virConnect, name: str, findings: Findings) -> StoragePool | None:
        """One pool; None if it does not exist."""
        try:
            with findings.reading(f"storage pool {name}", "a pool as libvirt describes it"):
                return self._looked_at(connection, self._described(connection, name))
        except PoolHangs as hangs:
            return self._troubled(name, findings, str(hangs))
        except libvirt.libvirtError as error:
            if is_missing(error):
                return None
            raise_if_lost(connection, error)
            return self._troubled(name, findings, cause_of(error))
        return self._troubled(name, findings, "libvirt's description of it cannot be read")

    def _described(self, connection: libvirt.virConnect, name: str) -> StoragePool:
        def describe(side: libvirt.virConnect) -> StoragePool:
            pool = side.storagePoolLookupByName(name)
            return xml_in.storage_pool(pool.XMLDesc(), active=bool(pool.isActive()))

        return self._calls.make(connection, name, describe)

    def _looked_at(self, connection: libvirt.virConnect, pool: StoragePool) -> StoragePool:
        """The pool with its current free space, after a refresh if libvirt needs one."""
        if not (self._may_look and pool.active and pool.kind in _STALE_KINDS):
            return pool
        is_allowed = self._calls.count_hanging() < MAX_HANGING - 1
        if not self._is_due(pool.name, is_allowed):
            return pool
        if not is_allowed:
            if pool.kind == "netfs":
                raise PoolHangs("it was not looked at: calls about other storage pools hang")
            return pool
        try:
            name = pool.name
            self._calls.make(connection, name, lambda side: side.storagePoolLookupByName(name).refresh())
        except libvirt.libvirtError as error:
            raise_if_lost(connection, error)
            # Another client creates a volume in the pool, or the disk is missing: keep the old figures.
            log.info("storage pool %s cannot be looked at: %s", pool.name, cause_of(error))
            return pool
        return self._described(connection, pool.name)

    def _troubled(self, name: str, findings: Findings, cause: str) -> StoragePool:
        """An unusable pool, with the values of its last reading."""
        cause = printable(cause)
        findings.add(f"storage pool {name}", "an answer about the pool", cause)
        storage_pool = self._known.get(name, StoragePool(name, "", 0, 0))
        return replace(storage_pool, active=False, is_default=False, trouble=cause)

    def _is_due(self, name: str, is_allowed: bool) -> bool:
        """Whether a refresh is due; if permitted, record it as done."""
        now_s = time.monotonic()
        if took_s := self._calls.slowest_s(name):
            self._due_at[name] = now_s + max(LOOK_AGAIN_S, SLOW_FACTOR * took_s)
        if now_s < self._due_at.get(name, now_s):
            return False
        if is_allowed:
            self._due_at[name] = now_s + LOOK_AGAIN_S
        return True


def with_default(pools: list[StoragePool]) -> tuple[StoragePool, ...]:
    """The pool named `default`, else the only pool; an inactive pool is never the default."""
    names = [pool.name for pool in pools if pool.active]
    default = "default" if "default" in names else names[0] if len(names) == 1 else None
    return tuple(replace(pool, is_default=pool.name == default) for pool in pools)
