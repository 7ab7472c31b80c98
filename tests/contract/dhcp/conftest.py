"""Every implementation of the DhcpServer port, and what is outside of the port: its clients and its end."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

import pytest

from hostloom.dhcp.control import ControlSocket
from hostloom.dhcp.driver import KeaDhcp
from hostloom.model.dhcp import Lease
from hostloom.model.ids import SubnetId
from hostloom.ports.dhcp import DhcpServer
from support.dhcp_intents import WEB, an_intent
from support.fake_dhcp import FakeDhcp
from support.kea import Kea, running_kea


@dataclass(frozen=True)
class Subject:
    """One implementation."""

    server: DhcpServer
    #: The addresses that it would assign to a client.
    reserved: Callable[[], set[str]]
    #: Puts a lease into its book.
    lease: Callable[[Lease], None]
    #: Lets a client of WEB's MAC take, or renew, a lease of ONE's subnet.
    take: Callable[[], object]
    #: Ends it.
    stop: Callable[[], None]


@pytest.fixture(scope="module")
def shared_kea() -> Iterator[Kea]:
    with running_kea() as kea:
        yield kea


@pytest.fixture
def kea(shared_kea: Kea) -> Iterator[Kea]:
    """A Kea that serves nothing yet; it runs again after a test that ended it."""
    if shared_kea.process.poll() is not None:
        shared_kea.start()
    both(shared_kea).apply(an_intent())
    yield shared_kea
    if shared_kea.process.poll() is not None:
        shared_kea.start()


@pytest.fixture(params=["fake", pytest.param("kea", marks=pytest.mark.lab)])
def subject(request: pytest.FixtureRequest) -> Subject:
    return _fake() if request.param == "fake" else _kea(request.getfixturevalue("kea"))


def _fake() -> Subject:
    fake = FakeDhcp()

    def stop() -> None:
        fake.reachable = False

    def take() -> None:
        ip = ip_address("10.77.10.50")
        fake.leased[:] = [Lease(ip, WEB, "web1", SubnetId(10), time.time() + 600)]

    return Subject(fake, fake.reserved, fake.leased.append, take, stop)


def _kea(kea: Kea) -> Subject:
    def lease(lease: Lease) -> None:
        arguments = {
            "ip-address": str(lease.ip),
            "hw-address": str(lease.mac),
            "hostname": lease.hostname,
            "subnet-id": int(lease.subnet_id),
            "expire": int(lease.expires_at),
            "valid-lft": 600,
        }
        if lease.ip.version == 4:
            ControlSocket(kea.socket).command("lease4-add", arguments)
        else:
            of_six = {"duid": "00:04:" + ":".join(["17"] * 16), "iaid": int(lease.ip) % 2**32}
            ControlSocket(kea.socket6).command("lease6-add", arguments | of_six)

    return Subject(both(kea), lambda: reserved(kea), lease, lambda: kea.ask(WEB), kea.stop)


def both(kea: Kea) -> KeaDhcp:
    """The driver of both servers."""
    return KeaDhcp(kea.socket, socket6=kea.socket6)


def reserved(kea: Kea) -> set[str]:
    """The addresses in the configurations that run."""
    found: set[str] = set()
    for version, socket in ((4, kea.socket), (6, kea.socket6)):
        running = ControlSocket(socket).command("config-get")[f"Dhcp{version}"]
        key = f"subnet{version}"
        for subnet in [*running[key], *(s for each in running["shared-networks"] for s in each[key])]:
            for each in subnet["reservations"]:
                found |= {each["ip-address"]} if version == 4 else set(each["ip-addresses"])
    return found
