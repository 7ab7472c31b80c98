"""Every implementation of the Power port, with one machine that is off."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import libvirt
import pytest

from hostloom.hypervisor import xml_in
from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from hostloom.model.ids import SystemId
from hostloom.model.machine import PowerState
from hostloom.model.observed import ObservedMachine
from hostloom.model.power import PowerKind, PowerSettings
from hostloom.ports.hypervisor import BootDevice
from hostloom.ports.power import Power, PowerDrivers
from hostloom.power.confirm import PowerLimits
from hostloom.power.drivers import PowerAdapters
from support.emulated_bmc import USER, ipmi_bmc, redfish_bmc
from support.fake_hypervisor import FakeHypervisors
from support.fake_power import PASSWORD, FakePowerDrivers
from support.libvirtd import Libvirtd, running_libvirtd

NAME, UUID = "bare1", "ba5eba5e-0000-4000-8000-000000000001"
NOWHERE = "qemu+unix:///system?socket=/nonexistent"
LIMITS = PowerLimits(call_s=20, settle_s=30, poll_s=0.05)
DOMAIN_XML = """
<domain type='{type}'><name>bare1</name><uuid>ba5eba5e-0000-4000-8000-000000000001</uuid>
<memory unit='MiB'>64</memory><os><type arch='{arch}'>hvm</type><boot dev='hd'/></os>
<devices>
<disk type='file' device='disk'>
<driver name='qemu' type='raw'/><source file='{disk}'/><target dev='vda' bus='virtio'/></disk>
<interface type='user'><mac address='52:54:00:ba:5e:01'/><model type='virtio'/></interface>
</devices></domain>
"""


@dataclass(frozen=True)
class Subject:
    """One implementation; `boots_from` asks the machine itself."""

    drivers: PowerDrivers
    settings: PowerSettings
    boots_from: Callable[[], str]
    password: str = PASSWORD

    @property
    def power(self) -> Power:
        return self.drivers.of(self.settings, self.password)

    def with_password(self, password: str) -> Power:
        return self.drivers.of(self.settings, password)


def _fake(_request: pytest.FixtureRequest) -> Iterator[Subject]:
    drivers = FakePowerDrivers()
    bmc = drivers.add("10.0.0.9")
    settings = PowerSettings(SystemId("bare01"), PowerKind.IPMI, "10.0.0.9", user=USER)
    yield Subject(drivers, settings, lambda: bmc.boots_from)


def _fake_libvirt(_request: pytest.FixtureRequest) -> Iterator[Subject]:
    hypervisors = FakeHypervisors()
    host = hypervisors.of("rig", "fake:///")
    hypervisors.of("elsewhere", NOWHERE).unreachable = True
    host.add_machine(ObservedMachine(UUID, NAME, 1, 64, PowerState.OFF, "amd64"))
    settings = PowerSettings(SystemId("bare01"), PowerKind.LIBVIRT, "fake:///", power_id=NAME)
    yield Subject(
        PowerAdapters(hypervisors, LIMITS),
        settings,
        lambda: str(host.domains.first.get(UUID, BootDevice.DISK)),
    )


def _libvirt(request: pytest.FixtureRequest, uri: str) -> Iterator[Subject]:
    hypervisors = LibvirtHypervisors(request.getfixturevalue("libvirtd"))
    with a_domain(request, uri) as domain:
        settings = PowerSettings(SystemId("bare01"), PowerKind.LIBVIRT, uri, power_id=NAME)
        yield Subject(PowerAdapters(hypervisors, LIMITS), settings, lambda: first_boot(domain))
    hypervisors.close()


def _ipmi(request: pytest.FixtureRequest, uri: str) -> Iterator[Subject]:
    with a_domain(request, uri) as domain, ipmi_bmc(uri, NAME) as port:
        settings = PowerSettings(SystemId("bare01"), PowerKind.IPMI, "127.0.0.1", port, USER)
        yield Subject(PowerAdapters(FakeHypervisors(), LIMITS), settings, lambda: first_boot(domain))


def _redfish(request: pytest.FixtureRequest, uri: str) -> Iterator[Subject]:
    directory: Path = request.getfixturevalue("tmp_path")
    with a_domain(request, uri) as domain, redfish_bmc(uri, directory) as url:
        settings = PowerSettings(SystemId("bare01"), PowerKind.REDFISH, url, user=USER, power_id=UUID)
        yield Subject(PowerAdapters(FakeHypervisors(), LIMITS), settings, lambda: first_boot(domain))


@contextmanager
def a_domain(request: pytest.FixtureRequest, uri: str) -> Iterator[libvirt.virDomain]:
    """The machine; the connection stays open, because the test driver forgets all with its last client."""
    is_qemu = uri.startswith("qemu")
    libvirtd: Libvirtd = request.getfixturevalue("libvirtd")
    disk = libvirtd.directory / "lib" / "bare1.img"
    disk.parent.mkdir(exist_ok=True)
    disk.write_bytes(bytes(2**20))
    kind, arch = ("qemu", "x86_64") if is_qemu else ("test", "i686")
    path = "/var/lib/libvirt/bare1.img" if is_qemu else "/bare1.img"
    connection = libvirt.open(uri)
    domain = connection.defineXML(DOMAIN_XML.format(type=kind, arch=arch, disk=path))
    try:
        yield domain
    finally:
        if domain.isActive():
            domain.destroy()
        domain.undefine()
        connection.close()


def first_boot(domain: libvirt.virDomain) -> str:
    """`network` or `disk`, as the stored definition of the domain says."""
    xml = xml_in.parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    device = xml.find("os/boot")
    if device is not None:
        return {"network": "network", "hd": "disk"}[device.get("dev", "")]
    orders = {
        tag: int(boot.get("order", "99"))
        for tag in ("interface", "disk")
        if (boot := xml.find(f"devices/{tag}/boot")) is not None
    }
    return {"interface": "network", "disk": "disk"}[min(orders, key=lambda tag: orders[tag])]


_ADAPTERS = {"libvirt": _libvirt, "ipmi": _ipmi, "redfish": _redfish}
PARAMETERS = [
    "fake",
    "fake-libvirt",
    *(f"{name}-test" for name in _ADAPTERS),
    *(pytest.param(f"{name}-qemu", marks=pytest.mark.lab) for name in _ADAPTERS),
]


@pytest.fixture(scope="session")
def libvirtd() -> Iterator[Libvirtd]:
    """A libvirtd of our own."""
    with running_libvirtd() as running:
        yield running


@pytest.fixture(params=PARAMETERS)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """Each implementation in turn."""
    if request.param == "fake":
        yield from _fake(request)
        return
    if request.param == "fake-libvirt":
        yield from _fake_libvirt(request)
        return
    name, _, driver = request.param.partition("-")
    libvirtd: Libvirtd = request.getfixturevalue("libvirtd")
    yield from _ADAPTERS[name](request, libvirtd.test_uri if driver == "test" else libvirtd.qemu_uri)


def elsewhere(settings: PowerSettings) -> PowerSettings:
    """The same machine at an address that does not answer."""
    match settings.kind:
        case PowerKind.IPMI:
            return replace(settings, address="127.0.0.1", port=9)
        case PowerKind.REDFISH:
            return replace(settings, address="http://127.0.0.1:9")
        case _:
            return replace(settings, address=NOWHERE)
