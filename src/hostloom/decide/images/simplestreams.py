"""Finds the disk images in a mirror's simplestreams documents.

The format is described in the README of lp:simplestreams; paths are relative to the mirror's root.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hostloom.model.errors.outside import DiskImageFailed
from hostloom.model.ids import natural_key
from hostloom.model.mirror import MirrorFilter, MirrorImage

INDEX = "streams/v1/index.json"
#: Documents of products that an index may name, and images that a mirror may have.
MAX_STREAMS, MAX_IMAGES = 50, 5000
#: Kinds of items that are whole disks, in order of preference: Ubuntu's `disk-kvm.img` has few drivers.
_DISK_KINDS = ("disk1.img", "disk-kvm.img", "disk.qcow2", "qcow2", "disk.img", "uefi1.img", "img", "raw.xz")
_MAX_TEXT = 255


def root_of(url: str) -> str:
    """The root of a mirror, of a URL that names the root, the index or a document of products."""
    head, separator, _ = url.partition("streams/v1/")
    return head if separator else url.rstrip("/") + "/"


def document_of(url: str) -> str:
    """The path of the first document to read, relative to the root."""
    _, separator, rest = url.partition("streams/v1/")
    return f"streams/v1/{rest}" if separator and rest else INDEX


def product_paths(document: object, where: str) -> list[str]:
    """Paths of the documents of products that an index names; empty for a document of products itself."""
    kind = str(document.get("format", "")) if isinstance(document, dict) else ""
    if not isinstance(document, dict) or not kind.startswith(("index:", "products:")):
        raise DiskImageFailed(where, "its `format` is not index or products, as in simplestreams")
    entries = document.get("index")
    if not isinstance(entries, dict):
        return []
    paths = [
        entry["path"]
        for _, entry in sorted(entries.items())
        if isinstance(entry, dict) and _is_about_images(entry) and _is_relative(entry.get("path"))
    ]
    if len(paths) > MAX_STREAMS:
        raise DiskImageFailed(where, f"it names {len(paths)} documents, and {MAX_STREAMS} are allowed")
    return paths


def find_images(document: object, root: str, filters: Sequence[MirrorFilter]) -> list[MirrorImage]:
    """The newest disk of each product that one of the filters takes (no filters: every product)."""
    products = document.get("products") if isinstance(document, dict) else None
    if not isinstance(products, dict):
        return []
    images = []
    for _, product in sorted(products.items()):
        if isinstance(product, dict) and _is_wanted(product, filters):
            image = _newest(product, root)
            if image is not None:
                images.append(image)
    return images[:MAX_IMAGES]


def _is_about_images(entry: Mapping[str, Any]) -> bool:
    is_download = entry.get("datatype", "image-downloads") == "image-downloads"
    return is_download and str(entry.get("format", "")).startswith("products:")


def _is_relative(path: object) -> bool:
    """Whether it is a path below the mirror's root."""
    if not isinstance(path, str) or not 0 < len(path) <= 1000 or not path.isprintable():
        return False
    return not path.startswith("/") and "://" not in path and ".." not in path.split("/")


def _is_wanted(product: Mapping[str, Any], filters: Sequence[MirrorFilter]) -> bool:
    names = ("release", "version", "release_codename", "release_title")
    releases = {_text(product, name) for name in names}
    releases |= {alias.strip() for alias in _text(product, "aliases").split(",")}
    folded = {word.casefold() for word in releases}
    return not filters or any(
        (not mirror_filter.os or mirror_filter.os.casefold() == _text(product, "os").casefold())
        and (not mirror_filter.release or mirror_filter.release.casefold() in folded)
        and (not mirror_filter.architecture or mirror_filter.architecture == _text(product, "arch"))
        for mirror_filter in filters
    )


def _newest(product: Mapping[str, Any], root: str) -> MirrorImage | None:
    """The disk of the newest version that has one."""
    versions = product.get("versions")
    if not isinstance(versions, dict):
        return None
    for version in sorted(map(str, versions), key=natural_key, reverse=True):
        item = _disk(versions[version])
        if item is not None:
            return _image(product, version, item, root)
    return None


def _disk(version: object) -> Mapping[str, Any] | None:
    items = version.get("items") if isinstance(version, dict) else None
    if not isinstance(items, dict):
        return None
    disks = sorted(_ranked(items), key=lambda pair: pair[0])
    return disks[0][1] if disks else None


def _ranked(items: Mapping[str, Any]) -> Iterator[tuple[tuple[int, str], Mapping[str, Any]]]:
    """Usable disks with their rank: those with a path and a SHA-256."""
    for name, item in items.items():
        if not isinstance(item, dict) or item.get("ftype") not in _DISK_KINDS:
            continue
        if _is_relative(item.get("path")) and isinstance(item.get("sha256"), str):
            yield (_DISK_KINDS.index(item["ftype"]), str(name)), item


def _image(product: Mapping[str, Any], version: str, item: Mapping[str, Any], root: str) -> MirrorImage:
    title = _text(product, "release_title")
    version_title = title if re.fullmatch(r"[0-9][0-9.]*", title) else ""  # Incus has the version only there
    release = _text(product, "version") or version_title or _text(product, "release")
    size = item.get("size")
    return MirrorImage(
        os=_text(product, "os").lower(),
        release=release,
        codename=_text(product, "release_codename") or _text(product, "release"),
        architecture=_text(product, "arch"),
        variant=_text(product, "variant"),
        version=version[:_MAX_TEXT],
        url=root + item["path"],
        sha256=item["sha256"].lower(),
        size_bytes=size if isinstance(size, int) and size >= 0 else 0,
        title=title,
    )


def _text(product: Mapping[str, Any], name: str) -> str:
    value = product.get(name, "")
    return value[:_MAX_TEXT] if isinstance(value, str) and value.isprintable() else ""
