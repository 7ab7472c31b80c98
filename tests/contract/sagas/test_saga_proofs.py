"""Every registered saga passes the five proofs, on fakes; the ones that change hosts also on libvirt."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.commissioning import Commissioning, FoundDisk, FoundHardware
from hostloom.model.deployment import DeployRequest
from hostloom.model.ids import MacAddress
from hostloom.model.image import Flavour
from hostloom.model.machine import MachineState
from hostloom.model.operation import Operation
from hostloom.model.power import PowerKind
from hostloom.model.request import ComposeBatch, ComposeRequest, Strategy
from hostloom.sagas.import_inventory import ImportInput
from hostloom.sagas.worker import SAGAS
from hostloom.services import (
    commissioning,
    deploy,
    disk_builds,
    disk_images,
    fix_network,
    hosts,
    images,
    imports,
    lifecycle,
    machines,
    plans,
    power_settings,
    verifying,
)
from hostloom.services.enlisting import EnlistInput, enlist
from hostloom.services.power_settings import PowerInput
from support.disk_images import a_disk, a_disk_image
from support.fake_power import FakePowerDrivers
from support.imports import an_inventory_of
from support.libvirt_world import LibvirtWorld
from support.little_world import (
    URIS,
    LittleWorld,
    add_disk_image,
    libvirts_dhcp_on_an_unserved_vlan,
    little_world,
)
from support.saga_proofs import (
    Proof,
    effects,
    prove_every_do_twice,
    prove_every_undo_twice,
    prove_resumes_after_write,
    prove_succeeds,
    prove_unwinds_from,
)
from support.seeds import KEY

URL = "https://images.example/debian-12.raw"
NODE = """
<node><cpu><active>16</active></cpu><memory>16777216</memory>
<pool type='dir'><name>default</name><capacity>107374182400</capacity><available>107374182400</available>
<target><path>{path}</path></target></pool>{network}</node>
"""
NETWORK = """
<network><name>maas</name><bridge name='br0'/><ip address='10.0.0.11' netmask='255.255.255.0'><dhcp>
<range start='10.0.0.100' end='10.0.0.120'/><range start='10.0.0.200' end='10.0.0.210'/>
<host mac='52:54:00:00:00:77' name='printer' ip='10.0.0.77'/></dhcp></ip></network>
"""
REQUEST = ComposeRequest(
    interfaces="eth0:space=mgmt;eth1:name=eth1,mode=unconfigured", hostname="web", storage="root:0.01"
)
#: Three machines over both hosts; one of them stays off.
BATCH = ComposeBatch(
    (
        replace(REQUEST, hostname="web-1"),
        replace(REQUEST, hostname="web-2"),
        replace(REQUEST, hostname="web-3", start=False),
    ),
    Strategy.SPREAD,
)


DEPLOY = DeployRequest("debian-12", ssh_keys=(KEY,), user_data="#!/bin/sh\ntrue\n")
WITH_IMAGE = ComposeBatch(
    (
        replace(REQUEST, hostname="web-1", storage="root:0.01,data:0.01", deploy=DEPLOY),
        replace(REQUEST, hostname="web-2", storage="root:0.01", deploy=DEPLOY),
        replace(REQUEST, hostname="web-3"),
    ),
    Strategy.SPREAD,
)


def begin_compose(world: LittleWorld) -> Operation:
    return machines.compose(world.ports, LOCAL_ADMIN, REQUEST)


def begin_batch(world: LittleWorld) -> Operation:
    return machines.compose_batch(world.ports, LOCAL_ADMIN, BATCH)


def begin_compose_with_image(world: LittleWorld) -> Operation:
    """Two machines get an image, and another one does not."""
    return machines.compose_batch(world.ports, LOCAL_ADMIN, WITH_IMAGE)


def begin_deploy(world: LittleWorld) -> Operation:
    return deploy.start(world.ports, LOCAL_ADMIN, "web", DEPLOY)


def begin_release(world: LittleWorld) -> Operation:
    """Release a machine that was deployed, and erase its disks."""
    operation = lifecycle.release(world.ports, LOCAL_ADMIN, "web", erase=True).operation
    assert operation is not None
    return operation


def add_image(world: LittleWorld) -> None:
    """A disk image that every machine can have; does nothing the second time."""
    image = a_disk_image(virtual_size_bytes=10**6)
    with world.ports.store.begin() as uow:
        is_stored = uow.disk_images.find(image.name) is not None
    if not is_stored:
        add_disk_image(world, image)


def begin_plan(world: LittleWorld) -> Operation:
    stored, _ = plans.make_or_refuse(world.ports, LOCAL_ADMIN, BATCH)
    return plans.compose(world.ports, LOCAL_ADMIN, stored.id)


def begin_decompose(world: LittleWorld) -> Operation:
    return machines.decompose(world.ports, LOCAL_ADMIN, "web")


def begin_commission(world: LittleWorld) -> Operation:
    return commissioning.commission(world.ports, LOCAL_ADMIN, "web")


def begin_commission_bare(world: LittleWorld) -> Operation:
    return commissioning.commission(world.ports, LOCAL_ADMIN, "bare")


def add_bare_machine(world: LittleWorld) -> None:
    """A machine without a host, whose BMC answers and needs no password."""
    with world.ports.store.begin() as uow:
        enlist_input = EnlistInput("bare", "amd64", (MacAddress("52:54:00:99:00:01"),))
        enlist(uow, LOCAL_ADMIN, world.ports.ids, enlist_input)
        power_settings.put(
            uow, world.ports, LOCAL_ADMIN, "bare", PowerInput(PowerKind.IPMI, "10.0.0.9", user="admin")
        )
        uow.commit()
    assert isinstance(world.ports.power, FakePowerDrivers)
    world.ports.power.add("10.0.0.9").password = ""


def begin_deploy_bare(world: LittleWorld) -> Operation:
    return deploy.start(world.ports, LOCAL_ADMIN, "bare", DEPLOY)


def commissioned_bare_machine(world: LittleWorld) -> None:
    """The bare machine has reported a disk, and there is a boot image that writes disks."""
    disks = (FoundDisk("sda", 10**12, "Big", "BIG-1"),)
    with world.ports.store.begin() as uow:
        machine = next(machine for machine in uow.machines.list() if machine.hostname == "bare")
        uow.commissionings.put(
            Commissioning(machine.system_id, 0.0, FoundHardware(4, 8000, "amd64", "bios", disks=disks))
        )
        uow.machines.update(replace(machine, state=MachineState.READY, memory_mib=8000))
        uow.commit()
    assert world.ports.images is not None
    world.ports.images.build(Flavour.GENERIC, world.ports.images.fetch(Flavour.GENERIC))


def begin_erase_bare(world: LittleWorld) -> Operation:
    operation = lifecycle.release(world.ports, LOCAL_ADMIN, "bare", erase=True, quick=True).operation
    assert operation is not None
    return operation


def begin_verify(world: LittleWorld) -> Operation:
    return verifying.verify(world.ports, LOCAL_ADMIN, ["web"])


def begin_refresh(world: LittleWorld) -> Operation:
    return hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")


def begin_add_host(world: LittleWorld, *, at_once: bool = False) -> Operation:
    key = world.keys.offered(URIS[1])[0].fingerprint
    host = hosts.HostInput("kvm2", URIS[1], accept_key=key, at_once=at_once)
    return hosts.add(world.ports, LOCAL_ADMIN, host)


def begin_add_host_at_once(world: LittleWorld) -> Operation:
    return begin_add_host(world, at_once=True)


def begin_fix(world: LittleWorld) -> Operation:
    return fix_network.start(world.ports, LOCAL_ADMIN, "kvm1", "maas")


def begin_make(world: LittleWorld) -> Operation:
    return fix_network.start(world.ports, LOCAL_ADMIN, "kvm1")


def begin_import_inventory(world: LittleWorld) -> Operation:
    key = world.keys.offered(URIS[1])[0].fingerprint
    wanted = ImportInput(an_inventory_of(URIS[1]), serve_dhcp=True, accept_keys={"kvm2": key})
    return imports.start(world.ports, LOCAL_ADMIN, wanted)


def begin_build_image(world: LittleWorld) -> Operation:
    return images.build(world.ports, LOCAL_ADMIN, Flavour.VIRTUAL)


def begin_import(world: LittleWorld) -> Operation:
    world.disks.web[URL] = a_disk("Debian 12")
    wanted = disk_images.DiskImageInput(name="debian-12", url=URL)
    return disk_images.import_(world.ports, LOCAL_ADMIN, wanted)


def begin_import_of_upload(world: LittleWorld) -> Operation:
    upload = disk_images.expect_upload(world.ports, LOCAL_ADMIN, disk_images.UploadInput(512, "debian-12"))
    receiver = disk_images.receive(world.ports, LOCAL_ADMIN, upload)
    receiver.write(a_disk("Debian 12"))
    wanted = disk_images.DiskImageInput(name="debian-12", upload=receiver.finish().id)
    return disk_images.import_(world.ports, LOCAL_ADMIN, wanted)


def begin_build_disk(world: LittleWorld) -> Operation:
    return disk_builds.build(world.ports, LOCAL_ADMIN, disk_builds.DiskBuildInput("debian-12"))


def begin_rebuild(world: LittleWorld) -> Operation:
    wanted = disk_builds.DiskBuildInput("debian-12", kvm=True, name="debian-12", replace=True)
    return disk_builds.build(world.ports, LOCAL_ADMIN, wanted)


def begin_replace(world: LittleWorld) -> Operation:
    world.disks.web[URL] = a_disk("Debian 12.1")
    wanted = disk_images.DiskImageInput(name="debian-12", url=URL, replace=True)
    return disk_images.import_(world.ports, LOCAL_ADMIN, wanted)


@dataclass(frozen=True)
class Case:
    """A saga and how to begin it; `last` is a late step, from which everything before it is undone."""

    saga: str
    begin: Callable[[LittleWorld], Operation]
    last: str
    hosts: int = 1
    has_machine: bool = False
    has_image: bool = False
    #: Whether the image of a deployment is there.
    has_disk_image: bool = False
    #: Whether the machine is deployed.
    is_deployed: bool = False
    is_bare: bool = False
    #: Whether it changes or reads a hypervisor in a way of its own, so that it is also run on libvirt.
    on_libvirt: bool = True

    @property
    def steps(self) -> list[str]:
        """The names of the saga's steps."""
        return [step.name for step in SAGAS[self.saga].steps]


