"""One lab and one server for all end-to-end tests that a worker runs."""

import os
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from hostloom_lab import guest
from hostloom_lab.lab import Lab
from support.rig import Rig


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the lab."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab of two hosts, in addition to other labs. Every worker has a separate lab.

    E2E_LAB gives it another name, and E2E_SUBNET the subnet of the first worker's; the others' follow it.
    """
    guest.build()
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    lab = Lab(f"{os.environ.get('E2E_LAB', 'e2e')[:6]}{number or ''}")
    lab.down()
    subnet = os.environ.get("E2E_SUBNET")
    lab.up(2, _nth_after(IPv4Network(subnet), number) if subnet else None)
    try:
        yield lab
    finally:
        lab.down()


def _nth_after(subnet: IPv4Network, number: int) -> IPv4Network:
    return IPv4Network((int(subnet.network_address) + number * subnet.num_addresses, subnet.prefixlen))


@pytest.fixture(scope="session")
def rig(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The lab with a server that knows its network and hosts."""
    rig = Rig(lab, tmp_path_factory.mktemp("rig"))
    rig.start()
    try:
        rig.describe()
        yield rig
    finally:
        rig.stop()


@pytest.fixture
def clean(rig: Rig) -> Iterator[Rig]:
    """The rig, with no machine left over by this test."""
    yield rig
    rig.decompose(*(machine["hostname"] for machine in rig.list("machine")))
