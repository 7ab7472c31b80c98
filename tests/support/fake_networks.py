"""Networks, volumes and foreign domains of a fake hypervisor; calls and faults are the hypervisor's."""

from dataclasses import replace
from typing import TYPE_CHECKING

from hostloom.model.deployment import ImageCopy
from hostloom.model.host import Forward, LibvirtNetwork
from hostloom.model.machine import Disk
from hostloom.model.network_fix import LibvirtDhcp, LibvirtLease, NetworkSpec
from hostloom.model.observed import ObservedMachine
from hostloom.ports.disk_images import Progress
from hostloom.ports.hypervisor import BootDevice, ImageFile

if TYPE_CHECKING:
    from support.fake_hypervisor import FakeHypervisor


class FakeNetworks:
    """Fills ports.LibvirtNetworks. Faults name its calls `network_dhcp`, `ensure_network` and so on."""

    def __init__(self, hypervisor: "FakeHypervisor") -> None:
        self._hypervisor, self._call = hypervisor, hypervisor.call
        #: Name and UUID of the networks that we made.
        self._own: dict[str, str] = {}

    def dhcp(self, name: str) -> LibvirtDhcp:
        with self._call("network_dhcp", name):
            text = "<dhcp/>" if self._network(name, f"read the DHCP of network {name}").dhcp else ""
            return LibvirtDhcp((text,), (text,))

    def leases(self, name: str) -> tuple[LibvirtLease, ...]:
        with self._call("network_leases", name):
            self._network(name, f"read the leases of network {name}")
            return self._hypervisor.leases.get(name, ())

    def stop_dhcp(self, name: str) -> None:
        with self._call("stop_network_dhcp", name):
            self._set(replace(self._network(name, f"turn off the DHCP of network {name}"), dhcp=False))

    def restore_dhcp(self, name: str, before: LibvirtDhcp) -> None:
        with self._call("restore_network_dhcp", name):
            network = self._network(name, f"give network {name} its DHCP back")
            self._set(replace(network, dhcp=any(before.kept)))

    def ensure(self, spec: NetworkSpec) -> None:
        with self._call("ensure_network", spec.uuid):
            names = [network.name for network in self._hypervisor.observed.libvirt_networks]
            if spec.name in names and self._own.get(spec.name) != spec.uuid:
                cause = "another network of that name is there"
                raise self._hypervisor.rejected(f"make network {spec.name}", cause)
            self._own[spec.name] = spec.uuid
            self._set(LibvirtNetwork(spec.name, True, spec.bridge, dhcp=False, forward=Forward.BRIDGE))

    def delete(self, uuid: str) -> None:
        with self._call("delete_network", uuid):
            gone = [name for name, own in self._own.items() if own == uuid]
            for name in gone:
                del self._own[name]
            observed = self._hypervisor.observed
            left = tuple(network for network in observed.libvirt_networks if network.name not in gone)
            self._hypervisor.observed = replace(observed, libvirt_networks=left)

    def _network(self, name: str, action: str) -> LibvirtNetwork:
        for network in self._hypervisor.observed.libvirt_networks:
            if network.name == name:
                return network
        raise self._hypervisor.rejected(action, "it does not exist")

    def _set(self, network: LibvirtNetwork) -> None:
        observed = self._hypervisor.observed
        others = (other for other in observed.libvirt_networks if other.name != network.name)
        networks = tuple(sorted((*others, network), key=lambda known: known.name))
        self._hypervisor.observed = replace(observed, libvirt_networks=networks)


class FakeVolumes:
    """Fills ports.Volumes. Faults name its calls `ensure_volume` and `delete_volume`."""

    def __init__(self, hypervisor: "FakeHypervisor") -> None:
        self._hypervisor, self._call = hypervisor, hypervisor.call
        #: By pool and name.
        self.there: dict[tuple[str, str], Disk] = {}
        #: What was written to a volume, and the copies of images; by pool and name.
        self.contents: dict[tuple[str, str], bytes] = {}
        self.images: dict[tuple[str, str], bytes] = {}

    def ensure(self, disk: Disk) -> None:
        with self._call("ensure_volume", disk.volume):
            self._hypervisor.check_pool(disk, f"make volume {disk.volume}")
            existing = self.there.setdefault((disk.pool, disk.volume), disk)
            if (existing.size_bytes, existing.format) != (disk.size_bytes, disk.format):
                cause = f"it is there, but as {existing}"
                raise self._hypervisor.rejected(f"make volume {disk.volume}", cause)

    def delete(self, disk: Disk) -> None:
        with self._call("delete_volume", disk.volume):
            self.there.pop((disk.pool, disk.volume), None)
            self.contents.pop((disk.pool, disk.volume), None)

    def erase(self, disk: Disk) -> None:
        self.delete(disk)
        self.ensure(disk)

    def write(self, disk: Disk, content: bytes) -> None:
        self.ensure(disk)
        with self._call("write_volume", disk.volume):
            self.contents[disk.pool, disk.volume] = content

    def has_image(self, copy: ImageCopy) -> bool:
        with self._call("has_image", copy.volume):
            return (copy.pool, copy.volume) in self.images

    def upload_image(self, copy: ImageCopy, image: ImageFile, progress: Progress) -> None:
        self.images.pop((copy.pool, copy.volume), None)
        content = image.path.read_bytes()
        progress(len(content), len(content))
        with self._call("upload_image", copy.volume):
            self._hypervisor.check_pool(_disk_of(copy), f"upload volume {copy.volume}")
            self.images[copy.pool, copy.volume] = content

    def delete_image(self, copy: ImageCopy) -> None:
        with self._call("delete_image", copy.volume):
            self.images.pop((copy.pool, copy.volume), None)

    def clone(self, disk: Disk, copy: ImageCopy) -> None:
        with self._call("clone", disk.volume):
            action = f"make volume {disk.volume} from {copy.volume}"
            self._hypervisor.check_pool(disk, action)
            if (copy.pool, copy.volume) not in self.images:
                raise self._hypervisor.rejected(
                    action, f"storage pool {copy.pool} has no volume {copy.volume}"
                )
            self.there[disk.pool, disk.volume] = disk
            self.contents[disk.pool, disk.volume] = self.images[copy.pool, copy.volume]


def _disk_of(copy: ImageCopy) -> Disk:
    return Disk("image", copy.pool, copy.volume, 0)


class FakeDomains:
    """Fills ports.Domains."""

    def __init__(self, hypervisor: "FakeHypervisor") -> None:
        self._hypervisor, self._call = hypervisor, hypervisor.call
        #: What each domain boots from first, by UUID.
        self.first: dict[str, BootDevice] = {}

    def find_uuid(self, name: str) -> str | None:
        with self._call("find_uuid", name):
            return next((uuid for uuid, machine in self._machines() if machine.name == name), None)

    def boot_first(self, uuid: str, device: BootDevice) -> None:
        with self._call("boot_first", uuid):
            action = f"let machine {uuid} boot from {device}"
            machine = dict(self._machines()).get(uuid)
            if machine is None:
                raise self._hypervisor.rejected(action, "it does not exist")
            if machine.system_id is not None:
                raise self._hypervisor.rejected(action, "hostloom composed it")
            self.first[uuid] = device

    def _machines(self) -> list[tuple[str, ObservedMachine]]:
        return list(self._hypervisor._machines.items())
