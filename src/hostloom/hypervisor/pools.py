"""Reads storage pools, each with a deadline of its own: one that hangs costs the rest of the host nothing.

libvirt looks at a pool's space again only when it is told to. While it does so the pool is locked, and with
it libvirt's list of pools: where a file server is gone, that lasts until it is back.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TypeVar

import libvirt

from hostloom.hypervisor import xml_in
from hostloom.hypervisor.boundary import raise_if_lost, reading
from hostloom.hypervisor.errors import cause_of, is_missing
from hostloom.hypervisor.lanes import Job, Lane
from hostloom.model.finding import Findings, printable
from hostloom.model.host import StoragePool

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Kinds of pools whose free space libvirt only learns when it is told to look again.
_STALE_KINDS = frozenset({"dir", "fs", "netfs", "logical"})
#: A look opens every volume of the pool: not at every reading.
LOOK_AGAIN_S = 60.0
#: A look that took long is repeated only after this many times as long.
SLOW_FACTOR = 30
#: A call about one pool, or for their list, that has not returned by then hangs.
POOL_S = 8.0
#: libvirtd serves five calls of one client at a time: two are left for everything else.
MAX_HANGING = 3
#: Pools of one host that are read.
MAX_POOLS = 500
_LIST = ""


class PoolHangs(Exception):
    """A call about a pool does not return; its text says why that is believed."""


@dataclass(frozen=True)
class PoolsRead:
    """The storage pools of a host, as far as they answered."""

    pools: tuple[StoragePool, ...]
    #: Every pool that there is is among them.
    listed: bool = True


class PoolReader:
    """The pools of one host. One reading at a time; `check` may be called meanwhile."""

    def __init__(self, deadline_s: float = POOL_S) -> None:
        self._deadline_s = deadline_s
        self._lane = Lane("pools")
        self._lock = threading.Lock()
        #: When a look at a pool is due again.
        self._due_at: dict[str, float] = {}
        #: Calls that have not returned, by pool; that for the list by the empty name.
        self._hanging: dict[str, float] = {}
        self._may_look = True
        #: What was read last.
        self._known: dict[str, StoragePool] = {}

    def read(
        self,
        connection: libvirt.virConnect,
        findings: Findings,
        names: Iterable[str] = (),
        *,
        look: bool = True,
    ) -> PoolsRead:
        """All pools by name, with the default one marked.

        `names`: pools to read where there is no list. Without `look` libvirt is not told to look at space.
        """
        self._may_look = look
        listed = self._list(connection, findings)
        if listed is None:
            wanted = sorted({*self._known, *names})
            pools = [self._named(connection, name, findings) for name in wanted]
            return PoolsRead(self._keep([pool for pool in pools if pool is not None]), listed=False)
        if len(listed) > MAX_POOLS:
            findings.add("storage pools", f"at most {MAX_POOLS}", f"{len(listed)}, of which some are read")
        found = []
        for pool in listed[:MAX_POOLS]:
            read = self._read(connection, pool, findings)
            if read is not None:
                found.append(read)
        return PoolsRead(self._keep(found), listed=len(listed) <= MAX_POOLS)

    def trouble(self, name: str) -> str:
        """Why a call about the pool would not return; empty: nothing is known against it."""
        with self._lock:
            since = self._hanging.get(name)
        if since is None:
            return ""
        return f"storage pool {name} has not answered for {time.monotonic() - since:.0f} s"

    def close(self) -> None:
        """End the thread."""
        self._lane.close()

    # -- one pool ----------------------------------------------------------------------------------------

    def _list(
        self, connection: libvirt.virConnect, findings: Findings
    ) -> "list[libvirt.virStoragePool] | None":
        """Every pool; None where libvirt does not say, which it cannot while it looks at one that hangs."""
        if self._count_hanging():
            return None
        try:
            with reading(findings, connection, "storage pools", "libvirt's list of them"):
                return list(self._call(_LIST, connection.listAllStoragePools))
        except PoolHangs as hangs:
            findings.add("storage pools", "libvirt's list of them", hangs)
        return None

    def _named(self, connection: libvirt.virConnect, name: str, findings: Findings) -> StoragePool | None:
        try:
            pool = self._call(name, lambda: connection.storagePoolLookupByName(name))
        except PoolHangs as hangs:
            return self._troubled(name, findings, str(hangs))
        except libvirt.libvirtError as error:
            if is_missing(error):
                return None
            raise_if_lost(connection, error)
            return self._troubled(name, findings, cause_of(error))
        return self._read(connection, pool, findings)

    def _read(
        self, connection: libvirt.virConnect, pool: libvirt.virStoragePool, findings: Findings
    ) -> StoragePool | None:
        """One pool; None where it is gone, or has a name that cannot be used."""
        try:
            name = pool.name()
        except ValueError as error:
            findings.add("storage pools", "names that can be written", error)
            return None
        part = f"storage pool {name}"
        try:
            with findings.reading(part, "a pool as libvirt describes it"):
                found = self._call(name, lambda: _described(pool))
                return self._looked_at(connection, pool, found)
        except PoolHangs as hangs:
            return self._troubled(name, findings, str(hangs))
        except libvirt.libvirtError as error:
            if is_missing(error):
                return None
            raise_if_lost(connection, error)
            return self._troubled(name, findings, cause_of(error))
        return self._troubled(name, findings, "libvirt's description of it cannot be read")

    def _looked_at(
        self, connection: libvirt.virConnect, pool: libvirt.virStoragePool, found: StoragePool
    ) -> StoragePool:
        """The pool with its space as it is now, where libvirt has to be told to look."""
        if not (self._may_look and found.active and found.kind in _STALE_KINDS):
            return found
        is_allowed = self._count_hanging() < MAX_HANGING - 1
        if not self._is_due(found.name, is_allowed):
            return found
        if not is_allowed:
            if found.kind == "netfs":
                raise PoolHangs("it was not looked at: calls about other storage pools hang")
            return found
        try:
            self._call(found.name, pool.refresh)
        except libvirt.libvirtError as error:
            raise_if_lost(connection, error)
            # Another client makes a volume in it, or its disk is gone: the old figures must do.
            log.info("storage pool %s cannot be looked at: %s", found.name, cause_of(error))
            return found
        return self._call(found.name, lambda: _described(pool))

    def _troubled(self, name: str, findings: Findings, cause: str) -> StoragePool:
        """A pool that cannot be used, with what was known of it."""
        cause = printable(cause)
        findings.add(f"storage pool {name}", "an answer about the pool", cause)
        known = self._known.get(name, StoragePool(name, "", 0, 0))
        return replace(known, active=False, is_default=False, trouble=cause)

    def _keep(self, pools: list[StoragePool]) -> tuple[StoragePool, ...]:
        shown = with_default(sorted(pools, key=lambda pool: pool.name))
        self._known = {pool.name: pool for pool in shown}
        return shown

    # -- calls with a deadline ---------------------------------------------------------------------------

    def _call(self, name: str, call: Callable[[], T]) -> T:
        """The result of a call; PoolHangs where it does not return, or an earlier one about it has not."""
        cause = f"it does not answer: no call about it has returned within {self._deadline_s:g} s"
        with self._lock:
            if name in self._hanging:
                raise PoolHangs(cause)
            if len(self._hanging) >= MAX_HANGING:
                raise PoolHangs("it was not asked: calls about other storage pools hang")
        begun_at = time.monotonic()
        job: Job[T] = Job(lambda _: call())
        self._lane.submit(job)
        try:
            return job.future.result(self._deadline_s)
        except TimeoutError:
            if job.future.done():
                return job.future.result()
            with self._lock:
                self._hanging[name] = begun_at
            self._lane.replace_thread()
            job.future.add_done_callback(lambda future: self._returned(name, begun_at, future))
        raise PoolHangs(cause)

    def _returned(self, name: str, begun_at: float, _future: "Future[T]") -> None:
        now = time.monotonic()
        with self._lock:
            self._hanging.pop(name, None)
            self._due_at[name] = now + max(LOOK_AGAIN_S, SLOW_FACTOR * (now - begun_at))

    def _count_hanging(self) -> int:
        with self._lock:
            return len(self._hanging)

    def _is_due(self, name: str, is_allowed: bool) -> bool:
        """Whether a look is due; with leave to look it counts as done."""
        now = time.monotonic()
        with self._lock:
            if now < self._due_at.get(name, now):
                return False
            if is_allowed:
                self._due_at[name] = now + LOOK_AGAIN_S
            return True


def _described(pool: libvirt.virStoragePool) -> StoragePool:
    return xml_in.storage_pool(pool.XMLDesc(), active=bool(pool.isActive()))


def with_default(pools: list[StoragePool]) -> tuple[StoragePool, ...]:
    """The default pool is the one named `default`, else the only one; one that is not active is neither."""
    names = [pool.name for pool in pools if pool.active]
    default = "default" if "default" in names else names[0] if len(names) == 1 else None
    return tuple(replace(pool, is_default=pool.name == default) for pool in pools)