CASES = {
    "compose": Case("compose", begin_compose, "commit"),
    "compose-batch": Case("compose", begin_batch, "commit", hosts=2),
    "compose-with-image": Case(
        "compose-with-image",
        begin_compose_with_image,
        "commit",
        hosts=2,
        has_disk_image=True,
        on_libvirt=False,
    ),
    "compose-plan": Case("compose", begin_plan, "commit", hosts=2),
    "decompose": Case("decompose", begin_decompose, "domain", has_machine=True),
    "deploy": Case(
        "deploy", begin_deploy, "undefine", has_machine=True, has_disk_image=True, on_libvirt=False
    ),
    "deploy-bare": Case(
        "deploy-bare", begin_deploy_bare, "settle", is_bare=True, has_disk_image=True, on_libvirt=False
    ),
    "erase-bare": Case(
        "erase-bare", begin_erase_bare, "settle", is_bare=True, has_disk_image=True, on_libvirt=False
    ),
    "release": Case(
        *("release", begin_release, "undefine"),
        has_machine=True,
        has_disk_image=True,
        is_deployed=True,
        on_libvirt=False,
    ),
    "commission": Case("commission", begin_commission, "settle", has_machine=True, on_libvirt=False),
    "commission-bare": Case("commission", begin_commission_bare, "settle", is_bare=True, on_libvirt=False),
    "verify": Case("verify", begin_verify, "record", has_machine=True, on_libvirt=False),
    "refresh": Case("refresh", begin_refresh, "record", has_machine=True),
    "add-host": Case("add-host", begin_add_host, "record"),
    "add-host-at-once": Case("add-host", begin_add_host_at_once, "record", on_libvirt=False),
    "fix-network": Case("fix-network", begin_fix, "record"),
    "fix-network-make": Case("fix-network", begin_make, "record"),
    "import-inventory": Case("import-inventory", begin_import_inventory, "hosts"),
    "build-image": Case("build-image", begin_build_image, "tell", on_libvirt=False),
    "import": Case("import-disk-image", begin_import, "record", on_libvirt=False),
    "import-upload": Case("import-disk-image", begin_import_of_upload, "record", on_libvirt=False),
    "build-disk": Case("build-disk-image", begin_build_disk, "record", on_libvirt=False),
    "rebuild": Case("build-disk-image", begin_rebuild, "record", has_image=True, on_libvirt=False),
    "replace": Case("import-disk-image", begin_replace, "record", has_image=True, on_libvirt=False),
}
SUBJECTS = [(name, "fake") for name in CASES] + [
    (name, "libvirt") for name, case in CASES.items() if case.on_libvirt
]
STEPS = [(name, world, step) for name, world in SUBJECTS for step in CASES[name].steps]
Make = Callable[[str, str, Path], Proof]


