"""Collects the files of an initramfs: busybox, kernel modules, programs, and hostloom's scripts."""

import gzip
import lzma
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from hostloom.images.commands import run
from hostloom.images.cpio import ArchiveEntry
from hostloom.images.flavours import PROGRAM_PACKAGES, Recipe
from hostloom.images.modules import (
    choose_aliases,
    choose_modules,
    parse_dependencies,
    plain,
    render_dependencies,
)
from hostloom.images.package_output import libraries
from hostloom.model.errors.outside import ImageFailed

BUSYBOX = Path("/bin/busybox")
SCRIPTS = Path(__file__).with_name("guest")
#: Folders that the scripts mount or write to.
_FOLDERS = ("proc", "sys", "dev", "run", "tmp")
#: Paths of scripts outside /etc: busybox's acpid looks for its handlers there.
_PLACES = {"init": "init", "power.sh": "etc/acpi/PWRF/00000080"}
_ELF_INTERPRETER = b"ld-linux"


def contents(root: Path, version: str, recipe: Recipe) -> dict[str, ArchiveEntry]:
    """All files by path; `root` contains the unpacked kernel packages."""
    return _scripts() | _busybox() | _modules(root, version, recipe.modules) | _programs(recipe.programs)


def _scripts() -> dict[str, ArchiveEntry]:
    entries = {f"{folder}/.keep": ArchiveEntry() for folder in _FOLDERS}
    entries["etc/passwd"] = ArchiveEntry(b"root:x:0:0:root:/:/bin/sh\n")  # tcpdump looks up whom to run as
    for script in SCRIPTS.iterdir():
        path = _PLACES.get(script.name, f"etc/{script.name}")
        entries[path] = ArchiveEntry(script.read_bytes(), is_executable=True)
    return entries


def _busybox() -> dict[str, ArchiveEntry]:
    if not BUSYBOX.is_file():
        raise ImageFailed(str(BUSYBOX), "it is not installed: `apt-get install busybox-static`")
    content = BUSYBOX.read_bytes()
    if _ELF_INTERPRETER in content[:4096]:
        raise ImageFailed(str(BUSYBOX), "it needs libraries: `apt-get install busybox-static`")
    return {"bin/busybox": ArchiveEntry(content, is_executable=True)}


def _modules(root: Path, version: str, module_names: Sequence[str]) -> dict[str, ArchiveEntry]:
    folder = modules_folder(root) / version
    run(["depmod", "-b", str(_base(root)), version])
    dependencies = parse_dependencies((folder / "modules.dep").read_text())
    module_paths = choose_modules(dependencies, module_names)
    where = f"lib/modules/{version}"
    entries = {
        f"{where}/{plain(path)}": ArchiveEntry(source=partial(_plain_content, folder / path))
        for path in module_paths
    }
    entries[f"{where}/modules.dep"] = ArchiveEntry(render_dependencies(dependencies, module_paths).encode())
    for name in ("modules.alias", "modules.softdep"):
        entries[f"{where}/{name}"] = ArchiveEntry(
            choose_aliases((folder / name).read_text(), module_paths).encode()
        )
    return entries


def modules_folder(root: Path) -> Path:
    """The modules' folder of an unpacked kernel."""
    return _base(root) / "lib/modules"


def _base(root: Path) -> Path:
    """Distributions with a merged /usr may pack the modules there."""
    return root if (root / "lib/modules").is_dir() else root / "usr"


def _plain_content(file: Path) -> bytes:
    content = file.read_bytes()
    match file.suffix:
        case ".xz":
            return lzma.decompress(content)
        case ".gz":
            return gzip.decompress(content)
        case ".zst":
            run(["zstd", "-q", "-d", "-f", str(file), "-o", str(file.with_suffix(""))])
            return file.with_suffix("").read_bytes()
        case _:
            return content


def _programs(names: Sequence[str]) -> dict[str, ArchiveEntry]:
    """The programs with all their libraries, at the paths where their loader looks for them."""
    entries: dict[str, ArchiveEntry] = {}
    for name in names:
        path = shutil.which(name, path="/usr/bin:/usr/sbin:/bin:/sbin")
        if path is None:
            package = PROGRAM_PACKAGES.get(name, name)
            raise ImageFailed(name, f"it is not installed: `apt-get install {package}`")
        entries[f"bin/{name}"] = ArchiveEntry(source=Path(path).read_bytes, is_executable=True)
        for library in libraries(run(["ldd", path])):
            entries[library.lstrip("/")] = ArchiveEntry(source=Path(library).read_bytes, is_executable=True)
    return entries
