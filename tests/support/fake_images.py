"""Boot images in memory."""

from collections.abc import Sequence
from dataclasses import replace

from hostloom.model.errors.resources import NotFound
from hostloom.model.image import Flavour, Image, ImageFile


class FakeImages:
    """Every build of a flavour is the same image, made anew."""

    def __init__(self) -> None:
        self.images: dict[str, Image] = {}
        self.packages: set[str] = set()
        self._time = 1_800_000_000.0

    def list(self) -> Sequence[Image]:
        return sorted(self.images.values(), key=lambda each: (-each.built_at, each.name))

    def find(self, name: str) -> Image | None:
        return self.images.get(name)

    def fetch(self, flavour: Flavour) -> tuple[str, ...]:
        self.packages.add(f"linux-image-{flavour}_1_amd64.deb")
        return (f"linux-image-{flavour}_1_amd64.deb",)

    def build(self, flavour: Flavour, packages: Sequence[str]) -> Image:
        assert self.packages >= set(packages)
        self._time += 1
        files = (ImageFile("initrd", 1_400_000, "1" * 64), ImageFile("kernel", 14_000_000, "2" * 64))
        name = f"{flavour}-6.1.0-1-1a2b3c4d"
        self.images[name] = Image(name, flavour, "6.1.0-1", "amd64", self._time, files)
        return self.images[name]

    def prune(self, image: Image, packages: Sequence[str]) -> None:
        assert replace(self.images[image.name], built_at=image.built_at) == image

    def delete(self, name: str) -> None:
        if name not in self.images:
            raise NotFound("image", name)
        del self.images[name]
