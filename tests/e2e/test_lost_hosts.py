"""A host that dies or hangs is noticed within a minute without a request, and its machines are marked."""

from collections.abc import Iterator

import pytest

from support.rig import Rig
from support.waiting import wait_until

#: From issue to mark, on a machine that does other work beside.
NOTICED_WITHIN_S = 60


def is_reachable(rig: Rig) -> bool:
    return bool(rig.get("host", "show", "kvm2")["reachable"])


@pytest.fixture
def machine(clean: Rig) -> Iterator[str]:
    clean.compose("lost1", "eth0:space=mgmt", host="kvm2")
    yield "lost1"


def check_marked(rig: Rig) -> None:
    assert rig.get("machine", "show", "lost1")["host_reachable"] is False
    (line,) = [line for line in rig.run("machine", "list").splitlines() if "lost1" in line]
    assert "kvm2 (unreachable)" in line
    assert "unknown" in line


def check_back(rig: Rig) -> None:
    wait_until(lambda: is_reachable(rig), "kvm2 to be back", NOTICED_WITHIN_S)
    assert rig.get("machine", "show", "lost1")["host_reachable"] is True
    assert "unreachable" not in rig.run("machine", "list")


def test_a_libvirtd_that_hangs(clean: Rig, machine: str) -> None:
    with clean.hanging("kvm2"):
        wait_until(lambda: not is_reachable(clean), "the mark", NOTICED_WITHIN_S)
        check_marked(clean)
    check_back(clean)


def test_a_host_whose_cable_is_pulled(clean: Rig, machine: str) -> None:
    clean.lab.unplug("kvm2", "eth0")
    try:
        wait_until(lambda: not is_reachable(clean), "the mark", NOTICED_WITHIN_S)
        check_marked(clean)
    finally:
        clean.lab.plug("kvm2", "eth0")
    check_back(clean)
