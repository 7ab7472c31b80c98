"""Writes machines and disks as libvirt XML (https://libvirt.org/formatdomain.html, formatstorage.html)."""

from xml.etree import ElementTree as ET

from hostloom.hypervisor.libvirt_names import ARCH_TO_LIBVIRT, CONSOLE_LOG, MARK, MODE_TO_LIBVIRT, NAMESPACE
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.deployment import SEED_DISK
from hostloom.model.machine import Disk, DiskFormat, MachineInterface, MachineSpec

ET.register_namespace("hostloom", NAMESPACE)

#: CPU modes that are an attribute of <cpu>; any other value is the name of a CPU model.
_CPU_MODES = frozenset({"host-passthrough", "host-model", "maximum"})


def domain_xml(spec: MachineSpec, disk_paths: dict[str, str]) -> str:
    """The domain of a machine; `disk_paths` maps names of volumes to their paths.

    Disks are given by path, because libvirt's AppArmor helper does not understand `<source pool= volume=>`.
    """
    domain = ET.Element("domain", type=spec.emulation.domain_type)
    _text(domain, "name", spec.name)
    _text(domain, "uuid", spec.uuid)
    metadata = ET.SubElement(domain, "metadata")
    ET.SubElement(metadata, MARK, {"system-id": spec.system_id})
    _text(domain, "memory", str(spec.memory_mib), unit="MiB")
    _text(domain, "vcpu", str(spec.cores))
    _os(domain, spec)
    _features(domain, spec)
    _cpu(domain, spec)
    ET.SubElement(domain, "clock", offset="utc")
    _text(domain, "on_poweroff", "destroy")
    _text(domain, "on_reboot", "restart")
    _text(domain, "on_crash", "destroy")
    devices = ET.SubElement(domain, "devices")
    _text(devices, "emulator", spec.emulation.emulator)
    boots = _boot_order(spec)
    for number, disk in enumerate(spec.disks):
        _disk(devices, disk, disk_paths[disk.volume], number, boots.get(disk.name))
    for interface in spec.interfaces:
        _interface(devices, interface, boots.get(interface.mac.text), has_rom=_is_x86(spec) or _is_arm(spec))
    _console(devices, spec)
    ET.SubElement(devices, "controller", type="usb", model="none")
    ET.SubElement(devices, "memballoon", model="none")
    rng = ET.SubElement(devices, "rng", model="virtio")
    _text(rng, "backend", "/dev/urandom", model="random")
    ET.indent(domain)
    return ET.tostring(domain, encoding="unicode")


def volume_xml(disk: Disk, *, is_file: bool) -> str:
    """The volume of a disk; files are allocated sparsely, other volumes completely."""
    volume = ET.Element("volume")
    _text(volume, "name", disk.volume)
    _text(volume, "capacity", str(disk.size_bytes), unit="bytes")
    if is_file:
        _text(volume, "allocation", "0", unit="bytes")
        target = ET.SubElement(volume, "target")
        ET.SubElement(target, "format", type=disk.format.value)
    return ET.tostring(volume, encoding="unicode")


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = text


def _is_x86(spec: MachineSpec) -> bool:
    return spec.emulation.architecture in ("amd64", "i386")


def _is_arm(spec: MachineSpec) -> bool:
    return spec.emulation.architecture == "arm64"


def _os(domain: ET.Element, spec: MachineSpec) -> None:
    # ARM's `virt` machine has no firmware by default.
    os = ET.SubElement(domain, "os", {"firmware": "efi"} if _is_arm(spec) else {})
    kind = {"arch": ARCH_TO_LIBVIRT[spec.emulation.architecture]}
    if spec.emulation.machine_type:
        kind["machine"] = spec.emulation.machine_type
    _text(os, "type", "hvm", **kind)
    if _is_x86(spec):
        # SeaBIOS and iPXE write to the serial console, so that the log shows the whole boot.
        ET.SubElement(os, "bios", useserial="yes")


