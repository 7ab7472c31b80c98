"""Boot images."""

from collections.abc import Sequence
from typing import Protocol

from hostloom.model.image import Flavour, Image


class ImageStore(Protocol):
    """Boot images, named by their content, which never change.

    All changing methods are idempotent; after a failure (ImageFailed), existing images are unchanged.
    """

    def list(self) -> Sequence[Image]:
        """Latest first."""
        ...

    def find(self, name: str) -> Image | None:
        """By name."""
        ...

    def fetch(self, flavour: Flavour) -> tuple[str, ...]:
        """Download missing packages of the distribution's kernel; returns the names of all of them."""
        ...

    def build(self, flavour: Flavour, packages: Sequence[str]) -> Image:
        """Build an image from fetched packages; machines boot it from now on."""
        ...

    def prune(self, image: Image, packages: Sequence[str]) -> None:
        """Delete replaced images, except the previous one, which machines may still be loading."""
        ...

    def delete(self, name: str) -> None:
        """A record by name; NotFound."""
        ...
