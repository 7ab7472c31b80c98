"""Builds of disk images from a distribution's packages."""

from dataclasses import dataclass

from hostloom.model.access import Principal
from hostloom.model.disk_build import DiskBuild, check_packages
from hostloom.model.disk_image import check_image_name
from hostloom.model.disk_import import ImageSource, check_url
from hostloom.model.image import Flavour
from hostloom.model.operation import Operation
from hostloom.ports.context import Ports
from hostloom.sagas.build_disk_image import BUILD_DISK_IMAGE, builds_of
from hostloom.sagas.import_disk_image import ImportDiskImageInput
from hostloom.services.access import require_admin
from hostloom.services.disk_images import check_title, start_import


@dataclass(frozen=True)
class DiskBuildInput:
    """A disk image to build on the server from the packages of a distribution."""

    #: Such as `debian-12`.
    recipe: str
    #: The kernel: `virtual` has the drivers of virtual machines only; None: generic with `kvm`, else virtual.
    flavour: Flavour | None = None
    #: With QEMU, libvirt and firmware.
    kvm: bool = False
    #: With Open vSwitch, too.
    ovs: bool = False
    #: None: the recipe with its variant, such as `debian-12-kvm`.
    name: str | None = None
    #: Blank: the recipe's.
    title: str = ""
    #: URL of an archive; None: the one that the server's apt uses, or else the recipe's.
    mirror: str | None = None
    #: The same for security updates.
    security_mirror: str | None = None
    #: Packages beside those of the recipe.
    packages: tuple[str, ...] = ()
    #: An image with this name gets the new content.
    replace: bool = False


def build(ports: Ports, principal: Principal, wanted: DiskBuildInput) -> Operation:
    """Record an operation that builds a disk image on the server."""
    require_admin(principal, "build disk images")
    disk = DiskBuild(
        wanted.recipe,
        wanted.flavour or (Flavour.GENERIC if wanted.kvm else Flavour.VIRTUAL),
        wanted.kvm,
        wanted.ovs,
        "" if wanted.mirror is None else check_url(wanted.mirror, "mirror"),
        "" if wanted.security_mirror is None else check_url(wanted.security_mirror, "security_mirror"),
        check_packages(wanted.packages),
    )
    title = builds_of(ports).check(disk)
    name = check_image_name(disk.variant if wanted.name is None else wanted.name)
    title = check_title(wanted.title or title)
    saga_input = ImportDiskImageInput(name, ImageSource(build=disk), title, replace=wanted.replace)
    with ports.store.begin() as uow:
        operation = start_import(uow, ports, principal, saga_input, BUILD_DISK_IMAGE)
        uow.commit()
    return operation
