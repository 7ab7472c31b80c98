"""Which images of a simplestreams mirror are found: the newest disk of each product."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostloom.decide.images.simplestreams import document_of, find_images, product_paths, root_of
from hostloom.model.errors.outside import DiskImageFailed
from hostloom.model.mirror import MirrorFilter
from support.depth import examples
from support.mirror import a_product

ROOT = "https://images.example/"
SHA256 = "a" * 64


def disk(path: str = "a.img", **fields: Any) -> dict[str, Any]:
    return {"ftype": "disk1.img", "path": path, "sha256": SHA256, "size": 5, **fields}


def products(**versions: Any) -> dict[str, Any]:
    product = a_product("ubuntu", "24.04") | {"versions": versions}
    return {"format": "products:1.0", "products": {"p": product}}


@pytest.mark.parametrize(
    ("url", "root", "document"),
    [
        ("https://images.example", ROOT, "streams/v1/index.json"),
        ("https://images.example/", ROOT, "streams/v1/index.json"),
        ("https://images.example/streams/v1/index.json", ROOT, "streams/v1/index.json"),
        ("https://images.example/streams/v1/com.x.json", ROOT, "streams/v1/com.x.json"),
        ("https://images.example/releases", f"{ROOT}releases/", "streams/v1/index.json"),
    ],
)
def test_a_url_names_the_root_or_a_document(url: str, root: str, document: str) -> None:
    assert (root_of(url), document_of(url)) == (root, document)


def test_an_index_names_documents_of_images() -> None:
    entry = {"format": "products:1.0", "datatype": "image-downloads"}
    index = {
        "format": "index:1.0",
        "index": {
            "b": {**entry, "path": "streams/v1/b.json"},
            "a": {**entry, "path": "streams/v1/a.json"},
            "cloud ids": {**entry, "path": "streams/v1/ids.json", "datatype": "image-ids"},
            "elsewhere": {**entry, "path": "https://evil.example/x.json"},
            "above": {**entry, "path": "../../x.json"},
            "absolute": {**entry, "path": "/x.json"},
            "no path": entry,
            "text": "x",
        },
    }
    assert product_paths(index, ROOT) == ["streams/v1/a.json", "streams/v1/b.json"]
    assert product_paths(products(), ROOT) == []


@pytest.mark.parametrize("document", [None, [], {}, {"format": "x"}, "text", 7])
def test_what_is_no_simplestreams_document_is_refused(document: object) -> None:
    with pytest.raises(DiskImageFailed, match=r"https://images\.example/ cannot be imported: its `format`"):
        product_paths(document, ROOT)


def test_the_newest_version_with_a_disk_counts_by_natural_order() -> None:
    document = products(
        **{
            "20240901": {"items": {"disk1.img": disk("old.img")}},
            "20240910.2": {"items": {"disk1.img": disk("second.img")}},
            "20240910.10": {"items": {"disk1.img": disk("tenth.img")}},
            "20241001": {"items": {"root.tar.xz": disk("r.tar.xz", ftype="root.tar.xz")}},
        }
    )
    (image,) = find_images(document, ROOT, ())
    assert (image.version, image.url) == ("20240910.10", f"{ROOT}tenth.img")
    assert (image.name, image.codename, image.title) == (
        "ubuntu-24.04-amd64",
        "ubuntu-24.04-codename",
        "24.04 LTS",
    )


def test_of_several_disks_of_a_version_the_best_kind_is_taken() -> None:
    items = {
        "delta": disk("x.vcdiff", ftype="disk-kvm.img.vcdiff"),
        "uefi": disk("uefi.img", ftype="uefi1.img"),
        "kvm": disk("disk-kvm.img", ftype="disk-kvm.img"),
        "disk": disk("disk.img"),
        "without a sum": {"ftype": "disk1.img", "path": "b.img"},
        "elsewhere": disk("//evil.example/a.img"),
    }
    (image,) = find_images(products(**{"1": {"items": items}}), ROOT, ())
    assert image.url == f"{ROOT}disk.img"


@pytest.mark.parametrize(
    ("filters", "is_wanted"),
    [
        ([MirrorFilter()], True),
        ([MirrorFilter(os="Ubuntu")], True),
        ([MirrorFilter(os="debian")], False),
        ([MirrorFilter(release="24.04")], True),
        ([MirrorFilter(release="UBUNTU-24.04-CODENAME")], True),
        ([MirrorFilter(release="latest")], True),
        ([MirrorFilter(release="22.04")], False),
        ([MirrorFilter(architecture="amd64")], True),
        ([MirrorFilter(architecture="arm64")], False),
        ([MirrorFilter(os="ubuntu", architecture="arm64")], False),
        ([MirrorFilter(os="debian"), MirrorFilter(release="24.04")], True),
    ],
)
def test_filters(filters: list[MirrorFilter], is_wanted: bool) -> None:
    document = products(**{"1": {"items": {"d": disk()}}})
    assert len(find_images(document, ROOT, filters)) == is_wanted


def test_a_variant_is_part_of_the_name() -> None:
    product = a_product("Debian", "12", variant="cloud", versions={"1": {"items": {"d": disk()}}})
    (image,) = find_images({"products": {"p": product}}, ROOT, ())
    assert (image.name, image.os) == ("debian-12-amd64-cloud", "debian")


def test_a_product_as_incus_has_them() -> None:
    product = {
        "aliases": "debian/12/cloud,debian/bookworm/cloud",
        "arch": "amd64",
        "os": "Debian",
        "release": "bookworm",
        "release_title": "12",
        "variant": "cloud",
        "versions": {
            "20240901_05:24": {
                "items": {
                    "incus.tar.xz": {"ftype": "incus.tar.xz", "path": "i/incus.tar.xz", "sha256": SHA256},
                    "disk.qcow2": disk("i/20240901_05:24/disk.qcow2", ftype="disk-kvm.img"),
                }
            }
        },
    }
    document = {"products": {"debian:bookworm:amd64:cloud": product}}
    (image,) = find_images(document, ROOT, [MirrorFilter("debian", "12", "amd64")])
    assert (image.name, image.release, image.codename) == ("debian-12-amd64-cloud", "12", "bookworm")
    assert image.url == f"{ROOT}i/20240901_05:24/disk.qcow2"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
words = st.sampled_from(["os", "arch", "version", "versions", "items", "ftype", "path", "sha256", "size"])
near = st.recursive(
    json_values | st.sampled_from(["disk1.img", "a/b.img", SHA256]),
    lambda inner: st.dictionaries(words, inner, max_size=6),
    max_leaves=20,
)


@settings(max_examples=examples(500), deadline=None)
@given(st.dictionaries(st.text(max_size=5), near, max_size=3))
def test_any_document_is_read(listed: dict[str, Any]) -> None:
    for image in find_images({"format": "products:1.0", "products": listed}, ROOT, ()):
        assert image.url.startswith(ROOT)
