"""Disk images for tests."""

from dataclasses import replace
from pathlib import Path

from hostloom.model.disk_image import BootMode, DiskImage
from hostloom.model.errors.resources import NotFound
from hostloom.model.ids import DiskImageId


def a_disk_image(name: str = "debian-12", **changes: object) -> DiskImage:
    """Debian 12, about which everything is known."""
    image = DiskImage(
        id=DiskImageId(0),
        name=name,
        sha256="a" * 64,
        virtual_size_bytes=2 * 2**30,
        size_bytes=400 * 2**20,
        stream_sha256="b" * 64,
        stream_size_bytes=130 * 2**20,
        imported_at=1_800_000_000.0,
        title="Debian 12 (bookworm)",
        os="debian",
        release="12",
        codename="bookworm",
        architecture="amd64",
        boot_modes=(BootMode.BIOS, BootMode.UEFI),
        has_cloud_init=True,
        has_kvm=False,
        default_user="debian",
        source="https://images.example/debian-12.qcow2",
        source_sha256="c" * 64,
        warnings=("the package list could not be read",),
    )
    return replace(image, **changes)  # type: ignore[arg-type]


class FakeDiskImageFiles:
    """Disk files of a few bytes in a folder."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, sha256: str, disk: bytes = b"qcow2", stream: bytes = b"zstd") -> None:
        """Store a disk."""
        folder = self._directory / sha256
        folder.mkdir(parents=True)
        (folder / "disk").write_bytes(disk)
        (folder / "stream").write_bytes(stream)

    def list(self) -> list[str]:
        return sorted(path.name for path in self._directory.glob("*"))

    def disk(self, sha256: str) -> Path:
        return self._file(sha256, "disk")

    def stream(self, sha256: str) -> Path:
        return self._file(sha256, "stream")

    def delete(self, sha256: str) -> None:
        if sha256 in self.list():
            for path in (self._directory / sha256).iterdir():
                path.unlink()
            (self._directory / sha256).rmdir()

    def _file(self, sha256: str, name: str) -> Path:
        if sha256 not in self.list():
            raise NotFound("file of disk image", sha256)
        return self._directory / sha256 / name
