"""The files of disk images."""

from pathlib import Path
from typing import Protocol


class DiskImageFiles(Protocol):
    """Files by the SHA-256 of the raw disk; a stored disk is always complete."""

    def list(self) -> list[str]:
        """The SHA-256 of every stored disk, sorted."""
        ...

    def disk(self, sha256: str) -> Path:
        """The qcow2 file, without backing file, on this server; NotFound."""
        ...

    def stream(self, sha256: str) -> Path:
        """The raw disk, compressed by zstd, on this server; NotFound."""
        ...

    def delete(self, sha256: str) -> None:
        """Delete both files; does nothing if they do not exist."""
        ...
