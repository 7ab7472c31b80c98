"""The import of a disk image: its source, its known properties, and the results of its steps."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from hostloom.model.disk_build import DiskBuild
from hostloom.model.disk_image import BootMode
from hostloom.model.errors.values import InvalidValue

MAX_URL = 2048


class DiskFileFormat(StrEnum):
    """Formats of a whole disk."""

    QCOW2 = "qcow2"
    RAW = "raw"


class Compression(StrEnum):
    """Compressions of a file."""

    NONE = "none"
    XZ = "xz"
    GZIP = "gzip"
    ZSTD = "zstd"
    BZIP2 = "bzip2"


@dataclass(frozen=True, slots=True)
class ImageSource:
    """The source of a disk; exactly one of `url`, `upload` and `build` is set."""

    url: str = ""
    #: Id of a file that a client has sent.
    upload: str = ""
    #: Required hash of the file; empty: any.
    sha256: str = ""
    #: URL of a list of checksums, which must contain one for the file.
    sha256sums_url: str = ""
    #: Name of the file for messages and lists of checksums; it does not determine the format.
    file_name: str = ""
    build: DiskBuild | None = None

    @property
    def text(self) -> str:
        """The source as text, without the query of a URL, which may be a secret."""
        if self.build is not None:
            return f"recipe {self.build.variant}"
        return self.url.partition("?")[0].partition("#")[0] if self.url else self.file_name

    @property
    def verb(self) -> str:
        """The participle for messages."""
        return "imported" if self.build is None else "built"


@dataclass(frozen=True, slots=True)
class KnownContent:
    """Properties of a disk that the user gave; None: the property is read from the disk."""

    os: str | None = None
    release: str | None = None
    codename: str | None = None
    architecture: str | None = None
    boot_modes: tuple[BootMode, ...] | None = None
    default_user: str | None = None
    has_cloud_init: bool | None = None
    has_kvm: bool | None = None


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that a client has sent, which an import can use within a day."""

    id: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """The file of an import, as it came."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class UnpackedDisk:
    """A disk without compression."""

    format: DiskFileFormat
    compression: Compression
    virtual_size_bytes: int


@dataclass(frozen=True, slots=True)
class ConvertedDisk:
    """A disk in the two forms in which it is stored."""

    sha256: str
    virtual_size_bytes: int
    size_bytes: int
    stream_sha256: str
    stream_size_bytes: int


def check_url(url: str, field: str = "url") -> str:
    """Return a URL that a server can download; InvalidValue."""
    try:
        parts = urlsplit(url)
        is_complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_complete = False
    if not is_complete or len(url) > MAX_URL:
        raise InvalidValue(field, url, "is not a URL of a file", "use https:// or http://, a host and a path")
    if parts.username is not None or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidValue(
            field,
            parts.hostname,
            "has a URL with a user, a space or a character outside ASCII",
            "leave the user out, and write other characters as %XX",
        )
    return url
