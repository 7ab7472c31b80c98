"""libvirt's XML as libvirt prints it, running and not."""

import pytest

from hostloom.hypervisor import domain_xml_in, xml_in
from hostloom.hypervisor.domain_xml_in import FoundVolume
from hostloom.hypervisor.libvirt_names import MODE_TO_LIBVIRT
from hostloom.hypervisor.xml_out import domain_xml
from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.host import Forward, LibvirtNetwork
from hostloom.model.machine import Disk, DiskFormat, PowerState
from hostloom.model.observed import ObservedMachine
from support.specs import a_nic, a_spec

DOMAIN = """
<domain type='qemu' id='3'><name>web1</name><uuid>6f9619ff-8b86-4d01-b42d-00cf4fc964ff</uuid>
<memory unit='KiB'>1048576</memory><vcpu placement='static'>2</vcpu>
<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
<devices>{devices}</devices></domain>
"""


class Volumes:
    """Every disk lies in no pool, and has 7 bytes."""

    def find(self, path: str, _target: str) -> FoundVolume:
        return FoundVolume("", path, 7)

    def size_of(self, _target: str) -> int:
        return 7


def read(devices: str) -> ObservedMachine:
    return domain_xml_in.machine(DOMAIN.format(devices=devices), PowerState.ON, Volumes())


def attachment(interface: str) -> Attachment:
    (nic,) = read(interface).interfaces
    return nic.attachment


def nic(kind: str, inner: str) -> str:
    return f"<interface type='{kind}'><mac address='52:54:00:AA:00:01'/>{inner}</interface>"


def test_a_machine() -> None:
    machine = read("")
    assert (machine.name, machine.cores, machine.memory_mib) == ("web1", 2, 1024)
    assert (machine.architecture, machine.power, machine.system_id) == ("amd64", PowerState.ON, None)


@pytest.mark.parametrize(
    ("xml", "wanted"),
    [
        (nic("bridge", "<source bridge='br0'/>"), Attachment(AttachKind.BRIDGE, "br0")),
        (
            nic("bridge", "<source bridge='ovs0'/><virtualport type='openvswitch'/>"),
            Attachment(AttachKind.BRIDGE, "ovs0", ovs=True),
        ),
        (
            nic("bridge", "<source network='maas' portid='7ffe' bridge='br0'/>"),
            Attachment(AttachKind.NETWORK, "maas"),
        ),
        (
            nic("network", "<source network='default' portid='7ffe' bridge='virbr0'/>"),
            Attachment(AttachKind.NETWORK, "default"),
        ),
        (
            nic("direct", "<source network='mv' portid='7ffe' dev='eth1' mode='bridge'/>"),
            Attachment(AttachKind.NETWORK, "mv"),
        ),
        (nic("direct", "<source dev='eth1'/>"), Attachment(AttachKind.MACVLAN, "eth1", MacvlanMode.VEPA)),
    ],
)
def test_how_a_nic_is_attached(xml: str, wanted: Attachment) -> None:
    assert attachment(xml) == wanted


@pytest.mark.parametrize(
    ("xml", "source"),
    [
        (nic("user", ""), "user"),
        (nic("ethernet", "<target dev='mytap7'/>"), "ethernet mytap7"),
        (
            nic(
                "hostdev",
                "<source><address type='pci' bus='0x3b' slot='0x02' function='0x1'/></source>",
            ),
            "hostdev 0000:3b:02.1",
        ),
        (nic("hostdev", "<source/>"), "hostdev"),
        (nic("vhostuser", "<source type='unix' path='/run/x' mode='client'/>"), "vhostuser /run/x"),
        (nic("vdpa", "<source dev='/dev/vhost-vdpa-0'/>"), "vdpa /dev/vhost-vdpa-0"),
        (nic("mcast", "<source address='230.0.0.1' port='5558'/>"), "mcast 230.0.0.1"),
        (nic("null", ""), "null"),
        (nic("direct", "<source dev='eth1' mode='odd'/>"), "direct eth1"),
        (nic("bridge", ""), "bridge"),
        (nic("network", f"<source network='{'n' * 300}'/>"), f"network {'n' * 191}…"),
        (nic("bridge", "<source bridge='a&#x9b;b'/>"), r"bridge a\x9bb"),
    ],
)
def test_nics_of_other_kinds_are_kept_with_what_they_name(xml: str, source: str) -> None:
    assert attachment(xml) == Attachment(AttachKind.OTHER, source)


