"""Disk images under the names of MAAS's clients: a system and its series, such as `ubuntu/jammy`."""

from collections.abc import Sequence

from hostloom.compat.maas2.responses import bad_field
from hostloom.model.disk_image import DiskImage
from hostloom.model.machine import Machine

#: MAAS's name for the system of images that users bring.
CUSTOM = "custom"
#: Systems that MAAS's clients know by the codenames of their releases.
_BY_CODENAME = frozenset({"ubuntu"})
_MAX_SHOWN = 20


def system_of(image: DiskImage) -> tuple[str, str]:
    """The `osystem` and the `distro_series` of an image; `custom` and its name if its system is unknown."""
    release = image.release or image.codename
    if image.os in _BY_CODENAME:
        release = image.codename or image.release
    return (image.os, release) if image.os and release else (CUSTOM, image.name)


def newest_first(images: Sequence[DiskImage]) -> list[DiskImage]:
    """The order in which images are chosen."""
    return sorted(images, key=lambda image: (image.imported_at, image.id), reverse=True)


def shown_name(image: DiskImage, images: Sequence[DiskImage]) -> str:
    """The name in `boot-resources`, by which `deploy` chooses this image: `debian/12`, or its own name."""
    system, series = system_of(image)
    same = (other for other in newest_first(images) if _is_like(other, image))
    is_custom = system == CUSTOM or next(same).id != image.id
    return image.name if is_custom else f"{system}/{series}"


def _is_like(image: DiskImage, other: DiskImage) -> bool:
    return system_of(image) == system_of(other) and image.architecture == other.architecture


def choose(images: Sequence[DiskImage], machine: Machine, osystem: str, series: str) -> DiskImage:
    """The image that a client means; without a name, the newest for the machine's architecture.

    `series` is the name of an image, a release or codename, or `OS/SERIES`. Of several images with the same
    system the newest for the machine's architecture is chosen. Raises 400 if none fits.
    """
    by_name = {image.name: image for image in images}
    if series in by_name and osystem in ("", CUSTOM, by_name[series].os):
        return by_name[series]
    if "/" in series:
        osystem, _, series = series.partition("/")
    candidates = newest_first([image for image in images if _fits(image, osystem, series)])
    for image in candidates:
        if image.architecture in ("", machine.architecture):
            return image
    if candidates:
        return candidates[0]
    raise bad_field("distro_series" if series else "osystem", _none_fits(images, osystem, series))


def _fits(image: DiskImage, osystem: str, series: str) -> bool:
    if osystem == CUSTOM:
        return series in ("", image.name)
    if osystem and osystem != image.os:
        return False
    return series in ("", image.name, image.release, image.codename)


def _none_fits(images: Sequence[DiskImage], osystem: str, series: str) -> str:
    if not images:
        return "There is no disk image: import one with `hostloom image import`, or build one."
    names = dict.fromkeys(shown_name(image, images) for image in newest_first(images)[:_MAX_SHOWN])
    wanted = "/".join(part[:60] for part in (osystem, series) if part)
    return f"{wanted!r} is not a disk image: expected one of {', '.join(names)}."