def prepare(world: LittleWorld, name: str, case: Case) -> None:
    """What the saga of a case needs."""
    if case.has_machine:
        begin_compose(world)
        assert world.run().state == "succeeded"
    if case.is_bare:
        add_bare_machine(world)
    if case.has_image:
        begin_import(world)
        assert world.run().state == "succeeded"
    if case.has_disk_image:
        add_image(world)
    if case.is_deployed:
        begin_deploy(world)
        assert world.run().state == "succeeded"
    if name in ("deploy-bare", "erase-bare"):
        commissioned_bare_machine(world)
    if name == "erase-bare":
        begin_deploy_bare(world)
        assert world.run().state == "succeeded"
    if name == "fix-network":
        libvirts_dhcp_on_an_unserved_vlan(world)


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes a proof of a case in a world of fakes or of libvirt's test driver."""
    opened: list[LibvirtWorld] = []

    def make(name: str, kind: str, directory: Path) -> Proof:
        case = CASES[name]
        directory.mkdir(exist_ok=True)
        if kind == "libvirt":
            opened.append(libvirt_world(directory, NETWORK if name == "fix-network" else ""))
        world = little_world(directory, case.hosts, hypervisors=opened[-1] if opened else None)
        prepare(world, name, case)
        return Proof(world, SAGAS[case.saga], case.begin)

    yield make
    for hypervisors in opened:
        hypervisors.close()


