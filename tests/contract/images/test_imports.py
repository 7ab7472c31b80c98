"""What imports into the folder of disk images and into its fake have in common."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hostloom.images.disk_directory import DiskDirectory
from hostloom.images.download import Downloader
from hostloom.images.import_files import ImportFiles
from hostloom.images.limits import MIB, ImportLimits
from hostloom.model.disk_import import ConvertedDisk, ImageSource
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.model.errors.resources import NotFound
from hostloom.ports.disk_images import DiskImageFiles, DiskImports
from support.disk_images import FakeDiskImages, a_disk
from support.image_server import serving_images

CONTENT = a_disk("an operating system")
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Importer:
    """One implementation, and how it gets files."""

    imports: DiskImports
    files: DiskImageFiles
    #: Serves content and answers with its URL.
    serve: Callable[[bytes], str]

    def upload(self, content: bytes = CONTENT, name: str = "upload-1") -> ImageSource:
        self.imports.expect(name, len(content))
        receiver = self.imports.receive(name)
        receiver.write(content[:100])
        receiver.write(content[100:])
        receiver.finish()
        return ImageSource(upload=name, file_name="debian.raw")

    def convert(self, work: str, source: ImageSource) -> ConvertedDisk:
        self.imports.fetch(work, source, _ignore)
        unpacked = self.imports.unpack(work, source.text, _ignore)
        return self.imports.convert(work, source.text, unpacked, _ignore)


@pytest.fixture(params=["folder", "fake"])
def importer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Importer]:
    if request.param == "fake":
        fake = FakeDiskImages(tmp_path)

        def serve_fake(content: bytes) -> str:
            fake.web["https://images.example/disk"] = content
            return "https://images.example/disk"

        yield Importer(fake, fake, serve_fake)
        return
    limits = ImportLimits(disk_bytes=64 * MIB)
    imports = ImportFiles(tmp_path, limits, Downloader(limits, allow_local=True), lambda _: 2**40)
    with serving_images() as server:
        yield Importer(imports, DiskDirectory(tmp_path), lambda content: server.add("/disk", content))


def _ignore(_done: int, _total: int | None) -> None:
    """Ignore the progress."""


def test_a_file_that_was_sent_becomes_a_disk(importer: Importer) -> None:
    source = importer.upload()
    uploaded = importer.imports.find_upload("upload-1")
    assert uploaded is not None
    assert (uploaded.size_bytes, uploaded.sha256) == (len(CONTENT), SHA256)
    converted = importer.convert("work-1", source)
    assert (converted.sha256, converted.virtual_size_bytes) == (SHA256, len(CONTENT))
    assert importer.files.list() == []
    assert importer.imports.inspect("work-1") is not None
    importer.imports.publish("work-1", SHA256)
    importer.imports.discard("work-1")
    assert importer.files.list() == [SHA256]
    assert importer.files.disk(SHA256).stat().st_size == converted.size_bytes
    assert importer.files.stream(SHA256).stat().st_size == converted.stream_size_bytes
    assert importer.imports.unfinished() == []
    assert importer.imports.uploads() == {}


def test_a_url_becomes_a_disk_and_every_step_may_run_twice(importer: Importer) -> None:
    source = ImageSource(url=importer.serve(CONTENT), sha256=SHA256)
    first = importer.convert("work-1", source)
    assert importer.convert("work-1", source) == first
    for _ in range(2):
        importer.imports.publish("work-1", SHA256)
    assert importer.imports.unfinished() == ["work-1"]
    for _ in range(2):
        importer.imports.discard("work-1")
    assert importer.files.list() == [SHA256]


def test_progress_is_told_in_bytes(importer: Importer) -> None:
    reports: list[tuple[int, int | None]] = []
    source = ImageSource(url=importer.serve(CONTENT))
    importer.imports.fetch("work-1", source, lambda done, total: reports.append((done, total)))
    assert reports[-1] == (len(CONTENT), len(CONTENT))
    unpacked = importer.imports.unpack("work-1", "it", _ignore)
    importer.imports.convert("work-1", "it", unpacked, lambda done, total: reports.append((done, total)))
    assert reports[-1] == (len(CONTENT), len(CONTENT))


def test_a_wrong_hash_is_refused_and_names_both(importer: Importer) -> None:
    source = ImageSource(url=importer.serve(CONTENT), sha256="0" * 64)
    with pytest.raises(DiskImageFailed, match=f"its SHA-256 is {SHA256}, and {'0' * 64} was expected"):
        importer.imports.fetch("work-1", source, _ignore)
    importer.imports.discard("work-1")
    assert importer.imports.unfinished() == []


def test_what_is_no_disk_is_refused(importer: Importer) -> None:
    source = importer.upload(b"Hello" * 200)
    importer.imports.fetch("work-1", source, _ignore)
    with pytest.raises(DiskImageFailed, match="neither a qcow2 disk nor a raw disk"):
        importer.imports.unpack("work-1", source.text, _ignore)


def test_a_file_that_is_not_there_cannot_be_fetched(importer: Importer) -> None:
    assert importer.imports.find_upload("upload-9") is None
    with pytest.raises(DiskImageFailed):
        importer.imports.fetch("work-1", ImageSource(upload="upload-9", file_name="x"), _ignore)


def test_only_an_expected_file_of_an_allowed_size_is_received(importer: Importer) -> None:
    with pytest.raises(NotFound):
        importer.imports.receive("upload-1")
    with pytest.raises(DiskImageFailed):
        importer.imports.expect("upload-1", 2**50)
    importer.imports.expect("upload-1", 3)
    assert importer.imports.find_upload("upload-1") is None


def test_an_upload_that_is_aborted_or_discarded_leaves_nothing(importer: Importer) -> None:
    importer.imports.expect("upload-1", len(CONTENT))
    receiver = importer.imports.receive("upload-1")
    receiver.write(CONTENT)
    receiver.abort()
    importer.upload(name="upload-2")
    for _ in range(2):
        importer.imports.discard_upload("upload-2")
    assert importer.imports.uploads() == {}


def test_an_import_withdraws_only_what_it_published(importer: Importer) -> None:
    for work in ("work-1", "work-2"):
        importer.convert(work, ImageSource(url=importer.serve(CONTENT)))
        importer.imports.publish(work, SHA256)
    importer.imports.withdraw("work-2", SHA256)
    assert importer.files.list() == [SHA256]
    for _ in range(2):
        importer.imports.withdraw("work-1", SHA256)
        assert importer.files.list() == []
