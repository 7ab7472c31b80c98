"""A whole hostloom on fakes and a real SQLite store: two hosts, one served VLAN, one that is not."""

import shutil
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import ip_address, ip_network
from operator import itemgetter
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.annotation import Annotated
from hostloom.model.disk_image import DiskImage
from hostloom.model.host import LibvirtNetwork
from hostloom.model.ids import FabricId, SpaceId, SubnetId, VlanId
from hostloom.model.network import Fabric, Space, Subnet, Vlan
from hostloom.model.node import VlanSource
from hostloom.model.operation import Operation
from hostloom.model.rack import Rack
from hostloom.model.service_settings import ServiceSettings
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.reconcilers.publish_dhcp import publish_dhcp
from hostloom.recording.controllers import ensure_controller, ensure_local_rack
from hostloom.sagas.worker import Worker
from hostloom.services import hosts
from hostloom.store.engine import DatabaseStore, open_store
from support.disk_images import FakeDiskImages
from support.fake_dhcp import FakeDhcp, FakeServers
from support.fake_hypervisor import FakeHypervisor, FakeHypervisors
from support.fake_images import FakeImages
from support.fake_power import FakePowerDrivers
from support.fakes import (
    CountingIds,
    FakeClock,
    FakeKeys,
    FakeResolver,
    FakeScanner,
    FakeSecrets,
    FakeSeedDisks,
    a_network,
)
from support.template_database import copy_template

URIS = ("qemu+ssh://root@10.0.0.11/system", "qemu+ssh://root@10.0.0.12/system")


@dataclass
class LittleWorld:
    """The ports, and the fakes behind them."""

    ports: Ports
    #: Fakes, or what stands in for them.
    hypervisors: Any
    scanner: FakeScanner
    dhcp: FakeDhcp
    keys: FakeKeys
    clock: FakeClock
    #: The rack of this machine.
    rack: Rack

    def run(self) -> Operation:
        """Run the one operation that waits."""
        operation = Worker(self.ports, "test", threads=0).run_one()
        assert operation is not None
        return operation

    @property
    def disks(self) -> FakeDiskImages:
        """The files of disk images."""
        assert isinstance(self.ports.disk_images, FakeDiskImages)
        return self.ports.disk_images

    def add_host(self, number: int) -> Operation:
        uri = URIS[number]
        key = self.keys.offered(uri)[0].fingerprint
        hosts.add(self.ports, LOCAL_ADMIN, hosts.HostInput(f"kvm{number + 1}", uri, accept_key=key))
        return self.run()

    def state(self) -> object:
        """Everything that a failed operation must leave as it was."""
        with self.ports.store.begin() as uow:
            machines = {each.hostname: each.state for each in uow.machines.list()}
            nodes = {each.hostname for each in uow.nodes.list()}
            held = {(str(each.ip), each.kind) for each in uow.addresses.list()}
            known = {each.name for each in uow.hosts.list()}
            deployed = {each.hostname: uow.deployments.find(each.system_id) for each in uow.machines.list()}
            images = {each.name: each.sha256 for each in uow.disk_images.list()}
            records = _records(uow)
        return (
            self.hypervisors.world(),
            self.dhcp.reserved(),
            dict(self.keys.pins),
            machines,
            nodes,
            held,
            known,
            images,
            deployed,
            self.disks.state(),
            records,
        )


def _records(uow: UnitOfWork) -> list[object]:
    """Networks, groups and annotations, apart from how often they were changed."""
    networks = (uow.fabrics, uow.vlans, uow.spaces, uow.subnets, uow.ranges)
    groups = (uow.zones, uow.resource_pools, uow.domains, uow.tags)
    records = [record for repository in (*networks, *groups) for record in repository.list()]
    annotations = [
        (kind, key, values) for kind in Annotated for key, values in uow.annotations.of(kind).items()
    ]
    return [*(replace(record, generation=1) for record in records), *filter(itemgetter(2), annotations)]


def little_world(
    directory: Path,
    hosts_there: int = 2,
    *,
    database: str | None = None,
    hypervisors: Any = None,
) -> LittleWorld:
    """Make it; `hosts_there` hosts are added already. What is given stands in for a fake."""
    if database is None and hypervisors is None:
        return copy_of(_template(hosts_there), directory)
    return build(directory, hosts_there, database, hypervisors)


