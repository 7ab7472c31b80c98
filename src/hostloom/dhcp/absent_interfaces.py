"""Detects interfaces that a Kea server cannot find, and removes them from its configuration; pure."""

import copy
import re
from typing import Any

#: Kea's message about a configured interface that does not exist (Kea 2.2: `dhcp4` and `dhcp6`).
_MISSING = re.compile(r"interface '?([^\s']+?)'? doesn't exist|interface name '?([^\s']+?)'? for subnet")


def missing_interface(message: str) -> str | None:
    """The interface named in a refusal; None if the refusal has another reason."""
    match = _MISSING.search(message)
    return None if match is None else match[1] or match[2]


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The same configuration without the interface and its subnets."""
    remaining = copy.deepcopy(document)
    for version in ("4", "6"):
        served = remaining.get(f"Dhcp{version}")
        if served is None:
            continue
        config = served.get("interfaces-config", {})
        # An interface may be named with an address: `eth0/10.0.0.1`.
        config["interfaces"] = [entry for entry in config["interfaces"] if entry.partition("/")[0] != name]
        key = f"subnet{version}"
        for part in (served, *served.get("shared-networks", ())):
            for entry in (part, *part.get(key, ())):
                if entry.get("interface") == name:
                    del entry["interface"]
    return remaining
