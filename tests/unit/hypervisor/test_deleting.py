"""What is left on a host of a machine that was deleted: nothing of ours, on libvirt's test driver."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import libvirt
import pytest

from hostloom.hypervisor.driver import LibvirtHypervisor
from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from hostloom.model.errors.outside import HostRefused, HostUnreachable
from hostloom.model.host import Emulation
from support.near import Near
from support.specs import UUID, a_spec

URI = "test:///default"
LOG = "/var/log/libvirt/qemu/web1.console.log"
EMULATION = Emulation("i386", "test", "", "", "")


@dataclass
class Refusing(Near):
    """A host where files cannot be removed."""

    error: Exception = field(default_factory=lambda: HostRefused("kvm1", "Permission denied"))

    def remove_files(self, _uri: str, *_paths: str) -> None:
        raise self.error


def _made(near: Near) -> LibvirtHypervisor:
    hypervisor = LibvirtHypervisors(near).of("kvm1", URI)
    hypervisor.ensure_machine(a_spec(emulation=EMULATION, disks=()))
    return hypervisor


@pytest.fixture(autouse=True)
def keeper() -> Iterator[libvirt.virConnect]:
    """The driver forgets everything with its last client."""
    connection = libvirt.open(URI)
    yield connection
    for domain in connection.listAllDomains():
        if domain.name() == "web1":
            domain.undefine()
    connection.close()


def test_the_consoles_log_goes_and_what_was_rotated_of_it() -> None:
    near = Near()
    hypervisor = _made(near)
    hypervisor.delete_machine(UUID)
    assert near.removed == [LOG, f"{LOG}.0", f"{LOG}.1", f"{LOG}.2"]
    hypervisor.delete_machine(UUID)
    assert len(near.removed) == 4, "one that is gone has no file"


def test_a_log_that_is_not_where_we_put_it_is_not_ours(keeper: libvirt.virConnect) -> None:
    near = Near()
    hypervisor = _made(near)
    xml = keeper.lookupByUUIDString(UUID).XMLDesc()
    keeper.defineXML(xml.replace(LOG, "/etc/passwd"))
    hypervisor.delete_machine(UUID)
    assert near.removed == []


def test_where_files_cannot_be_removed_the_machine_goes_all_the_same() -> None:
    hypervisor = _made(Refusing())
    hypervisor.delete_machine(UUID)
    assert hypervisor.find_machine(UUID) is None


def test_a_host_that_went_away_meanwhile_is_told_and_tried_again() -> None:
    near = Refusing(error=HostUnreachable("kvm1", "no route"))
    hypervisor = _made(near)
    with pytest.raises(HostUnreachable):
        hypervisor.delete_machine(UUID)
    near.error = HostRefused("kvm1", "Permission denied")
    hypervisor.delete_machine(UUID)
    assert hypervisor.find_machine(UUID) is None
