"""A small stored world, and plans for it: what the store's tests start from."""

from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network

from hostloom.model.attachment import AttachKind, Attachment, MacvlanMode
from hostloom.model.host import Emulation, Host, StoragePool
from hostloom.model.ids import FabricId, HostId, MacAddress, SubnetId, SystemId, VlanId
from hostloom.model.machine import Disk, MachineInterface, MachineSpec
from hostloom.model.network import Fabric, Subnet, Vlan
from hostloom.model.plan import Explanation, Plan
from hostloom.model.request import AddressMode
from hostloom.ports.store import Store

EMULATION = Emulation("amd64", "qemu", "q35", "/usr/bin/qemu-system-x86_64", "maximum")
EXPLANATION = Explanation(chosen="kvm1")
GB = 10**9


@dataclass(frozen=True)
class StoredWorld:
    """One fabric with one served VLAN and subnet, and one host."""

    fabric: Fabric
    vlan: Vlan
    subnet: Subnet
    host: Host


def a_host(name: str = "kvm1", **changes: object) -> Host:
    """A host with 64 cores, 64 GiB and a pool of 1000 GB."""
    pool = StoragePool("default", "dir", 1000 * GB, 1000 * GB, is_default=True)
    host = Host(
        HostId(0),
        name,
        f"qemu+ssh://root@{name}/system",
        cores=64,
        memory_mib=65536,
        emulations=(EMULATION,),
        storage_pools=(pool,),
    )
    return replace(host, **changes)  # type: ignore[arg-type]


def store_world(store: Store, host: Host | None = None) -> StoredWorld:
    """Write it, committed."""
    with store.begin() as uow:
        fabric = uow.fabrics.add(Fabric(FabricId(0), "fabric-0"))
        vlan = uow.vlans.add(Vlan(VlanId(0), fabric.id, 20, "lab", dhcp_on=True))
        subnet = uow.subnets.add(Subnet(SubnetId(0), ip_network("10.0.0.0/24"), vlan.id, "lab"))
        stored = uow.hosts.add(host or a_host())
        uow.commit()
        return StoredWorld(fabric, vlan, subnet, stored)


def a_plan(
    world: StoredWorld,
    number: int,
    *,
    revision: int = 0,
    name: str = "",
    mac: str = "",
    ip: str | None = None,
    nics: int = 1,
    cores: int = 1,
    memory_mib: int = 1024,
    size_bytes: int = 8 * GB,
    attachment: Attachment | None = None,
) -> Plan:
    """The plan of machine `number`: everything about it is its own unless it is named."""
    first = ip_address(ip) if ip else world.subnet.cidr.network_address + 10 + number * nics
    interfaces = tuple(
        MachineInterface(
            f"eth{n}",
            MacAddress(mac or f"52:54:00:{number // 256:02x}:{number % 256:02x}:{n:02x}"),
            attachment or Attachment(AttachKind.BRIDGE, "br0"),
            world.vlan.id,
            AddressMode.AUTO,
            (first + n,),
            boot=n == 0,
        )
        for n in range(nics)
    )
    uuid = f"00000000-0000-4000-8000-{number:012d}"
    disks = (Disk("root", "default", f"{uuid[-8:]}-root", size_bytes),)
    system_id = SystemId(f"m{number:05d}")
    spec = MachineSpec(
        uuid, name or f"vm{number}", cores, memory_mib, EMULATION, interfaces, disks, True, system_id
    )
    return Plan(
        world.host.id,
        world.host.name,
        spec,
        ((world.subnet.id,),) * nics,
        (),
        host_generation=world.host.generation,
        revision=revision,
    )


def macvtap(mode: MacvlanMode, parent: str = "eth1") -> Attachment:
    """An attachment to a parent."""
    return Attachment(AttachKind.MACVLAN, parent, mode)
