"""Names that can be ours, made of those that another system allowed."""

import re
from collections.abc import Container

_OTHER = re.compile(r"[^a-z0-9-]+")
_TAG = re.compile(r"[,;:=() \t/]+")
_MAX_LABEL, _MAX_TAG = 63, 64
#: Room is left for what is put before or behind it.
_MAX_NAME = 240


def usable_name(noun: str, name: str) -> str:
    """Printable, without a slash, no mere number: numbers are ids here."""
    found = "".join(sign for sign in name.replace("/", "-") if sign.isprintable()).strip()[:_MAX_NAME].strip()
    if not found.strip("."):
        return noun
    return f"{noun}-{found}" if found.isdigit() else found


def usable_tag(name: str) -> str:
    """A word that constraints can hold."""
    return usable_name("tag", _TAG.sub("-", name.strip()))[:_MAX_TAG]


def usable_hostname(name: str) -> str:
    """One DNS label in lower case."""
    label = _OTHER.sub("-", name.partition(".")[0].lower()).strip("-")
    return label[:_MAX_LABEL].strip("-") or "node"


def usable_domain(name: str) -> str:
    """A DNS name in lower case."""
    labels = [usable_hostname(each) for each in name.strip(".").split(".") if each]
    return ".".join(labels)[:253].strip(".-") or "domain"


def free_name(name: str, taken: Container[str], longest: int = 255) -> str:
    """The name, or the first free name with a number appended."""
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        ending = f"-{number}"
        candidate = name[: longest - len(ending)].rstrip("-") + ending
    return candidate
