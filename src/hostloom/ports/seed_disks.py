"""Seed disks, from which cloud-init reads how to configure a machine."""

from collections.abc import Mapping
from typing import Protocol


class SeedDisks(Protocol):
    """Makes the content of seed disks."""

    def build(self, files: Mapping[str, str]) -> bytes:
        """A file system labelled `cidata` with these files, by name; SeedDiskFailed.

        Equal files give equal bytes. The size is a multiple of 1 MiB.
        """
        ...