def libvirt_world(directory: Path, network: str) -> LibvirtWorld:
    """Two hosts of libvirt's test driver, in this process."""
    files = {uri: directory / f"node{number}.xml" for number, uri in enumerate(URIS)}
    for number, file in enumerate(files.values()):
        file.write_text(NODE.format(path=directory / f"pool{number}", network=network))
    return LibvirtWorld(lambda uri: f"test://{files[uri]}", URIS)


def test_every_saga_is_proven() -> None:
    assert {case.saga for case in CASES.values()} == set(SAGAS)


@pytest.mark.parametrize(("name", "kind"), SUBJECTS)
def test_succeeds(make: Make, name: str, kind: str, tmp_path: Path) -> None:
    prove_succeeds(make(name, kind, tmp_path))


@pytest.mark.parametrize(("name", "kind", "step"), STEPS)
def test_unwinds_from_every_step(make: Make, name: str, kind: str, step: str, tmp_path: Path) -> None:
    prove_unwinds_from(make(name, kind, tmp_path), step)


@pytest.mark.parametrize(("name", "kind"), SUBJECTS)
def test_every_do_twice(make: Make, name: str, kind: str, tmp_path: Path) -> None:
    prove_every_do_twice(make(name, kind, tmp_path))


@pytest.mark.parametrize(("name", "kind"), SUBJECTS)
def test_every_undo_twice(make: Make, name: str, kind: str, tmp_path: Path) -> None:
    prove_every_undo_twice(make(name, kind, tmp_path), CASES[name].last)


@pytest.mark.parametrize(("name", "kind"), SUBJECTS)
def test_resumes_after_every_recorded_write(make: Make, name: str, kind: str, tmp_path: Path) -> None:
    commits = 1
    while prove_resumes_after_write(make(name, kind, tmp_path / str(commits)), commits):
        commits += 1
    assert commits > effects(SAGAS[CASES[name].saga])
