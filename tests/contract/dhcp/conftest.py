"""Every implementation of the DhcpServer port, and what is outside of the port: its clients and its end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from hostloom.dhcp.control import ControlSocket
from hostloom.dhcp.driver import KeaDhcp
from hostloom.model.dhcp import Lease
from hostloom.ports import DhcpServer
from support.dhcp_intents import an_intent
from support.fake_dhcp import FakeDhcp
from support.kea import Kea, running_kea


@dataclass(frozen=True)
class Subject:
    """One implementation."""

    server: DhcpServer
    #: The addresses that it would give to somebody.
    reserved: Callable[[], set[str]]
    #: Puts a lease into its book.
    lease: Callable[[Lease], None]
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
    KeaDhcp(shared_kea.socket).apply(an_intent())
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

    return Subject(fake, fake.reserved, fake.leased.append, stop)


def _kea(kea: Kea) -> Subject:
    control = ControlSocket(kea.socket)

    def lease(lease: Lease) -> None:
        arguments = {
            "ip-address": str(lease.ip),
            "hw-address": str(lease.mac),
            "hostname": lease.hostname,
            "subnet-id": int(lease.subnet_id),
            "expire": int(lease.expires_at),
            "valid-lft": 600,
        }
        control.command("lease4-add", arguments)

    return Subject(KeaDhcp(kea.socket), lambda: reserved(kea), lease, kea.stop)


def reserved(kea: Kea) -> set[str]:
    """The addresses in the configuration that runs."""
    running = ControlSocket(kea.socket).command("config-get")["Dhcp4"]
    subnets = [*running["subnet4"], *(s for each in running["shared-networks"] for s in each["subnet4"])]
    return {each["ip-address"] for subnet in subnets for each in subnet["reservations"]}
