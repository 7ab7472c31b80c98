"""Reading of the machines, storage pools and libvirt networks of a host from a world file."""

from math import ceil

from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.host import Forward, LibvirtNetwork, PlacedInterface, PlacedMachine, StoragePool
from hostloom.model.network import MAX_VID, UNTAGGED
from hostloom.model.request import GB
from hostloom.simulation.sections import Section

#: The value of `vid` for a libvirt network that passes tagged frames to machines.
TRUNK = "trunk"


def read_machine(section: Section, names: set[str]) -> PlacedMachine:
    """Read a machine on a host. `names` are those of previous machines."""
    nics = []
    for item in section.items("interfaces"):
        kind = item.word("attach", AttachKind) or AttachKind.BRIDGE
        if kind is AttachKind.OTHER:
            raise item.error("attach", "attach: expected bridge, macvlan or network, found other")
        mode = item.word("mode", MacvlanMode)
        if mode is not None and kind is not AttachKind.MACVLAN:
            raise item.error("mode", f"mode: {mode} goes with attach: macvlan, not with {kind}")
        nics.append(PlacedInterface(kind, item.need("source", str), mode))
        item.finish()
    reserved = section.inner("reserved_gb")
    machine = PlacedMachine(
        section.name(names, "machines"),
        section.number("cores", 1),
        section.number("memory_mib", 1024),
        tuple(nics),
        {pool: round(reserved.amount(pool, 0) * GB) for pool in reserved.names()},
    )
    section.finish()
    return machine


def read_pools(section: Section) -> tuple[StoragePool, ...]:
    """Read the storage pools of a host. The default is one directory pool."""
    if not section.has("storage_pools"):
        return (StoragePool("default", "dir", 1000 * GB, 1000 * GB, is_default=True),)
    pools, names = [], set[str]()
    for item in section.items("storage_pools"):
        total = item.amount("total_gb", 1000.0)
        pools.append(
            StoragePool(
                item.name(names, "storage pools"),
                item.take("type", str, "dir"),
                ceil(total * GB),
                ceil(item.amount("free_gb", float(total)) * GB),
                item.take("default", bool, False),
                tuple(item.strings("tags")),
                active=item.take("active", bool, True),
            )
        )
        item.finish()
    return tuple(pools)


def read_networks(section: Section) -> tuple[LibvirtNetwork, ...]:
    """Read the libvirt networks of a host."""
    libvirt_networks, names = [], set[str]()
    for item in section.items("libvirt_networks"):
        libvirt_networks.append(
            LibvirtNetwork(
                item.name(names, "libvirt networks"),
                item.take("active", bool, True),
                item.find("bridge", str),
                item.take("dhcp", bool, False),
                item.word("forward", Forward),
                None if item.raw("vid") == TRUNK else item.number("vid", UNTAGGED, 0, MAX_VID),
                tuple(item.strings("parents")),
                item.take("passthrough", bool, False),
            )
        )
        item.finish()
    return tuple(libvirt_networks)
