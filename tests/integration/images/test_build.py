"""Images from real kernel packages, of a distribution's tools: what is in them, and what a failure leaves."""

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from hostloom.images import packages as packages_module
from hostloom.images.directory import ImageDirectory
from hostloom.model.errors.outside import ImageFailed
from hostloom.model.errors.resources import NotFound
from hostloom.model.image import Flavour, Image

VERSION = "6.1.0-1-test"
#: Modules, as assembly: what matters is whom they are for, and which symbols they give and need.
MODULES = {
    "drivers/net/virtio_net": ("alias=virtio:d00000001v*", ".data\n.quad net_failover_create\n"),
    "drivers/net/net_failover": (
        "license=GPL",
        '.section __ksymtab_strings,"a"\n.asciz "net_failover_create"\n',
    ),
    "drivers/net/ethernet/acme/acme": ("alias=pci:v00001AF4d*", ""),
    "fs/acmefs": ("alias=fs-acme", ""),
}


class Clock:
    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def now(self) -> float:
        self.time += 1
        return self.time


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kernel package with modules that the assembler of the machine has made."""
    root = tmp_path_factory.mktemp("kernel")
    (root / "boot").mkdir()
    (root / f"boot/vmlinuz-{VERSION}").write_bytes(b"a kernel")
    for path, (info, symbols) in MODULES.items():
        file = root / f"lib/modules/{VERSION}/kernel/{path}.ko"
        file.parent.mkdir(parents=True, exist_ok=True)
        assembly = f'.section .modinfo,"a"\n.asciz "{info}"\n{symbols}'
        subprocess.run(["as", "-o", str(file), "-"], input=assembly, text=True, check=True)
    (root / f"lib/modules/{VERSION}/modules.order").write_text("")
    (root / f"lib/modules/{VERSION}/modules.builtin").write_text("")
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(
        f"Package: linux-image-{VERSION}\nVersion: 1\nArchitecture: all\n"
        "Maintainer: nobody\nDescription: test\n"
    )
    file = root.parent / f"linux-image-{VERSION}_1_all.deb"
    subprocess.run(["dpkg-deb", "-b", str(root), str(file)], check=True, capture_output=True)
    return file


@pytest.fixture
def images(tmp_path: Path, package: Path) -> ImageDirectory:
    (tmp_path / ".packages").mkdir()
    shutil.copy(package, tmp_path / ".packages")
    return ImageDirectory(tmp_path, Clock().now)


def listing(directory: Path, image: Image) -> list[str]:
    archive = gzip.decompress((directory / image.name / "initrd").read_bytes())
    argv = ["busybox", "cpio", "-t"]
    return subprocess.run(argv, input=archive, capture_output=True, check=True).stdout.decode().split()


def test_virtual_has_its_drivers_and_what_they_need(
    images: ImageDirectory, tmp_path: Path, package: Path
) -> None:
    image = images.build(Flavour.VIRTUAL, [package.name])
    names = listing(tmp_path, image)
    modules = {Path(each).name for each in names if each.endswith(".ko")}
    assert modules == {"virtio_net.ko", "net_failover.ko"}
    assert {"init", "bin/busybox", "etc/found.sh", "proc", f"lib/modules/{VERSION}/modules.alias"} <= {*names}
    assert image.kernel_version == VERSION
    assert (tmp_path / image.name / "kernel").read_bytes() == b"a kernel"
    about = json.loads((tmp_path / image.name / "image.json").read_bytes())
    assert about["flavour"] == "virtual"
    assert about["files"][1]["size_bytes"] == len(b"a kernel")


def test_generic_has_all_nics_hears_lldp_and_writes_disks(
    images: ImageDirectory, tmp_path: Path, package: Path
) -> None:
    names = listing(tmp_path, images.build(Flavour.GENERIC, [package.name]))
    modules = {Path(each).name for each in names if each.endswith(".ko")}
    assert modules == {"virtio_net.ko", "net_failover.ko", "acme.ko"}
    assert "bin/tcpdump" in names
    assert {"bin/curl", "bin/dd", "bin/zstd", "bin/sfdisk", "bin/efibootmgr", "etc/deploy.sh"} <= {*names}
    assert any(Path(each).name.startswith("libpcap.so") for each in names)


def test_the_same_packages_are_the_same_image(images: ImageDirectory, package: Path) -> None:
    first = images.build(Flavour.VIRTUAL, [package.name])
    again = images.build(Flavour.VIRTUAL, [package.name])
    assert (again.name, again.files) == (first.name, first.files)
    assert again.built_at > first.built_at
    assert [each.name for each in images.list()] == [first.name]


def test_a_build_that_fails_leaves_what_was_there(
    images: ImageDirectory, tmp_path: Path, package: Path
) -> None:
    image = images.build(Flavour.VIRTUAL, [package.name])
    (tmp_path / ".packages/broken_1_all.deb").write_bytes(b"no package")
    with pytest.raises(ImageFailed, match="dpkg-deb"):
        images.build(Flavour.VIRTUAL, ["broken_1_all.deb"])
    assert images.list() == [image]
    assert sorted(each.name for each in tmp_path.iterdir()) == [".packages", image.name]


def test_the_image_before_is_kept_and_older_ones_go(
    images: ImageDirectory, tmp_path: Path, package: Path
) -> None:
    newest = images.build(Flavour.VIRTUAL, [package.name])
    for number in (1, 2, 3):
        old = tmp_path / f"virtual-old{number}"
        shutil.copytree(tmp_path / newest.name, old)
        about = json.loads((old / "image.json").read_bytes())
        (old / "image.json").write_text(json.dumps(about | {"name": old.name, "built_at": number}))
    images.prune(newest, [package.name])
    assert [each.name for each in images.list()] == [newest.name, "virtual-old3"]


def test_packages_of_older_kernels_go_and_those_of_the_other_flavour_stay(
    images: ImageDirectory, tmp_path: Path, package: Path
) -> None:
    kept = tmp_path / ".packages"
    for name in ("linux-image-6.1.0-0-test_1_all.deb", "linux-image-6.1.0-1-other_1_all.deb"):
        (kept / name).touch()
    images.prune(images.build(Flavour.VIRTUAL, [package.name]), [package.name])
    assert {each.name for each in kept.iterdir()} == {package.name, "linux-image-6.1.0-1-other_1_all.deb"}


def test_what_cannot_be_read_is_left_out(images: ImageDirectory, tmp_path: Path, package: Path) -> None:
    image = images.build(Flavour.VIRTUAL, [package.name])
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/image.json").write_text("{")
    assert images.list() == [image]
    assert images.find("../" + tmp_path.name) is None


def test_deleting(images: ImageDirectory, tmp_path: Path, package: Path) -> None:
    image = images.build(Flavour.VIRTUAL, [package.name])
    images.delete(image.name)
    assert images.list() == []
    assert [each.name for each in tmp_path.iterdir()] == [".packages"]
    for name in (image.name, ".packages", "../x"):
        with pytest.raises(NotFound):
            images.delete(name)


def test_what_is_fetched_already_is_not_downloaded(
    images: ImageDirectory, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def apt(argv: list[str], **_: object) -> str:
        asked.append(argv)
        if argv[:2] == ["apt-cache", "depends"]:
            return f"{argv[-1]}\n  Depends: linux-image-{VERSION}\n" if "cloud" in argv[-1] else ""
        return f"'http://archive/{package.name}' {package.name} 1 SHA256:0\n"

    monkeypatch.setattr(packages_module, "run", apt)
    monkeypatch.setattr(packages_module.platform, "freedesktop_os_release", lambda: {"ID": "debian"})
    assert images.fetch(Flavour.VIRTUAL) == (package.name,)
    assert all("--print-uris" in each for each in asked if each[0] == "apt-get")


def test_a_distribution_that_we_do_not_know(images: ImageDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages_module.platform, "freedesktop_os_release", lambda: {"ID": "plan9"})
    with pytest.raises(ImageFailed, match="debian, ubuntu"):
        images.fetch(Flavour.VIRTUAL)
