"""Tests whether KVM works by booting a tiny guest that must power itself off.

The existence of /dev/kvm proves little: under some hypervisors, firmware runs but every kernel hangs. On
x86 the guest is one boot sector that builds page tables, enters long mode, and powers off through q35's ACPI
port. On ARM it is an Image that calls PSCI SYSTEM_OFF.
"""

import io
import logging
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import libvirt

from hostloom.hypervisor import xml_in
from hostloom.hypervisor.libvirt_names import ARCH_TO_LIBVIRT
from hostloom.hypervisor.lookups import find_volume
from hostloom.model.host import StoragePool

log = logging.getLogger(__name__)

#: Time limit for the guest to power itself off.
DEADLINE_S = 5.0
#: Prefix of the names of guest and disk; seconds since the epoch and a suffix follow.
PROBE_PREFIX = "hostloom-probe-"
#: A disk older than this was left behind by a crashed process.
STALE_S = 600
#: Kinds of pools for the disk, best first.
POOL_KINDS = ("dir", "fs", "netfs", "logical")
#: Sectors are padded to a size that every block driver accepts.
IMAGE_BYTES = 1 << 20

#: x86, assembled for 0x7c00: cli; page tables at 0x1000, one 2 MiB page; CR4.PAE; EFER.LME; CR0.PG and PE;
#: far jump over the GDT; in 64-bit mode fninit, 10^8 times `dec ecx; jnz`, `out 0x604, 0x2000` (PM1a control
#: of q35: soft off); hlt. The loop takes a CPU 0.1 s, and for ever where every instruction is emulated.
BOOT_CODE = bytes.fromhex(
    "fa31c08ed88ec08ed0bc007c66bf001000000f22df6631c066b9000c0000fc6766f3ab66c70600100320000066c70600"
    "200330000066c7060030830000000f20e06683c8200f22e066b9800000c00f32660d000100000f30660f0116907c0f20"
    "c0660d010000800f22c0ea987c08000000000000000000000000000000000000000000000000000000000000009a2000"
    "0f00807c00000000dbe3b900e1f505ffc975fc66ba040666b8002066eff4ebfd"
)


#: AArch64, assembled: a branch over the Image header (offset 0, size 1 MiB, magic at 0x38), then
#: x0 = 0x84000008 (PSCI SYSTEM_OFF); hvc #0; b .
ARM_IMAGE = bytes.fromhex(
    "1000001400000000000000000000000000001000000000000a0000000000000000000000000000000000000000000000"
    "000000000000000041524d6400000000"
    "000180d2"
    "0080b0f2"
    "020000d4"
    "00000014"
)


@dataclass(frozen=True)
class ProbeGuest:
    """The boot disk of the probe on one architecture."""

    machine: str
    image: bytes
    #: Loaded by QEMU as a kernel; else it is a disk that the firmware boots.
    is_kernel: bool


GUESTS = {
    "amd64": ProbeGuest("q35", BOOT_CODE.ljust(510, b"\0") + b"\x55\xaa", is_kernel=False),
    "arm64": ProbeGuest("virt", ARM_IMAGE, is_kernel=True),
}


def kvm_runs(
    connection: libvirt.virConnect,
    architecture: str,
    emulator: str,
    machine: str,
    pools: Sequence[StoragePool] | None = None,
) -> bool:
    """Boot a test guest under KVM, configured like a machine; guest and disk are removed within 5 s."""
    guest = GUESTS.get(architecture)
    if guest is None or guest.machine != machine:
        log.info("KVM is not used for %s %s: there is no probe for it", architecture, machine)
        return False
    return guest_runs(
        connection, architecture, emulator, domain_type="kvm", cpu="host-passthrough", pools=pools
    )


def guest_runs(
    connection: libvirt.virConnect,
    architecture: str,
    emulator: str,
    *,
    domain_type: str,
    cpu: str,
    pools: Sequence[StoragePool] | None = None,
) -> bool:
    """Like `kvm_runs`, for any domain type; tests run the guest under emulation, which always works.

    `pools`: pools that the disk may be created in; None: any pool that libvirt lists.
    """
    name = f"{PROBE_PREFIX}{time.time():.0f}-{uuid.uuid4().hex[:12]}"
    guest = GUESTS[architecture]
    pool = _find_pool(connection) if pools is None else _choose_pool(connection, pools)
    if pool is None:
        log.info("KVM is not used: no storage pool can take the probe's disk")
        return False
    for candidate in _all_pools(connection, pools):
        _remove_stale(candidate)
    try:
        path = _make_disk(connection, pool, name, guest.image)
        xml = _domain_xml(name, architecture, emulator, path, domain_type, cpu)
        return _TrialBoot(connection, name).run(xml)
    except libvirt.libvirtError as error:
        log.info("KVM is not used: the probe does not start: %s", error)
        return False
    finally:
        volume = find_volume(pool, name)
        if volume is not None:
            volume.delete()


def _find_pool(connection: libvirt.virConnect) -> libvirt.virStoragePool | None:
    pools: dict[str, libvirt.virStoragePool] = {}
    for pool in connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE):
        pools.setdefault(xml_in.storage_pool(pool.XMLDesc(), active=True).kind, pool)
    return next((pools[kind] for kind in POOL_KINDS if kind in pools), None)