@pytest.mark.parametrize("mode", MacvlanMode)
def test_every_macvlan_mode_comes_back(mode: MacvlanMode) -> None:
    wanted = Attachment(AttachKind.MACVLAN, "eth1", mode)
    text = domain_xml(a_spec(a_nic(0, wanted), disks=()), {})
    (found,) = domain_xml_in.machine(text, PowerState.OFF, Volumes()).interfaces
    assert found.attachment == wanted
    assert (MODE_TO_LIBVIRT[mode] == mode.value) is (mode is not MacvlanMode.PASSTHRU)


def test_a_nic_shows_its_tap_and_model_and_one_without_a_mac_is_none() -> None:
    inner = "<source bridge='br0'/><target dev='vnet3'/><model type='e1000e'/>"
    (found,) = read(
        nic("bridge", inner) + "<interface type='bridge'><source bridge='b'/></interface>"
    ).interfaces
    assert (str(found.mac), found.target, found.model) == ("52:54:00:aa:00:01", "vnet3", "e1000e")


def test_disks_but_not_drives() -> None:
    devices = """
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/v/a.qcow2'/>
    <target dev='vda' bus='virtio'/><serial>root</serial></disk>
    <disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/vg0/b'/>
    <target dev='vdb' bus='virtio'/></disk>
    <disk type='volume' device='disk'><source pool='fast' volume='c'/><target dev='vdc'/></disk>
    <disk type='file' device='cdrom'><source file='/v/x.iso'/><target dev='sda'/></disk>
    <disk type='file' device='disk'><target dev='vdd'/></disk>
    """
    assert read(devices).disks == (
        Disk("root", "", "/v/a.qcow2", 7, DiskFormat.QCOW2),
        Disk("vdb", "", "/dev/vg0/b", 7, DiskFormat.RAW),
        Disk("vdc", "fast", "c", 7, DiskFormat.RAW),
    )


@pytest.mark.parametrize(
    ("disk", "volume"),
    [
        ("type='network'><source protocol='rbd' name='pool/img'/>", "rbd:pool/img"),
        ("type='network'><source protocol='iscsi' name='iqn.2026-01.x:y/1'/>", "iscsi:iqn.2026-01.x:y/1"),
        ("type='network'><source protocol='nbd'/>", "nbd:"),
        (
            "type='nvme'><source type='pci' namespace='1'><address bus='0x01'/></source>",
            "nvme 0000:01:00.0 namespace 1",
        ),
        ("type='block' device='lun'><source dev='/dev/sdz'/>", "/dev/sdz"),
        ("type='dir'><source dir='/srv/x'/>", "/srv/x"),
        ("type='vhostuser'><source type='unix' path='/run/v'/>", "/run/v"),
        ("type='vhostvdpa'><source dev='/dev/vhost-vdpa-0'/>", "/dev/vhost-vdpa-0"),
        ("type='odd'><source/>", "odd"),
    ],
)
def test_disks_of_every_type_have_a_name_and_a_size(disk: str, volume: str) -> None:
    (found,) = read(f"<disk {disk}<target dev='vda'/></disk>").disks
    assert found == Disk("vda", "", volume, 7)


