"""Makes seed disks with mtools: vfat file systems, which need neither root nor a mount."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hostloom.images.commands import run
from hostloom.images.disk_formats import SECTOR
from hostloom.images.limits import MIB
from hostloom.model.errors.outside import SeedDiskFailed

LABEL = "cidata"
#: Boot sector, file allocation tables, root folder, and a cluster for the end of each file.
_OVERHEAD_BYTES = 128 * 1024
_MAX_BYTES = 16 * MIB
#: 1980, the first year that vfat can express: the files have the same time whenever the disk is made.
_EPOCH = "315532800"
_TIMEOUT_S = 30


class MtoolsSeedDisks:
    """Writes the files into a folder that only this user can read, and copies them into an image there."""

    def build(self, files: Mapping[str, str]) -> bytes:
        """The bytes of the disk."""
        contents = {name: text.encode() for name, text in files.items()}
        size_bytes = sum(map(len, contents.values())) + _OVERHEAD_BYTES
        size_bytes += -size_bytes % MIB
        if size_bytes > _MAX_BYTES:
            raise SeedDiskFailed("files", f"they need {size_bytes} bytes, more than {_MAX_BYTES}")
        with TemporaryDirectory(prefix="hostloom-seed-") as name:
            folder = Path(name)
            for file, content in contents.items():
                (folder / file).write_bytes(content)
            sectors = str(size_bytes // SECTOR)
            geometry = ["-T", sectors, "-h", "16", "-s", "32"]
            _run(["mformat", "-C", "-i", "disk.img", *geometry, "-N", "0", "-v", LABEL, "::"], folder)
            _run(["mcopy", "-i", "disk.img", *contents, "::"], folder)
            return (folder / "disk.img").read_bytes()


def _run(argv: Sequence[str], folder: Path) -> None:
    run(
        argv,
        cwd=folder,
        timeout_s=_TIMEOUT_S,
        environment={"MTOOLSRC": os.devnull, "SOURCE_DATE_EPOCH": _EPOCH},
        failure=lambda command, cause: SeedDiskFailed(command.partition(" ")[0], cause),
    )
