"""Reads small documents of mirrors; gpgv checks signatures."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from hostloom.images.download import Downloader
from hostloom.images.limits import MIB, Confined, run_confined


@dataclass(frozen=True)
class MirrorDocuments:
    """Documents on web servers."""

    downloader: Downloader

    def read(self, url: str, limit_bytes: int) -> bytes:
        """A whole document; DownloadFailed."""
        return self.downloader.read(url, limit_bytes)

    def read_signed(self, url: str, keyring: bytes, limit_bytes: int) -> bytes:
        """The text of a document with an inline signature of one of the keyring's keys; DiskImageFailed."""
        content = self.downloader.read(url, limit_bytes)
        with tempfile.TemporaryDirectory(prefix="hostloom-keyring-") as folder:
            keys, document = Path(folder) / "keyring.gpg", Path(folder) / "document"
            keys.write_bytes(keyring)
            document.write_bytes(content)
            limits = Confined(output_bytes=limit_bytes, cpu_s=60, memory_bytes=512 * MIB)
            argv = ["gpgv", "-q", "--homedir", folder, "--keyring", str(keys), "--output", "-", str(document)]
            return run_confined(argv, limits, f"{url} has no valid signature of the keyring, so it")
