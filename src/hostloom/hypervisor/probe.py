"""Does KVM run? A tiny guest is booted under it that must reach 64-bit mode and switch itself off.

/dev/kvm being there says little: under some hypervisors firmware runs and every kernel hangs. The guest is
one boot sector: it builds page tables, enters long mode, and powers off through the q35 chipset's ACPI port.
"""

import io
import logging
import threading
import time
import uuid
from xml.etree import ElementTree as ET

import libvirt

log = logging.getLogger(__name__)

#: A guest that has not switched itself off by then never will.
DEADLINE_S = 5.0
POLL_S = 0.05
#: Sectors are padded to what every block driver takes.
IMAGE_BYTES = 1 << 20

#: x86, assembled: cli; page tables at 0x1000 with one 2 MiB page; CR4.PAE; EFER.LME; CR0.PG and PE; far jump;
#: in 64-bit mode `out 0x604, 0x2000` (PM1a control of q35: soft off); hlt.
BOOT_CODE = bytes.fromhex(
    "fa31c08ed88ec08ed0bc007c66bf001000000f22df6631c066b9000c0000fc6766f3ab66c70600100320000066c7060020"
    "0330000066c7060030830000000f20e06683c8200f22e066b9800000c00f32660d000100000f30660f0116907c0f20c066"
    "0d010000800f22c0ea6f7c080066ba040666b8002066eff4ebfd0f1f4000000000000000000000000000009a20000f0080"
    "7c"
)


def boot_image() -> bytes:
    """The boot sector with its signature, padded."""
    return (BOOT_CODE.ljust(510, b"\0") + b"\x55\xaa").ljust(IMAGE_BYTES, b"\0")


def kvm_runs(connection: libvirt.virConnect, emulator: str, machine: str) -> bool:
    """Boot the guest under KVM as machines here would be; gone after 5 s whatever happens, as is its disk."""
    return guest_runs(connection, emulator, machine, domain_type="kvm", cpu="host-passthrough")


def guest_runs(
    connection: libvirt.virConnect, emulator: str, machine: str, *, domain_type: str, cpu: str
) -> bool:
    """The same for any domain type; emulation, which always runs, is how the guest itself is tested."""
    if machine != "q35":
        # The guest knows one chipset; elsewhere what libvirt says must do.
        return True
    name = f"hostloom-probe-{uuid.uuid4()}"
    try:
        volume = _make_disk(connection, name)
    except libvirt.libvirtError as error:
        log.info("KVM is not used: the probe's disk cannot be made: %s", error)
        return False
    try:
        return _boot(connection, name, _domain_xml(name, emulator, volume.path(), domain_type, cpu))
    finally:
        volume.delete()


def _make_disk(connection: libvirt.virConnect, name: str) -> libvirt.virStorageVol:
    pools = connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)
    directories = [pool for pool in pools if "<pool type='dir'>" in pool.XMLDesc()]
    if not directories:
        raise libvirt.libvirtError("no active directory pool")
    xml = f"<volume><name>{name}</name><capacity>{IMAGE_BYTES}</capacity></volume>"
    volume = directories[0].createXML(xml)
    stream = connection.newStream()
    volume.upload(stream, 0, IMAGE_BYTES)
    image = io.BytesIO(boot_image())
    stream.sendAll(lambda _stream, size, source: source.read(size), image)
    stream.finish()
    return volume


def _boot(connection: libvirt.virConnect, name: str, xml: str) -> bool:
    # Creating it can hang as well: the timer ends both the call and the guest.
    watchdog = threading.Timer(DEADLINE_S, _destroy, (connection, name))
    watchdog.start()
    try:
        domain = connection.createXML(xml)
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            if not domain.isActive():
                return watchdog.is_alive()
            time.sleep(POLL_S)
        log.info("KVM is not used: the probe did not come up within %g s", DEADLINE_S)
        return False
    except libvirt.libvirtError as error:
        # A transient domain that has switched itself off is gone.
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN and watchdog.is_alive():
            return True
        log.info("KVM is not used: the probe does not start: %s", error)
        return False
    finally:
        watchdog.cancel()
        _destroy(connection, name)


def _destroy(connection: libvirt.virConnect, name: str) -> None:
    try:
        connection.lookupByName(name).destroy()
    except libvirt.libvirtError as error:
        log.debug("the probe is gone: %s", error)


def _domain_xml(name: str, emulator: str, path: str, domain_type: str, cpu: str) -> str:
    domain = ET.Element("domain", type=domain_type)
    ET.SubElement(domain, "name").text = name
    ET.SubElement(domain, "memory", unit="MiB").text = "32"
    os = ET.SubElement(domain, "os")
    ET.SubElement(os, "type", arch="x86_64", machine="q35").text = "hvm"
    ET.SubElement(ET.SubElement(domain, "features"), "acpi")
    if cpu:
        ET.SubElement(domain, "cpu", mode=cpu)
    devices = ET.SubElement(domain, "devices")
    ET.SubElement(devices, "emulator").text = emulator
    disk = ET.SubElement(devices, "disk", type="file", device="disk")
    ET.SubElement(disk, "driver", name="qemu", type="raw")
    ET.SubElement(disk, "source", file=path)
    ET.SubElement(disk, "target", dev="vda", bus="virtio")
    ET.SubElement(devices, "memballoon", model="none")
    ET.SubElement(devices, "controller", type="usb", model="none")
    return ET.tostring(domain, encoding="unicode")
