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


def fetch(flavour: Flavour, folder: Path) -> tuple[Path, ...]:
    """The kernel packages of the flavour; packages that are in the folder are not downloaded again."""
    packages = RECIPES[flavour].packages
    distribution = _distribution(packages)
    names = _kernel_packages(packages[distribution])
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(_fetch_one(name, folder) for name in names)


def unpack(packages: Iterable[Path], root: Path) -> None:
    """Unpack the packages below `root`."""
    for package in packages:
        run(["dpkg-deb", "-x", str(package), str(root)])


def _distribution(distributions: Iterable[str]) -> str:
    os_release = platform.freedesktop_os_release()
    for name in (os_release.get("ID", ""), *os_release.get("ID_LIKE", "").split()):
        if name in distributions:
            return name
    raise ImageFailed("the kernel's package", f"it is known of {', '.join(distributions)} only")


def _kernel_packages(meta: str) -> tuple[str, ...]:
    """The packages of kernels and modules that the meta package depends on."""
    packages: dict[str, None] = {}
    pending = [meta]
    while pending:
        name = pending.pop()
        for package in depended(run(["apt-cache", "depends", "--important", name])):
            if package not in packages:
                packages[package] = None
                pending.append(package)
    if not packages:
        raise ImageFailed(f"apt-cache depends {meta}", "apt does not know this package; run `apt-get update`")
    return tuple(sorted(packages))


def _fetch_one(name: str, folder: Path) -> Path:
    file = folder / download_name(run(["apt-get", *_AS_US, "download", "--print-uris", name]))
    if file.is_file():
        return file
    with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as scratch:
        work = Path(scratch)
        run(["apt-get", "-q", *_AS_US, "download", name], cwd=work, timeout_s=DOWNLOAD_TIMEOUT_S)
        for path in work.glob("*.deb"):
            path.replace(file)
    if not file.is_file():
        raise ImageFailed(f"apt-get download {name}", "there is no package afterwards")
    return file