@cache
def _template(hosts_there: int) -> LittleWorld:
    """A world to copy, whose store is closed: adding a host to each test's own takes a whole operation."""
    world = build(Path(mkdtemp(prefix="hostloom-test-")), hosts_there)
    world.ports.store.close()
    return world


def copy_of(world: LittleWorld, directory: Path) -> LittleWorld:
    """The same world, with a store in `directory` and fakes of its own."""
    assert isinstance(world.ports.store, DatabaseStore)
    template = world.ports.store.engine.url.database
    assert template is not None
    store = open_store(f"sqlite:///{shutil.copy(template, directory / 'hostloom.db')}")
    disks = FakeDiskImages(directory / "disks")
    return deepcopy(world, {id(world.ports.store): store, id(world.ports.disk_images): disks})


def build(
    directory: Path, hosts_there: int, database: str | None = None, hypervisors: Any = None
) -> LittleWorld:
    """Build a world from nothing."""
    keys, dhcp, clock = FakeKeys(), FakeDhcp(), FakeClock()
    hypervisors = hypervisors or FakeHypervisors()
    scanner = FakeScanner(hypervisors)
    for number, uri in enumerate(URIS):
        scanner.networks[uri] = a_network(f"kvm{number + 1}", f"10.0.0.{number + 11}/24")
        hypervisors.of(f"kvm{number + 1}", uri)
    store = open_store(database or copy_template(directory / "hostloom.db"))
    disks = FakeDiskImages(directory / "disks")
    ports = Ports(
        *(store, hypervisors, scanner, keys, FakeResolver()),
        *(FakeServers(dhcp), clock, CountingIds()),
        settings=ServiceSettings(boot_port=5248),
        images=FakeImages(),
        disk_images=disks,
        disk_imports=disks,
        secrets=FakeSecrets(),
        seed_disks=FakeSeedDisks(),
        disk_builds=disks,
        power=FakePowerDrivers(),
    )
    with store.begin() as uow:
        fabric = uow.fabrics.add(Fabric(FabricId(0), "f"))
        space = uow.spaces.add(Space(SpaceId(0), "mgmt"))
        served = uow.vlans.add(Vlan(VlanId(0), fabric.id, 10, "mgmt", dhcp_on=True, space_id=space.id))
        gateway = ip_address("10.0.0.1")
        uow.subnets.add(Subnet(SubnetId(0), ip_network("10.0.0.0/24"), served.id, "mgmt", gateway))
        uow.commit()
    local = ensure_controller(ports, None, a_network("rack", "10.0.0.2/24"))
    ports = replace(ports, settings=replace(ports.settings, local=local))
    rack = ensure_local_rack(ports.store, local)
    world = LittleWorld(ports, hypervisors, scanner, dhcp, keys, clock, rack)
    for number in range(hosts_there):
        operation = world.add_host(number)
        assert operation.state == "succeeded", operation
    return world


def add_disk_image(world: LittleWorld, image: DiskImage, stream: bytes = b"zstd") -> None:
    """Store a disk image with its files; `stream` is the compressed disk."""
    with world.ports.store.begin() as uow:
        uow.disk_images.add(image)
        uow.commit()
    world.disks.put(image.sha256, stream=stream)


def libvirts_dhcp_on_an_unserved_vlan(world: LittleWorld) -> None:
    """kvm1 gets a libvirt network `maas` with DHCP on br0, whose VLAN is no longer served, but could be."""
    hypervisor = world.hypervisors.of("kvm1", URIS[0])
    if isinstance(hypervisor, FakeHypervisor):
        network = LibvirtNetwork("maas", active=True, bridge="br0", dhcp=True)
        networks = (*hypervisor.observed.libvirt_networks, network)
        hypervisor.observed = replace(hypervisor.observed, libvirt_networks=networks)
    with world.ports.store.begin() as uow:
        (vlan,) = (each for each in uow.vlans.list() if each.vid == 10)
        node = uow.nodes.find("kvm1")
        assert node is not None
        (bridge,) = (each for each in node.interfaces if each.name == "br0")
        told = replace(bridge, vlan_id=vlan.id, vlan_source=VlanSource.OPERATOR)
        uow.nodes.update_interface(node.system_id, told)
        uow.vlans.update(replace(vlan, dhcp_on=False))
        uow.commit()
    hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")
    assert world.run().state == "succeeded"
    publish_dhcp(world.ports)
