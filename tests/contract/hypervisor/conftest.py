"""Every implementation of the Hypervisor port, with a foreign machine on it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import libvirt
import pytest

from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from hostloom.model.host import Emulation
from hostloom.model.machine import PowerState
from hostloom.model.observed import ObservedMachine
from hostloom.ports.hypervisor import Hypervisor, Hypervisors
from support.fake_hypervisor import FakeHypervisors
from support.libvirtd import Libvirtd, running_libvirtd
from support.near import Near

STRANGER = "11111111-2222-4333-8444-555555555555"
STRANGER_XML = f"""
<domain type='{{type}}'><name>stranger</name><uuid>{STRANGER}</uuid><memory unit='MiB'>64</memory>
<os><type{{arch}}>hvm</type></os></domain>
"""
POOL_XML = "<pool type='dir'><name>default</name><target><path>{path}</path></target></pool>"
NETWORK_XML = """
<network><name>default</name><forward mode='nat'/><bridge name='virbr0'/>
<ip address='192.168.122.1' netmask='255.255.255.0'>
<dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp></ip></network>
"""
NODE_XML = """
<node><cpu><nodes>2</nodes><sockets>2</sockets><cores>4</cores><threads>1</threads><active>16</active></cpu>
<memory>16777216</memory>{pool}{network}{domain}</node>
"""


@dataclass(frozen=True)
class Subject:
    """One implementation."""

    hypervisors: Hypervisors
    uri: str

    @property
    def hypervisor(self) -> Hypervisor:
        return self.hypervisors.of("kvm1", self.uri)

    @property
    def emulation(self) -> Emulation:
        return self.hypervisor.describe().emulations[0]


def _fake(_request: pytest.FixtureRequest) -> Iterator[Subject]:
    hypervisors = FakeHypervisors()
    stranger = ObservedMachine(STRANGER, "stranger", 1, 64, PowerState.OFF, "amd64")
    hypervisors.of("kvm1", "fake:///").add_machine(stranger)
    yield Subject(hypervisors, "fake:///")


def _in_process(request: pytest.FixtureRequest) -> Iterator[Subject]:
    directory: Path = request.getfixturevalue("tmp_path")
    file = directory / "node.xml"
    domain = STRANGER_XML.format(type="test", arch="")
    file.write_text(NODE_XML.format(pool=POOL_XML.format(path="/pool"), network=NETWORK_XML, domain=domain))
    hypervisors = LibvirtHypervisors(Near())
    yield Subject(hypervisors, f"test://{file}")
    hypervisors.close()


def _out_of_process(request: pytest.FixtureRequest) -> Iterator[Subject]:
    libvirtd: Libvirtd = request.getfixturevalue("libvirtd")
    outside: libvirt.virConnect = request.getfixturevalue("test_keeper")
    yield from _libvirt(outside, libvirtd.test_uri, libvirtd, STRANGER_XML.format(type="test", arch=""))


def _qemu(request: pytest.FixtureRequest) -> Iterator[Subject]:
    libvirtd: Libvirtd = request.getfixturevalue("libvirtd")
    outside = libvirt.open(libvirtd.qemu_uri)
    if not outside.listAllStoragePools():
        outside.storagePoolDefineXML(POOL_XML.format(path="/var/lib/libvirt/images")).create()
    if not outside.listAllNetworks():
        outside.networkDefineXML(NETWORK_XML)
    stranger = STRANGER_XML.format(type="qemu", arch=" arch='x86_64'")
    yield from _libvirt(outside, libvirtd.qemu_uri, libvirtd, stranger)
    outside.close()


def _libvirt(outside: libvirt.virConnect, uri: str, libvirtd: Libvirtd, stranger: str) -> Iterator[Subject]:
    outside.defineXML(stranger)
    hypervisors = LibvirtHypervisors(libvirtd)
    yield Subject(hypervisors, uri)
    hypervisors.close()
    _clear(outside)


def _clear(connection: libvirt.virConnect) -> None:
    for domain in connection.listAllDomains():
        if domain.isActive():
            domain.destroy()
        domain.undefine()
    for volume in connection.storagePoolLookupByName("default").listAllVolumes():
        volume.delete()


IMPLEMENTATIONS: dict[str, Callable[[pytest.FixtureRequest], Iterator[Subject]]] = {
    "fake": _fake,
    "test": _in_process,
    "test+unix": _out_of_process,
    "qemu": _qemu,
}


@pytest.fixture(scope="session")
def libvirtd() -> Iterator[Libvirtd]:
    """A libvirtd of our own."""
    with running_libvirtd() as found:
        yield found


@pytest.fixture(scope="session")
def test_keeper(libvirtd: Libvirtd) -> Iterator[libvirt.virConnect]:
    """The test driver forgets everything with its last client: this one stays."""
    keeper = libvirt.open(libvirtd.test_uri)
    keeper.storagePoolLookupByName("default-pool").destroy()
    keeper.storagePoolDefineXML(POOL_XML.format(path="/pool")).create()
    yield keeper
    keeper.close()


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.lab] if name == "qemu" else []) for name in IMPLEMENTATIONS]
)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """Each implementation in turn."""
    yield from IMPLEMENTATIONS[request.param](request)
