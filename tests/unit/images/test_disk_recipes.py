"""Recipes of disk images, and what mmdebstrap is told of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.images.disk_layout import DiskLayout
from hostloom.images.disk_recipes import (
    check_build,
    hooks,
    package_names,
    read_recipe,
    recipe_names,
    source_lines,
)
from hostloom.model.disk_build import DiskBuild
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.model.errors.values import InvalidValue
from hostloom.model.image import Flavour

BUILD = DiskBuild("debian-12")
KVM = DiskBuild("debian-12", Flavour.GENERIC, kvm=True)
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SNAPSHOT = "https://snapshot.example/archive/debian/20250520T000000Z"


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_is_complete(name: str) -> None:
    recipe = read_recipe(name)
    assert {"base", "grub", "virtual", "generic", "kvm", "ovs"} == set(recipe.packages)
    assert sum(suite.is_security for suite in recipe.suites) == 1
    assert name == f"{recipe.os}-{recipe.release}"


def test_an_unknown_recipe_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidValue, match=r"'debian-1' is not a recipe.*debian-12"):
        check_build(DiskBuild("debian-1"))


@pytest.mark.parametrize(
    ("build", "field"),
    [(replace(BUILD, ovs=True), "ovs"), (replace(BUILD, kvm=True), "flavour")],
)
def test_a_variant_that_makes_no_sense_is_refused(build: DiskBuild, field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_build(build)
    assert caught.value.field == field


def test_a_missing_keyring_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_file", lambda _: False)
    with pytest.raises(DiskImageFailed, match="install there: debian-archive-keyring"):
        check_build(BUILD)


@pytest.mark.parametrize(
    ("build", "variant"),
    [
        (BUILD, "debian-12"),
        (replace(BUILD, flavour=Flavour.GENERIC), "debian-12-generic"),
        (KVM, "debian-12-kvm"),
        (replace(KVM, ovs=True), "debian-12-kvm-ovs"),
    ],
)
def test_variants_have_names_and_packages_of_their_own(build: DiskBuild, variant: str) -> None:
    packages = package_names(read_recipe("debian-12"), build)
    assert build.variant == variant
    assert ("linux-image-cloud-amd64" in packages) == (build.flavour is Flavour.VIRTUAL)
    assert ("libvirt-daemon-system" in packages) == build.kvm
    assert ("openvswitch-switch" in packages) == build.ovs


def test_archives_are_those_of_the_request_or_the_server_or_the_recipe() -> None:
    server = {"bookworm": "http://apt.example/debian/"}
    build = replace(BUILD, security_mirror=SNAPSHOT)
    assert source_lines(read_recipe("debian-12"), build, server) == [
        f"deb [signed-by={KEYRING}] http://apt.example/debian bookworm main",
        f"deb [signed-by={KEYRING}] http://deb.debian.org/debian bookworm-updates main",
        f"deb [signed-by={KEYRING} check-valid-until=no] {SNAPSHOT} bookworm-security main",
    ]


def test_scripts_have_the_uuid_of_the_layout() -> None:
    layout = DiskLayout("debian-12", 0)
    for script in hooks(read_recipe("debian-12"), BUILD, layout):
        assert f"ROOT_UUID={layout.root_uuid}\n" in script
