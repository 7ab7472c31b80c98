"""The XML that libvirt is given, to the letter, and libvirt's own judgement of it.

`UPDATE_GOLDEN=1` writes the files anew.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import libvirt
import pytest

from hostloom.hypervisor.connection import start_event_loop
from hostloom.hypervisor.xml_out import domain_xml, volume_xml
from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.host import Emulation
from hostloom.model.machine import DiskFormat
from support.specs import BRIDGE, NETWORK, a_disk, a_nic, a_spec

HERE = Path(__file__).parent
KVM = Emulation("amd64", "kvm", "q35", "/usr/bin/qemu-system-x86_64", "host-passthrough")
ARM = Emulation("arm64", "qemu", "virt", "/usr/bin/qemu-system-aarch64", "maximum")
ARM_KVM = Emulation("arm64", "kvm", "virt", "/usr/bin/qemu-system-aarch64", "host-passthrough")
I386 = Emulation("i386", "qemu", "q35", "/usr/bin/qemu-system-i386", "qemu32")
PPC = Emulation("ppc64el", "qemu", "", "/usr/bin/qemu-system-ppc64", "")
S390X = Emulation("s390x", "qemu", "", "/usr/bin/qemu-system-s390x", "maximum")
OVS = Attachment(AttachKind.BRIDGE, "ovsbr0", ovs=True)


def macvlan(mode: MacvlanMode, parent: str = "eth1") -> Attachment:
    return Attachment(AttachKind.MACVLAN, parent, mode)


SPECS = {
    "bridge": a_spec(),
    "macvlan-modes": a_spec(
        *(a_nic(n, macvlan(mode, f"eth{n}"), boot=n == 0) for n, mode in enumerate(MacvlanMode)),
    ),
    "network-boots-second": a_spec(a_nic(0, BRIDGE), a_nic(1, NETWORK, boot=True), emulation=KVM),
    "open-vswitch": a_spec(a_nic(0, OVS, boot=True), emulation=KVM),
    "no-netboot": a_spec(a_nic(0, BRIDGE), netboot=False),
    # The NIC keeps its part; the machine as a whole does not boot from the network.
    "no-netboot-with-boot-nic": a_spec(a_nic(0, BRIDGE, boot=True), netboot=False),
    "disks": a_spec(
        disks=(a_disk(), a_disk("data", kind=DiskFormat.QCOW2), a_disk("fast", "vg0"), a_disk("a" * 25)),
    ),
    # It has a system on its first disk, which it boots before the network.
    "seed": a_spec(disks=(a_disk(), a_disk("data"), a_disk("seed", size_bytes=2**20))),
    "no-disk": a_spec(disks=()),
    "nic-model": a_spec(replace(a_nic(0, BRIDGE, boot=True), model="e1000e")),
    "arm64": a_spec(emulation=ARM),
    "arm64-kvm": a_spec(emulation=ARM_KVM),
    "i386": a_spec(emulation=I386),
    "ppc64el": a_spec(emulation=PPC),
    "s390x": a_spec(emulation=S390X),
}
DIRECTORIES = {"default": "/var/lib/libvirt/images", "vg0": "/dev/vg0"}


def render(name: str) -> str:
    spec = SPECS[name]
    return domain_xml(spec, {each.volume: f"{DIRECTORIES[each.pool]}/{each.volume}" for each in spec.disks})


@pytest.fixture(scope="module")
def connection() -> Iterator[libvirt.virConnect]:
    start_event_loop()
    connection = libvirt.open("test:///default")
    yield connection
    connection.close()


@pytest.mark.parametrize("name", SPECS)
def test_the_xml_is_as_written(name: str) -> None:
    file = HERE / f"{name}.xml"
    text = render(name) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SPECS)
def test_libvirt_finds_the_xml_valid(name: str, connection: libvirt.virConnect) -> None:
    connection.defineXMLFlags(render(name), libvirt.VIR_DOMAIN_DEFINE_VALIDATE).undefine()


def test_libvirts_schema_would_refuse_nonsense(connection: libvirt.virConnect) -> None:
    with pytest.raises(libvirt.libvirtError) as error:
        text = render("bridge").replace("<vcpu>", "<vcpu x='1'>")
        connection.defineXMLFlags(text, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    assert error.value.get_error_code() == libvirt.VIR_ERR_XML_INVALID_SCHEMA


def test_a_file_is_sparse_and_a_logical_volume_is_whole() -> None:
    raw, qcow2 = a_disk(), a_disk(kind=DiskFormat.QCOW2)
    start = '<volume><name>web1-6f9619ff-root</name><capacity unit="bytes">8000000000</capacity>'
    sparse = '<allocation unit="bytes">0</allocation><target><format type="{}" /></target></volume>'
    assert volume_xml(raw, is_file=True) == start + sparse.format("raw")
    assert volume_xml(qcow2, is_file=True) == start + sparse.format("qcow2")
    assert volume_xml(raw, is_file=False) == start + "</volume>"


def test_every_golden_file_belongs_to_a_spec() -> None:
    assert {file.stem for file in HERE.glob("*.xml")} == set(SPECS)