def _features(domain: ET.Element, spec: MachineSpec) -> None:
    if not _is_x86(spec) and not _is_arm(spec):
        return
    features = ET.SubElement(domain, "features")
    ET.SubElement(features, "acpi")
    if _is_x86(spec):
        ET.SubElement(features, "apic")


def _cpu(domain: ET.Element, spec: MachineSpec) -> None:
    model = spec.emulation.cpu_model
    if model in _CPU_MODES:
        ET.SubElement(domain, "cpu", mode=model)
    elif model:
        _text(ET.SubElement(domain, "cpu", mode="custom", match="exact"), "model", model)


def _boot_order(spec: MachineSpec) -> dict[str, int]:
    """Boot order by MAC or disk name: the boot NIC first, then the first disk.

    A machine with a seed disk has a system on its first disk, so the disk comes first.
    """
    nics = [interface.mac.text for interface in spec.interfaces if interface.boot and spec.netboot]
    disks = [disk.name for disk in spec.disks[:1]]
    order = disks + nics if any(disk.name == SEED_DISK for disk in spec.disks) else nics + disks
    return {name: position for position, name in enumerate(order, 1)}


def _disk(devices: ET.Element, disk: Disk, path: str, number: int, boot: int | None) -> None:
    is_block = path.startswith("/dev/")
    element = ET.SubElement(devices, "disk", type="block" if is_block else "file", device="disk")
    driver = {"name": "qemu", "type": disk.format.value, "discard": "unmap"}
    if is_block:
        # Bypass the host's page cache, which helps only files; some file systems cannot do without it.
        driver |= {"type": DiskFormat.RAW.value, "cache": "none", "io": "native"}
    ET.SubElement(element, "driver", driver)
    ET.SubElement(element, "source", {"dev" if is_block else "file": path})
    ET.SubElement(element, "target", dev=f"vd{_letters(number)}", bus="virtio")
    _text(element, "serial", disk.name[:20])
    if boot is not None:
        ET.SubElement(element, "boot", order=str(boot))


def _letters(number: int) -> str:
    """The letters of a disk's name in Linux: a … z, aa, ab …"""
    text = ""
    number += 1
    while number:
        number, remainder = divmod(number - 1, 26)
        text = chr(ord("a") + remainder) + text
    return text


def _interface(devices: ET.Element, interface: MachineInterface, boot: int | None, *, has_rom: bool) -> None:
    attachment = interface.attachment
    kind = {AttachKind.MACVLAN: "direct"}.get(attachment.kind, attachment.kind.value)
    attributes = {"type": kind}
    if attachment.mode is MacvlanMode.PASSTHRU:
        # The guest owns the parent and may change its MAC, so the host must follow.
        attributes["trustGuestRxFilters"] = "yes"
    element = ET.SubElement(devices, "interface", attributes)
    ET.SubElement(element, "mac", address=interface.mac.text)
    if attachment.kind is AttachKind.BRIDGE:
        ET.SubElement(element, "source", bridge=attachment.source)
    elif attachment.kind is AttachKind.NETWORK:
        ET.SubElement(element, "source", network=attachment.source)
    elif attachment.mode is not None:
        ET.SubElement(element, "source", dev=attachment.source, mode=MODE_TO_LIBVIRT[attachment.mode])
    if attachment.ovs:
        ET.SubElement(element, "virtualport", type="openvswitch")
    ET.SubElement(element, "model", type=interface.model)
    if boot is not None:
        ET.SubElement(element, "boot", order=str(boot))
    elif has_rom:
        # Without a ROM the firmware cannot boot from this NIC, and starts faster.
        ET.SubElement(element, "rom", enabled="no")


def _console(devices: ET.Element, spec: MachineSpec) -> None:
    serial = ET.SubElement(devices, "serial", type="pty")
    ET.SubElement(serial, "log", file=CONSOLE_LOG.format(name=spec.name), append="off")
    ET.SubElement(serial, "target", port="0")
    console = ET.SubElement(devices, "console", type="pty")
    ET.SubElement(console, "target", type="serial", port="0")
