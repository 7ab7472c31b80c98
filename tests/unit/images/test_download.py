"""Downloads: continued, checked for their length, and only from addresses that may be asked."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from hostloom.images.download import Downloader, is_allowed
from hostloom.images.limits import MIB, ImportLimits
from hostloom.model.errors.outside import DownloadFailed
from support.image_server import ImageServer, serving_images

CONTENT = bytes(range(256)) * 8192
LIMITS = ImportLimits(disk_bytes=16 * MIB, stall_timeout_s=5.0)
DOWNLOADER = Downloader(LIMITS, allow_local=True)


@pytest.fixture
def web() -> Iterator[ImageServer]:
    with serving_images() as server:
        yield server


def ignore(_done: int, _total: int | None) -> None:
    """Ignore the progress."""


def test_a_download_that_breaks_off_continues_where_it_ended(web: ImageServer, tmp_path: Path) -> None:
    url, target = web.add("/disk", CONTENT), tmp_path / "source"
    web.cuts["/disk"] = [1_000_000, 500_000]
    for _ in range(2):
        with pytest.raises(DownloadFailed) as broken:
            DOWNLOADER.fetch(url, target, ignore)
        assert broken.value.retryable
        assert not target.exists()
    DOWNLOADER.fetch(url, target, ignore)
    assert target.read_bytes() == CONTENT
    assert [byte_range for _, byte_range in web.requests] == ["", "bytes=1000000-", "bytes=1500000-"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_changed_meanwhile_begins_anew(web: ImageServer, tmp_path: Path) -> None:
    url, target = web.add("/disk", CONTENT), tmp_path / "source"
    web.cuts["/disk"] = [1_000_000]
    with pytest.raises(DownloadFailed):
        DOWNLOADER.fetch(url, target, ignore)
    web.add("/disk", CONTENT[::-1])
    DOWNLOADER.fetch(url, target, ignore)
    assert target.read_bytes() == CONTENT[::-1]


def test_a_download_that_ended_but_was_not_noted_begins_anew(web: ImageServer, tmp_path: Path) -> None:
    """The process died between the last byte and the new name of the file."""
    url, target = web.add("/disk", CONTENT), tmp_path / "source"
    web.cuts["/disk"] = [1_000_000]
    with pytest.raises(DownloadFailed):
        DOWNLOADER.fetch(url, target, ignore)
    (tmp_path / "source.part").write_bytes(CONTENT)
    with pytest.raises(DownloadFailed) as failed:
        DOWNLOADER.fetch(url, target, ignore)
    assert failed.value.retryable
    DOWNLOADER.fetch(url, target, ignore)
    assert target.read_bytes() == CONTENT


def test_without_an_etag_a_download_begins_anew(web: ImageServer, tmp_path: Path) -> None:
    web.has_etags = False
    url, target = web.add("/disk", CONTENT), tmp_path / "source"
    web.cuts["/disk"] = [1_000_000]
    with pytest.raises(DownloadFailed):
        DOWNLOADER.fetch(url, target, ignore)
    DOWNLOADER.fetch(url, target, ignore)
    assert [byte_range for _, byte_range in web.requests] == ["", ""]
    assert target.read_bytes() == CONTENT


def test_a_file_that_arrives_in_chunks_is_whole_or_refused(web: ImageServer, tmp_path: Path) -> None:
    web.is_chunked = True
    url, target = web.add("/disk", CONTENT), tmp_path / "source"
    web.cuts["/disk"] = [1_000_000]
    with pytest.raises(DownloadFailed, match="the connection ended in the middle") as broken:
        DOWNLOADER.fetch(url, target, ignore)
    assert broken.value.retryable
    DOWNLOADER.fetch(url, target, ignore)
    assert target.read_bytes() == CONTENT


def test_redirects_are_followed_but_not_for_ever(web: ImageServer, tmp_path: Path) -> None:
    web.add("/disk", CONTENT)
    web.redirects |= {"/latest": "/disk", "/loop": f"{web.url}/loop"}
    DOWNLOADER.fetch(f"{web.url}/latest", tmp_path / "source", ignore)
    assert (tmp_path / "source").read_bytes() == CONTENT
    with pytest.raises(DownloadFailed, match="it redirects more than 5 times"):
        DOWNLOADER.read(f"{web.url}/loop", MIB)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_final(web: ImageServer, status: int) -> None:
    web.errors["/disk"] = status
    with pytest.raises(DownloadFailed, match=f"the server answers {status} ") as refused:
        DOWNLOADER.read(f"{web.url}/disk", MIB)
    assert not refused.value.retryable


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_of_the_server_may_be_tried_again(web: ImageServer, status: int) -> None:
    web.errors["/disk"] = status
    with pytest.raises(DownloadFailed) as broken:
        DOWNLOADER.read(f"{web.url}/disk", MIB)
    assert broken.value.retryable


def test_a_mirror_that_cannot_be_reached_is_named(web: ImageServer) -> None:
    with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1:9/disk cannot be downloaded: Connection refused"):
        DOWNLOADER.read("http://127.0.0.1:9/disk", MIB)
    with pytest.raises(DownloadFailed, match=r"no\.such\.host\.invalid: "):
        DOWNLOADER.read("http://no.such.host.invalid/", MIB)


@pytest.mark.parametrize("has_length", [True, False])
def test_a_file_that_is_larger_than_allowed_is_not_loaded(
    web: ImageServer, tmp_path: Path, has_length: bool
) -> None:
    web.has_lengths = has_length
    url = web.add("/disk", CONTENT)
    small = Downloader(replace(LIMITS, disk_bytes=MIB), allow_local=True)
    with pytest.raises(DownloadFailed, match=r"1048576.* allowed"):
        small.fetch(url, tmp_path / "source", ignore)
    with pytest.raises(DownloadFailed, match=r"1000.* allowed"):
        DOWNLOADER.read(url, 1000)


def test_a_download_has_an_end(web: ImageServer, tmp_path: Path) -> None:
    url = web.add("/disk", CONTENT)
    hasty = Downloader(replace(LIMITS, download_timeout_s=-1.0), allow_local=True)
    with pytest.raises(DownloadFailed, match="it did not end within"):
        hasty.fetch(url, tmp_path / "source", ignore)
    hasty = Downloader(replace(LIMITS, document_timeout_s=-1.0), allow_local=True)
    with pytest.raises(DownloadFailed, match="it did not end within"):
        hasty.read(url, 4 * MIB)


def test_this_machine_is_not_asked_unless_it_is_allowed(web: ImageServer) -> None:
    url = web.add("/disk", CONTENT)
    for address in (url, url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", "2130706433")):
        with pytest.raises(DownloadFailed, match="addresses of this machine and of its links are not asked"):
            Downloader(LIMITS).read(address, MIB)
    assert web.requests == []


def test_a_redirect_to_a_clouds_credentials_is_not_followed(web: ImageServer) -> None:
    web.redirects["/disk"] = "http://169.254.169.254/latest/meta-data/"
    with pytest.raises(DownloadFailed, match=r"169\.254\.169\.254 is 169\.254\.169\.254, and addresses"):
        DOWNLOADER.read(f"{web.url}/disk", MIB)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://127.0.0.1/", "//user:pw@127.0.0.1/x"])
def test_a_redirect_to_another_scheme_is_not_followed(web: ImageServer, location: str) -> None:
    web.redirects["/disk"] = location
    with pytest.raises(DownloadFailed):
        DOWNLOADER.read(f"{web.url}/disk", MIB)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("10.0.0.5", True),
        ("192.0.2.1", True),
        ("185.125.190.40", True),
        ("fd00::5", True),
        ("2620:2d:4000:1::17", True),
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("169.254.169.254", False),
        ("::ffff:169.254.169.254", False),
        ("fe80::1", False),
        ("0.0.0.0", False),  # noqa: S104  (nothing binds to it)
        ("::", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("255.255.255.255", False),
    ],
)
def test_addresses_that_may_be_asked(text: str, allowed: bool) -> None:
    assert is_allowed(ip_address(text), allow_local=False) is allowed
