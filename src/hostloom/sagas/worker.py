"""The worker: claims operations, runs their sagas, renews their leases, and takes over from dead workers."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from hostloom.model.errors.server import DatabaseUnavailable, LeaseLost
from hostloom.model.operation import Claim, Operation, OperationState
from hostloom.ports.context import Ports
from hostloom.sagas.add_host import ADD_HOST
from hostloom.sagas.build_disk_image import BUILD_DISK_IMAGE
from hostloom.sagas.build_image import BUILD_IMAGE
from hostloom.sagas.commission import COMMISSION
from hostloom.sagas.compose import COMPOSE
from hostloom.sagas.compose_with_image import COMPOSE_WITH_IMAGE
from hostloom.sagas.decompose import DECOMPOSE
from hostloom.sagas.deploy import DEPLOY
from hostloom.sagas.deploy_bare import DEPLOY_BARE
from hostloom.sagas.erase_bare import ERASE_BARE
from hostloom.sagas.fix_network import FIX_NETWORK
from hostloom.sagas.import_disk_image import IMPORT_DISK_IMAGE
from hostloom.sagas.import_inventory import IMPORT_INVENTORY
from hostloom.sagas.refresh import REFRESH
from hostloom.sagas.release import RELEASE
from hostloom.sagas.runner import Runner
from hostloom.sagas.saga import Saga
from hostloom.sagas.verify import VERIFY

log = logging.getLogger(__name__)

SAGAS: dict[str, Saga[Any]] = {
    saga.name: saga
    for saga in (
        ADD_HOST,
        BUILD_DISK_IMAGE,
        BUILD_IMAGE,
        COMMISSION,
        COMPOSE,
        COMPOSE_WITH_IMAGE,
        DECOMPOSE,
        DEPLOY,
        DEPLOY_BARE,
        ERASE_BARE,
        FIX_NETWORK,
        IMPORT_DISK_IMAGE,
        IMPORT_INVENTORY,
        REFRESH,
        RELEASE,
        VERIFY,
    )
}

RENEW_EVERY_S = 5.0
IDLE_WAIT_S = 2.0
#: Seconds between attempts while the database is unavailable.
DATABASE_PAUSE_S = 1.0
#: Time after which a process that does not renew its lease counts as dead; take-over follows within 30 s.
LEASE_S = 20.0


class StandingLeases:
    """Leases that end too far in the future, because their writer's clock was wrong.

    If such a lease is renewed, its owner is alive, and its clock is ahead of ours. If it does not change for
    LEASE_S, measured with a clock that never jumps, its owner is dead.
    """

    def __init__(self, monotonic: Callable[[], float], lease_s: float = LEASE_S) -> None:
        self._monotonic, self._lease_s = monotonic, lease_s
        self._since: dict[Claim, float] = {}

    def dead(self, ahead: Sequence[Claim], own_ids: Collection[str]) -> list[Claim]:
        """The leases that have not changed for that long, without this worker's own operations."""
        now = self._monotonic()
        self._since = {
            claim: self._since.get(claim, now) for claim in ahead if claim.operation_id not in own_ids
        }
        return [claim for claim, since in self._since.items() if now - since >= self._lease_s]


