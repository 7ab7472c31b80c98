"""Reads the recipes of disk images, and makes of one what mmdebstrap is told."""

import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from hostloom.images.disk_layout import DiskLayout
from hostloom.model.disk_build import DiskBuild
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.model.errors.values import InvalidValue
from hostloom.model.image import Flavour
from hostloom.serialization import from_json

_FOLDER = files("hostloom.images") / "recipes"
#: A mirror's URL with a moment in it, such as snapshot.debian.org has them: its lists may be expired.
_SNAPSHOT = re.compile(r"/\d{8}T\d{6}Z(/|$)")
#: Drivers in the initramfs; the cloud kernel has few.
_INITRAMFS = {Flavour.VIRTUAL: "most", Flavour.GENERIC: "most"}


@dataclass(frozen=True)
class Suite:
    """A suite of the distribution's archive."""

    name: str
    mirror: str
    is_security: bool = False


@dataclass(frozen=True)
class DiskRecipe:
    """One system: where its packages are, and which are installed."""

    title: str
    os: str
    release: str
    codename: str
    architecture: str
    components: tuple[str, ...]
    #: Keys that sign the archive; the file is on the server and in the image.
    keyring: str
    source_date_epoch: int
    suites: tuple[Suite, ...]
    #: Names of packages by group.
    packages: Mapping[str, tuple[str, ...]]


def recipe_names() -> list[str]:
    """The names of all recipes."""
    return sorted(
        path.name.removesuffix(".toml") for path in _FOLDER.iterdir() if path.name.endswith(".toml")
    )


def read_recipe(name: str) -> DiskRecipe:
    """A recipe by name; InvalidValue."""
    names = recipe_names()
    if name not in names:
        raise InvalidValue("recipe", name, "is not a recipe of a disk image", f"use {' or '.join(names)}")
    return from_json(tomllib.loads(_text(f"{name}.toml")), DiskRecipe)


def check_build(build: DiskBuild) -> DiskRecipe:
    """The recipe of a build; InvalidValue for a variant that it does not have."""
    recipe = read_recipe(build.recipe)
    if build.ovs and not build.kvm:
        raise InvalidValue("ovs", True, "needs `kvm`", "set both, or neither")
    if build.kvm and build.flavour is not Flavour.GENERIC:
        raise InvalidValue(
            "flavour", build.flavour.value, "has no drivers of hosts", "use `generic` with `kvm`"
        )
    if not Path(recipe.keyring).is_file():
        raise DiskImageFailed(
            f"image {build.variant}",
            f"the server lacks {recipe.keyring}; install there: {Path(recipe.keyring).stem}",
            "built",
        )
    return recipe


def package_names(recipe: DiskRecipe, build: DiskBuild) -> list[str]:
    """All packages that are asked for, sorted."""
    groups = ["base", "grub", build.flavour.value]
    groups += [group for group, applies in (("kvm", build.kvm), ("ovs", build.ovs)) if applies]
    return sorted({*(name for group in groups for name in recipe.packages[group]), *build.packages})


def source_lines(recipe: DiskRecipe, build: DiskBuild, server: Mapping[str, str]) -> list[str]:
    """The lines of sources.list; `server`: the archives that the server's apt uses, by suite."""
    return [_source_line(recipe, suite, build, server) for suite in recipe.suites]


def hooks(recipe: DiskRecipe, build: DiskBuild, layout: DiskLayout) -> tuple[str, str]:
    """The shell scripts that run before and after the packages are installed."""
    values = {
        "ROOT_UUID": str(layout.root_uuid),
        "TITLE": recipe.title,
        "INITRAMFS_MODULES": _INITRAMFS[build.flavour],
        "GRUB_PACKAGES": " ".join(recipe.packages["grub"]),
    }
    head = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    return head + _text("before-packages.sh"), head + _text("after-packages.sh")


def _source_line(recipe: DiskRecipe, suite: Suite, build: DiskBuild, server: Mapping[str, str]) -> str:
    named = build.security_mirror if suite.is_security else build.mirror
    mirror = named or server.get(suite.name, suite.mirror)
    options = [f"signed-by={recipe.keyring}"]
    if _SNAPSHOT.search(named):
        options.append("check-valid-until=no")
    words: Sequence[str] = (f"[{' '.join(options)}]", mirror.rstrip("/"), suite.name, *recipe.components)
    return f"deb {' '.join(words)}"


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
