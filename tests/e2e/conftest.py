"""One lab and one server for all end-to-end tests."""

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
    """A lab of two hosts, beside any that is there."""
    guest.build()
    lab = Lab(os.environ.get("E2E_LAB", "e2e"))
    lab.down()
    subnet = os.environ.get("E2E_SUBNET")
    lab.up(2, IPv4Network(subnet) if subnet else None)
    try:
        yield lab
    finally:
        lab.down()


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