@pytest.mark.parametrize(
    ("inner", "wanted"),
    [
        (
            "<forward mode='nat'/><bridge name='virbr0'/><ip address='10.0.0.1'><dhcp/></ip>",
            LibvirtNetwork("n", True, "virbr0", True, Forward.NAT),
        ),
        (
            "<forward/><bridge name='virbr0'/><ip address='10.0.0.1'/><ip family='ipv6'><dhcp/></ip>",
            LibvirtNetwork("n", True, "virbr0", True, Forward.NAT),
        ),
        (
            "<forward mode='bridge'/><bridge name='br0'/>",
            LibvirtNetwork("n", True, "br0", False, Forward.BRIDGE),
        ),
        (
            "<forward mode='route'/><bridge name='v'/>",
            LibvirtNetwork("n", True, "v", False, Forward.ROUTE),
        ),
        (
            "<forward mode='vepa'><interface dev='eth1'/></forward>",
            LibvirtNetwork("n", True, None, False, Forward.OTHER, parents=("eth1",)),
        ),
        (
            "<forward mode='passthrough'><interface dev='eth1'/><interface dev='eth2'/></forward>",
            LibvirtNetwork("n", True, None, False, Forward.OTHER, parents=("eth1", "eth2"), passthrough=True),
        ),
        ("<bridge name='v'/><ip address='10.0.0.1'/>", LibvirtNetwork("n", True, "v", False, None)),
    ],
)
def test_networks(inner: str, wanted: LibvirtNetwork) -> None:
    assert xml_in.network(f"<network><name>n</name>{inner}</network>", active=True) == wanted


def test_an_inactive_pool_has_no_room() -> None:
    xml = """<pool type='logical'><name>vg0</name><capacity unit='bytes'>1000</capacity>
    <available unit='bytes'>400</available><target><path>/dev/vg0</path></target></pool>"""
    pool = xml_in.storage_pool(xml, active=True)
    assert (pool.kind, pool.path, pool.total_bytes, pool.free_bytes) == ("logical", "/dev/vg0", 1000, 400)
    pool = xml_in.storage_pool(xml, active=False)
    assert (pool.active, pool.total_bytes, pool.free_bytes) == (False, 0, 0)


@pytest.mark.parametrize(
    ("text", "unit", "size"),
    [
        ("2", "GiB", 2**31),
        ("3", "KB", 3000),
        ("4", None, 4),
        ("1", "PiB", 2**50),
        ("2", "e", 2**61),
        (" 5 ", "b", 5),
    ],
)
def test_sizes_have_units(text: str, unit: str | None, size: int) -> None:
    element = xml_in.parse(f"<capacity{f' unit={unit!r}' if unit else ''}>{text}</capacity>")
    assert xml_in.size_bytes(element) == size


TAG = "<vlan><tag id='20'/></vlan>"
DEFAULT = "<portgroup name='a' default='yes'>{}</portgroup>"
NATIVE = "<vlan trunk='yes'><tag id='20' nativeMode='{}'/><tag id='30'/></vlan>"


@pytest.mark.parametrize(
    ("inner", "vid"),
    [
        ("", 0),
        (TAG, 20),
        ("<vlan trunk='yes'><tag id='20'/></vlan>", None),
        ("<vlan><tag id='20'/><tag id='30'/></vlan>", None),
        (NATIVE.format("untagged"), 20),
        (NATIVE.format("tagged"), None),
        (DEFAULT.format(TAG), 20),
        (DEFAULT.format("") + TAG, 20),
        (DEFAULT.format("<vlan><tag id='7'/></vlan>") + TAG, 7),
        (f"<portgroup name='a'>{TAG}</portgroup>", 0),
    ],
)
def test_the_vlan_that_a_network_puts_machines_on(inner: str, vid: int | None) -> None:
    network = f"<network><name>n</name><forward mode='bridge'/><bridge name='v'/>{inner}</network>"
    assert xml_in.network(network, active=True).vid == vid


@pytest.mark.parametrize("tag", ["", "x", "4095", "-1"])
def test_a_tag_that_is_none(tag: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        xml_in.network(f"<network><name>n</name><vlan><tag id='{tag}'/></vlan></network>", active=True)
