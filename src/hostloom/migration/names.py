"""Conversion of names of another system into valid names."""

import re
from collections.abc import Container

_OTHER = re.compile(r"[^a-z0-9-]+")
_TAG = re.compile(r"[,;:=() \t/]+")
_MAX_LABEL, _MAX_TAG = 63, 64
#: Leaves room for a prefix and a suffix.
_MAX_NAME = 240


def usable_name(noun: str, name: str) -> str:
    """Make a printable name without slashes. A number gets a prefix, because numbers are ids."""
    printable = (
        "".join(character for character in name.replace("/", "-") if character.isprintable())
        .strip()[:_MAX_NAME]
        .strip()
    )
    if not printable.strip("."):
        return noun
    return f"{noun}-{printable}" if printable.isdigit() else printable


def usable_tag(name: str) -> str:
    """Make a tag that is valid in constraints."""
    return usable_name("tag", _TAG.sub("-", name.strip()))[:_MAX_TAG]


def usable_hostname(name: str) -> str:
    """Make a DNS label in lower case."""
    label = _OTHER.sub("-", name.partition(".")[0].lower()).strip("-")
    return label[:_MAX_LABEL].strip("-") or "node"


def usable_domain(name: str) -> str:
    """Make a DNS name in lower case."""
    labels = [usable_hostname(label) for label in name.strip(".").split(".") if label]
    return ".".join(labels)[:253].strip(".-") or "domain"


def free_name(name: str, used: Container[str], longest: int = 255) -> str:
    """The name, or the first free name with a number appended."""
    candidate, number = name, 1
    while candidate in used:
        number += 1
        ending = f"-{number}"
        candidate = name[: longest - len(ending)].rstrip("-") + ending
    return candidate
