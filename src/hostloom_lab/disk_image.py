"""Builds disk images into the cache, as `hostloom image build` does: a lab's rack reaches no archive."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

from hostloom import images
from hostloom.images.convert import to_qcow2
from hostloom.images.disk_builds import MmdebstrapBuilds
from hostloom.images.import_files import import_folder
from hostloom.images.limits import ImportLimits
from hostloom.model.disk_build import DiskBuild
from hostloom.model.errors.outside import DiskImageFailed
from hostloom_lab.commands import one_at_a_time
from hostloom_lab.errors import LabError
from hostloom_lab.guest import cache_directory

#: Files in the package `hostloom.images` that a disk depends on, besides its packages.
_SOURCES = ("recipes/*", "disk_assembly.py", "disk_builds.py", "disk_layout.py", "disk_recipes.py")
DEBIAN_12 = DiskBuild("debian-12")


def built_image(build: DiskBuild = DEBIAN_12) -> Path:
    """The qcow2 file of a build; it is built if the recipe changed since, which takes a few minutes.

    `disk-images/debian-12.qcow2` in the cache is always the newest one.
    """
    try:
        return _cached(build)
    except DiskImageFailed as error:
        raise LabError(str(error)) from error


def _cached(build: DiskBuild) -> Path:
    folder = cache_directory() / "disk-images"
    target = folder / f"{build.variant}-{recipe_hash(build)[:16]}.qcow2"
    with one_at_a_time(folder):
        if not target.is_file():
            for old in folder.glob(f"{build.variant}-{'[0-9a-f]' * 16}.qcow2"):
                old.unlink()
            _build(build, target)
        link = folder / f"{build.variant}.qcow2"
        if not link.is_symlink() or link.readlink() != Path(target.name):
            link.unlink(missing_ok=True)
            link.symlink_to(target.name)
    return target


def recipe_hash(build: DiskBuild) -> str:
    """Changes with everything that a build depends on, except the packages."""
    folder = Path(images.__file__).parent
    files = sorted(file for pattern in _SOURCES for file in folder.glob(pattern) if file.is_file())
    digest = hashlib.sha256(repr(build).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _build(build: DiskBuild, target: Path) -> None:
    with TemporaryDirectory(dir=target.parent, prefix=".build-") as name:
        builds = MmdebstrapBuilds(Path(name))
        builds.check(build)
        try:
            builds.install("build", build, lambda _done, _total: None)
            builds.assemble("build", build, lambda _done, _total: None)
            raw, draft = import_folder(Path(name), "build") / "source", Path(name) / "disk.qcow2"
            to_qcow2(raw, draft, ImportLimits(), f"image {build.variant}")
            draft.rename(target)
        finally:
            builds.discard_build("build")
