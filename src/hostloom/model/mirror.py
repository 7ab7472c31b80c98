"""Mirrors of disk images, and the actions of a synchronization."""

from dataclasses import dataclass
from enum import StrEnum

from hostloom.model.disk_image import shaped_name


@dataclass(frozen=True, slots=True)
class MirrorFilter:
    """Which images of a mirror; an empty text takes all."""

    os: str = ""
    #: A version (`24.04`), a codename (`noble`) or an alias.
    release: str = ""
    architecture: str = ""


@dataclass(frozen=True, slots=True)
class MirrorImage:
    """The newest disk of one product of a mirror."""

    os: str
    release: str
    codename: str
    architecture: str
    variant: str
    #: Version of the build, such as `20241004`.
    version: str
    url: str
    sha256: str
    size_bytes: int
    title: str = ""

    @property
    def name(self) -> str:
        """The name that the image gets here: the same for every version."""
        variant = "" if self.variant in ("", "default") else self.variant
        return shaped_name("-".join(filter(None, (self.os, self.release, self.architecture, variant))))


class SyncAction(StrEnum):
    """The action for one image of a mirror."""

    IMPORT = "import"
    #: The mirror has a newer version.
    REPLACE = "replace"
    #: hostloom has this version.
    KEEP = "keep"
    #: The name belongs to an image from elsewhere.
    SKIP = "skip"
    #: Its import is running, or starts with a later synchronization, when fewer imports are running.
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class SyncItem:
    """One image of a mirror, and the action for it."""

    image: MirrorImage
    action: SyncAction
    #: The operation that imports it; empty in a plan, and if there is nothing to do.
    operation_id: str = ""
