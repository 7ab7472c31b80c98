"""Boot images."""

from collections.abc import Sequence
from typing import Protocol

from hostloom.model.image import Flavour, Image


class ImageStore(Protocol):
    """Boot images; each has a name of its own content, and never changes.

    Every method that changes is ensure-shaped, and leaves the images that are there as they are if it fails
    (ImageFailed).
    """

    def list(self) -> Sequence[Image]:
        """Latest first."""
        ...

    def find(self, name: str) -> Image | None:
        """By name."""
        ...

    def fetch(self, flavour: Flavour) -> tuple[str, ...]:
        """Get the packages of the distribution's kernel, unless they are here; their names."""
        ...

    def build(self, flavour: Flavour, packages: Sequence[str]) -> Image:
        """Build from fetched packages; machines boot it from now on."""
        ...

    def prune(self, image: Image, packages: Sequence[str]) -> None:
        """Drop what the image has replaced, but for the one before it, which machines may be loading."""
        ...

    def delete(self, name: str) -> None:
        """By name; NotFound."""
        ...
