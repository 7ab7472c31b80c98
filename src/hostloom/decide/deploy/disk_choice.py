"""Chooses the disk of a bare machine for an image: the named one, else the smallest that fits."""

from collections.abc import Sequence
from dataclasses import dataclass

from hostloom.decide.refuse import RefuseRequest, refuse
from hostloom.decide.request.storage import gigabytes
from hostloom.model.commissioning import FoundDisk
from hostloom.model.disk_image import DiskImage
from hostloom.model.ids import natural_key
from hostloom.model.reasons import Refusal, RequestCode, SubjectKind

#: Behind the image: a partition with the configuration, aligned, and the second partition table.
SEED_ROOM_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class DiskChoice:
    """The disk that will be wiped and written, or why there is none: exactly one of the two is set."""

    disk: FoundDisk | None
    refusal: Refusal | None = None
    #: Whether the user named it.
    is_named: bool = False
    #: The number of disks on which the image fits, including this one.
    fitting: int = 0

    @property
    def chosen(self) -> FoundDisk:
        """The disk, where there is no refusal."""
        if self.disk is None:
            raise ValueError("no disk was chosen")
        return self.disk


def choose_disk(image: DiskImage, disks: Sequence[FoundDisk], named: str = "") -> DiskChoice:
    """Choose by name (`sda`, `/dev/sda`) or serial; blank: the smallest disk that fits, then by name."""
    fitting = [disk for disk in disks if disk.size_bytes >= image.virtual_size_bytes + SEED_ROOM_BYTES]
    try:
        disk = named_disk(disks, named) if named else _smallest(image, disks, fitting)
        if disk not in fitting:
            raise _too_small(image, disk)
    except RefuseRequest as error:
        return DiskChoice(None, error.refusal)
    return DiskChoice(disk, is_named=bool(named), fitting=len(fitting))


def named_disk(disks: Sequence[FoundDisk], named: str) -> FoundDisk:
    """The disk with this name or serial; RefuseRequest. A serial that two disks share names neither."""
    word = named.removeprefix("/dev/")
    matching = [disk for disk in disks if disk.name == word] or [
        disk for disk in disks if disk.serial and disk.serial == named
    ]
    if len(matching) != 1:
        names = ", ".join(f"{disk.name} ({disk.serial})" if disk.serial else disk.name for disk in disks)
        code, wanted = RequestCode.UNKNOWN_DISK, "the name or serial of exactly one disk"
        raise refuse("disk_is_known", code, SubjectKind.DISK, named, wanted=wanted, found=names or "no disk")
    return matching[0]


def _smallest(image: DiskImage, disks: Sequence[FoundDisk], fitting: Sequence[FoundDisk]) -> FoundDisk:
    if fitting:
        return min(fitting, key=lambda disk: (disk.size_bytes, natural_key(disk.name)))
    sizes = ", ".join(f"{disk.name} with {gigabytes(disk.size_bytes)} GB" for disk in disks)
    raise refuse(
        "some_disk_fits",
        RequestCode.NO_DISK_FITS,
        SubjectKind.IMAGE,
        image.name,
        wanted=f"{gigabytes(image.virtual_size_bytes)} GB",
        found=sizes or "it has none",
    )


def _too_small(image: DiskImage, disk: FoundDisk) -> RefuseRequest:
    return refuse(
        "image_fits_on_disk",
        RequestCode.IMAGE_TOO_LARGE,
        SubjectKind.IMAGE,
        image.name,
        wanted=f"{gigabytes(image.virtual_size_bytes)} GB",
        found=f"{gigabytes(disk.size_bytes)} GB on disk {disk.name}",
    )
