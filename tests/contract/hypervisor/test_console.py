"""The console's log, from the firmware's first line on."""

import time
from collections.abc import Iterator

import libvirt
import pytest

from contract.hypervisor.conftest import POOL_XML
from hostloom.hypervisor.driver import LibvirtHypervisor
from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from hostloom.hypervisor.libvirt_names import CONSOLE_LOG
from support.libvirtd import Libvirtd
from support.specs import BRIDGE, UUID, a_nic, a_spec

pytestmark = pytest.mark.lab


@pytest.fixture
def hypervisor(libvirtd: Libvirtd) -> Iterator[LibvirtHypervisor]:
    hypervisors = LibvirtHypervisors(libvirtd)
    hypervisor = hypervisors.of("kvm1", libvirtd.qemu_uri)
    outside = libvirt.open(libvirtd.qemu_uri)
    if not outside.listAllStoragePools():
        outside.storagePoolDefineXML(POOL_XML.format(path="/var/lib/libvirt/images")).create()
    outside.close()
    yield hypervisor
    hypervisor.delete_machine(UUID)
    hypervisors.close()


def test_the_log_shows_firmware_and_network_boot(hypervisor: LibvirtHypervisor) -> None:
    (emulation, *_) = hypervisor.describe().emulations
    hypervisor.ensure_machine(a_spec(a_nic(0, BRIDGE, boot=True), emulation=emulation, disks=()))
    hypervisor.start(UUID)
    until = time.monotonic() + 30
    while "iPXE" not in (log := hypervisor.console_log(UUID)):
        assert time.monotonic() < until, log
        time.sleep(0.2)
    assert "SeaBIOS" in log
    assert len(hypervisor.console_log(UUID, limit_bytes=10)) == 10


def test_the_log_goes_with_its_machine_and_only_its_own(
    hypervisor: LibvirtHypervisor, libvirtd: Libvirtd
) -> None:
    (emulation, *_) = hypervisor.describe().emulations
    spec = a_spec(a_nic(0, BRIDGE), emulation=emulation, disks=())
    hypervisor.ensure_machine(spec)
    hypervisor.start(UUID)
    own = libvirtd.seen(CONSOLE_LOG.format(name=spec.name))
    assert own.exists()
    rotated, other = own.with_name(f"{own.name}.0"), own.with_name(f"{own.name}s")
    rotated.touch()
    other.touch()
    for _ in range(2):
        hypervisor.delete_machine(UUID)
        assert (own.exists(), rotated.exists(), other.exists()) == (False, False, True)