def _choose_pool(
    connection: libvirt.virConnect, known_pools: Sequence[StoragePool]
) -> libvirt.virStoragePool | None:
    """Choose among pools that are already known: listing all pools may hang while one of them hangs."""
    usable = [pool for pool in known_pools if pool.active and pool.kind in POOL_KINDS]
    best = min(usable, key=lambda pool: POOL_KINDS.index(pool.kind), default=None)
    return None if best is None else connection.storagePoolLookupByName(best.name)


def _all_pools(
    connection: libvirt.virConnect, known_pools: Sequence[StoragePool] | None
) -> list[libvirt.virStoragePool]:
    """Every pool that a probe may have used: the best one now, and those that were the best before."""
    if known_pools is None:
        pools = connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)
        return [*pools]
    usable = [pool.name for pool in known_pools if pool.active and pool.kind in POOL_KINDS]
    return [connection.storagePoolLookupByName(name) for name in usable]


def _remove_stale(pool: libvirt.virStoragePool) -> None:
    """Delete the disks of crashed processes: the guest ended with the connection, but the disk remained."""
    try:
        for name in filter(_is_stale, pool.listVolumes()):
            volume = find_volume(pool, name)
            if volume is not None:
                volume.delete()
    except libvirt.libvirtError as error:
        log.info("what an old probe left in pool %s stays: %s", pool.name(), error)


def _is_stale(name: str) -> bool:
    """Whether it is an old disk of a probe, or one with a future date, made while the clock was ahead."""
    made_at = name.removeprefix(PROBE_PREFIX).partition("-")[0]
    is_probe = name.startswith(PROBE_PREFIX) and made_at.isdigit() and made_at.isascii()
    return is_probe and abs(time.time() - int(made_at[:20])) > STALE_S


def _make_disk(connection: libvirt.virConnect, pool: libvirt.virStoragePool, name: str, image: bytes) -> str:
    xml = f"<volume><name>{name}</name><capacity>{IMAGE_BYTES}</capacity></volume>"
    volume = pool.createXML(xml)
    stream = connection.newStream()
    volume.upload(stream, 0, IMAGE_BYTES)
    source = io.BytesIO(image.ljust(IMAGE_BYTES, b"\0"))
    stream.sendAll(lambda _stream, size, source: source.read(size), source)
    stream.finish()
    return str(volume.path())


class _TrialBoot:
    """One boot, which records whether the guest ended by itself."""

    def __init__(self, connection: libvirt.virConnect, name: str) -> None:
        self._connection, self._name = connection, name
        self._ended = threading.Event()
        self._by_itself = False

    def run(self, xml: str) -> bool:
        """Whether the guest powered itself off in time; the guest is always removed."""
        connection = self._connection
        lifecycle = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
        handle = connection.domainEventRegisterAny(None, lifecycle, self._on_event, None)
        # Creating the guest can hang as well; the timer ends both the call and the guest.
        watchdog = threading.Timer(DEADLINE_S, self._destroy)
        watchdog.start()
        try:
            # If this process dies, libvirt ends the guest together with the connection.
            connection.createXML(xml, libvirt.VIR_DOMAIN_START_AUTODESTROY)
            self._ended.wait(DEADLINE_S)
            if not self._by_itself:
                log.info("KVM is not used: the probe did not come up within %g s", DEADLINE_S)
            return self._by_itself
        finally:
            watchdog.cancel()
            self._destroy()
            connection.domainEventDeregisterAny(handle)

    def _on_event(
        self, _connection: object, domain: libvirt.virDomain, event: int, detail: int, _opaque: object
    ) -> None:
        if domain.name() == self._name and event == libvirt.VIR_DOMAIN_EVENT_STOPPED:
            # A crashed QEMU has also ended, and so has one that the timer destroyed.
            self._by_itself = detail == libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN
            self._ended.set()

    def _destroy(self) -> None:
        try:
            self._connection.lookupByName(self._name).destroy()
        except libvirt.libvirtError as error:
            log.debug("the probe is gone: %s", error)


def _domain_xml(name: str, architecture: str, emulator: str, path: str, domain_type: str, cpu: str) -> str:
    guest = GUESTS[architecture]
    domain = ET.Element("domain", type=domain_type)
    ET.SubElement(domain, "name").text = name
    ET.SubElement(domain, "memory", unit="MiB").text = "64"
    os = ET.SubElement(domain, "os")
    ET.SubElement(os, "type", arch=ARCH_TO_LIBVIRT[architecture], machine=guest.machine).text = "hvm"
    if guest.is_kernel:
        ET.SubElement(os, "kernel").text = path
    else:
        ET.SubElement(ET.SubElement(domain, "features"), "acpi")
    if cpu:
        ET.SubElement(domain, "cpu", mode=cpu)
    devices = ET.SubElement(domain, "devices")
    ET.SubElement(devices, "emulator").text = emulator
    if not guest.is_kernel:
        is_block = path.startswith("/dev/")
        disk = ET.SubElement(devices, "disk", type="block" if is_block else "file", device="disk")
        ET.SubElement(disk, "driver", name="qemu", type="raw")
        ET.SubElement(disk, "source", {"dev" if is_block else "file": path})
        ET.SubElement(disk, "target", dev="vda", bus="virtio")
    ET.SubElement(devices, "memballoon", model="none")
    ET.SubElement(devices, "controller", type="usb", model="none")
    return ET.tostring(domain, encoding="unicode")
