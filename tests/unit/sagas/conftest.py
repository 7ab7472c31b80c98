"""A world of two hosts whose bridges have a gateway on the wire."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from hostloom.model.ids import MacAddress
from support.fake_wire import FakeSegment, FakeWire
from support.little_world import URIS, LittleWorld, little_world

GATEWAY = ip_address("10.0.0.1")
ROUTER, STRANGER = MacAddress("02:00:00:00:00:01"), MacAddress("02:00:00:00:00:99")


@pytest.fixture
def wire() -> FakeWire:
    """One segment, reached through br0 of both hosts."""
    segment = FakeSegment(stations={GATEWAY: (ROUTER,)})
    return FakeWire({(uri, "br0"): segment for uri in URIS})


@pytest.fixture
def world(wire: FakeWire, tmp_path: Path) -> LittleWorld:
    """Its probes see `wire`."""
    world = little_world(tmp_path)
    world.ports = replace(world.ports, wire=wire)
    return world
