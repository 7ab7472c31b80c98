"""A Kea that cannot listen where it should, because another server has the port, says so."""

import subprocess

import pytest

from hostloom.dhcp.driver import KeaDhcp
from support.dhcp_intents import a_subnet, an_intent
from support.kea import DIE_WITH_US, Kea
from support.waiting import wait_until

pytestmark = pytest.mark.lab

#: As libvirt runs it for a network: on every address, for one interface.
DNSMASQ = "dnsmasq --conf-file=/dev/null --port=0 --no-daemon --user=root --pid-file= --bind-dynamic"
RANGE = "--interface=lo --dhcp-range=127.0.0.1,127.0.0.9"


def test_a_port_that_another_server_uses_is_reported_until_it_is_free(kea: Kea) -> None:
    driver = KeaDhcp(kea.socket)
    enter = ["nsenter", f"--target={kea.process.pid}", "--net"]
    listening = [*enter, "ss", "-Hlun", "sport = :67"]
    kea.run_client(["ip", "link", "set", "c0", "up"])
    driver.apply(an_intent())
    wait_until(lambda: not subprocess.run(listening, capture_output=True).stdout, "the port is free")
    other = subprocess.Popen(
        [*DIE_WITH_US, *enter, *DNSMASQ.split(), *RANGE.split()], stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: subprocess.run(listening, capture_output=True).stdout, "the port is in use")
        driver.apply(an_intent(a_subnet()))
        wait_until(lambda: "eth0" in driver.status().trouble, "the trouble is reported")
        assert "port 67" in driver.pulse().trouble
    finally:
        other.kill()
        other.wait()
    wait_until(lambda: driver.status().trouble == "", "the trouble has ended")
    assert driver.pulse().trouble == ""


def test_an_interface_without_carrier_is_not_reported(kea: Kea) -> None:
    driver = KeaDhcp(kea.socket)
    kea.run_client(["ip", "link", "set", "c0", "down"])
    driver.apply(an_intent())
    driver.apply(an_intent(a_subnet()))
    assert driver.status().trouble == ""
