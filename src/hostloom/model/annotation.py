"""Annotations: what a client of another API stores with a record, although hostloom does not use it."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from hostloom.model.errors.values import InvalidValue

#: The limit for all annotations of one record as JSON.
MAX_ANNOTATION_BYTES = 64 * 1024
MAX_ANNOTATION_NAME = 255


class Annotated(StrEnum):
    """The kinds of things that have annotations; they go when the thing goes."""

    #: By system id.
    NODE = "node"
    #: All others by id.
    SUBNET = "subnet"
    DOMAIN = "domain"
    TAG = "tag"
    USER = "user"


#: Annotations that an import writes: the owner of a device, its parent machine, MAAS's facts about the NICs
#: of a node (by name), and the time to live of a domain's records.
OWNER, PARENT, NICS, TTL = "owner", "parent", "nics", "ttl"
#: Of one NIC: links without an address, addresses that MAAS called static, and MAAS's parameters.
LINKS, STATIC, PARAMS = "links", "static", "params"
#: Of a subnet: the static routes of machines on it.
STATIC_ROUTES = "static_routes"


def merged_annotations(
    kind: Annotated, present: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """All annotations of a record after a change; InvalidValue for a bad name, or if they are too large."""
    for name in _names(changes):
        if not 1 <= len(name) <= MAX_ANNOTATION_NAME or not name.isprintable():
            raise InvalidValue(
                "name",
                name[:MAX_ANNOTATION_NAME],
                "is empty, too long or not printable",
                f"use 1 to {MAX_ANNOTATION_NAME} printable characters",
            )
    merged = {**present, **changes}
    size = len(json.dumps(merged))
    if size > MAX_ANNOTATION_BYTES:
        raise InvalidValue(
            "value",
            None,
            f"would make {size} bytes in all",
            f"store at most {MAX_ANNOTATION_BYTES} bytes for one {kind.value}",
        )
    return merged


def _names(values: Mapping[str, Any]) -> Iterable[str]:
    """The names of annotations, including one level of nesting, because owner data is a map."""
    for name, value in values.items():
        yield name
        if isinstance(value, Mapping):
            yield from map(str, value)
