"""Signed documents of mirrors: gpgv checks them against a keyring."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostloom.images.documents import MirrorDocuments
from hostloom.images.download import Downloader
from hostloom.images.limits import MIB, ImportLimits
from hostloom.model.errors.outside import DiskImageFailed, DownloadFailed
from support.image_server import ImageServer, serving_images

DOCUMENTS = MirrorDocuments(Downloader(ImportLimits(), allow_local=True))
TEXT = b'{"format": "index:1.0"}\n'


@pytest.fixture
def web() -> Iterator[ImageServer]:
    with serving_images() as server:
        yield server


class Key:
    """A key of GnuPG in a folder of its own."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self._home = home
        self._gpg("--passphrase", "", "--quick-generate-key", "mirror", "ed25519", "sign", "never")
        self.keyring = self._gpg("--export")

    def sign(self, content: bytes) -> bytes:
        """The content with an inline signature."""
        return self._gpg("--clearsign", content=content)

    def _gpg(self, *argv: str, content: bytes = b"") -> bytes:
        command = ["gpg", "-q", "--batch", "--homedir", str(self._home), "--pinentry-mode", "loopback", *argv]
        return subprocess.run(command, input=content, capture_output=True, check=True).stdout

    def close(self) -> None:
        """End the agent that gpg started."""
        subprocess.run(["gpgconf", "--homedir", str(self._home), "--kill", "all"], check=False)


@pytest.fixture
def key(tmp_path: Path) -> Iterator[Key]:
    made = Key(tmp_path / "mirror")
    yield made
    made.close()


def test_a_signed_document_is_read_without_its_signature(web: ImageServer, key: Key) -> None:
    url = web.add("/index.sjson", key.sign(TEXT))
    assert DOCUMENTS.read_signed(url, key.keyring, MIB) == TEXT


def test_another_key_another_text_and_no_signature_are_refused(
    web: ImageServer, key: Key, tmp_path: Path
) -> None:
    stranger = Key(tmp_path / "stranger")
    stranger.close()
    signed = key.sign(TEXT)
    for content, keyring in (
        (signed, stranger.keyring),
        (signed.replace(b"index", b"xedni"), key.keyring),
        (TEXT, key.keyring),
        (signed, b"no keyring"),
    ):
        url = web.add("/index.sjson", content)
        with pytest.raises(DiskImageFailed, match="has no valid signature of the keyring"):
            DOCUMENTS.read_signed(url, keyring, MIB)


def test_a_document_that_is_too_large_is_not_read(web: ImageServer) -> None:
    url = web.add("/index.json", bytes(2000))
    with pytest.raises(DownloadFailed, match="it has 2000 bytes, and 1000 are allowed"):
        DOCUMENTS.read(url, 1000)
