"""The worker's threads end together."""

import threading
import time
from pathlib import Path

from hostloom.model.access import LOCAL_ADMIN
from hostloom.services import hosts
from hostloom.workflows.worker import Worker
from support.little_world import URIS, little_world


def test_threads_that_hang_share_one_deadline(tmp_path: Path) -> None:
    world = little_world(tmp_path, hosts_there=1)
    hung, release = threading.Semaphore(0), threading.Event()

    def hang(_method: str) -> None:
        hung.release()
        release.wait(20)

    worker = Worker(world.ports, "test", threads=6)
    try:
        world.hypervisors.of("", URIS[0]).before_call = hang
        for _ in range(6):
            hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")
        worker.start()
        for _ in range(6):
            assert hung.acquire(timeout=10)
        began = time.monotonic()
        worker.stop(timeout_s=1.0)
        assert time.monotonic() - began < 4, "six times as long one after the other"
    finally:
        release.set()
        worker.stop()
