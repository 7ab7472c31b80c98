"""The tiny guest: a distribution's cloud kernel and a busybox initramfs that reports when it is up."""

import gzip
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hostloom_lab.commands import run
from hostloom_lab.errors import LabError

META_PACKAGE = "linux-image-cloud-amd64"
#: In the order in which they must be loaded.
MODULES = (
    "drivers/virtio/virtio_ring",
    "drivers/virtio/virtio",
    "drivers/virtio/virtio_pci_modern_dev",
    "drivers/virtio/virtio_pci_legacy_dev",
    "drivers/virtio/virtio_pci",
    "drivers/virtio/virtio_mmio",
    "net/core/failover",
    "drivers/net/net_failover",
    "drivers/net/virtio_net",
)
INIT = Path(__file__).with_name("guest-init.sh")
LEASE = Path(__file__).with_name("guest-lease.sh")


def cache_directory() -> Path:
    """Where kernel and initramfs are kept; HOSTLOOM_CACHE moves it."""
    return Path(os.environ.get("HOSTLOOM_CACHE", "/var/cache/hostloom"))


@dataclass(frozen=True)
class Guest:
    """Kernel and initramfs."""

    kernel: Path
    initrd: Path

    @property
    def is_built(self) -> bool:
        """Whether both are there."""
        return self.kernel.is_file() and self.initrd.is_file()


def guest() -> Guest:
    """The guest's files, built or not."""
    return Guest(cache_directory() / "guest/kernel", cache_directory() / "guest/initrd")


def build(*, again: bool = False) -> Guest:
    """Download the kernel's package with apt, unpack it (it is not installed), and pack the initramfs."""
    files = guest()
    if files.is_built and not again and _is_newer(files.initrd):
        return files
    with tempfile.TemporaryDirectory(prefix="hostloom-guest-") as scratch:
        work = Path(scratch)
        root = _kernel_root(work)
        modules = next((root / "lib/modules").iterdir()) / "kernel"
        files.kernel.parent.mkdir(parents=True, exist_ok=True)
        _replace(files.kernel, next((root / "boot").glob("vmlinuz-*")).read_bytes())
        _replace(files.initrd, gzip.compress(_initramfs(work, modules), 6))
    return files


def _is_newer(initrd: Path) -> bool:
    sources = (INIT, LEASE, Path(__file__))
    return initrd.stat().st_mtime >= max(each.stat().st_mtime for each in sources)


def _replace(file: Path, content: bytes) -> None:
    draft = file.with_suffix(".new")
    draft.write_bytes(content)
    draft.replace(file)


def _kernel_root(work: Path) -> Path:
    """The unpacked kernel package; kept in the cache, so that it is downloaded once."""
    kept = cache_directory() / "kernel.deb"
    if not kept.is_file():
        depends = run(["apt-cache", "depends", "--important", META_PACKAGE])
        names = [line.split()[-1] for line in depends.splitlines() if "Depends:" in line]
        names = [name for name in names if name.startswith("linux-image-")]
        if not names:
            raise LabError(f"apt knows no package {META_PACKAGE}: run `apt-get update`")
        work.chmod(0o755)
        _download(work, names[0])
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(next(work.glob("linux-image-*.deb")), kept)
    run(["dpkg-deb", "-x", str(kept), str(work / "root")])
    return work / "root"


def _download(work: Path, package: str) -> None:
    here = Path.cwd()
    os.chdir(work)
    try:
        run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package], timeout_s=600)
    finally:
        os.chdir(here)


def _initramfs(work: Path, modules: Path) -> bytes:
    tree = work / "tree"
    for each in ("bin", "proc", "sys", "dev", "lib/m", "tmp", "etc", "run"):
        (tree / each).mkdir(parents=True)
    shutil.copy("/bin/busybox", tree / "bin/busybox")
    for module in MODULES:
        shutil.copy(modules / f"{module}.ko", tree / "lib/m")
    (tree / "lib/m/order").write_text("".join(f"{Path(module).name}.ko\n" for module in MODULES))
    for source, target in ((INIT, "init"), (LEASE, "etc/lease.sh")):
        shutil.copy(source, tree / target)
        (tree / target).chmod(0o755)
    names = "\n".join(str(each.relative_to(tree)) for each in sorted(tree.rglob("*")))
    archive = work / "initramfs"
    run(["cpio", "-o", "-H", "newc", "--quiet", "-D", str(tree), "-F", str(archive)], text=f"{names}\n")
    return archive.read_bytes()
