"""Which image a machine boots: one that is whole, of its flavour, the latest."""

import json
from pathlib import Path

import pytest

from hostloom.boot.images import GIVEN, BootImages


def build(directory: Path, name: str, flavour: str = "generic", built_at: float = 1.0) -> None:
    folder = directory / name
    folder.mkdir(parents=True)
    (folder / "kernel").write_bytes(b"kernel")
    (folder / "initrd").write_bytes(b"initrd")
    about = {"name": name, "flavour": flavour, "built_at": built_at, "kernel": "6.1", "sha256": {}}
    (folder / "image.json").write_text(json.dumps(about))


def chosen(images: BootImages, *, virtual: bool) -> str | None:
    found = images.choose(virtual=virtual)
    return None if found is None else found.name


def test_there_may_be_none(tmp_path: Path) -> None:
    assert BootImages(tmp_path / "none").choose(virtual=True) is None


def test_the_latest_of_its_flavour_is_taken_else_any(tmp_path: Path) -> None:
    images = BootImages(tmp_path)
    build(tmp_path, "old", "virtual", 1)
    assert chosen(images, virtual=False) == "old"
    build(tmp_path, "bare", "generic", 2)
    build(tmp_path, "new", "virtual", 3)
    assert chosen(images, virtual=True) == "new"
    assert chosen(images, virtual=False) == "bare"


@pytest.mark.parametrize("lacking", ["kernel", "initrd", "image.json"])
def test_an_image_that_is_not_whole_is_none(tmp_path: Path, lacking: str) -> None:
    build(tmp_path, "half")
    (tmp_path / "half" / lacking).unlink()
    images = BootImages(tmp_path)
    assert images.find("half") is None
    assert images.choose(virtual=False) is None


@pytest.mark.parametrize("text", ["{", "[]", '{"built_at": "soon"}', '{"built_at": null}'])
def test_one_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path, text: str) -> None:
    build(tmp_path, "broken", built_at=9)
    (tmp_path / "broken" / "image.json").write_text(text)
    build(tmp_path, "good")
    assert chosen(BootImages(tmp_path), virtual=False) == "good"


@pytest.mark.parametrize("name", ["", ".", "..", "../good", "a/b", "UP", ".hidden", "x" * 65])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    build(tmp_path / "images", "good")
    build(tmp_path, "outside")
    assert BootImages(tmp_path / "images").find(name) is None


def test_what_the_settings_name_counts_alone(tmp_path: Path) -> None:
    build(tmp_path, "good", "virtual", 9)
    images = BootImages(tmp_path, tmp_path / "vmlinuz", tmp_path / "initrd.gz")
    assert chosen(images, virtual=True) == GIVEN
    found = images.find(GIVEN)
    assert found is not None
    assert found.file("kernel") == tmp_path / "vmlinuz"
    assert found.file("image.json") is None
    assert BootImages(tmp_path, tmp_path / "vmlinuz", None).find(GIVEN) is None


def test_a_virtual_image_never_writes_disks(tmp_path: Path) -> None:
    images = BootImages(tmp_path)
    build(tmp_path, "virtual-1", "virtual", 2)
    assert images.choose_for_disks() is None
    build(tmp_path, "generic-1", "generic", 1)
    found = images.choose_for_disks()
    assert found is not None
    assert found.name == "generic-1"
