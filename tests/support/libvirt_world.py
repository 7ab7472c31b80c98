"""Real libvirt behind the little world: its test driver, or a libvirtd with QEMU."""

from collections.abc import Callable

import libvirt

from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from support.near import Near


class LibvirtWorld(LibvirtHypervisors):
    """libvirt hypervisors whose whole state can be compared by value, by asking libvirt directly."""

    def __init__(self, open_uri: Callable[[str], str], uris: tuple[str, ...]) -> None:
        super().__init__(Near(open_uri))
        self._uris = uris

    def world(self) -> object:
        """Domains with their power and NICs, volumes and networks, of every host."""
        return {uri: self._look(uri) for uri in self._uris}

    def _look(self, uri: str) -> object:
        host = self.of("", uri).describe()
        machines = [(m.name, m.uuid, m.power, tuple(n.mac for n in m.interfaces)) for m in host.machines]
        return machines, self._volumes(uri), self._networks(uri)

    def _networks(self, uri: str) -> list[tuple[str, bool]]:
        """As libvirt writes them, DHCP and all."""

        def read(connection: libvirt.virConnect) -> list[tuple[str, bool]]:
            return sorted((each.XMLDesc(), bool(each.isActive())) for each in connection.listAllNetworks())

        found: list[tuple[str, bool]] = self._known[uri][0].read("list networks", read)
        return found

    def _volumes(self, uri: str) -> list[str]:
        def read(connection: libvirt.virConnect) -> list[str]:
            pools = connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)
            return sorted(volume.name() for pool in pools for volume in pool.listAllVolumes())

        found: list[str] = self._known[uri][0].read("list volumes", read)
        return found
