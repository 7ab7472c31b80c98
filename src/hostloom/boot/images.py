"""Boot images on disk: one folder per image with kernel, initramfs and metadata."""

import json
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

#: Name of the image in the settings boot_kernel and boot_initrd, which overrides all others.
GIVEN = "given"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class BootImage:
    """Kernel and initramfs."""

    name: str
    kernel: Path
    initrd: Path
    #: `virtual`: only drivers of virtual machines; `generic`: also drivers of physical machines.
    flavour: str = "generic"
    built_at: float = 0.0

    def file(self, name: str) -> Path | None:
        """`kernel` or `initrd`."""
        return {"kernel": self.kernel, "initrd": self.initrd}.get(name)


class BootImages:
    """Images in a directory, which is read each time, so that the next boot uses a new build."""

    def __init__(self, directory: Path, kernel: Path | None = None, initrd: Path | None = None) -> None:
        self._directory = directory
        self._given = BootImage(GIVEN, kernel, initrd) if kernel is not None and initrd is not None else None

    def find(self, name: str) -> BootImage | None:
        """By name; None for an incomplete image."""
        if name == GIVEN:
            return self._given
        return self._read(self._directory / name) if _NAME.fullmatch(name) else None

    def choose_for_disks(self) -> BootImage | None:
        """The latest image that can write disks, which only `generic` can."""
        boot_image = self.choose(virtual=False)
        return boot_image if boot_image is not None and boot_image.flavour == "generic" else None

    def choose(self, *, virtual: bool) -> BootImage | None:
        """The latest image of the machine's flavour; if there is none, the latest of any flavour."""
        if self._given is not None:
            return self._given
        flavour = "virtual" if virtual else "generic"
        return max(
            self._all(),
            key=lambda boot_image: (boot_image.flavour == flavour, boot_image.built_at, boot_image.name),
            default=None,
        )

    def _all(self) -> list[BootImage]:
        if not self._directory.is_dir():
            return []
        boot_images = (self.find(path.name) for path in self._directory.iterdir())
        return [boot_image for boot_image in boot_images if boot_image is not None]

    def _read(self, folder: Path) -> BootImage | None:
        kernel, initrd = folder / "kernel", folder / "initrd"
        if not kernel.is_file() or not initrd.is_file():
            return None
        try:
            about: dict[str, Any] = json.loads((folder / "image.json").read_bytes())
            flavour, built_at = str(about.get("flavour", "generic")), float(about.get("built_at", 0))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.warning("the boot image %s is left out: image.json cannot be read: %s", folder.name, error)
            return None
        return BootImage(folder.name, kernel, initrd, flavour, built_at)
