"""Builds the lab's guest: the product's boot image for virtual machines plus a shell for tests."""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from hostloom import images
from hostloom.images.cpio import ArchiveEntry, pack
from hostloom.images.directory import ImageDirectory
from hostloom.model.errors.outside import ImageFailed
from hostloom.model.image import Flavour
from hostloom_lab.commands import one_at_a_time
from hostloom_lab.errors import LabError

ON_STAY = Path(__file__).with_name("guest-on-stay.sh")


def cache_directory() -> Path:
    """The folder of images and the guest; the variable HOSTLOOM_CACHE overrides it."""
    return Path(os.environ.get("HOSTLOOM_CACHE", "/var/cache/hostloom"))


def image_directory() -> Path:
    """The folder for a server's `image_dir`, because a lab's rack reaches no package archive."""
    return cache_directory() / "images"


@dataclass(frozen=True)
class Guest:
    """Kernel and initramfs."""

    kernel: Path
    initrd: Path

    @property
    def is_built(self) -> bool:
        """Whether both files exist."""
        return self.kernel.is_file() and self.initrd.is_file()


def guest() -> Guest:
    """The paths of the guest's files, which may not exist yet."""
    return Guest(cache_directory() / "guest/kernel", cache_directory() / "guest/initrd")


def build(*, again: bool = False) -> Guest:
    """Build the image and then the guest, unless both are newer than their sources; one process at a time."""
    with one_at_a_time(cache_directory()):
        return _build(again=again)


def _build(*, again: bool) -> Guest:
    files = guest()
    store = ImageDirectory(image_directory(), time.time)
    if files.is_built and store.list() and not again and _is_newer(files.initrd):
        return files
    try:
        packages = store.fetch(Flavour.VIRTUAL)
        image = store.build(Flavour.VIRTUAL, packages)
        store.prune(image, packages)
    except ImageFailed as error:
        raise LabError(str(error)) from error
    built = image_directory() / image.name
    files.kernel.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(built / "kernel", files.kernel.with_suffix(".new"))
    files.kernel.with_suffix(".new").replace(files.kernel)
    # The kernel unpacks concatenated archives in order; later files replace earlier ones.
    shutil.copyfile(built / "initrd", files.initrd.with_suffix(".new"))
    with files.initrd.with_suffix(".new").open("ab") as initrd:
        pack({"etc/on-stay": ArchiveEntry(ON_STAY.read_bytes(), is_executable=True)}, initrd)
    files.initrd.with_suffix(".new").replace(files.initrd)
    return files


def _is_newer(initrd: Path) -> bool:
    product = [path for path in Path(images.__file__).parent.rglob("*") if path.is_file()]
    sources = (ON_STAY, Path(__file__), *(path for path in product if "__pycache__" not in path.parts))
    return initrd.stat().st_mtime >= max(source.stat().st_mtime for source in sources)
