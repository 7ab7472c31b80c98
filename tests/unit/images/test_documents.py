"""Signed documents of mirrors: gpgv checks them against a keyring."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hostloom.images.documents import MirrorDocuments
from hostloom.images.download import Downloader
from hostloom.images.limits import MIB, ImportLimits
from hostloom.model.errors.outside import DiskImageFailed, DownloadFailed
from support.gpg import Key, made_key
from support.image_server import ImageServer, serving_images

DOCUMENTS = MirrorDocuments(Downloader(ImportLimits(), allow_local=True))
TEXT = b'{"format": "index:1.0"}\n'


@pytest.fixture
def web() -> Iterator[ImageServer]:
    with serving_images() as server:
        yield server


@pytest.fixture
def key(tmp_path: Path) -> Iterator[Key]:
    yield from made_key(tmp_path / "mirror")


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
