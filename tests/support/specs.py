"""Machine specs to hand to a hypervisor."""

from dataclasses import replace

from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.host import Emulation
from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.machine import Disk, DiskFormat, MachineInterface, MachineSpec
from support.fake_hypervisor import EMULATION

UUID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
OTHER_UUID = "6f9619ff-8b86-4d01-b42d-00cf4fc96400"
BRIDGE = Attachment(AttachKind.BRIDGE, "br0")
MACVLAN = Attachment(AttachKind.MACVLAN, "eth1", MacvlanMode.PRIVATE)
NETWORK = Attachment(AttachKind.NETWORK, "default")
GB = 10**9


def a_nic(number: int, attachment: Attachment, *, boot: bool = False) -> MachineInterface:
    """A virtio NIC `ethN` with a MAC that ends in its number."""
    mac = MacAddress.parse(f"52:54:00:00:00:{number:02x}")
    return MachineInterface(f"eth{number}", mac, attachment, boot=boot)


def a_disk(
    name: str = "root", pool: str = "default", size_bytes: int = 8 * GB, kind: DiskFormat = DiskFormat.RAW
) -> Disk:
    """A disk and its volume."""
    return Disk(name, pool, f"web1-6f9619ff-{name}", size_bytes, kind)


def a_spec(*interfaces: MachineInterface, emulation: Emulation = EMULATION, **changes: object) -> MachineSpec:
    """A small machine; by default one NIC on br0 that boots, and one disk."""
    spec = MachineSpec(
        uuid=UUID,
        name="web1",
        cores=2,
        memory_mib=256,
        emulation=emulation,
        interfaces=interfaces or (a_nic(0, BRIDGE, boot=True),),
        disks=(a_disk(),),
        netboot=True,
        system_id=SystemId("abc123"),
    )
    return replace(spec, **changes)  # type: ignore[arg-type]  # checked by the dataclass's own constructor
