"""Manages image folders: builds go into a new folder, and a rename activates them."""

import hashlib
import json
import logging
import platform
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cattrs

from hostloom.images.cpio import pack
from hostloom.images.disk_directory import delete_folder
from hostloom.images.flavours import RECIPES
from hostloom.images.initramfs import contents, modules_folder
from hostloom.images.packages import fetch, unpack
from hostloom.model.errors.outside import ImageFailed
from hostloom.model.errors.resources import NotFound
from hostloom.model.image import Flavour, Image, ImageFile
from hostloom.serialization import from_json, to_json

log = logging.getLogger(__name__)

#: Images kept per flavour: the active one and its predecessor, which machines may still be loading.
KEEP = 2
_PACKAGES = ".packages"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ABOUT = "image.json"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class ImageDirectory:
    """The folder `image_dir` of the settings."""

    def __init__(self, directory: Path, now: Callable[[], float]) -> None:
        self._directory, self._now = directory, now

    def list(self) -> Sequence[Image]:
        """Latest first; incomplete images are skipped and logged."""
        if not self._directory.is_dir():
            return []
        images = (self.find(path.name) for path in self._directory.iterdir())
        return sorted((image for image in images if image), key=lambda image: (-image.built_at, image.name))

    def find(self, name: str) -> Image | None:
        """By name."""
        about = self._directory / name / _ABOUT
        if not _NAME.fullmatch(name) or not about.is_file():
            return None
        try:
            return from_json(json.loads(about.read_bytes()), Image)
        except (OSError, ValueError, TypeError, KeyError, cattrs.BaseValidationError) as error:
            log.warning("the boot image %s is left out: %s cannot be read: %s", name, _ABOUT, error)
            return None

    def fetch(self, flavour: Flavour) -> tuple[str, ...]:
        """Download missing kernel packages; returns all file names."""
        return tuple(path.name for path in fetch(flavour, self._directory / _PACKAGES))

    def build(self, flavour: Flavour, packages: Sequence[str]) -> Image:
        """Build from fetched packages and activate the result; a failure leaves the active image."""
        files = [self._directory / _PACKAGES / package for package in packages]
        with _scratch(self._directory) as work:
            unpack(files, work / "root")
            version = _version(work / "root")
            draft = work / "image"
            draft.mkdir()
            shutil.copyfile(_kernel(work / "root", version), draft / "kernel")
            with (draft / "initrd").open("wb") as initrd:
                pack(contents(work / "root", version, RECIPES[flavour]), initrd)
            return self._take(draft, flavour, version)

    def prune(self, image: Image, packages: Sequence[str]) -> None:
        """Delete older images of the flavour and packages that no image needs."""
        candidates = (stored for stored in self.list() if stored.flavour is image.flavour)
        same = [stored for stored in candidates if stored.name != image.name]
        for old in same[KEEP - 1 :]:
            self.delete(old.name)
        ours = {name.partition("_")[0] for name in packages}
        for file in (self._directory / _PACKAGES).glob("*.deb"):
            if file.name not in packages and _series(file.name) in {_series(our) for our in ours}:
                file.unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """Delete an image immediately; machines that are loading it restart with another one."""
        folder = self._directory / name
        if not _NAME.fullmatch(name) or not (folder / _ABOUT).is_file():
            raise NotFound("image", name)
        delete_folder(folder)

    def _take(self, draft: Path, flavour: Flavour, version: str) -> Image:
        """Name the image by its content, so that equal builds are one image and images never change."""
        files = tuple(_measured(draft / name) for name in ("initrd", "kernel"))
        digest = hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()
        name = re.sub(r"[^a-z0-9._-]", "-", f"{flavour}-{version}".lower())[:55] + f"-{digest[:8]}"
        architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
        image = Image(name, flavour, version, architecture, self._now(), files)
        about = draft / _ABOUT
        about.write_text(json.dumps(to_json(image), indent=1) + "\n")
        target = self._directory / name
        if target.is_dir():
            about.replace(target / _ABOUT)
        else:
            draft.chmod(0o755)
            draft.rename(target)
        return image


@contextmanager
def _scratch(directory: Path) -> Iterator[Path]:
    """A folder on the same file system, so that a rename suffices; apt's user may read it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".build-", dir=directory) as work:
            yield Path(work)
    except OSError as error:
        raise ImageFailed(f"writing to {directory}", error.strerror or str(error)) from error


def _version(root: Path) -> str:
    """The kernel's version: the name of its modules' folder."""
    folder = modules_folder(root)
    versions = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if len(versions) != 1:
        raise ImageFailed("the kernel's packages", f"one kernel was expected, there are {versions or 'none'}")
    return versions[0]


def _kernel(root: Path, version: str) -> Path:
    for path in (root / f"boot/vmlinuz-{version}", root / f"usr/lib/modules/{version}/vmlinuz"):
        if path.is_file():
            return path
    raise ImageFailed("the kernel's packages", f"they contain no kernel vmlinuz-{version}")


def _measured(file: Path) -> ImageFile:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return ImageFile(file.name, file.stat().st_size, digest)


def _series(package: str) -> str:
    """The package name without the kernel's version: `linux-image-cloud-amd64`."""
    return re.sub(r"\d[^-]*(-\d+)?", "", package.partition("_")[0])
