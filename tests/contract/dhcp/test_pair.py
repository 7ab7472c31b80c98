"""Two racks as a hot-standby pair: one dies in mid-exchange, the other gives the same address."""

import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from contract.dhcp.conftest import both
from hostloom.dhcp.driver import KeaDhcp
from hostloom.model.dhcp import DhcpIntent, HaIntent, HaPeer, HaRole
from support.dhcp_intents import DB, WEB, a_reservation, a_subnet, an_intent
from support.kea import Kea, running_kea

pytestmark = pytest.mark.lab

FIRST, SECOND = "10.77.10.2", "10.77.10.3"
PEERS = (
    HaPeer("one", HaRole.PRIMARY, ip_address(FIRST), 8760),
    HaPeer("two", HaRole.STANDBY, ip_address(SECOND), 8760),
)
#: Of the client, on a switch that both racks are plugged into.
NIC = "cl0"
SETTLE_S = 40


@pytest.fixture
def pair() -> Iterator[tuple[Kea, Kea]]:
    """Two Keas on one wire, at 10.77.10.2 and 10.77.10.3."""
    with running_kea() as one, running_kea() as two:
        two.run_rack(["ip", "address", "del", f"{FIRST}/24", "dev", "eth0"])
        two.run_rack(["ip", "address", "add", f"{SECOND}/24", "dev", "eth0"])
        two.run_client(["ip", "link", "set", "c0", "netns", str(one.client.pid), "name", "c9"])
        for line in (
            "link add sw type bridge forward_delay 0 mcast_snooping 0",
            f"link add {NIC} type veth peer name cl1",
            "link set cl1 master sw",
            "link set c9 master sw",
            "link set c9 up",
            "link set cl1 up",
            "link set sw up",
        ):
            one.run_client(["ip", *line.split()])
        plug(one)
        yield one, two


def plug(one: Kea) -> None:
    """Plug the first rack into the switch."""
    one.run_client(["ip", "link", "set", "c0", "master", "sw"])
    one.run_client(["ip", "link", "set", "c0", "up"])


def intent(name: str) -> DhcpIntent:
    subnet = a_subnet(a_reservation(WEB, "10.77.10.50"))
    return replace(an_intent(subnet), ha=HaIntent(name, PEERS))


def set_both(pair: tuple[Kea, Kea]) -> tuple[KeaDhcp, KeaDhcp]:
    drivers = (KeaDhcp(pair[0].socket), KeaDhcp(pair[1].socket))
    for driver, name in zip(drivers, ("one", "two"), strict=True):
        driver.apply(intent(name))
    return drivers


def wait_for(drivers: tuple[KeaDhcp, ...], state: str) -> None:
    until = time.monotonic() + SETTLE_S
    while any(each.status().ha_state != state for each in drivers):
        found = [each.status() for each in drivers]
        assert time.monotonic() < until, f"not {state}: {found}"
        time.sleep(0.2)


def given(one: Kea, mac: Any) -> tuple[str, str]:
    """Which address, and by whom."""
    found = one.ask(mac, NIC, tries=15)
    return found["ip"], found["serverid"]


def test_the_other_one_goes_on_where_it_died_and_steps_back_when_it_is_back(pair: tuple[Kea, Kea]) -> None:
    one, _ = pair
    drivers = set_both(pair)
    wait_for(drivers, "hot-standby")
    before = given(one, DB)
    assert before[1] == FIRST
    assert given(one, WEB) == ("10.77.10.50", FIRST)
    one.stop()
    assert given(one, DB) == (before[0], SECOND)
    assert given(one, WEB) == ("10.77.10.50", SECOND)
    assert drivers[1].status().ha_state == "partner-down"
    assert {str(each.ip) for each in drivers[1].leases()} == {before[0], "10.77.10.50"}
    one.start()
    plug(one)
    wait_for(set_both(pair), "hot-standby")
    assert given(one, DB) == (before[0], FIRST)


def test_a_pair_of_both_families_is_taken_by_kea(pair: tuple[Kea, Kea]) -> None:
    both(pair[0]).apply(intent("one"))
    assert "libdhcp_ha" in str(both(pair[0]).running()["Dhcp6"]["hooks-libraries"])