class Worker:
    """Runs operations in `threads` threads until it is stopped."""

    def __init__(self, ports: Ports, owner: str, threads: int = 8, idle_wait_s: float = IDLE_WAIT_S) -> None:
        """`idle_wait_s`: the interval at which an idle thread looks for operations and for the end."""
        self._ports, self._owner, self._idle_wait_s = ports, owner, idle_wait_s
        self._leases = StandingLeases(time.monotonic)
        self._claiming = threading.Lock()
        self._stopping = threading.Event()
        #: Whether operations are left at the end of their current step, for another server or the next start.
        self._leaving = threading.Event()
        self._running: dict[str, Operation] = {}
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{n}", daemon=True) for n in range(threads)
        ]
        self._keeper = threading.Thread(target=self._keep_leases, name="worker-leases", daemon=True)

    def start(self) -> None:
        """Start the threads, which resume operations of a dead process.

        If no other server can use the database, these operations are free immediately, whatever the clock was
        when they were claimed.
        """
        if self._ports.store.is_private:
            with self._ports.store.begin() as uow:
                uow.operations.free_all()
                uow.commit()
        for thread in (*self._threads, self._keeper):
            thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Let the threads finish their current steps, all within `timeout_s`.

        After half of that time they leave their operations at the end of a step and release the leases, so
        that another server can continue immediately. An operation with a longer step keeps its lease.
        """
        self._stopping.set()
        began = time.monotonic()
        self._join(began + timeout_s / 2)
        self._leaving.set()
        self._join(began + timeout_s)

    def _join(self, until: float) -> None:
        for thread in (*self._threads, self._keeper):
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))

    def run_one(self) -> Operation | None:
        """Claim and run one operation; None if none can be claimed."""
        operation = self._claim()
        if operation is None:
            return None
        try:
            left = self._run(operation)
            if left.state in (OperationState.RUNNING, OperationState.UNWINDING):
                self._give_back(left)
            return left
        except LeaseLost:
            log.warning("operation %s was taken over by another process", operation.id)
            return operation
        finally:
            with self._lock:
                self._running.pop(operation.id, None)

    def _claim(self) -> Operation | None:
        """Claim an operation without a running worker, judged by the clock or by its unchanged lease."""
        with self._claiming:
            with self._lock:
                operation_ids = [*self._running]
            now = self._ports.clock.now()
            with self._ports.store.begin() as uow:
                is_shared = not self._ports.store.is_private
                dead = (
                    self._leases.dead(uow.operations.ahead(now + LEASE_S), operation_ids) if is_shared else ()
                )
                operation = uow.operations.claim(self._owner, now, LEASE_S, besides=operation_ids, dead=dead)
                uow.commit()
            if operation is not None:
                with self._lock:
                    self._running[operation.id] = operation
        return operation

    def _run(self, operation: Operation) -> Operation:
        """Run an operation until it ends; while the database is unavailable, wait, then continue."""
        while not self._stopping.is_set():
            try:
                return Runner(
                    self._ports, SAGAS[operation.saga], operation, self._pause, self._leaving.is_set
                ).run()
            except DatabaseUnavailable as error:
                log.warning("operation %s waits: %s", operation.id, error)
                operation = self._read_again(operation)
        return operation

    def _give_back(self, operation: Operation) -> None:
        """Release the lease, for another server or the next start of this one."""
        with self._ports.store.begin() as uow:
            uow.operations.give_back(operation)
            uow.commit()
        log.info("operation %s is left to the next server", operation.id)

    def _read_again(self, operation: Operation) -> Operation:
        """The recorded operation when the database is back; LeaseLost if another worker has it."""
        while not self._stopping.wait(DATABASE_PAUSE_S):
            try:
                self._renew(operation)
                with self._ports.store.begin() as uow:
                    return uow.operations.get(operation.id)
            except DatabaseUnavailable:
                continue
        return operation

    def _pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                if self.run_one() is None:
                    self._ports.store.wait_for_operation(self._idle_wait_s)
            except DatabaseUnavailable:  # logged by the store; operations are claimed later
                self._stopping.wait(DATABASE_PAUSE_S)
            except Exception:  # a dead thread would leave operations unfinished
                log.exception("worker")
                self._stopping.wait(1.0)

    def _keep_leases(self) -> None:
        while not self._stopping.wait(RENEW_EVERY_S):
            with self._lock:
                running = list(self._running.values())
            for operation in running:
                try:
                    self._renew(operation)
                except LeaseLost:
                    log.warning("operation %s: lease lost", operation.id)
                except DatabaseUnavailable:  # logged by the store
                    break
                except Exception:
                    log.exception("operation %s: lease not renewed", operation.id)

    def _renew(self, operation: Operation) -> None:
        until = self._ports.clock.now() + LEASE_S
        with self._ports.store.begin() as uow:
            uow.operations.renew(replace(operation, lease_until=until), until)
            uow.commit()
