"""The probe's guest comes up where guests do, and leaves nothing behind where they do not."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import libvirt
import pytest

from contract.hypervisor.conftest import POOL_XML
from hostloom.hypervisor import probe
from hostloom.hypervisor.connection import start_event_loop
from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from support.libvirtd import Libvirtd

pytestmark = pytest.mark.lab
EMULATOR = "/usr/bin/qemu-system-x86_64"


@pytest.fixture
def connection(libvirtd: Libvirtd) -> Iterator[libvirt.virConnect]:
    start_event_loop()
    connection = libvirt.open(libvirtd.qemu_uri)
    if not connection.listAllStoragePools():
        connection.storagePoolDefineXML(POOL_XML.format(path="/var/lib/libvirt/images")).create()
    yield connection
    assert connection.listAllDomains() == []
    assert volumes(connection) == []
    connection.close()


def volumes(connection: libvirt.virConnect) -> list[str]:
    found: list[str] = connection.storagePoolLookupByName("default").listVolumes()
    return found


def boots(connection: libvirt.virConnect, cpu: str = "maximum") -> bool:
    return probe.guest_runs(connection, "amd64", EMULATOR, domain_type="qemu", cpu=cpu)


def test_the_guest_reaches_64_bit_mode_and_switches_itself_off(connection: libvirt.virConnect) -> None:
    assert boots(connection)


def test_a_guest_that_hangs_is_ended_and_does_not_count(
    connection: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = b"\xfa\xf4".ljust(510, b"\0") + b"\x55\xaa"
    monkeypatch.setitem(probe.GUESTS, "amd64", replace(probe.GUESTS["amd64"], image=hung))
    monkeypatch.setattr(probe, "DEADLINE_S", 1.5)
    began = time.monotonic()
    assert not boots(connection)
    assert 1.5 <= time.monotonic() - began < 5


def test_a_guest_that_is_slow_is_not_proof(
    connection: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "DEADLINE_S", 0.2)
    assert not boots(connection)


def test_a_guest_that_is_destroyed_has_not_switched_itself_off(
    connection: libvirt.virConnect, libvirtd: Libvirtd, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = b"\xfa\xf4".ljust(510, b"\0") + b"\x55\xaa"
    monkeypatch.setitem(probe.GUESTS, "amd64", replace(probe.GUESTS["amd64"], image=hung))
    outside = libvirt.open(libvirtd.qemu_uri)

    def end() -> None:
        while not (running := outside.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING)):
            time.sleep(0.05)
        running[0].destroy()

    thread = threading.Thread(target=end)
    thread.start()
    began = time.monotonic()
    assert not boots(connection)
    assert time.monotonic() - began < probe.DEADLINE_S
    thread.join()
    outside.close()


def test_an_emulator_that_does_not_start_is_a_no(connection: libvirt.virConnect) -> None:
    assert not probe.guest_runs(connection, "amd64", "/bin/false", domain_type="qemu", cpu="")


def test_an_architecture_or_machine_without_a_probe_is_a_no(connection: libvirt.virConnect) -> None:
    assert not probe.kvm_runs(connection, "s390x", "/usr/bin/qemu-system-s390x", "")
    assert not probe.kvm_runs(connection, "amd64", EMULATOR, "pc")


def test_what_a_dead_process_left_is_removed_and_the_rest_stays(connection: libvirt.virConnect) -> None:
    pool = connection.storagePoolLookupByName("default")
    old, new, other = f"{probe.PROBE_PREFIX}1000-aa", f"{probe.PROBE_PREFIX}{time.time():.0f}-bb", "mine"
    for name in (old, new, other):
        pool.createXML(f"<volume><name>{name}</name><capacity>512</capacity></volume>")
    assert boots(connection)
    assert sorted(volumes(connection)) == sorted([new, other])
    for name in (new, other):
        pool.storageVolLookupByName(name).delete()


def test_what_is_left_in_another_pool_is_removed_too(connection: libvirt.virConnect) -> None:
    """The best pool may have been another one when the process died; its clock may have been ahead."""
    xml = POOL_XML.format(path="/var/lib/libvirt/other").replace("default", "other")
    pool = connection.storagePoolDefineXML(xml)
    pool.build()
    pool.create()
    try:
        for made_at in ("1000", f"{time.time() + 9000:.0f}", "9" * 40):
            name = f"{probe.PROBE_PREFIX}{made_at}-aa"
            pool.createXML(f"<volume><name>{name}</name><capacity>512</capacity></volume>")
        boots(connection)
        assert pool.listVolumes() == []
    finally:
        pool.destroy()
        pool.undefine()


def test_a_running_probe_is_not_a_machine(connection: libvirt.virConnect, libvirtd: Libvirtd) -> None:
    xml = "<domain type='qemu'><name>{}</name><memory>65536</memory><os><type>hvm</type></os></domain>"
    domain = connection.defineXML(xml.format(f"{probe.PROBE_PREFIX}1000-aa"))
    hypervisors = LibvirtHypervisors(libvirtd)
    try:
        assert hypervisors.of("kvm1", libvirtd.qemu_uri).describe().machines == ()
    finally:
        hypervisors.close()
        domain.undefine()
