"""Downloads and unpacks kernel packages with the distribution's tools; nothing is installed."""

import platform
import tempfile
from collections.abc import Iterable
from pathlib import Path

from hostloom.images.commands import run
from hostloom.images.flavours import RECIPES
from hostloom.images.package_output import depended, download_name
from hostloom.model.errors.outside import ImageFailed
from hostloom.model.image import Flavour

DOWNLOAD_TIMEOUT_S = 1800.0
_AS_US = ("-o", "APT::Sandbox::User=root")


def fetch(flavour: Flavour, kept: Path) -> tuple[Path, ...]:
    """The kernel packages of the flavour; packages that are in the folder are not downloaded again."""
    packages = RECIPES[flavour].packages
    distribution = _distribution(packages)
    names = _kernel_packages(packages[distribution])
    kept.mkdir(parents=True, exist_ok=True)
    return tuple(_fetch_one(name, kept) for name in names)


def unpack(packages: Iterable[Path], root: Path) -> None:
    """Unpack the packages below `root`."""
    for package in packages:
        run(["dpkg-deb", "-x", str(package), str(root)])


def _distribution(known: Iterable[str]) -> str:
    found = platform.freedesktop_os_release()
    for name in (found.get("ID", ""), *found.get("ID_LIKE", "").split()):
        if name in known:
            return name
    raise ImageFailed("the kernel's package", f"it is known of {', '.join(known)} only")


def _kernel_packages(meta: str) -> tuple[str, ...]:
    """The packages of kernels and modules that the meta package depends on."""
    found: dict[str, None] = {}
    left = [meta]
    while left:
        name = left.pop()
        words = depended(run(["apt-cache", "depends", "--important", name]))
        for word in words:
            if word not in found:
                found[word] = None
                left.append(word)
    if not found:
        raise ImageFailed(f"apt-cache depends {meta}", "apt does not know this package; run `apt-get update`")
    return tuple(sorted(found))


def _fetch_one(name: str, kept: Path) -> Path:
    file = kept / download_name(run(["apt-get", *_AS_US, "download", "--print-uris", name]))
    if file.is_file():
        return file
    with tempfile.TemporaryDirectory(prefix=".download-", dir=kept) as scratch:
        work = Path(scratch)
        run(["apt-get", "-q", *_AS_US, "download", name], cwd=work, timeout_s=DOWNLOAD_TIMEOUT_S)
        for path in work.glob("*.deb"):
            path.replace(file)
    if not file.is_file():
        raise ImageFailed(f"apt-get download {name}", "there is no package afterwards")
    return file
