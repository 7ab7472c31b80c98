"""Every implementation of the WireProbe port, with the same ones behind its wires."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import cast

import pytest

from hostloom.model.dhcp_exchange import DhcpOffer
from hostloom.model.ids import MacAddress
from hostloom.ports.wire import WireProbe
from hostloom.remote.connection import Remotes
from hostloom.wire.probe import AgentProbe
from support.fake_wire import FakeWire
from support.wires import NetnsShell, running_wires

URI = "qemu+ssh://root@kvm/system"
SERVER, TWIN, BARE = (MacAddress(f"02:00:00:00:00:{each}") for each in ("a0", "b0", "a1"))


@pytest.fixture(scope="module")
def wires(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetnsShell]:
    with running_wires(tmp_path_factory.mktemp("wires")) as shell:
        yield shell


@pytest.fixture(params=["fake", pytest.param("agent", marks=pytest.mark.lab)])
def probe(request: pytest.FixtureRequest) -> WireProbe:
    if request.param == "fake":
        return fake()
    # of all that connections are, the probe needs shells
    return AgentProbe(cast("Remotes", request.getfixturevalue("wires")))


def fake() -> FakeWire:
    wire = FakeWire()
    bridge, bare = wire.segment(URI, "br0"), wire.segment(URI, "eth1")
    server, server6 = ip_address("10.9.0.1"), ip_address("fe80::ff:fe00:a0")
    bridge.offers += [
        DhcpOffer(server, SERVER, ip_address("10.9.0.50"), server, 3600),
        DhcpOffer(server6, SERVER, ip_address("fd09::50"), None, 3600),
    ]
    bridge.stations = {
        server: (SERVER,),
        ip_address("fd09::1"): (SERVER,),
        ip_address("10.9.0.7"): (TWIN, SERVER),
    }
    bare.stations = {ip_address("10.9.1.1"): (BARE,)}
    wire.segment(URI, "eth0").held = "it is held by br0, of which it is a member"
    wire.segment(URI, "eth2").held = "it has no carrier"
    return wire
